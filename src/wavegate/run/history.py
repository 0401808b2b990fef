# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb history: verdicts through time, flips, and the baselines with who accepted them."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from wavegate.canonical import loads
from wavegate.clock import format_instant, parse_instant
from wavegate.errors import InputError, WavegateError
from wavegate.estate.nightly import night_of
from wavegate.evidence.baseline import FOLDER, BaselinePredicate, read_baseline
from wavegate.evidence.trust import Trust
from wavegate.record.local_store import LocalStore
from wavegate.record.store_place import open_here
from wavegate.run.history_index import index_of
from wavegate.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to show; None for all. anew: make the index again first."""

    instance: str | None = None
    promise: str | None = None
    customer: str | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The verdict of a cell in one run. wave: None for a night, of which `night` is the date."""

    run: str
    wave: str | None
    at: str
    verdict: str
    reason: str
    waived: bool
    causes: tuple[str, ...]

    @property
    def night(self) -> str | None:
        """The night it was judged in."""
        return None if self.wave else night_of(parse_instant(self.at)).isoformat()

    def to_json(self) -> dict[str, object]:
        """A point of `history --json`."""
        return {
            "run": self.run,
            "wave": self.wave,
            "night": self.night,
            "at": self.at,
            "verdict": self.verdict,
            "reason": self.reason,
            "waived": self.waived,
            "causes": list(self.causes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One cell through time, oldest first. nights: the worst verdict of each night, by its date."""

    instance: str
    customer: str
    promise: str
    points: tuple[Point, ...]

    @property
    def nights(self) -> Mapping[str, str]:
        """Of several runs in one night the worst counts."""
        found: dict[str, str] = {}
        for point in self.points:
            if point.night is not None:
                found[point.night] = _worse(found.get(point.night), point.verdict)
        return found

    @property
    def flips(self) -> int:
        """How often the verdict turned from one night to the next, over all time."""
        told = [verdict for verdict in self.nights.values() if verdict != "NOT_APPLICABLE"]
        return sum(one != other for one, other in pairwise(told))

    def to_json(self) -> dict[str, object]:
        """A row of `history --json`."""
        return {
            "instance": self.instance,
            "customer": self.customer,
            "promise": self.promise,
            "flips": self.flips,
            "points": [point.to_json() for point in self.points],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run. problem: why it is not believed, else None."""

    run: str
    wave: str | None
    at: str | None
    decision: str | None
    baseline: int | None
    problem: str | None

    def to_json(self) -> dict[str, object]:
        """A run of `history --json`."""
        return {
            "run": self.run,
            "wave": self.wave,
            "at": self.at,
            "decision": self.decision,
            "baseline": self.baseline,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRow:
    """One version of the baseline. problem: why it is not believed, else None."""

    name: str
    signed: BaselinePredicate | None
    problem: str | None = None

    def to_json(self) -> dict[str, object]:
        """A baseline of `history --json`."""
        if self.signed is None:
            return {"name": self.name, "problem": self.problem}
        now = [e.instance for e in self.signed.accepted if e.version == self.signed.version]
        return {
            "version": self.signed.version,
            "at": format_instant(self.signed.at),
            "by": self.signed.by,
            "why": self.signed.why,
            "ticket": self.signed.ticket,
            "causes": list(self.signed.causes),
            "instances": now,
            "problem": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a store tells of the past."""

    lines: tuple[Line, ...]
    runs: tuple[RunRow, ...]
    baselines: tuple[AcceptedRow, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `history --json`."""
        return {
            "cells": [line.to_json() for line in self.lines],
            "runs": [row.to_json() for row in self.runs],
            "baselines": [row.to_json() for row in self.baselines],
        }


def history(store: Path, request: Request, trust: Trust) -> History:
    """Read a store's past. Raises MissingError (no store), InputError (a name it does not know)."""
    opened = open_here(store, "the index of a history is a file beside it", create=False)
    with index_of(opened, trust, anew=request.anew) as index:
        lines = tuple(_lines(index, request))
        runs = tuple(_runs(index))
        if not lines:
            _check_known(index, request)
    return History(
        lines=lines, runs=runs, baselines=tuple(_baselines(opened, trust, request, lines))
    )


def _lines(index: sqlite3.Connection, request: Request) -> Iterator[Line]:
    found: dict[tuple[str, str, str], list[Point]] = {}
    wanted = (request.instance, request.promise, request.customer)
    rows: Iterable[tuple[Any, ...]] = index.execute(
        "SELECT c.instance, c.customer, c.promise, r.run, r.wave, r.at, c.verdict, c.reason,"
        " c.waived, c.causes FROM cells c JOIN runs r ON r.run = c.run"
        " WHERE (?1 IS NULL OR c.instance = ?1) AND (?2 IS NULL OR c.promise = ?2)"
        " AND (?3 IS NULL OR c.customer = ?3)"
        " ORDER BY c.customer, c.instance, c.promise, r.at, r.run",
        wanted,
    )
    for instance, customer, promise, *rest in rows:
        found.setdefault((instance, customer, promise), []).append(_point(rest))
    for (instance, customer, promise), points in found.items():
        yield Line(instance=instance, customer=customer, promise=promise, points=tuple(points))


def _point(row: list[Any]) -> Point:
    run, wave, at, verdict, reason, waived, causes = row
    told = loads(causes.encode(), where="index")
    return Point(
        run=run,
        wave=wave,
        at=at,
        verdict=verdict,
        reason=reason,
        waived=bool(waived),
        causes=tuple(map(str, told)) if isinstance(told, list) else (),
    )


def _runs(index: sqlite3.Connection) -> Iterator[RunRow]:
    rows = index.execute(
        "SELECT run, wave, at, decision, baseline, problem FROM runs ORDER BY at, run"
    )
    for run, wave, at, decision, baseline, problem in rows:
        yield RunRow(
            run=run, wave=wave, at=at, decision=decision, baseline=baseline, problem=problem
        )


def _check_known(index: sqlite3.Connection, request: Request) -> None:
    """A name that no sealed run knows is a slip of the pen, not an empty history."""
    for column in ("instance", "promise", "customer"):
        wanted = getattr(request, column)
        names = [row[0] for row in index.execute(f"SELECT DISTINCT {column} FROM cells")]  # noqa: S608 - one of three words
        if wanted is not None and wanted not in names:
            raise InputError(
                f"no sealed run speaks of the {column} {wanted!r}",
                where=f"--{column}",
                cure=f"it knows {', '.join(sorted(names)[:20]) or 'none'}",
            )


def _baselines(
    store: LocalStore, trust: Trust, request: Request, lines: Iterable[Line]
) -> Iterator[AcceptedRow]:
    """The versions, those only that accepted something of what is shown."""
    shown = {line.instance for line in lines}
    narrow = request.instance is not None or request.customer is not None
    for name in store.names(FOLDER):
        try:
            signed = read_baseline(store, name, trust).signed
        except WavegateError as error:
            yield AcceptedRow(name=name, signed=None, problem=error.message)
            continue
        now = {e.instance for e in signed.accepted if e.version == signed.version}
        if not narrow or now & shown:
            yield AcceptedRow(name=name, signed=signed)


def _worse(one: str | None, other: str) -> str:
    if one is None:
        return other
    rank = {str(v): v.badness for v in Verdict}
    return max(one, other, key=lambda verdict: rank.get(verdict, rank["INCONCLUSIVE"]))
