# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Verdicts through time on the terminal: a letter a night, then what was accepted, and waves."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from wavegate.report.safe_text import shorten

NIGHTS = 30
"""Nights that are drawn."""
LIMIT = 160
LETTERS = {"PASSED": "P", "FAILED": "F", "INCONCLUSIVE": "I", "NOT_APPLICABLE": "n"}
LEGEND = "P passed, F failed, I inconclusive, n not applicable, w waived, ? not judged, . no night"


def told(found: Mapping[str, Any]) -> str:
    """The object of `history --json` for a person."""
    cells, nights = found["cells"], _nights(found["cells"])
    lines: list[str] = []
    if nights:
        lines += [f"nights {nights[0]} to {nights[-1]}", f"  {LEGEND}"]
        lines += [_row(cell, nights) for cell in cells if _of_nights(cell)]
    lines += _waves(cells)
    lines += _baselines(found["baselines"])
    bad = [row for row in found["runs"] if row["problem"]]
    lines += [f"not believed: run {row['run']}: {row['problem']}" for row in bad]
    lines += [] if lines else ["nothing was sealed in this store yet"]
    return "\n".join(shorten(line, 2 * LIMIT) for line in lines)


def _of_nights(cell: Mapping[str, Any]) -> bool:
    return any(point["night"] for point in cell["points"])


def _nights(cells: list[Mapping[str, Any]]) -> list[str]:
    """The last nights, without a gap, up to the last one that was judged."""
    known = [p["night"] for cell in cells for p in cell["points"] if p["night"]]
    if not known:
        return []
    last, first = date.fromisoformat(max(known)), date.fromisoformat(min(known))
    count = min((last - first).days + 1, NIGHTS)
    return [(last - timedelta(days=n)).isoformat() for n in reversed(range(count))]


def _row(cell: Mapping[str, Any], nights: list[str]) -> str:
    letters: dict[str, str] = {}
    for point in cell["points"]:
        if point["night"]:
            letters[point["night"]] = _worse(letters.get(point["night"]), _letter(point))
    strip = "".join(letters.get(night, ".") for night in nights)
    flips = f"  {cell['flips']} flips" if cell["flips"] else ""
    return f"  {cell['instance']:20} {cell['promise']:22} {strip}{flips}"


def _letter(point: Mapping[str, Any]) -> str:
    return "w" if point["waived"] else LETTERS.get(point["verdict"], "?")


def _worse(one: str | None, other: str) -> str:
    return other if one is None else min(one, other, key="FI?wPn".index)


def _waves(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    """The last verdict of each cell in each wave."""
    for cell in cells:
        last = {p["wave"]: p for p in cell["points"] if p["wave"]}
        for wave, point in last.items():
            yield (
                f"wave {wave}  {cell['instance']:20} {cell['promise']:22} {point['verdict']}"
                f"  {point['at']}"
            )


def _baselines(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["problem"]:
            yield f"baseline {row['name']} does not hold: {row['problem']}"
            continue
        ticket = f", {row['ticket']}" if row["ticket"] else ""
        names = ", ".join(row["instances"][:5]) or "nothing new"
        more = f" and {len(row['instances']) - 5} more" if len(row["instances"]) > 5 else ""
        yield (
            f"baseline {row['version']}  {row['at']}  {names}{more}: accepted by {row['by']}: "
            f"{row['why']}{ticket}"
        )
