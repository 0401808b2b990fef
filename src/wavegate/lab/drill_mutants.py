# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The test of the tester: a judge that is broken in one place must be noticed by the drill.

What the gate printed of a finished drill is judged again, each time with one rule of the harness
broken: a promise that always passes, always convicts or never can tell, a rule that clears what it
should convict, forgets what it saw, or takes a lack for good. A mutant that the drill does not
notice is a rule that no fault of the catalogue needs.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavegate.errors import MissingError
from wavegate.lab.drill import VERDICTS, judged_rows, unhealthy
from wavegate.lab.drill_judge import SeenCell, Verified, seen_cell
from wavegate.lab.drill_lots import Cast, Lot, cast
from wavegate.lab.drill_play import Outcome

Cell = Mapping[str, Any]
Change = Callable[[Cell], Cell]
GATED = ("PASSED", "FAILED", "INCONCLUSIVE")
DECIDES = {"FAILED": "NO-GO", "INCONCLUSIVE": "HOLD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One broken rule. rule: None where all of the promise is broken. change: of a cell."""

    promise: str
    rule: str | None
    name: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a drill makes of a mutant. seen: how many results it turned, at least one to notice."""

    mutant: Mutant
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A lot that was played. cells: as the gate printed them; read: the same as the drill reads."""

    lot: Lot
    casts: tuple[Cast, ...]
    cells: tuple[Cell, ...]
    read: tuple[tuple[str, SeenCell], ...]
    found: Outcome


def tried(folder: Path) -> tuple[Tried, ...]:
    """Every mutant of the rules that a finished drill met, and how it was noticed.

    Raises MissingError where no drill was finished in the folder.
    """
    kept = tuple(_kept(path) for path in sorted((folder / VERDICTS).glob("*.json")))
    if not kept:
        raise MissingError(
            "no drill was played here", where=str(folder), cure="`wavegate lab drill` first"
        )
    usual = [_marks(one, one.found) for one in kept]
    return tuple(
        Tried(mutant=mutant, seen=sum(map(_seen, kept, usual, [mutant] * len(kept))))
        for mutant in mutants(kept)
    )


def _kept(path: Path) -> Kept:
    told = json.loads(path.read_text("utf-8"))
    lot = Lot(**{**told["lot"], "copies": tuple(map(tuple, told["lot"]["copies"]))})
    cells = tuple(told["verdicts"]["cells"])
    read = tuple((str(cell["customer"]), seen_cell(cell)) for cell in cells)
    found = Outcome(
        cells=read,
        decisions=told["verdicts"]["instances"],
        known=told["known"],
        verified={name: Verified(**said) for name, said in told["verified"].items()},
    )
    return Kept(lot=lot, casts=cast(lot), cells=cells, read=read, found=found)


def mutants(kept: Sequence[Kept]) -> Iterator[Mutant]:
    """The mutants of every promise, and of every rule that said something of it."""
    cells = [cell for one in kept for cell in one.cells if cell["verdict"] in GATED]
    for promise in dict.fromkeys(str(cell["promise"]) for cell in cells):
        for name, change in _WHOLE:
            yield Mutant(promise=promise, rule=None, name=name, change=change)
        mine = [cell for cell in cells if cell["promise"] == promise]
        for rule in _rules(mine, "findings"):
            yield Mutant(promise=promise, rule=rule, name="clears", change=_less("findings", rule))
            yield Mutant(promise=promise, rule=rule, name="forgets", change=_forget(rule))
        for rule in _rules(mine, "missing"):
            yield Mutant(
                promise=promise, rule=rule, name="overlooks", change=_less("missing", rule)
            )


def _rules(cells: Sequence[Cell], key: str) -> dict[str, None]:
    return dict.fromkeys(str(row["rule"]) for cell in cells for row in cell[key])


def _judged(cell: Cell, verdict: str, **more: object) -> Cell:
    """A cell with another verdict; one that is not judged stays as it is."""
    return {**cell, "verdict": verdict, **more} if cell["verdict"] in GATED else cell


def _passes(cell: Cell) -> Cell:
    return _judged(cell, "PASSED", findings=[], missing=[])


def _convicts(cell: Cell) -> Cell:
    return _judged(cell, "FAILED")


def _cannot_tell(cell: Cell) -> Cell:
    return _judged(cell, "INCONCLUSIVE", findings=[])


_WHOLE: tuple[tuple[str, Change], ...] = (
    ("always passes", _passes),
    ("always convicts", _convicts),
    ("never can tell", _cannot_tell),
)


def _less(key: str, rule: str) -> Change:
    """A rule that says nothing any more; what is left decides."""

    def change(cell: Cell) -> Cell:
        kept = [row for row in cell[key] if row["rule"] != rule]
        if len(kept) == len(cell[key]):
            return cell
        less = {**cell, key: kept}
        worst = "FAILED" if less["findings"] else "INCONCLUSIVE" if less["missing"] else "PASSED"
        return _judged(less, worst, reason="")

    return change


def _forget(rule: str) -> Change:
    """A rule that convicts, and says neither whom nor by what."""

    def change(cell: Cell) -> Cell:
        rows = [
            {"rule": rule, "witness": []} if row["rule"] == rule else row
            for row in cell["findings"]
        ]
        return {**cell, "findings": rows, "reason": ""}

    return change


def _seen(one: Kept, usual: Mapping[str, str], mutant: Mutant) -> int:
    """How many results of a lot a mutant turns; all of them where the healthy copy is not GO."""
    changed = {
        number: mutant.change(cell)
        for number, cell in enumerate(one.cells)
        if cell["promise"] == mutant.promise
    }
    if all(one.cells[number] is cell for number, cell in changed.items()):
        return 0
    read = tuple(
        (row[0], seen_cell(changed[number])) if number in changed else row
        for number, row in enumerate(one.read)
    )
    found = Outcome(
        cells=read,
        decisions=_decisions(one.found.decisions, read),
        known=one.found.known,
        verified=one.found.verified,
    )
    marks = _marks(one, found)
    return sum(marks.get(name) != mark for name, mark in usual.items())


def _marks(one: Kept, found: Outcome) -> dict[str, str]:
    """The mark of each result; none where the lot does not count."""
    if unhealthy(one.lot, one.casts, found):
        return {}
    return {row.name: row.mark for row in judged_rows(one.lot, one.casts, found)}


def _decisions(
    decisions: Mapping[str, str], cells: Sequence[tuple[str, SeenCell]]
) -> dict[str, str]:
    """What the gate would decide of each instance, from its cells."""
    found = dict.fromkeys(decisions, "GO")
    for _, cell in cells:
        if cell.instance in found and cell.verdict in DECIDES:
            words = (found[cell.instance], DECIDES[cell.verdict])
            found[cell.instance] = "NO-GO" if "NO-GO" in words else "HOLD"
    return found
