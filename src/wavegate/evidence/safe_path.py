# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Relative paths as evidence may name them: plain, no way out, no two that a disk confuses."""

import re
from collections.abc import Iterable

MAX_PATH = 400
MAX_DEPTH = 12
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*+")


def check_path(path: str) -> str:
    """The path if it is `[A-Za-z0-9._/-]` without absolute, empty, hidden or dot parts.

    Raises ValueError.
    """
    if len(path) > MAX_PATH or path.count("/") >= MAX_DEPTH:
        raise ValueError(f"path {path[:80]!r}... is too long or too deep")
    if not _PATH.fullmatch(path):
        raise ValueError(f"path {path!r} is not one of plain names joined by /")
    return path


def check_distinct(paths: Iterable[str]) -> None:
    """Refuse two paths that differ in case only, which some disks take for one. ValueError."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise ValueError(f"{other!r} and {path!r} are one file on some disks")
