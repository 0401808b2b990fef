# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Cells and the gate's decision: GO, HOLD or NO-GO, computed from verdicts and the grid alone.

Pure: takes cells with their due and waiver, gives decisions per instance, customer and wave.
The rules are the design's, "Words": Due, Waiver, Decision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wavegate.clock import format_instant
from wavegate.promise import NEVER_WAIVED
from wavegate.verdict import Judgement, Verdict


class Word(StrEnum):
    """The one word that QA wants, worst first."""

    NO_GO = "NO-GO"
    HOLD = "HOLD"
    GO = "GO"


EXIT_CODES: Mapping[Word, int] = {Word.GO: 0, Word.NO_GO: 1, Word.HOLD: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedWaiver:
    """A waiver of the estate as it applies to a cell. covers: its causes, None for all."""

    reason: str
    approved_by: str
    until: datetime
    covers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Who took an instance out of its wave before the window opened, why and when."""

    by: str
    why: str
    at: datetime

    @property
    def reason(self) -> str:
        """Why the cells of the instance are NOT_APPLICABLE by the signed grid."""
        return f"withdrawn before the window: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """One cell that a wave must have, as `plan` signed it.

    due: None where there is none (nightly). not_applicable: the reason by which the signed grid
    itself decides the cell (limit, no url, on-premise outside the wave, withdrawn), else None.
    limit_by: who approved the limit, where the reason is one. outside: a `scope` cell of an
    affected instance that is not in this wave, or any cell of one that was withdrawn from it.
    withdrawn: how it was withdrawn, else None; its `scope` is judged as outside the wave.
    """

    instance: str
    customer: str
    promise: str
    due: datetime | None
    not_applicable: str | None = None
    limit_by: str | None = None
    outside: bool = False
    withdrawn: Withdrawal | None = None


def withdrawn_by(cells: Iterable[GridCell]) -> dict[str, Withdrawal]:
    """The instances that a signed grid withdrew from the wave, and how."""
    return {cell.instance: cell.withdrawn for cell in cells if cell.withdrawn}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A grid cell with its judgement. judgement None: the cell is missing from the run."""

    grid: GridCell
    judgement: Judgement | None
    waiver: AppliedWaiver | None = None
    remedied: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict; a missing cell could not be told."""
        return self.judgement.verdict if self.judgement else Verdict.INCONCLUSIVE

    def waived(self, at: datetime) -> bool:
        """Whether a waiver in force covers every cause here; never a FAILED of NEVER_WAIVED."""
        if self.waiver is None or self.judgement is None or at > self.waiver.until:
            return False
        if self.verdict is Verdict.FAILED and self.grid.promise in NEVER_WAIVED:
            return False
        if self.waiver.covers is None:
            return True
        items = self.judgement.findings or self.judgement.missing
        return all(item.cause(self.grid.promise) in self.waiver.covers for item in items)

    def open(self, at: datetime, *, final: bool = False) -> bool:
        """INCONCLUSIVE before its due: it keeps its verdict and may stay open while on track."""
        return (
            self.judgement is not None
            and self.verdict is Verdict.INCONCLUSIVE
            and not self.waived(at)
            and self.grid.due is not None
            and at < self.grid.due
            and not final
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision over a wave and its parts. why: the reasons for the word, worst first."""

    word: Word
    closed: bool
    open: int
    next_due: datetime | None
    instances: Mapping[str, Word]
    customers: Mapping[str, Word]
    why: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 3 HOLD."""
        return EXIT_CODES[self.word]

    @property
    def line(self) -> str:
        """`GO`, or `GO, 3 open, next due 2024-01-20T12:00:00Z`."""
        if not self.open or self.next_due is None:
            return str(self.word)
        return f"{self.word}, {self.open} open, next due {format_instant(self.next_due)}"


def decide(
    cells: Iterable[Cell],
    *,
    at: datetime,
    holds: Mapping[str, tuple[str, ...]],
    final: bool = False,
    partial: str | None = None,
) -> Decision:
    """The decision at an instant.

    holds: per instance of the wave, reasons outside the cells to HOLD (window not ended, no
    `after` snapshot); its keys are the instances of the wave, less the withdrawn. partial: why the
    run covers only a part of the grid, or there is no plan; then nothing is GO. No instance at all
    is HOLD, whatever the cells of those outside the wave say.
    """
    rows = tuple(cells)
    reasons: dict[str, list[tuple[Word, str]]] = {name: [] for name in holds}
    customers: dict[str, str] = {}
    for name, texts in holds.items():
        reasons[name] += [(Word.HOLD, f"{name}: {text}") for text in texts]
    for cell in rows:
        reasons.setdefault(cell.grid.instance, []).extend(_complaints(cell, at, final=final))
        customers[cell.grid.instance] = cell.grid.customer
    for name in holds:
        if not _any_passed(rows, name):
            reasons[name].append((Word.HOLD, f"{name}: no cell is PASSED"))
    everywhere = [(Word.HOLD, partial)] if partial else []
    empty = [] if holds else [(Word.HOLD, "the wave has no instance")]
    instances = {
        name: _worst(word for word, _ in [*found, *everywhere]) for name, found in reasons.items()
    }
    overall = [*everywhere, *empty]
    return _assemble(rows, reasons, overall, instances, customers, at, final=final)


def _assemble(
    rows: tuple[Cell, ...],
    reasons: Mapping[str, list[tuple[Word, str]]],
    everywhere: list[tuple[Word, str]],
    instances: Mapping[str, Word],
    customers: Mapping[str, str],
    at: datetime,
    *,
    final: bool,
) -> Decision:
    flat = [item for found in reasons.values() for item in found] + everywhere
    word = _worst(found for found, _ in flat)
    still_open = [cell for cell in rows if cell.open(at, final=final)]
    dues = [cell.grid.due for cell in still_open if cell.grid.due]
    by_customer: dict[str, list[Word]] = {}
    for name, found in instances.items():
        by_customer.setdefault(customers.get(name, "?"), []).append(found)
    rank = list(Word)
    return Decision(
        word=word,
        closed=word is Word.GO and not still_open,
        open=len(still_open),
        next_due=min(dues, default=None),
        instances=dict(sorted(instances.items())),
        customers={name: _worst(words) for name, words in sorted(by_customer.items())},
        why=tuple(dict.fromkeys(t for _, t in sorted(flat, key=lambda item: rank.index(item[0])))),
    )


def _worst(words: Iterable[Word]) -> Word:
    return min(words, key=list(Word).index, default=Word.GO)


def _any_passed(rows: tuple[Cell, ...], name: str) -> bool:
    return any(c.grid.instance == name and c.verdict is Verdict.PASSED for c in rows)


def _complaints(cell: Cell, at: datetime, *, final: bool) -> list[tuple[Word, str]]:
    place = f"{cell.grid.instance}: {cell.grid.promise}"
    if cell.judgement is None:
        return [(Word.HOLD, f"{place} was not judged")]
    if cell.waived(at):
        return []
    if cell.verdict is Verdict.FAILED:
        return [(Word.NO_GO, f"{place} FAILED: {cell.judgement.reason}")]
    if cell.verdict is not Verdict.INCONCLUSIVE:
        return []
    if not cell.open(at, final=final):
        return [(Word.HOLD, f"{place} INCONCLUSIVE: {cell.judgement.reason}")]
    if cell.judgement.off_track:
        return [(Word.HOLD, f"{place} is off track: {cell.judgement.off_track}")]
    return []
