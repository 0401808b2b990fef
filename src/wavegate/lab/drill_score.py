# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The score of the last recorded drill: how many faults were caught, of which catalogue, by what.

It is package data, made by the drill at release, and holds only for the very catalogue and code
that it was made with.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from wavegate.lab.catalogue import fixtures

SCORE = Path(__file__).with_name("score.json")
NOT_DRILLED = "not drilled"
UNDRILLED = "WAVEGATE_WITHOUT_DRILL"
"""Set where a drill runs its own commands."""
_NOT_SOURCE = ("suites", "fixtures", "__pycache__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """caught of played; digests of the catalogue and of the tool, hexadecimal."""

    caught: int
    played: int
    catalogue: str
    tool: str

    def line(self) -> str:
        """As reports print it."""
        digests = f"catalogue {self.catalogue[:12]}, tool {self.tool[:12]}"
        return f"{self.caught}/{self.played} ({digests})"


def catalogue_digest() -> str:
    """SHA-256 over `<file digest>  <name>` lines of the catalogue's files, sorted."""
    return _digest((fixtures() / "faults").glob("*.yaml"), fixtures() / "faults")


def tool_digest() -> str:
    """The same over all Python files of the package and of its suites.

    A checkout and a wheel of the same sources have the same digest.
    """
    package = Path(__file__).parents[1]
    inside = [path for path in package.rglob("*.py") if _is_source(path.relative_to(package))]
    suites = _suites(package)
    lines = [*_lines(inside, package), *_lines(suites.glob("*.py"), suites)]
    return sha256("".join(sorted(lines)).encode()).hexdigest()


def _suites(package: Path) -> Path:
    """In the wheel inside the package, in a checkout at its root."""
    inside = package / "suites"
    return inside if inside.is_dir() else package.parents[1] / "suites"


def _is_source(path: Path) -> bool:
    return path.parts[0] not in _NOT_SOURCE


def _digest(paths: Iterable[Path], folder: Path) -> str:
    return sha256("".join(sorted(_lines(paths, folder))).encode()).hexdigest()


def _lines(paths: Iterable[Path], folder: Path) -> Iterable[str]:
    for path in paths:
        yield f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"


def recorded(path: Path = SCORE) -> Score | None:
    """The score that the package holds; None where there is none that can be read."""
    try:
        told = json.loads(path.read_text("utf-8"))
        return Score(
            caught=int(told["caught"]),
            played=int(told["played"]),
            catalogue=str(told["catalogue"]),
            tool=str(told["tool"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def score_line(path: Path = SCORE) -> str:
    """The recorded score, or `not drilled` where it is of another catalogue or other code.

    The reports of a drill itself bear none: it would vouch for its own making.
    """
    found = None if os.environ.get(UNDRILLED) else recorded(path)
    if found is None or (found.catalogue, found.tool) != (catalogue_digest(), tool_digest()):
        return NOT_DRILLED
    return found.line()


def record(score: Score, path: Path = SCORE) -> None:
    """Write the score into the package."""
    path.write_text(json.dumps(asdict(score), indent=2, sort_keys=True) + "\n", encoding="utf-8")
