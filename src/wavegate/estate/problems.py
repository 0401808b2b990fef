# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an estate file, each problem with its place and its cure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from wavegate.errors import InputError
from wavegate.estate.document import Path, Plain

MAX_SHOWN = 200
MAX_FOUND = 60
_SECRET = {"credentials", "secret", "ims", "password", "token"}
_USERINFO = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A problem before its line is known.

    key: it is about the key, not the value. first: the path of an earlier value that it clashes
    with. show: whether the value found may be printed.
    """

    path: Path
    what: str
    cure: str
    key: bool = False
    first: Path | None = None
    show: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One problem of an estate file. line and column count from 1; key is the path of keys."""

    file: str
    line: int
    column: int
    key: str
    what: str
    cure: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.key}: {self.what}; {self.cure}"

    def as_json(self) -> dict[str, str | int]:
        """The problem as a JSON object."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "what": self.what,
            "cure": self.cure,
        }


class EstateError(InputError):
    """An estate file that cannot be read, with every problem found, sorted by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(sorted(set(problems)))
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        super().__init__(f"{count} in the estate", where=found[0].file, cure=found[0].cure)
        self.problems = found

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"... and {len(self.problems) - MAX_SHOWN} more")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The object under "error" of `--json`, with all problems."""
        problems = [problem.as_json() for problem in self.problems]
        return {**super().as_json(), "problems": problems}


def path_text(path: Path) -> str:
    """`instances[0].sending_ips[1]`; the whole file is `(file)`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w<-]+", step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(_short(step))}]"
    return text or "(file)"


def found_text(value: Plain, path: Path) -> str:
    """What was found, short, and never a secret."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if any(step in _SECRET for step in path):
        return "text that is not shown"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(_short(value)) if isinstance(value, str) else str(value)


def _short(text: str) -> str:
    masked = _USERINFO.sub("//...@", text)
    return masked if len(masked) <= MAX_FOUND else f"{masked[:MAX_FOUND]}..."


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """The cure for a word that is not known: the nearest known one, or what else to do."""
    folded = {name.lower().replace("_", "-"): name for name in known}
    short = word[:MAX_FOUND].lower().replace("_", "-")
    near = get_close_matches(short, folded, n=1, cutoff=0.6)
    near += [name for name in folded if len(name) > 2 and short.startswith(name)]
    return f"did you mean {folded[near[0]]}?" if near else otherwise
