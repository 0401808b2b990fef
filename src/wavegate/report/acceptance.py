# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What accepting a baseline shows a person: the difference, and what was signed."""

from collections.abc import Iterator, Mapping
from typing import Any

from wavegate.report.safe_text import shorten

LIMIT = 200
TOP = 50


def told(found: Mapping[str, Any]) -> str:
    """The object of `nightly accept --json` for a person."""
    lines = [f"baseline {found['version']} signed by {found['by']}: {found['why']}"]
    rows = found["instances"]
    for row in rows[:TOP]:
        lines += _row(row)
    if len(rows) > TOP:
        lines.append(f"  and {len(rows) - TOP} more instances")
    lines.append(f"the grid of the nightly has {found['cells']} cells")
    return "\n".join(shorten(line, 4 * LIMIT) for line in lines)


def _row(row: Mapping[str, Any]) -> Iterator[str]:
    filled = f", {row['filled']} silences keep the answer of before" if row["filled"] else ""
    yield f"  {row['instance']:24} {row['what']}{filled}"
    for word, items in (("accepted", row["accepted"]), ("left", row["left"])):
        for item in items:
            yield f"    {word:8} {item['promise']}  {item['subject']}  cause {item['cause']}"
            yield f"      before  {shorten(item['before'] or 'nothing', LIMIT)}"
            yield f"      after   {shorten(item['after'] or 'nothing', LIMIT)}"
