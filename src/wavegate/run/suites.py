# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which suites there are: the built-in ones and a user's own; one file is one promise."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import wavegate
from wavegate.canonical import digest, dumps
from wavegate.errors import InputError
from wavegate.estate.nightly import PROMISES as NIGHTLY_PROMISES
from wavegate.promise import PROMISES, Promise, order, own_promise

_FILE = re.compile(r"test_([a-z][a-z0-9_]{0,62})\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite file and the promise it judges."""

    path: Path
    promise: Promise


def builtin_folder() -> Path:
    """The folder of the built-in suites: in the wheel inside the package, else in the checkout."""
    package = Path(wavegate.__file__).parent
    inside = package / "suites"
    return inside if inside.is_dir() else package.parents[1] / "suites"


def find_suites(own: Iterable[Path] = ()) -> tuple[Suite, ...]:
    """All suites, in report order. own: folders of the user.

    Raises InputError for a folder without suites, a file that is no Python, a suite without a
    docstring, and two files for one promise.
    """
    found: dict[str, Suite] = {}
    for folder in (builtin_folder(), *own):
        for suite in _in_folder(folder):
            known = found.setdefault(suite.promise.id, suite)
            if known is not suite:
                raise InputError(
                    f"two suites for the promise {suite.promise.id}",
                    where=f"{known.path} and {suite.path}",
                    cure="rename one: the promise takes its id from the file name",
                )
    return tuple(sorted(found.values(), key=lambda suite: order(suite.promise.id)))


def nightly_suites() -> tuple[Suite, ...]:
    """The suites of the nightly's grid, in report order."""
    return tuple(suite for suite in find_suites() if suite.promise.id in NIGHTLY_PROMISES)


def _in_folder(folder: Path) -> list[Suite]:
    files = sorted(folder.glob("test_*.py")) if folder.is_dir() else []
    if not files:
        raise InputError(
            "no suite here", where=str(folder), cure="give a folder with files test_<promise>.py"
        )
    return [_suite(path) for path in files]


def _suite(path: Path) -> Suite:
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise InputError(
            "not a suite's name", where=str(path), cure="name it test_<promise>.py, in lower case"
        )
    promise_id = match[1]
    if promise_id in PROMISES:
        return Suite(path=path, promise=PROMISES[promise_id])
    return Suite(path=path, promise=own_promise(promise_id, _first_line(path)))


def _first_line(path: Path) -> str:
    try:
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    except (SyntaxError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"not Python: {error}", where=str(path), cure="mend the suite") from error
    if not docstring:
        raise InputError(
            "a suite without a docstring",
            where=str(path),
            cure="begin it with the promise as a sentence: it is what the report prints",
        )
    return docstring.splitlines()[0].rstrip(".")


def suites_digest(suites: Iterable[Suite]) -> str:
    """One digest over the bytes of all suite files: the seal names it, re-judging compares it."""
    rows = [[suite.path.name, digest(suite.path.read_bytes())] for suite in suites]
    return digest(dumps(sorted(rows)))
