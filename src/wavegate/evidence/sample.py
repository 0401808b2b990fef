# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An auditor's sample: which cells of a sealed run to look at, and the records they rest on.

The draw needs no tool of ours: each cell gets the SHA-256 of five lines (`wavegate-sample-v1`, the
SHA-256 of verdicts.json, the seed, instance, promise); those with the smallest numbers are drawn.
Who seals cannot steer it, as the seed is chosen afterwards. Who draws could try many: so let it be
a word that is not theirs to choose, such as a date that was agreed before.
"""

import re
from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InputError
from wavegate.evidence.contents import Contents, Exhibit
from wavegate.evidence.verdicts import CellEntry

METHOD = "wavegate-sample-v1"
_SEED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One cell of a sample. draw: its number, hex. exhibits: the files that its verdict rests on.

    absent: digests that it names and that are not here (of unsound evidence only).
    """

    cell: CellEntry
    draw: str
    exhibits: tuple[Exhibit, ...]
    absent: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The verdict, or that there is no judgement."""
        return str(self.cell.verdict) if self.cell.judged else "not judged"

    def to_json(self) -> dict[str, object]:
        """The object of `verify --json`."""
        cell = self.cell
        return {
            "instance": cell.instance,
            "customer": cell.customer,
            "promise": cell.promise,
            "verdict": self.verdict,
            "reason": cell.reason,
            "due": format_instant(cell.due) if cell.due else None,
            "waived": cell.waiver is not None and cell.waiver.in_force,
            "draw": self.draw,
            "records": [{"file": one.name, "sha256": one.digest} for one in self.exhibits],
            "absent": list(self.absent),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn, smallest number first. population: how many cells there were to draw from."""

    seed: str
    population: int
    drawn: tuple[Drawn, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `verify --json`."""
        return {
            "method": METHOD,
            "seed": self.seed,
            "population": self.population,
            "cells": [one.to_json() for one in self.drawn],
        }


def check_seed(seed: str) -> str:
    """The seed, if it is a plain word. Raises InputError."""
    if not _SEED.fullmatch(seed):
        raise InputError(
            f"the seed {seed[:80]!r} is no plain word",
            cure="give up to 100 letters, digits, dots, colons or dashes, such as a date",
        )
    return seed


def draw(contents: Contents, size: int, seed: str) -> Sample:
    """Draw so many cells of the grid, without replacement; all where there are no more.

    Raises InputError for a seed that is no plain word.
    """
    check_seed(seed)
    cells = contents.verdicts.cells
    numbers = {number(contents.verdicts_digest, seed, cell): cell for cell in cells}
    chosen = sorted(numbers)[:size]
    return Sample(
        seed=seed,
        population=len(cells),
        drawn=tuple(_drawn(contents, numbers[one], one) for one in chosen),
    )


def number(verdicts_digest: str, seed: str, cell: CellEntry) -> str:
    """The number by which a cell is drawn."""
    lines = (METHOD, verdicts_digest, seed, cell.instance, cell.promise)
    return digest("".join(f"{line}\n" for line in lines).encode())


def _drawn(contents: Contents, cell: CellEntry, told: str) -> Drawn:
    named = [*cell.records, *(record for item in cell.findings for record in item.records)]
    found = [contents.exhibits.get(record) for record in dict.fromkeys(named)]
    here = {exhibit.name: exhibit for exhibit in found if exhibit is not None}
    return Drawn(
        cell=cell,
        draw=told,
        exhibits=tuple(here[name] for name in sorted(here)),
        absent=tuple(r for r in dict.fromkeys(named) if r not in contents.exhibits),
    )
