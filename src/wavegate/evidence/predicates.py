# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Our own predicates: the plan's, a record's, the seal's. Typed, strict, versioned by their type.

Consumers of in-toto ignore unknown fields; of our own types we refuse them. Plans and records are
signed in the role `record`, seals in the role `seal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, get_args

from wavegate.canonical import digest, dumps, loads
from wavegate.clock import format_instant
from wavegate.decision import GridCell, Withdrawal
from wavegate.evidence.fields import Fields, check_digest
from wavegate.record.mails import MailPhase
from wavegate.record.snapshot import Tool

BASE = "https://wavegate.dev/predicate"
RecordKind = Literal[
    "snapshot",
    "mails",
    "mail-sources",
    "reading",
    "mail-journal",
    "timeline",
    "timeline-journal",
    "queue",
]
_CELL = ("instance", "customer", "promise", "due", "not_applicable", "limit_by", "outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRuns:
    """Bursts of seeds that were ordered of one instance, by which seed delay is judged.

    runs: how many a side. seeds: how many each. stem: what their addresses hold, followed by a
    dash, and no other address does.
    """

    runs: int
    seeds: int
    stem: str

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {"runs": self.runs, "seeds": self.seeds, "stem": self.stem}

    @classmethod
    def from_json(cls, value: object) -> "SeedRuns":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, "runs", "seeds", "stem")
        return cls(runs=fields.count("runs"), seeds=fields.count("seeds"), stem=fields.name("stem"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPredicate:
    """The grid of a wave, fixed before anything is looked at.

    version: from 1. previous: digest of the payload of the version before, None for the first.
    at: when it was made. agreed: digest of the agreed estate per customer. policy: canonical JSON
    text. tool: what made it. suites: digest of the suites it was made for. late: made after the
    window had opened. seeds: the bursts that `plan --seeds` ordered, per instance. by: who planned,
    None where they did not say. Both are written only where there are any, so that a plan without
    them is as plans always were.
    """

    TYPE: ClassVar[str] = f"{BASE}/plan/v1"

    wave: str
    version: int
    previous: str | None
    at: datetime
    agreed: Mapping[str, str]
    cells: tuple[GridCell, ...]
    policy: str
    tool: Tool
    suites: str
    late: bool = False
    seeds: Mapping[str, SeedRuns] = field(default_factory=dict)
    by: str | None = None

    @property
    def grid_digest(self) -> str:
        """SHA-256 of the canonical list of cells: the statement's subject `grid`."""
        return digest(dumps([cell_to_json(cell) for cell in self.cells]))

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "wave": self.wave,
            "version": self.version,
            "previous": self.previous,
            "at": format_instant(self.at),
            "agreed": dict(self.agreed),
            "cells": [cell_to_json(cell) for cell in self.cells],
            "policy": loads(self.policy.encode("utf-8"), where="policy"),
            "tool": tool_to_json(self.tool),
            "suites": self.suites,
            "late": self.late,
            **self._seeds_to_json(),
            **({} if self.by is None else {"by": self.by}),
        }

    def _seeds_to_json(self) -> dict[str, object]:
        found = {name: runs.to_json() for name, runs in self.seeds.items()}
        return {"seeds": found} if found else {}

    @classmethod
    def from_json(cls, value: object) -> "PlanPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("wave", "version", "previous", "at", "agreed", "cells", "policy", "suites")
        told = value.get("seeds", {}) if isinstance(value, dict) else {}
        said = isinstance(value, dict) and value.get("by") is not None
        more = (*(("seeds",) if told else ()), *(("by",) if said else ()))
        fields = Fields(value, *names, "tool", "late", *more)
        return cls(
            wave=fields.name("wave"),
            version=fields.count("version"),
            previous=fields.digest_or_none("previous"),
            at=fields.instant("at"),
            agreed=agreed_from_json(fields.raw("agreed")),
            cells=tuple(cell_from_json(item) for item in fields.items("cells")),
            policy=dumps(fields.raw("policy")).decode("utf-8"),
            tool=tool_from_json(fields.raw("tool")),
            suites=fields.digest("suites"),
            late=fields.flag("late"),
            seeds=_seeds(told),
            by=fields.text("by") if said else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPredicate:
    """How a record was taken; its one subject is the record.

    instance, customer, wave, phase: None only for a journal, which holds the mail of many.
    sequence: counts from 1. previous: digest of the record before it, None for the first.
    estate: digest of the agreed estate of the customer in the wave, None for a journal.
    """

    TYPE: ClassVar[str] = f"{BASE}/record/v1"

    instance: str | None
    customer: str | None
    wave: str | None
    kind: RecordKind
    phase: MailPhase | None
    began: datetime
    ended: datetime
    vantage: str
    tool: Tool
    sequence: int
    previous: str | None
    estate: str | None

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "instance": self.instance,
            "customer": self.customer,
            "wave": self.wave,
            "kind": self.kind,
            "phase": self.phase,
            "began": format_instant(self.began),
            "ended": format_instant(self.ended),
            "vantage": self.vantage,
            "tool": tool_to_json(self.tool),
            "sequence": self.sequence,
            "previous": self.previous,
            "estate": self.estate,
        }

    @classmethod
    def from_json(cls, value: object) -> "RecordPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        place = ("instance", "customer", "wave", "kind", "phase")
        how = ("began", "ended", "vantage", "sequence", "previous", "estate")
        fields = Fields(value, *place, *how, "tool")
        found = cls(
            instance=fields.name_or_none("instance"),
            customer=fields.name_or_none("customer"),
            wave=fields.name_or_none("wave"),
            kind=_kind(fields.text("kind")),
            phase=_phase(fields.text_or_none("phase")),
            began=fields.instant("began"),
            ended=fields.instant("ended"),
            vantage=fields.text("vantage"),
            tool=tool_from_json(fields.raw("tool")),
            sequence=fields.count("sequence"),
            previous=fields.digest_or_none("previous"),
            estate=fields.digest_or_none("estate"),
        )
        _check_place(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPredicate:
    """What a bundle is: its run and wave; its subjects are MANIFEST, RUN, verdicts and reports.

    wave: None for the nightly. timestamps_required: whether a verifier must ask for a trusted
    timestamp. suites: digest of the suites that judged. drill: the score of the drill, or
    "not drilled". lines: of RUN; None, and not written, where a bundle is older than extracts.
    """

    TYPE: ClassVar[str] = f"{BASE}/seal/v1"

    run: str
    wave: str | None
    timestamps_required: bool
    tool: Tool
    suites: str
    drill: str
    lines: int | None = None

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "run": self.run,
            "wave": self.wave,
            "timestamps_required": self.timestamps_required,
            "tool": tool_to_json(self.tool),
            "suites": self.suites,
            "drill": self.drill,
            **({} if self.lines is None else {"lines": self.lines}),
        }

    @classmethod
    def from_json(cls, value: object) -> "SealPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("run", "wave", "timestamps_required", "suites", "drill")
        more = ("lines",) if isinstance(value, dict) and "lines" in value else ()
        fields = Fields(value, *names, "tool", *more)
        return cls(
            run=fields.name("run"),
            wave=fields.name_or_none("wave"),
            timestamps_required=fields.flag("timestamps_required"),
            tool=tool_from_json(fields.raw("tool")),
            suites=fields.digest("suites"),
            drill=fields.text("drill"),
            lines=fields.count("lines") if more else None,
        )


def _check_place(record: RecordPredicate) -> None:
    place = (record.instance, record.customer, record.wave, record.phase, record.estate)
    if record.kind != "mail-journal" and None in place:
        raise ValueError(f"a {record.kind} record without instance, customer, wave, phase, estate")
    if record.ended < record.began:
        raise ValueError("ended before it began")


def _kind(text: str) -> RecordKind:
    for kind in get_args(RecordKind):
        if kind == text:
            found: RecordKind = kind
            return found
    raise ValueError(f"kind {text[:80]!r}")


def _phase(text: str | None) -> MailPhase | None:
    match text:
        case None | "before" | "window" | "after":
            return text
    raise ValueError(f"phase {text[:80]!r}")


def tool_to_json(tool: Tool) -> dict[str, object]:
    """The canonical JSON form of a tool."""
    return {"version": tool.version, "source": tool.source}


def tool_from_json(value: object) -> Tool:
    """Read back a tool. Raises ValueError."""
    fields = Fields(value, "version", "source")
    return Tool(version=fields.text("version"), source=fields.digest("source"))


def agreed_from_json(value: object) -> dict[str, str]:
    """Read back digests of the agreed estate per customer. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("agreed: expected an object")  # noqa: TRY004 - one error type for all bad input
    fields = Fields(value, *value)
    return {name: check_digest(fields.text(name)) for name in value}


def _seeds(value: object) -> dict[str, SeedRuns]:
    if not isinstance(value, dict):
        raise ValueError("seeds: expected an object")  # noqa: TRY004 - one error type for all bad input
    fields = Fields(value, *value)
    return {name: SeedRuns.from_json(fields.raw(name)) for name in value}


def cell_to_json(cell: GridCell) -> dict[str, object]:
    """The canonical JSON form of a cell of the signed grid."""
    return {
        "instance": cell.instance,
        "customer": cell.customer,
        "promise": cell.promise,
        "due": format_instant(cell.due) if cell.due else None,
        "not_applicable": cell.not_applicable,
        "limit_by": cell.limit_by,
        "outside": cell.outside,
        **({"withdrawn": _withdrawal_to_json(cell.withdrawn)} if cell.withdrawn else {}),
    }


def _withdrawal_to_json(found: Withdrawal) -> dict[str, object]:
    return {"by": found.by, "why": found.why, "at": format_instant(found.at)}


def _withdrawal(value: object) -> Withdrawal:
    fields = Fields(value, "by", "why", "at")
    return Withdrawal(by=fields.text("by"), why=fields.text("why"), at=fields.instant("at"))


def cell_from_json(value: object) -> GridCell:
    """Read back a cell; `withdrawn` stands only where it was. Raises ValueError."""
    gone = isinstance(value, dict) and "withdrawn" in value
    fields = Fields(value, *_CELL, *(("withdrawn",) if gone else ()))
    return GridCell(
        instance=fields.name("instance"),
        customer=fields.name("customer"),
        promise=fields.name("promise"),
        due=fields.instant_or_none("due"),
        not_applicable=fields.text_or_none("not_applicable"),
        limit_by=fields.text_or_none("limit_by"),
        outside=fields.flag("outside"),
        withdrawn=_withdrawal(fields.raw("withdrawn")) if gone else None,
    )
