# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The receipt: what a customer holds before the window, so that `before` cannot be made up after.

A signed statement over their part of the grid and every capture of their instances so far.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.decision import GridCell, withdrawn_by
from wavegate.errors import InvalidError
from wavegate.evidence.envelope import check_valid
from wavegate.evidence.fields import Fields
from wavegate.evidence.predicates import BASE, PlanPredicate, cell_from_json, cell_to_json
from wavegate.evidence.sealed import Opener
from wavegate.evidence.sealed_records import Records
from wavegate.evidence.sealed_verdicts import Plan
from wavegate.evidence.statement import read, record_subject
from wavegate.evidence.trust import Role

RECEIPT = "the receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A capture that was there. record: its digest."""

    instance: str
    sequence: int
    record: str
    ended: datetime

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "instance": self.instance,
            "sequence": self.sequence,
            "record": self.record,
            "ended": format_instant(self.ended),
        }

    @classmethod
    def from_json(cls, value: object) -> "Taken":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, "instance", "sequence", "record", "ended")
        return cls(
            instance=fields.name("instance"),
            sequence=fields.count("sequence"),
            record=fields.digest("record"),
            ended=fields.instant("ended"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPredicate:
    """What a customer is given before the window.

    at: when it was made. start, end: of the window. agreed: digest of the estate agreed with them.
    version: of the plan. cells: their part of the grid, with dues. before: their captures so far.
    """

    TYPE: ClassVar[str] = f"{BASE}/receipt/v1"

    wave: str
    customer: str
    at: datetime
    start: datetime
    end: datetime
    agreed: str
    version: int
    cells: tuple[GridCell, ...]
    before: tuple[Taken, ...]

    @property
    def subjects(self) -> Mapping[str, str]:
        """The subjects of its statement: the grid, and each capture's object."""
        found = {"grid": digest(dumps([cell_to_json(cell) for cell in self.cells]))}
        for taken in self.before:
            found |= record_subject(taken.record)
        return found

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "wave": self.wave,
            "customer": self.customer,
            "at": format_instant(self.at),
            "start": format_instant(self.start),
            "end": format_instant(self.end),
            "agreed": self.agreed,
            "version": self.version,
            "cells": [cell_to_json(cell) for cell in self.cells],
            "before": [taken.to_json() for taken in self.before],
        }

    @classmethod
    def from_json(cls, value: object) -> "ReceiptPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("wave", "customer", "at", "start", "end", "agreed", "version", "cells", "before")
        fields = Fields(value, *names)
        return cls(
            wave=fields.name("wave"),
            customer=fields.name("customer"),
            at=fields.instant("at"),
            start=fields.instant("start"),
            end=fields.instant("end"),
            agreed=fields.digest("agreed"),
            version=fields.count("version"),
            cells=tuple(cell_from_json(item) for item in fields.items("cells")),
            before=tuple(Taken.from_json(item) for item in fields.items("before")),
        )


def check_receipt(
    data: bytes, opener: Opener, plan: Plan | None, records: Records, customer: str
) -> tuple[str, ...]:
    """Hold an extract against the receipt that its customer was given; sentences of what it proves.

    Raises InvalidError where something that was receipted is not in the extract any more.
    """
    opened = opener.open(data, Role.RECORD, where=RECEIPT)
    statement = read(opened.payload, ReceiptPredicate, where=RECEIPT)
    told = statement.predicate
    if opener.trust is not None:
        check_valid(opened.keyids, opener.trust, told.at, where=RECEIPT)
    if dict(statement.subjects) != dict(told.subjects):
        raise InvalidError("it is not about its own grid and captures", where=RECEIPT)
    wave = plan.predicate.wave if plan and isinstance(plan.predicate, PlanPredicate) else None
    if (told.customer, told.wave) != (customer, wave):
        text = f"it is of {told.customer} in wave {told.wave}, not of {customer} in {wave}"
        raise InvalidError(text, where=RECEIPT)
    known = {claim.record for claim in records.claims}
    gone = [taken for taken in told.before if taken.record not in known]
    if gone:
        raise InvalidError(
            f"capture {gone[0].sequence} of {gone[0].instance} was receipted and is not here",
            where=RECEIPT,
            cure="ask where it is: a `before` was replaced after the receipt was given",
        )
    when = format_instant(told.at)
    shown = f"Grid and {len(told.before)} captures before are those of the receipt of {when}."
    return (shown, *_check_grid(told, plan))


def _check_grid(told: ReceiptPredicate, plan: Plan | None) -> tuple[str, ...]:
    """Sentences on what was withdrawn since, in the open. Raises InvalidError."""
    if plan is None or plan.predicate.version < told.version:
        raise InvalidError("the plan is older than the receipt, or missing", where=RECEIPT)
    now, gone = set(plan.predicate.cells), withdrawn_by(plan.predicate.cells)
    changed = [cell for cell in told.cells if cell not in now]
    lost = [cell for cell in changed if cell.instance not in gone]
    if lost:
        raise InvalidError(
            f"{lost[0].promise} of {lost[0].instance} was planned so and is not any more",
            where=RECEIPT,
            cure="ask why: the grid was signed anew, in version "
            f"{plan.predicate.version}, after the receipt of version {told.version}",
        )
    return tuple(
        f"{name} was withdrawn after the receipt, by {gone[name].by}: {gone[name].why}."
        for name in dict.fromkeys(cell.instance for cell in changed)
    )
