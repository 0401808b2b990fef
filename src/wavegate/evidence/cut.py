# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Cutting one customer's part out of what a run says: plan, baseline, verdicts, night.

A cut is a function of the whole, so that a verifier of the whole can cut again and compare. A
customer's decision is the one that the whole run has for them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from wavegate.canonical import digest
from wavegate.estate.model import Estate
from wavegate.evidence.baseline import BaselinePredicate
from wavegate.evidence.foreign import Foreign
from wavegate.evidence.night_file import Night
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.statement import write
from wavegate.evidence.verdicts import (
    ApprovalEntry,
    CellEntry,
    FindingEntry,
    MissingEntry,
    PlanUsed,
    Verdicts,
    WaiverEntry,
    applications,
    derived,
)
from wavegate.verdict import FOR_OPERATOR, Verdict, cause

WITHHELD = "withheld"
"""The rule of a finding that cannot be told without naming another customer."""
Grid = PlanPredicate | BaselinePredicate


def owners_of(verdicts: Verdicts, estate: Estate | None = None) -> Mapping[str, str]:
    """The customer of each instance that a run or its estate names."""
    agreed = {i.name: i.customer for i in estate.instances} if estate else {}
    return agreed | {cell.instance: cell.customer for cell in verdicts.cells}


def customers_with_extract(verdicts: Verdicts) -> tuple[str, ...]:
    """The customers of whom a run tells something, sorted.

    Those with an instance in the wave, or in the night, or withdrawn from the wave; and those with
    an instance outside it that is not simply at rest there.
    """
    told = (cell for cell in verdicts.cells if not _at_rest(cell))
    return tuple(sorted({cell.customer for cell in told}))


def customers_inside(verdicts: Verdicts) -> frozenset[str]:
    """The customers with an instance in the wave or night: every run hands out their extracts."""
    return frozenset(cell.customer for cell in verdicts.cells if not cell.outside)


def _at_rest(cell: CellEntry) -> bool:
    """Whether it says no more than that an instance is not in the wave and shows no sign of it."""
    quiet = cell.judged and cell.verdict is Verdict.NOT_APPLICABLE
    return cell.outside and quiet and cell.withdrawn is None


def cut_grid(whole: Grid, customer: str) -> Grid:
    """The plan, or baseline, with the customer's cells alone."""
    cells = tuple(cell for cell in whole.cells if cell.customer == customer)
    agreed = {name: value for name, value in whole.agreed.items() if name == customer}
    names = {cell.instance for cell in cells}
    if isinstance(whole, PlanPredicate):
        seeds = {name: runs for name, runs in whole.seeds.items() if name in names}
        return replace(whole, cells=cells, agreed=agreed, seeds=seeds)
    return replace(
        whole,
        cells=cells,
        agreed=agreed,
        accepted=tuple(entry for entry in whole.accepted if entry.instance in names),
        instances=tuple(name for name in whole.instances if name in names),
    )


def grid_payload(predicate: Grid) -> bytes:
    """What is signed of a plan or baseline, whole or cut."""
    return write({"grid": predicate.grid_digest}, predicate)


def cut_verdicts(
    whole: Verdicts, customer: str, owners: Mapping[str, str], grid: Grid | None
) -> Verdicts:
    """The verdicts of one customer's instances, and the decision that they force.

    grid: the customer's part of the plan or baseline, None where there is none.
    """
    foreign = Foreign.to(customer, owners)
    own = {name for name, owner in owners.items() if owner == customer}
    plan = _plan(whole, grid)
    renamed = {whole.plan.digest: plan.digest} if whole.plan and plan else {}
    cells = tuple(_clean(c, foreign, renamed) for c in whole.cells if c.customer == customer)
    promises = {cell.promise for cell in cells}
    waivers = (w for w in whole.waivers if _concerns(w, own, causes_of(cells)))
    part = whole.model_copy(
        update={
            "cells": cells,
            "partial": _partial(whole.partial, own, foreign),
            "holds": {name: texts for name, texts in whole.holds.items() if name in own},
            "attempts": {name: found for name, found in whole.attempts.items() if name in own},
            "promises": tuple(promise for promise in whole.promises if promise.id in promises),
            "digests": whole.digests.model_copy(update={"estate": _agreed(whole, customer)}),
            "plan": plan,
            "waivers": tuple(waivers),
            "not_checked": _lines(whole.not_checked, foreign),
            "notes": _lines(whole.notes, foreign),
            "decisions": tuple(d for d in whole.decisions if d.instance in {None, *own}),
            "approvals": tuple(a for a in whole.approvals if _concerns(a, own, causes_of(cells))),
        }
    )
    part = part.model_copy(update=derived(part))
    return part.model_copy(update={"waivers": applications(part)})


def causes_of(cells: Iterable[CellEntry]) -> frozenset[str]:
    """Every cause in some cells."""
    findings = {item.cause for cell in cells for item in cell.findings}
    return frozenset(findings | {item.cause for cell in cells for item in cell.missing})


def cut_night(whole: Night, customer: str, owners: Mapping[str, str]) -> Night:
    """What a night says of one customer's instances."""
    foreign = Foreign.to(customer, owners)
    own = {name for name, owner in owners.items() if owner == customer}
    expected = (
        entry.model_copy(update={"instances": tuple(n for n in entry.instances if n in own)})
        for entry in whole.expected_changes
        if own & set(entry.instances)
    )
    transitions = tuple(entry for entry in whole.transitions if entry.customer == customer)
    return whole.model_copy(
        update={
            "changed": bool(transitions),
            "transitions": transitions,
            "expected_changes": tuple(expected),
            "standing": tuple(entry for entry in whole.standing if entry.customer == customer),
            "bad": tuple(entry for entry in whole.bad if entry.instance in own),
            "flips": tuple(entry for entry in whole.flips if entry.instance in own),
            "unstable": tuple(entry for entry in whole.unstable if entry.instance in own),
            "trend": _lines(whole.trend, foreign),
            "rates": {name: rate for name, rate in whole.rates.items() if name in own},
            "notes": _lines(whole.notes, foreign),
        }
    )


def _partial(text: str | None, own: Iterable[str], foreign: Foreign) -> str | None:
    if text is None or text not in foreign:
        return text
    named = [name for name in sorted(own) if name in text]
    return f"only {', '.join(named)} was judged" if named else "it was not judged in this run"


def _agreed(whole: Verdicts, customer: str) -> dict[str, str]:
    return {name: value for name, value in whole.digests.estate.items() if name == customer}


def _plan(whole: Verdicts, grid: Grid | None) -> PlanUsed | None:
    if grid is None or whole.plan is None:
        return whole.plan
    return whole.plan.model_copy(update={"digest": digest(grid_payload(grid))})


def _lines(lines: Iterable[str], foreign: Foreign) -> tuple[str, ...]:
    return tuple(line for line in lines if line not in foreign)


def _concerns(
    item: WaiverEntry | ApprovalEntry, own: Collection[str], causes: Collection[str]
) -> bool:
    return item.instance in own if item.instance else (item.cause or "") in causes


def _clean(cell: CellEntry, foreign: Foreign, renamed: Mapping[str, str]) -> CellEntry:
    """The cell without remarks for the operator and without any other customer's name.

    renamed: digests of what was cut too, by those of the whole.
    """
    remarks = (text for text in cell.remarks if not text.startswith(FOR_OPERATOR))
    return cell.model_copy(
        update={
            "reason": foreign.hide(cell.reason),
            "shown": foreign.hide_or_none(cell.shown),
            "could_hide": foreign.hide_or_none(cell.could_hide),
            "off_track": foreign.hide_or_none(cell.off_track),
            "remedied": foreign.hide_or_none(cell.remedied),
            "findings": tuple(_finding(item, cell, foreign, renamed) for item in cell.findings),
            "missing": tuple(_gap(item, cell, foreign) for item in cell.missing),
            "cleared": tuple(i for i in cell.cleared if i.model_dump_json() not in foreign),
            "not_compared": tuple(
                i for i in cell.not_compared if i.model_dump_json() not in foreign
            ),
            "remarks": _lines(remarks, foreign),
            "records": tuple(renamed.get(record, record) for record in cell.records),
        }
    )


def _finding(
    item: FindingEntry, cell: CellEntry, foreign: Foreign, renamed: Mapping[str, str]
) -> FindingEntry:
    named = any(text in foreign for text in (item.subject, item.before, item.after))
    return item.model_copy(
        update={
            "expected": foreign.hide(item.expected),
            "observed": foreign.hide(item.observed),
            "explanation": foreign.hide(item.explanation),
            "witness": tuple(foreign.hide(text) for text in item.witness),
            "records": tuple(renamed.get(record, record) for record in item.records),
            **(_withheld(cell) if named else {}),
        }
    )


def _gap(item: MissingEntry, cell: CellEntry, foreign: Foreign) -> MissingEntry:
    named = any(text in foreign for text in (item.subject, item.before, item.after))
    return item.model_copy(
        update={
            "what": foreign.hide(item.what),
            "command": foreign.hide_or_none(item.command),
            **(_withheld(cell) if named else {}),
        }
    )


def _withheld(cell: CellEntry) -> dict[str, str | None]:
    """What is left of a finding that is about another customer: that there is one."""
    subject = f"instance:{cell.instance}"
    told = cause(cell.promise, WITHHELD, subject)
    return {"rule": WITHHELD, "subject": subject, "before": None, "after": None, "cause": told}
