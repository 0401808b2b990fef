# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judgements as JSON and back, without loss: from worker to controller, from pytest to the gate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeVar, cast

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant, parse_instant
from wavegate.errors import DamagedError
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    Verdict,
)

SCHEMA = "wavegate/judgements/v1"
T = TypeVar("T")
Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCell:
    """What was said of one cell.

    superseded: what would be said without the last declared fix, None where there was none.
    remedied: `remedied after 31 min` where the fix made the difference, else None.
    """

    instance: str
    promise: str
    judgement: Judgement
    superseded: Judgement | None = None
    remedied: str | None = None
    has_after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """What one pytest run said. partial: why it covers only a part of the grid, or None."""

    wave: str
    at: datetime
    partial: str | None
    cells: tuple[JudgedCell, ...]


def run_to_bytes(run: JudgedRun) -> bytes:
    """The canonical bytes of `--verdicts FILE`."""
    return dumps(
        {
            "schema": SCHEMA,
            "wave": run.wave,
            "at": format_instant(run.at),
            "partial": run.partial,
            "cells": [judged_to_json(cell) for cell in run.cells],
        }
    )


def run_from_bytes(data: bytes, *, where: str = "verdicts") -> JudgedRun:
    """Read back what `run_to_bytes` wrote. Raises DamagedError for anything else."""
    fields = loads(data, where=where)
    try:
        return _run(_object(fields))
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(f"not the judgements of a run: {error}", where=where) from error


def _run(found: Fields) -> JudgedRun:
    if found["schema"] != SCHEMA:
        raise ValueError(f"schema {found['schema']!r}")
    return JudgedRun(
        wave=_text(found["wave"]),
        at=parse_instant(_text(found["at"])),
        partial=_text_or_none(found["partial"]),
        cells=_many(found["cells"], judged_from_json),
    )


def read_cells(data: bytes) -> Mapping[tuple[str, str], JudgedCell]:
    """The cells of a run by (instance, promise). Raises DamagedError."""
    return {(cell.instance, cell.promise): cell for cell in run_from_bytes(data).cells}


def judged_to_json(cell: JudgedCell) -> dict[str, object]:
    """The JSON form of one cell."""
    return {
        "instance": cell.instance,
        "promise": cell.promise,
        "judgement": judgement_to_json(cell.judgement),
        "superseded": judgement_to_json(cell.superseded) if cell.superseded else None,
        "remedied": cell.remedied,
        "has_after": cell.has_after,
    }


def judged_from_json(value: object) -> JudgedCell:
    """Read back one cell. Raises KeyError, ValueError or TypeError."""
    fields = _object(value)
    superseded = fields["superseded"]
    return JudgedCell(
        instance=_text(fields["instance"]),
        promise=_text(fields["promise"]),
        judgement=judgement_from_json(fields["judgement"]),
        superseded=None if superseded is None else judgement_from_json(superseded),
        remedied=_text_or_none(fields["remedied"]),
        has_after=fields["has_after"] is True,
    )


def judgement_to_json(found: Judgement) -> dict[str, object]:
    """The JSON form of a judgement, every field by its name."""
    fields = asdict(found)
    fields["missing"] = [_missing_to_json(item) for item in found.missing]
    return fields


def _missing_to_json(item: Missing) -> dict[str, object]:
    settles = format_instant(item.settles_by) if item.settles_by else None
    return {**asdict(item), "settles_by": settles}


def judgement_from_json(value: object) -> Judgement:
    """Read back a judgement. Raises KeyError, ValueError or TypeError."""
    fields = _object(value)
    return Judgement(
        verdict=Verdict(_text(fields["verdict"])),
        reason=_text(fields["reason"]),
        findings=_many(fields["findings"], _finding),
        missing=_many(fields["missing"], _missing),
        cleared=_many(fields["cleared"], lambda item: Cleared(**_texts(item))),
        not_compared=_many(fields["not_compared"], lambda item: NotCompared(**_texts(item))),
        shown=_text_or_none(fields["shown"]),
        could_hide=_text_or_none(fields["could_hide"]),
        off_track=_text_or_none(fields["off_track"]),
        records=_many(fields["records"], _text),
        remarks=_many(fields["remarks"], _text),
    )


def _finding(value: object) -> Finding:
    fields = _object(value)
    return Finding(
        rule=_text(fields["rule"]),
        subject=_text(fields["subject"]),
        expected=_text(fields["expected"]),
        observed=_text(fields["observed"]),
        explanation=_text(fields["explanation"]),
        witness=_many(fields["witness"], _text),
        before=_text_or_none(fields["before"]),
        after=_text_or_none(fields["after"]),
        records=_many(fields["records"], _text),
    )


def _missing(value: object) -> Missing:
    fields = _object(value)
    settles, count = _text_or_none(fields["settles_by"]), fields["count"]
    if count is not None and not isinstance(count, int):
        raise TypeError("expected a number")
    return Missing(
        what=_text(fields["what"]),
        on=On(_text(fields["on"])),
        rule=_text(fields["rule"]),
        subject=_text(fields["subject"]),
        count=count,
        settles_by=parse_instant(settles) if settles else None,
        command=_text_or_none(fields["command"]),
        before=_text_or_none(fields["before"]),
        after=_text_or_none(fields["after"]),
    )


def _many(value: object, of: Callable[[object], T]) -> tuple[T, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError("expected a list")
    return tuple(of(item) for item in cast("Iterable[object]", value))


def _object(value: object) -> Fields:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def _texts(value: object) -> dict[str, str]:
    return {str(key): _text(item) for key, item in _object(value).items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
