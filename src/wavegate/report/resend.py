# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The resend plan: which messages a person should have sent, as CSV and JSON.

Wavegate never resends (design, rule 7): this lists deliveries, log rows and readers with the
reason, and somebody else decides. The same account gives the same bytes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wavegate.canonical import dumps
from wavegate.clock import format_instant
from wavegate.compare.queued_mail import Account
from wavegate.record.ledger_entry import Entry, Outcome
from wavegate.report.safe_csv import table

SCHEMA = "wavegate/resend-plan/v1"
FOLDER = "resend"
"""Where a bundle keeps the plans: `resend/<instance>.csv` and `.json`."""
COLUMNS = ("action", "delivery", "name", "label", "log_row", "recipient", "reason")


class Action(StrEnum):
    """What is proposed for a message; a person decides."""

    RESEND = "resend"
    DECIDE = "decide: its validity has ended"
    CHECK = "check first: it cannot be told whether it was sent"


_ACTIONS = {
    Outcome.LOST: Action.RESEND,
    Outcome.EXPIRED: Action.DECIDE,
    Outcome.UNTOLD: Action.CHECK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message. recipient: as it was kept, an HMAC where it is not ours; log_row: its id."""

    action: Action
    delivery: str
    name: str
    label: str
    log_row: str
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendPlan:
    """The plan of one instance as of an instant.

    queued: messages in the queue at the opening. waiting: those that may still come by
    themselves, until `deadline`; they are not in the plan yet. records: digests of the looks that
    it rests on.
    """

    instance: str
    customer: str
    wave: str
    queued: int
    records: tuple[str, ...]
    lines: tuple[Line, ...]
    at: datetime
    deadline: datetime
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlan:
    """An instance for which no plan could be made, and why."""

    instance: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What the reports say of one instance. lines: how many; stem: of its files, None without."""

    instance: str
    told: str
    lines: int
    stem: str | None


def plan(account: Account) -> ResendPlan:
    """Every message of the queue that was not sent and is not otherwise accounted for."""
    lines = [_line(account, entry) for entry in account.ledger.entries if _wanting(entry)]
    return ResendPlan(
        instance=account.case.instance.name,
        customer=account.case.instance.customer,
        wave=account.case.wave.name,
        queued=account.ledger.queued,
        records=account.records,
        lines=tuple(sorted(lines, key=lambda line: (line.delivery, line.log_row, line.recipient))),
        at=account.case.at,
        deadline=account.case.deadline,
        waiting=account.ledger.counts.get(Outcome.QUEUED, 0),
    )


def _wanting(entry: Entry) -> bool:
    """Not sent: an expired message that arrived all the same, or a doubt about two, is not."""
    return entry.outcome in _ACTIONS and not entry.copies


def _line(account: Account, entry: Entry) -> Line:
    original = entry.original
    known = account.ledger.deliveries.get(original.delivery)
    return Line(
        action=_ACTIONS[entry.outcome],
        delivery=original.delivery,
        name=known.name if known else "",
        label=known.label if known else "",
        log_row=original.id,
        recipient=original.recipient,
        reason=entry.why,
    )


def as_csv(found: ResendPlan) -> bytes:
    """RFC 4180, every cell quoted; a cell that a spreadsheet would run is made text by a quote."""
    return table(COLUMNS, ([getattr(line, column) for column in COLUMNS] for line in found.lines))


def as_json(found: ResendPlan) -> bytes:
    """Canonical JSON, the cells as they are."""
    return dumps(
        {
            "schema": SCHEMA,
            "instance": found.instance,
            "customer": found.customer,
            "wave": found.wave,
            "at": format_instant(found.at),
            "deadline": format_instant(found.deadline),
            "queued": found.queued,
            "waiting": found.waiting,
            "records": list(found.records),
            "messages": [
                {column: str(getattr(line, column)) for column in COLUMNS} for line in found.lines
            ],
        }
    )


def handed(found: Iterable[ResendPlan | NoPlan]) -> tuple[Handed, ...]:
    """What the reports say: most to do first, then those without a plan, then the others."""
    rows = [_handed(one) for one in found]
    return tuple(sorted(rows, key=lambda row: (-row.lines, row.stem is not None, row.instance)))


def _handed(found: ResendPlan | NoPlan) -> Handed:
    match found:
        case NoPlan(instance=name, why=why):
            return Handed(instance=name, told=f"no plan could be made: {why}", lines=0, stem=None)
        case ResendPlan():
            stem = f"{FOLDER}/{found.instance}"
            return Handed(
                instance=found.instance, told=_told(found), lines=len(found.lines), stem=stem
            )


def _told(found: ResendPlan) -> str:
    """The counts of a plan in a sentence; an empty one says so."""
    words = {Action.RESEND: "to resend", Action.DECIDE: "to decide on", Action.CHECK: "to check"}
    counts = Counter(line.action for line in found.lines)
    parts = [f"{counts[action]} {word}" for action, word in words.items() if counts[action]]
    late = f"; {found.waiting} may still come until {format_instant(found.deadline)}"
    if not found.queued:
        return "nothing is to be resent: nothing was queued"
    of = f"of {found.queued} queued messages"
    told = f"{', '.join(parts)}, {of}" if parts else f"nothing {of} is to be resent"
    return told + (late if found.waiting else "")
