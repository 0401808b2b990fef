# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The dossier of an instance: everything that its cells are judged on, and nothing else.

Frozen data; `shelf` reads it out of a store or out of a bundle's `records/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from wavegate.decision import GridCell, Withdrawal, withdrawn_by
from wavegate.estate.model import Estate, Instance, Wave
from wavegate.evidence.predicates import SeedRuns
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received
from wavegate.record.queue import QueueLook
from wavegate.record.retake import Chosen
from wavegate.record.stamp import Stamp
from wavegate.record.timeline import Timeline

FlawKind = Literal[
    "digest",
    "unknown-key",
    "bad-signature",
    "wrong-instance",
    "schema",
    "missing-object",
    "same-record",
    "mail-journal",
    "torn-journal",
    "unsigned-journal",
    "timeline-journal",
    "sequence",
    "plan",
    "timestamp",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong that reading the records brought to light.

    subject: the record, envelope or journal. detail: a sentence. record: its digest, or "".
    """

    kind: FlawKind
    subject: str
    detail: str
    record: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The signed plan that counts: the last version whose signature holds.

    at: when it was signed. digest: of its payload. agreed: digest of the agreed estate per
    customer. suites: digest of the suites it was made for. seeds: the bursts of seeds that were
    ordered, per instance.
    """

    version: int
    at: datetime
    digest: str
    agreed: Mapping[str, str]
    cells: tuple[GridCell, ...]
    suites: str
    seeds: Mapping[str, SeedRuns] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierWave:
    """A sealed gate of another wave, found in the store and verified.

    decision: of the wave; instance_decisions: per instance. closed: GO and nothing open.
    at: the run's instant. closed_instances: those that are GO with no open cell of their own.
    withdrawn_instances: those that its plan withdrew before the window.
    """

    wave: str
    run: str
    at: datetime
    decision: str
    closed: bool
    instance_decisions: Mapping[str, str]
    closed_instances: frozenset[str] = frozenset()
    withdrawn_instances: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A span in which the receiving side demonstrably listened."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything that one instance is judged on.

    at: the run's instant. before, after: the snapshots that count by the retake rule, None where
    there is none. mail_before, mail_after: mails received in the phase. mail_window: those received
    in the window, None where it is not known that the receiving side listened through all of it;
    mail_during: the same, in any case.
    mail_heard: whether any mail source of the instance was listening at all. agreed: digest of
    the agreed estate in hand. listening: when the receiving side demonstrably listened.
    mail_looks: the last into each mailbox and folder of reports; reports: DMARC aggregate reports.
    timelines: of the watch, one per vantage. looks: at the queue, in order of time.
    further: the other looks of a night, each to be judged in place of `after`; the worst counts.
    stamps: trusted timestamps over captures, as they say themselves.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    before: Chosen | None
    after: Chosen | None
    mail_before: tuple[Received, ...]
    mail_after: tuple[Received, ...]
    flaws: tuple[Flaw, ...]
    plan: PlanFacts | None
    earlier: tuple[EarlierWave, ...]
    agreed: str
    mail_heard: bool
    mail_window: tuple[Received, ...] | None = None
    mail_during: tuple[Received, ...] = ()
    listening: tuple[Heard, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    looks: tuple[QueueLook, ...] = ()
    mail_records: tuple[str, ...] = field(default=())
    mail_looks: tuple[MailLook, ...] = ()
    reports: tuple[DmarcReport, ...] = ()
    further: tuple[Chosen, ...] = ()
    stamps: tuple[Stamp, ...] = ()

    @property
    def withdrawal(self) -> Withdrawal | None:
        """How the plan withdrew it from the wave; None where it did not."""
        return withdrawn_by(self.plan.cells).get(self.instance.name) if self.plan else None

    @property
    def nightly(self) -> bool:
        """Whether it is judged against an accepted baseline, without a window."""
        return self.wave.open_ended
