# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How a drill came out: a table by family, what was not caught, and the same as an object."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group
from rich.table import Table
from rich.text import Text

from wavegate.lab.drill import Drilled
from wavegate.lab.drill_judge import MARKS
from wavegate.lab.drill_mutants import Mutant, Tried


def as_object(drilled: Drilled) -> dict[str, object]:
    """The object of `lab drill --json`."""
    return {
        "passed": drilled.passed,
        "score": asdict(drilled.score),
        "counts": {mark: drilled.count(mark) for mark in MARKS},
        "results": [
            {
                "faults": list(row.faults),
                "family": row.family,
                "mark": row.mark,
                "why": row.why,
                "lot": row.lot,
            }
            for row in drilled.rows
        ],
        "not_counted": list(drilled.uncounted),
    }


def table(drilled: Drilled) -> Group:
    """A line per family, and one per fault that was not caught."""
    counts = Table(title=f"drill: {drilled.score.line()}", title_justify="left")
    counts.add_column("family")
    for mark in MARKS:
        counts.add_column(mark, justify="right")
    families = dict.fromkeys(row.family for row in drilled.rows)
    for family in families:
        counts.add_row(family, *(str(drilled.count(mark, family) or "") for mark in MARKS))
    counts.add_row("all", *(str(drilled.count(mark)) for mark in MARKS), style="bold")
    return Group(counts, *_otherwise(drilled))


def _otherwise(drilled: Drilled) -> list[Table | Text]:
    bad = [row for row in drilled.rows if row.mark != "caught"]
    if not bad:
        return []
    rows = Table(title="not caught", title_justify="left")
    for name in ("fault", "came out", "because"):
        rows.add_column(name, overflow="fold")
    for row in bad:
        rows.add_row(row.name, row.mark, row.why)
    return [rows]


def unnoticed(found: Sequence[Tried]) -> list[Tried]:
    """The mutants that the drill did not notice."""
    return [one for one in found if not one.seen]


def mutants_as_object(found: Sequence[Tried]) -> dict[str, object]:
    """The object of `lab drill --mutate --json`."""
    return {
        "mutants": [
            {
                "promise": one.mutant.promise,
                "rule": one.mutant.rule,
                "broken": one.mutant.name,
                "results_turned": one.seen,
            }
            for one in found
        ]
    }


def mutants_text(found: Sequence[Tried]) -> str:
    """How many of the broken rules were noticed, and those that were not."""
    lines = [f"not noticed: {_broken(one.mutant)}" for one in unnoticed(found)]
    lines.append(f"noticed: {len(found) - len(lines)} of {len(found)} broken rules")
    return "\n".join(lines)


def _broken(mutant: Mutant) -> str:
    return f"{mutant.promise} {mutant.name}" + (f" by rule {mutant.rule!r}" if mutant.rule else "")
