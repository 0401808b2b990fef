# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Our own predicates: the plan's, a record's, the seal's. Typed, strict, versioned by their type.

Consumers of in-toto ignore unknown fields; of our own types we refuse them. Plans and records are
signed in the role `record`, seals in the role `seal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, get_args

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.decision import GridCell
from wavegate.evidence.fields import Fields, check_digest
from wavegate.record.snapshot import Phase

BASE = "https://wavegate.dev/predicate"
RecordKind = Literal["snapshot", "mails", "mail-journal"]
_TOOL = ("tool_version", "tool_source")
_CELL = ("instance", "customer", "promise", "due", "not_applicable", "limit_by", "outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPredicate:
    """The grid of a wave, fixed before anything is looked at.

    version: from 1. previous: digest of the payload of the version before, None for the first.
    at: when it was made. agreed: digest of the agreed estate per customer. policy: digest of the
    whole policy. tool_version, tool_source: what made it. suites: digest of the suites it was made
    for. late: made after the window had opened.
    """

    TYPE: ClassVar[str] = f"{BASE}/plan/v1"

    wave: str
    version: int
    previous: str | None
    at: datetime
    agreed: Mapping[str, str]
    cells: tuple[GridCell, ...]
    policy: str
    tool_version: str
    tool_source: str
    suites: str
    late: bool = False

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "wave": self.wave,
            "version": self.version,
            "previous": self.previous,
            "at": format_instant(self.at),
            "agreed": dict(self.agreed),
            "cells": [_cell_to_json(cell) for cell in self.cells],
            "policy": self.policy,
            "tool_version": self.tool_version,
            "tool_source": self.tool_source,
            "suites": self.suites,
            "late": self.late,
        }

    @classmethod
    def from_json(cls, value: object) -> "PlanPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("wave", "version", "previous", "at", "agreed", "cells", "policy", "suites")
        fields = Fields(value, *names, *_TOOL, "late")
        return cls(
            wave=fields.name("wave"),
            version=fields.count("version"),
            previous=fields.digest_or_none("previous"),
            at=fields.instant("at"),
            agreed=_agreed(fields.raw("agreed")),
            cells=tuple(_cell(item) for item in fields.items("cells")),
            policy=fields.digest("policy"),
            tool_version=fields.text("tool_version"),
            tool_source=fields.digest("tool_source"),
            suites=fields.digest("suites"),
            late=fields.flag("late"),
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
    phase: Phase | None
    began: datetime
    ended: datetime
    vantage: str
    tool_version: str
    tool_source: str
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
            "tool_version": self.tool_version,
            "tool_source": self.tool_source,
            "sequence": self.sequence,
            "previous": self.previous,
            "estate": self.estate,
        }

    @classmethod
    def from_json(cls, value: object) -> "RecordPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        place = ("instance", "customer", "wave", "kind", "phase")
        how = ("began", "ended", "vantage", "sequence", "previous", "estate")
        fields = Fields(value, *place, *how, *_TOOL)
        found = cls(
            instance=fields.name_or_none("instance"),
            customer=fields.name_or_none("customer"),
            wave=fields.name_or_none("wave"),
            kind=_kind(fields.text("kind")),
            phase=_phase(fields.text_or_none("phase")),
            began=fields.instant("began"),
            ended=fields.instant("ended"),
            vantage=fields.text("vantage"),
            tool_version=fields.text("tool_version"),
            tool_source=fields.digest("tool_source"),
            sequence=fields.count("sequence"),
            previous=fields.digest_or_none("previous"),
            estate=fields.digest_or_none("estate"),
        )
        _check_place(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPredicate:
    """What a bundle is: its run and wave; its subjects are MANIFEST, verdicts and reports.

    timestamps_required: whether a verifier must ask for a trusted timestamp. suites: digest of the
    suites that judged. drill: the score of the drill, or "not drilled".
    """

    TYPE: ClassVar[str] = f"{BASE}/seal/v1"

    run: str
    wave: str
    timestamps_required: bool
    tool_version: str
    tool_source: str
    suites: str
    drill: str

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "run": self.run,
            "wave": self.wave,
            "timestamps_required": self.timestamps_required,
            "tool_version": self.tool_version,
            "tool_source": self.tool_source,
            "suites": self.suites,
            "drill": self.drill,
        }

    @classmethod
    def from_json(cls, value: object) -> "SealPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("run", "wave", "timestamps_required", "suites", "drill")
        fields = Fields(value, *names, *_TOOL)
        return cls(
            run=fields.name("run"),
            wave=fields.name("wave"),
            timestamps_required=fields.flag("timestamps_required"),
            tool_version=fields.text("tool_version"),
            tool_source=fields.digest("tool_source"),
            suites=fields.digest("suites"),
            drill=fields.text("drill"),
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


def _phase(text: str | None) -> Phase | None:
    if text is None or text in ("before", "after"):
        return None if text is None else "before" if text == "before" else "after"
    raise ValueError(f"phase {text[:80]!r}")


def _agreed(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("agreed: expected an object")  # noqa: TRY004 - one error type for all bad input
    fields = Fields(value, *value)
    return {name: check_digest(fields.text(name)) for name in value}


def _cell_to_json(cell: GridCell) -> dict[str, object]:
    return {
        "instance": cell.instance,
        "customer": cell.customer,
        "promise": cell.promise,
        "due": format_instant(cell.due) if cell.due else None,
        "not_applicable": cell.not_applicable,
        "limit_by": cell.limit_by,
        "outside": cell.outside,
    }


def _cell(value: object) -> GridCell:
    fields = Fields(value, *_CELL)
    return GridCell(
        instance=fields.name("instance"),
        customer=fields.name("customer"),
        promise=fields.name("promise"),
        due=fields.instant_or_none("due"),
        not_applicable=fields.text_or_none("not_applicable"),
        limit_by=fields.text_or_none("limit_by"),
        outside=fields.flag("outside"),
    )
