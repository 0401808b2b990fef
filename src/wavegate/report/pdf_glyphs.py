# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the shipped fonts can draw: PDF/A forbids a character that no font has.

A character that none of them has is written `[U+4E2D]`, as are those that act or cannot be seen,
and combining marks: no one font may have both the mark and what it stands on.
"""

import unicodedata
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from fontTools.ttLib import TTFont

from wavegate.report.safe_text import visible

FONTS = ("IBMPlexSans.ttf", "IBMPlexMono-Regular.ttf", "DejaVuSans.ttf")


@cache
def folder() -> Path:
    """The folder with the shipped fonts."""
    with as_file(files("wavegate.report") / "fonts") as found:
        return found


@cache
def covered() -> frozenset[int]:
    """The code points that at least one shipped font draws."""
    points = set[int]()
    for name in FONTS:
        with TTFont(folder() / name, lazy=True) as font:
            points |= set(font.getBestCmap())
    return frozenset(points)


def drawable(text: str) -> str:
    """The visible text, with what no shipped font has as `[U+4E2D]`."""
    shown = visible(text)
    if shown.isascii():
        return shown
    return "".join(char if _drawn(char) else f"[U+{ord(char):04X}]" for char in shown)


def _drawn(char: str) -> bool:
    return ord(char) in covered() and not unicodedata.category(char).startswith("M")
