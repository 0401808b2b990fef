# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The population as CSV: every instance with each promise, its verdict, due and decision.

An auditor draws a sample from it; so nothing is left out, not even an instance without a cell.
"""

from collections.abc import Iterator

from wavegate.clock import format_instant
from wavegate.evidence.verdicts import CellEntry, Verdicts
from wavegate.report.model import standing
from wavegate.report.safe_csv import table
from wavegate.report.safe_text import visible
from wavegate.verdict import Verdict

COLUMNS = (
    "run",
    "wave",
    "customer",
    "instance",
    "decision",
    "promise",
    "verdict",
    "standing",
    "due",
    "reason",
    "causes",
    "waived_by",
    "waived_until",
    "in_wave",
)
_SETTLED = frozenset({Verdict.PASSED, Verdict.NOT_APPLICABLE})


def as_csv(verdicts: Verdicts) -> bytes:
    """One line a cell of the grid, and one for each instance that has none."""
    told = {cell.instance for cell in verdicts.cells}
    bare = sorted({*verdicts.instances, *verdicts.holds} - told)
    rows = [*(_row(verdicts, cell) for cell in verdicts.cells), *(_bare(verdicts, n) for n in bare)]
    return table(COLUMNS, ([visible(text) for text in row] for row in rows))


def _row(verdicts: Verdicts, cell: CellEntry) -> tuple[str, ...]:
    waiver = cell.waiver if cell.waiver and cell.waiver.in_force else None
    return (
        verdicts.run,
        verdicts.wave or "",
        cell.customer,
        cell.instance,
        verdicts.instances.get(cell.instance, ""),
        cell.promise,
        cell.verdict if cell.judged else "not judged",
        "settled" if cell.verdict in _SETTLED and cell.judged else standing(cell),
        format_instant(cell.due) if cell.due else "",
        cell.reason,
        " ".join(_causes(cell)),
        waiver.approved_by if waiver else "",
        format_instant(waiver.until) if waiver else "",
        "withdrawn" if cell.withdrawn else "no" if cell.outside else "yes",
    )


def _causes(cell: CellEntry) -> Iterator[str]:
    found = [item.cause for item in cell.findings] + [item.cause for item in cell.missing]
    yield from dict.fromkeys(found)


def _bare(verdicts: Verdicts, name: str) -> tuple[str, ...]:
    why = "; ".join(verdicts.holds.get(name, ())) or "no cell of this instance was planned"
    word = verdicts.instances.get(name, "")
    known = (verdicts.run, verdicts.wave or "", "", name, word, "", "not judged", "stops", "", why)
    return (*known, "", "", "", "yes")
