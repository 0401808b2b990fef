# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What `sending_window` is judged on, and which of the mail in it speaks for the instance."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from wavegate.compare.clock_skew import SkewBounds, hop_by
from wavegate.compare.senders import address, listed, speaks_for
from wavegate.compare.spans import Span
from wavegate.estate.model import Estate, Instance, Wave
from wavegate.record.message import Received
from wavegate.record.timeline import Timeline
from wavegate.verdict import Cleared, Finding, Missing, NotCompared

Said = Finding | Missing | Cleared | NotCompared


@dataclass(frozen=True, kw_only=True)
class WindowCase:
    """What `sending_window` is judged on. at: the run's instant.

    timelines: one per vantage. mail_window: the mail received in the window, of whatever part of
    it the sink heard; None is taken as none. listening: when the sink demonstrably listened.
    skew: of the receiving side's clock, where it was measured otherwise than by the mails.
    verified: digests of mails from unlisted addresses whose signature holds.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    timelines: tuple[Timeline, ...] = ()
    mail_before: tuple[Received, ...] = ()
    mail_window: tuple[Received, ...] | None = None
    mail_after: tuple[Received, ...] = ()
    listening: tuple[Span, ...] = ()
    skew: SkewBounds | None = None
    verified: frozenset[str] = field(default=frozenset())
    records: tuple[str, ...] = ()

    @property
    def opening(self) -> datetime:
        """When the window opens; the run's instant where there is no window."""
        return self.wave.window.start if self.wave.window else self.at

    @property
    def close(self) -> datetime:
        """When the window closes; the run's instant where there is no window."""
        return self.wave.window.end if self.wave.window else self.at

    @property
    def digests(self) -> tuple[str, ...]:
        """The records that the judgement rests on."""
        lines = (line.digest for line in self.timelines if line.digest)
        return (*self.records, *sorted(lines))

    @cached_property
    def mails(self) -> tuple[Received, ...]:
        """All mail that speaks for the instance, by the end of its data, each once."""
        return tuple(mail for mail in self.received if self._mine(mail))

    @cached_property
    def strangers(self) -> tuple[Received, ...]:
        """Mail that claims to be of the instance, and that anyone may have sent."""
        return tuple(mail for mail in self.received if not self._mine(mail))

    @cached_property
    def received(self) -> tuple[Received, ...]:
        """All mail, by the end of its data, each once."""
        found = (*self.mail_before, *(self.mail_window or ()), *self.mail_after)
        by_identity = {(m.ended, m.connected, m.peer, m.digest): m for m in found}
        return tuple(by_identity[key] for key in sorted(by_identity))

    def _mine(self, mail: Received) -> bool:
        return address(mail.peer) in self._agreed or speaks_for(self.instance, mail, self.verified)

    @cached_property
    def _agreed(self) -> frozenset[str]:
        return listed(self.instance)

    @cached_property
    def mine_before(self) -> tuple[Received, ...]:
        """The instance's mail that ended before the opening."""
        return tuple(mail for mail in self.mails if mail.ended < self.opening)

    @cached_property
    def mine_after(self) -> tuple[Received, ...]:
        """The instance's mail that ended from the close on."""
        return tuple(mail for mail in self.mails if mail.ended >= self.close)

    @cached_property
    def ips(self) -> frozenset[str]:
        """The sending IPs: those of the estate, and those used before."""
        return self._agreed | {address(mail.peer) for mail in self.mine_before}

    @property
    def hides(self) -> timedelta:
        """A gap no longer than this hides between probes anyway."""
        return self.estate.policy.confirm * self.estate.policy.probe_interval

    def taken_over(self, mail: Received) -> datetime | None:
        """When a trusted receiver took a mail over that it handed on to us; None without one.

        Only where the peer is none of the sending IPs: what those send us, they send now.
        """
        if address(mail.peer) in self.ips:
            return None
        hosts = (source.trusted_receiver for source in self.instance.mail)
        hops = (hop_by(mail, host) for host in hosts if host)
        return next((hop for hop in hops if hop is not None), None)
