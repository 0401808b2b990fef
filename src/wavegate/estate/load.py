# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading the estate file: YAML or JSON to an Estate, or every problem at once; and writing it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from wavegate.canonical import dumps
from wavegate.errors import InputError
from wavegate.estate import references, shape
from wavegate.estate.document import (
    MAX_VALUES,
    Flaw,
    Mark,
    Node,
    Plain,
    compose,
    locate,
    plain,
)
from wavegate.estate.model import Estate
from wavegate.estate.problems import Complaint, EstateError, Problem, found_text, path_text

MAX_BYTES = 16 * 1024 * 1024
MAX_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """An estate and the file it was read from; references are relative to that file's folder."""

    estate: Estate
    path: Path


def load(path: Path) -> Loaded:
    """The estate of a file.

    Raises EstateError with all problems of its content (the first 1000 of a hopeless file);
    InputError for no file, a folder, a file that may not be read or is larger than 16 MB.
    """
    return Loaded(loads(_read(path), str(path)), path)


def loads(data: bytes, where: str) -> Estate:
    """The estate that the bytes of a YAML or JSON file say. Raises EstateError; where names it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EstateError([_not_text(data, error.start, where)]) from None
    found = _json(text)
    if found is not None:
        estate, said = _judge(found)
        if estate is not None and not said:
            return estate
        text = text.replace("\t", " ")
    return _from_yaml(text, where)


def dump(estate: Estate) -> bytes:
    """Canonical JSON with every default written out; `loads` reads back an equal estate."""
    return dumps(estate.model_dump(mode="json", by_alias=True, exclude_none=True))


def _from_yaml(text: str, where: str) -> Estate:
    root, flaws = compose(text)
    problems = [_flawed(flaw, where) for flaw in flaws]
    if root is None and not flaws:
        root = Node(Mark(1, 1), None)
    if root is None:
        raise EstateError(problems)
    data = plain(root)
    estate, said = _judge(data)
    problems += islice(_placed(said, root, data, where), MAX_PROBLEMS)
    if estate is None or problems:
        raise EstateError(problems)
    return estate


def _judge(data: Plain) -> tuple[Estate | None, tuple[Complaint, ...]]:
    if not isinstance(data, dict):
        cure = "write keys and values, starting with `version: 1`"
        return None, (Complaint(path=(), what="an estate is a mapping", cure=cure),)
    said = tuple(references.complaints(data))
    try:
        return Estate.model_validate(data), said
    except ValidationError as error:
        known = {(complaint.path, complaint.key) for complaint in said}
        more = (c for c in shape.complaints(error, data) if (c.path, c.key) not in known)
        return None, (*islice(more, MAX_PROBLEMS), *said)


def _placed(said: Iterable[Complaint], root: Node, data: Plain, where: str) -> Iterator[Problem]:
    for complaint in said:
        mark = locate(root, complaint.path, key=complaint.key)
        what = complaint.what
        if complaint.show:
            what = f"found {found_text(_value(data, complaint.path), complaint.path)}: {what}"
        if complaint.first is not None:
            what += f", first on line {locate(root, complaint.first).line}"
        yield Problem(
            file=where,
            line=mark.line,
            column=mark.column,
            key=path_text(complaint.path),
            what=what,
            cure=complaint.cure,
        )


def _value(data: Plain, path: Iterable[str | int]) -> Plain:
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
    return data


def _flawed(flaw: Flaw, where: str) -> Problem:
    return Problem(
        file=where,
        line=flaw.mark.line,
        column=flaw.mark.column,
        key=path_text(flaw.path),
        what=flaw.what,
        cure=flaw.cure,
    )


def _json(text: str) -> Plain:
    """The values of a JSON object, or None where it is none, or must be looked at as YAML."""
    if not text.lstrip().startswith("{") or text.count(",") > MAX_VALUES:
        return None
    try:
        found: Plain = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found


def _once(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(text: str) -> Plain:
    raise ValueError(text)


def _not_text(data: bytes, position: int, where: str) -> Problem:
    before = data[:position]
    return Problem(
        file=where,
        line=before.count(b"\n") + 1,
        column=position - (before.rfind(b"\n") + 1) + 1,
        key="(file)",
        what=f"byte 0x{data[position]:02x} is not UTF-8",
        cure="save the file as UTF-8",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(
            "no estate file there",
            where=str(path),
            cure="correct the path, or write one with `wavegate init`",
        ) from error
    except IsADirectoryError as error:
        raise InputError(
            "a folder, not an estate file", where=str(path), cure="name the YAML file in it"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise InputError(
            f"the estate file cannot be read: {reason}",
            where=str(path),
            cure="make it readable for this user",
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError(
            "the estate file is larger than 16 MB", where=str(path), cure="split the estate"
        )
    return data
