# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The end of a run on the terminal: bad cells grouped by cause, then the decision."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest

from wavegate.clock import format_instant
from wavegate.decision import Cell, Decision, GridCell, Word
from wavegate.promise import PROMISES
from wavegate.testing import CannotTell, PromiseBroken
from wavegate.verdict import Finding, Judgement, Missing, Verdict

MAX_TEXT = 300
MAX_CELLS = 6
MAX_CAUSES = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_COLOURS = {Word.GO: "green", Word.HOLD: "yellow", Word.NO_GO: "red"}


def place(wave: str, cell: GridCell) -> str:
    """`spf[2024-01-w1/acme-prod1]`."""
    return f"{cell.promise}[{wave}/{cell.instance}]"


def one_line(wave: str, cell: GridCell, error: PromiseBroken | CannotTell) -> str:
    """What stands behind an item in pytest's own lists."""
    judgement: Judgement = error.judgement
    return f"{place(wave, cell)} {judgement.verdict}: {safe(judgement.reason)}"


def safe(text: str) -> str:
    """A text from records that can do a terminal no harm, bounded."""
    clean = _CONTROL.sub(lambda found: f"U+{ord(found[0]):04X}", text)
    return clean if len(clean) <= MAX_TEXT else f"{clean[: MAX_TEXT - 1]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """One cause and the cells that share it."""

    cause: str
    item: Finding | Missing
    cells: tuple[Cell, ...]

    @property
    def failed(self) -> bool:
        """Whether it convicts."""
        return isinstance(self.item, Finding)


def groups(cells: Iterable[Cell]) -> tuple[_Group, ...]:
    """The causes of all bad cells: findings first, those of most cells first."""
    found: dict[str, tuple[Finding | Missing, list[Cell]]] = {}
    for cell in cells:
        for item in _items(cell):
            cause = item.cause(cell.grid.promise)
            found.setdefault(cause, (item, []))[1].append(cell)
    rows = [_Group(cause=c, item=item, cells=tuple(hit)) for c, (item, hit) in found.items()]
    return tuple(sorted(rows, key=lambda row: (not row.failed, -len(row.cells))))


def _items(cell: Cell) -> Sequence[Finding | Missing]:
    judgement = cell.judgement
    if judgement is None:
        return ()
    return judgement.findings or judgement.missing


def summary(
    reporter: pytest.TerminalReporter,
    wave: str,
    cells: tuple[Cell, ...],
    decision: Decision,
    *,
    at: datetime,
    unplanned: Sequence[str],
) -> None:
    """Write the section."""
    reporter.section(f"wavegate: {wave}")
    found = groups(cells)
    for group in found[:MAX_CAUSES]:
        for line in _group_lines(wave, group, at):
            reporter.write_line(line)
    if len(found) > MAX_CAUSES:
        reporter.write_line(f"and {len(found) - MAX_CAUSES} more causes")
    for cell in cells:
        if cell.remedied and cell.judgement:
            text = f"{place(wave, cell.grid)}: {cell.verdict}, {cell.remedied}"
            reporter.write_line(text)
    for promise in unplanned:
        reporter.write_line(
            f"{promise} is not in the signed grid: plan again with --suites", yellow=True
        )
    for why in decision.why[:MAX_CAUSES]:
        reporter.write_line(f"  {safe(why)}")
    reporter.write_line(_counts(cells))
    reporter.write_line(decision.line, bold=True, **{_COLOURS[decision.word]: True})


def _counts(cells: Iterable[Cell]) -> str:
    verdicts = [cell.verdict if cell.judgement else None for cell in cells]
    parts = [f"{verdicts.count(v)} {v}" for v in Verdict if v in verdicts]
    parts += [f"{verdicts.count(None)} not judged"] if None in verdicts else []
    return f"{len(verdicts)} cells: {', '.join(parts)}" if parts else "no cell was judged"


def _group_lines(wave: str, group: _Group, at: datetime) -> Iterator[str]:
    shown = [place(wave, cell.grid) for cell in group.cells[:MAX_CELLS]]
    rest = len(group.cells) - len(shown)
    more = f" and {rest} more" if rest else ""
    waived = ", waived" if all(cell.waived(at) for cell in group.cells) else ""
    word = Verdict.FAILED if group.failed else Verdict.INCONCLUSIVE
    yield f"{word}{waived} {' '.join(shown)}{more}   cause {group.cause[:12]}"
    promise = PROMISES.get(group.cells[0].grid.promise)
    if promise is not None:
        yield f"  promised       {promise.sentence}"
    facts = _finding(group.item) if isinstance(group.item, Finding) else _missing(group.item)
    for label, text in facts:
        yield f"  {label:14} {safe(text)}"


def _finding(item: Finding) -> Iterator[tuple[str, str]]:
    yield "before", item.expected
    yield "after", item.observed
    yield "where to look", ", ".join((item.subject, *item.witness))
    yield "who must act", "operator"


def _missing(item: Missing) -> Iterator[tuple[str, str]]:
    yield "missing", item.what
    yield "who must act", item.on
    if item.settles_by is not None:
        yield "settled by", format_instant(item.settles_by)
    if item.command is not None:
        yield "by", item.command
