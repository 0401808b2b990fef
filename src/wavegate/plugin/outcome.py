# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""From what the tests said to the decision: the same rule for pytest's last line and the gate's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from wavegate.decision import Cell, Decision, GridCell, decide
from wavegate.estate.model import Estate
from wavegate.estate.waivers import applied
from wavegate.evidence.shelf import Records
from wavegate.plugin.merge import merge
from wavegate.plugin.wire import JudgedCell
from wavegate.verdict import Judgement, not_applicable


def gather_cells(said: Iterable[JudgedCell]) -> tuple[JudgedCell, ...]:
    """One entry per cell out of one per test: the worst, and whether a fix made it better."""
    by_cell: dict[tuple[str, str], list[JudgedCell]] = {}
    for entry in said:
        by_cell.setdefault((entry.instance, entry.promise), []).append(entry)
    return tuple(_one(entries) for _, entries in sorted(by_cell.items()))


def _one(entries: Sequence[JudgedCell]) -> JudgedCell:
    judgement = merge([entry.judgement for entry in entries])
    superseded = None
    if any(entry.superseded for entry in entries):
        superseded = merge([entry.superseded or entry.judgement for entry in entries])
    better = superseded is not None and superseded.verdict.badness > judgement.verdict.badness
    return JudgedCell(
        instance=entries[0].instance,
        promise=entries[0].promise,
        judgement=judgement,
        superseded=superseded,
        remedied=next((e.remedied for e in entries if e.remedied), None) if better else None,
        has_after=any(entry.has_after for entry in entries),
    )


def cells_of(
    grid: Iterable[GridCell],
    judged: Iterable[JudgedCell],
    estate: Estate,
    at: datetime,
) -> tuple[Cell, ...]:
    """The cells of the grid with their judgements and waivers; None where nothing was said."""
    said = {(entry.instance, entry.promise): entry for entry in judged}
    return tuple(_cell(cell, said.get((cell.instance, cell.promise)), estate, at) for cell in grid)


def _cell(grid: GridCell, said: JudgedCell | None, estate: Estate, at: datetime) -> Cell:
    judgement: Judgement | None = said.judgement if said else None
    if grid.not_applicable is not None:
        judgement = not_applicable(grid.not_applicable)
    waiver = applied(estate.waivers, grid, judgement, at) if judgement else None
    return Cell(
        grid=grid,
        judgement=judgement,
        waiver=waiver,
        remedied=said.remedied if said else None,
    )


def holds_of(shelf: Records, judged: Iterable[JudgedCell]) -> Mapping[str, tuple[str, ...]]:
    """Per instance of the run, what keeps it from GO beside its cells."""
    seen = {entry.instance for entry in judged if entry.has_after}
    return {name: tuple(shelf.holds_of(name, after=name in seen)) for name in shelf.members}


def decide_cells(
    cells: Sequence[Cell],
    judged: Sequence[JudgedCell],
    shelf: Records,
    *,
    final: bool,
    partial: str | None,
) -> Decision:
    """The decision of a run. A cell that nothing was said of makes it a partial one."""
    unjudged = sum(1 for cell in cells if cell.judgement is None)
    if partial is None and unjudged:
        partial = f"{unjudged} of {len(cells)} cells were not judged"
    return decide(cells, at=shelf.at, holds=holds_of(shelf, judged), final=final, partial=partial)
