# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Comparing sealed verdicts with those of judging the same records again."""

from collections.abc import Iterator
from dataclasses import dataclass

from wavegate.evidence.verdicts import CellEntry, Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that judging again says otherwise. place: `instance: promise`, or a field."""

    place: str
    sealed: str
    rejudged: str

    def __str__(self) -> str:
        return f"{self.place}: sealed {self.sealed}, judged again {self.rejudged}"


def compare_verdicts(sealed: Verdicts, rejudged: Verdicts) -> tuple[Difference, ...]:
    """Every difference of verdict, causes and decision; empty when judging again agrees.

    Run name and instants do not count; the two must be of the same wave and the same grid.
    """
    return (*_heads(sealed, rejudged), *_cells(sealed, rejudged))


def _heads(sealed: Verdicts, rejudged: Verdicts) -> Iterator[Difference]:
    for name in ("wave", "decision_line", "closed"):
        told, found = str(getattr(sealed, name)), str(getattr(rejudged, name))
        if told != found:
            yield Difference(place=name, sealed=told, rejudged=found)
    if sealed.digests.suites != rejudged.digests.suites:
        yield Difference(
            place="suites",
            sealed=sealed.digests.suites[:12],
            rejudged=rejudged.digests.suites[:12],
        )


def _cells(sealed: Verdicts, rejudged: Verdicts) -> Iterator[Difference]:
    told = {(cell.instance, cell.promise): cell for cell in sealed.cells}
    found = {(cell.instance, cell.promise): cell for cell in rejudged.cells}
    for place in sorted({*told, *found}):
        before, after = _summary(told.get(place)), _summary(found.get(place))
        if before != after:
            yield Difference(place=": ".join(place), sealed=before, rejudged=after)


def _summary(cell: CellEntry | None) -> str:
    """The verdict and its causes, by which two judgements are the same."""
    if cell is None:
        return "no cell"
    causes = [item.cause[:12] for item in cell.findings] + [gap.cause[:12] for gap in cell.missing]
    return " ".join([str(cell.verdict), *sorted(causes)])
