# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The page about what cannot be seen, held against the catalogue."""

import re
from pathlib import Path

from wavegate.lab.faults import faults

PAGE = Path(__file__).parents[2] / "docs" / "cannot-see.md"


def test_what_cannot_be_told_or_played_is_on_the_page() -> None:
    """Nobody finds out on the wave night that something is INCONCLUSIVE by its nature."""
    told = set(re.findall(r"`([a-z0-9-]+)`", PAGE.read_text("utf-8")))
    dark = {f.id for f in faults() if f.verdict == "INCONCLUSIVE" or f.unplayable}
    assert set() == dark - told


def test_what_the_page_names_is_in_the_catalogue() -> None:
    """A fault that was renamed or settled leaves no trace of the old name."""
    told = set(re.findall(r"^\| `([a-z0-9-]+)`", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set() == told - {fault.id for fault in faults()}
