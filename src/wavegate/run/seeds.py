# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The seed plan: which seed mails a person must schedule, to whom, when. Wavegate sends none.

How many: the coverage of a pool's addresses by equal shares (`compare/coverage`), and five mails an
address in the hour before, by which `resume_within` is learned.
"""

import fnmatch
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from wavegate.canonical import dumps
from wavegate.clock import format_instant
from wavegate.compare.coverage import messages_needed
from wavegate.estate.model import Estate, Instance, Window
from wavegate.run.opening import Opened

Phase = Literal["before", "queued", "after"]
PPM = 1_000_000
LEARNED_FROM = 5
"""Mails an address in the hour before, without which its resumption cannot be judged."""
QUEUED = 20
"""Seeds that wait in the queue over the window, per domain."""
HOUR = timedelta(hours=1)
SLOTS = 12
"""Bursts into which the seeds of a phase are spread: one connection must not carry them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """One order: so many seed mails of a domain in a phase, to these addresses, in these slots."""

    instance: str
    domain: str
    pool: str
    phase: Phase
    count: int
    addresses: tuple[str, ...]
    slots: tuple[datetime, ...]
    why: str

    def to_json(self) -> dict[str, object]:
        """The row of the seed plan."""
        return {
            "instance": self.instance,
            "domain": self.domain,
            "pool": self.pool,
            "phase": self.phase,
            "count": self.count,
            "addresses": list(self.addresses),
            "slots": [format_instant(slot) for slot in self.slots],
            "why": self.why,
        }


def seeds(opened: Opened) -> tuple[Seeds, ...]:
    """The orders for every instance of the wave that has a sink, in the order of the estate."""
    return tuple(
        order
        for instance in opened.instances
        if any(source.sink for source in instance.mail) and instance.sending_ips
        for domain in instance.domains
        for order in _orders(opened.estate, opened.window, instance, domain.name)
    )


def to_bytes(wave: str, orders: tuple[Seeds, ...]) -> bytes:
    """The seed plan as canonical JSON with a final line end."""
    rows = [order.to_json() for order in orders]
    return dumps({"schema": "wavegate/seeds/v1", "wave": wave, "seeds": rows}) + b"\n"


def _orders(estate: Estate, window: Window, instance: Instance, domain: str) -> Iterator[Seeds]:
    pool = instance.sending_ips
    alpha = estate.policy.coverage_alpha / PPM
    cover = max(messages_needed([1 / len(pool)] * len(pool), alpha), LEARNED_FROM * len(pool))
    told = f"{len(pool)} addresses, one missed with at most {alpha:g}"
    length = window.end - window.start
    spans: tuple[tuple[Phase, int, datetime, timedelta, str], ...] = (
        ("before", cover, window.start - HOUR, HOUR, told),
        ("queued", QUEUED, window.start, length, "wait in the queue, and must come once"),
        ("after", cover, window.end, HOUR, told),
    )
    for phase, count, since, span, why in spans:
        yield Seeds(
            instance=instance.name,
            domain=domain,
            pool=", ".join(pool),
            phase=phase,
            count=count,
            addresses=tuple(_addresses(instance)),
            slots=_slots(since, span),
            why=why,
        )


def _addresses(instance: Instance) -> Iterator[str]:
    """One address nobody can guess for each pattern that the instance's sinks take."""
    patterns = [p for s in instance.mail if s.sink for p in s.recipients or ("*@SEED-DOMAIN",)]
    for pattern in dict.fromkeys(patterns):
        local, _, host = pattern.partition("@")
        guess = f"{secrets.token_hex(16)}@{host}"
        yield guess if fnmatch.fnmatchcase(guess, pattern) else f"{local}@{host}"


def _slots(since: datetime, span: timedelta) -> tuple[datetime, ...]:
    return tuple(since + span * number / SLOTS for number in range(SLOTS))
