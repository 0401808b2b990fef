# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What pydantic says of an estate's shape, as complaints with a cure."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wavegate.estate.document import Path, Plain
from wavegate.estate.model import Estate
from wavegate.estate.problems import Complaint, did_you_mean
from wavegate.estate.values import UnreadableError

_EXPECTED: Mapping[str, tuple[str, str]] = {
    "model_type": ("expected a mapping", "write keys and values: `key: value`"),
    "dict_type": ("expected a mapping", "write keys and values: `key: value`"),
    "tuple_type": ("expected a list", "put it in brackets: [...]"),
    "string_type": ("expected text", "put it in quotes"),
    "int_type": ("expected a whole number", "write digits without quotes"),
    "bool_type": ("expected true or false", "write true or false, without quotes"),
    "too_short": ("an empty list", "name at least one"),
}


def complaints(error: ValidationError, data: Plain) -> Iterator[Complaint]:
    """Each error of pydantic as a complaint about a path that stands in the data."""
    for details in error.errors(include_url=False, include_input=False):
        path, key = _real_path(details["loc"], data)
        yield _complaint(details, path, key=key)


def _complaint(details: ErrorDetails, path: Path, *, key: bool) -> Complaint:
    kind, context = details["type"], details.get("ctx", {})
    match kind:
        case "missing":
            name = details["loc"][-1]
            what, cure = f"{name} is missing", f"add `{name}: ...`"
            return Complaint(path=(*path, name), what=what, cure=cure, show=False)
        case "extra_forbidden":
            cure = _right_key(path)
            return Complaint(path=path, what="unknown key", cure=cure, key=True, show=False)
        case "value_error" if isinstance(context["error"], UnreadableError):
            bad = context["error"]
            at = (*path, *bad.at)
            return Complaint(path=at, what=bad.what, cure=bad.cure, key=key, show=not key)
        case "literal_error":
            cure = f"write {context['expected']}".replace("'", "").replace("False", "false")
            return Complaint(path=path, what="not one of the possible values", cure=cure)
        case "greater_than_equal":
            least = context["ge"]
            return Complaint(path=path, what="too small", cure=f"write {least} or more")
    what, cure = _EXPECTED.get(kind, (details["msg"], "see reports/schema/estate.schema.json"))
    return Complaint(path=path, what=what, cure=cure, key=key)


def _real_path(loc: tuple[str | int, ...], data: Plain) -> tuple[Path, bool]:
    """The location without the tags of unions; whether it is a key that is wrong."""
    path: list[str | int] = []
    value = data
    for step in loc:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
            case list(), int() if step < len(value):
                value = value[step]
            case _:
                continue
        path.append(step)
    return tuple(path), loc[-1:] == ("[key]",)


def _right_key(path: Path) -> str:
    word, known = str(path[-1]), keys_at(path[:-1])
    listed = ", ".join(known)
    return did_you_mean(word, known, otherwise=f"remove it; the keys here are {listed}")


def keys_at(path: Path) -> tuple[str, ...]:
    """The keys that the estate knows at a path, in the model's order; none below free mappings."""
    kinds: list[Any] = [Estate]
    for step in path:
        kinds = [below for kind in kinds for below in _step(kind, step)]
    return tuple(key for kind in kinds for key in _fields(kind))


def _fields(kind: Any) -> dict[str, Any]:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _step(kind: Any, step: str | int) -> Iterator[Any]:
    if typing.get_origin(kind) is tuple and isinstance(step, int):
        yield from _members(typing.get_args(kind)[0])
    elif typing.get_origin(kind) is dict:
        yield from _members(typing.get_args(kind)[1])
    elif step in (fields := _fields(kind)):
        yield from _members(fields[str(step)])


def _members(kind: Any) -> Iterator[Any]:
    """The members of unions, without annotations."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from _members(typing.get_args(kind)[0])
    elif origin in {typing.Union, types.UnionType}:
        for member in typing.get_args(kind):
            yield from _members(member)
    else:
        yield kind
