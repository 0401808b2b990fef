# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which tool made a record: its version, and one digest over its source files."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import wavegate
from wavegate.canonical import digest
from wavegate.record.snapshot import Tool

_NOT_SOURCE = ("suites", "fixtures", "__pycache__")


@lru_cache(maxsize=1)
def tool() -> Tool:
    """The installed package: its version and the digest of its Python files.

    The suites have a digest of their own and do not count, so that a checkout and a wheel of the
    same sources are the same tool.
    """
    package = Path(wavegate.__file__).parent
    return Tool(version=version("wavegate"), source=source_digest([package]))


def source_digest(folders: Iterable[Path]) -> str:
    """SHA-256 over `<file digest>  <relative path>` lines of all *.py of some folders, sorted.

    Files in `suites/`, `fixtures/` and caches directly below a folder do not count.
    """
    lines = sorted(line for folder in folders for line in _lines(folder))
    return sha256("".join(lines).encode("utf-8")).hexdigest()


def _lines(folder: Path) -> Iterable[str]:
    for path in folder.rglob("*.py"):
        relative = path.relative_to(folder)
        if relative.parts[0] not in _NOT_SOURCE:
            yield f"{digest(path.read_bytes())}  {relative.as_posix()}\n"
