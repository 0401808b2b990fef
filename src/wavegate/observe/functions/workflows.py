# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Workflows: judged by their progress, since a dead workflow server leaves their state at started.

One question, one answer per workflow: its state, and the mark of its last run.
"""

from collections.abc import Iterator
from datetime import timedelta

from wavegate.clock import format_instant
from wavegate.observe.functions.answer import Answer, Asked, Function, Lacking, ok, wrong
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session, newest, value_of
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.record.campaign_view import Row, server_date
from wavegate.record.timeline import Watched

NAME = "workflow"
CEILING = timedelta(minutes=5)
MOST = 500
STATES = {
    "0": "edited",
    "2": "running",
    "11": "started",
    "13": "paused",
    "20": "stopped or finished",
}
ACTIVE = frozenset({"2", "11", "13"})
PAUSED = "13"
PERIODS = {
    "tracking": timedelta(hours=1),
    "deliveryIndicators": timedelta(hours=1),
    "cleanup": timedelta(days=1),
    "defaultMidSourcingDlv": timedelta(minutes=10),
    "defaultMidSourcingLog": timedelta(hours=1),
}
"""Documented periods of technical workflows; a watch of a short window learns them instead."""


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    expects = "no workflow failed or paused; each goes on by its own schedule"
    if isinstance(session, str):
        yield facing.not_probed(NAME, expects, session)
        return
    every = facing.every(NAME, CEILING)
    watched = Watched(name=NAME, every=every, expects=expects)
    ask = Progress(session, facing.given(NAME).name, documented=every >= CEILING).ask
    yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


class Progress:
    """Asks for all workflows; tells of those that were active at least once."""

    def __init__(self, session: Session, only: str | None, *, documented: bool) -> None:
        self._session = session
        self._only = only
        self._documented = documented
        self._columns: tuple[str, ...] = ("@lastStart", "@processDate")
        self._known: set[str] = set()

    def ask(self) -> Asked:
        """One answer about the asking, and one per workflow."""
        rows = self._rows()
        while isinstance(rows, Refused) and rows.code == "XTK-170036" and self._columns:
            self._columns = self._columns[1:]  # this instance's schema has no such attribute
            rows = self._rows()
        if isinstance(rows, Refused):
            return Lacking(rows.answer.detail) if rows.code in UNKNOWN else (rows.answer,)
        parts = tuple(self._one(row) for row in rows if self._wanted(row))
        return (ok(f"{len(rows)} workflows, {len(parts)} watched"), *parts)

    def _rows(self) -> tuple[Row, ...] | Refused:
        where = (f"@internalName = '{self._only}'",) if self._only else ()
        select = ("@internalName", "@state", "@failed", *self._columns)
        return self._session.rows(newest("xtk:workflow", select, where, lines=MOST))

    def _wanted(self, row: Row) -> bool:
        name = value_of(row, "@internalName")
        if name and (value_of(row, "@state") in ACTIVE or _failed(row)):
            self._known.add(name)
        return name in self._known

    def _one(self, row: Row) -> Answer:
        name, state = value_of(row, "@internalName")[:100], value_of(row, "@state")
        told = f"state {state} {STATES.get(state, '')}".rstrip()
        period = PERIODS.get(name) if self._documented else None
        value = _mark(row)
        if _failed(row):
            return wrong(f"{told}, failed", value=value, part=name, period=period)
        if state == PAUSED:
            return wrong(told, value=value, part=name, period=period)
        return ok(told, value=value, part=name, period=period)


def _failed(row: Row) -> bool:
    return value_of(row, "@failed").lower() in ("1", "true")


def _mark(row: Row) -> str | None:
    """The mark of the last run: the later of when it was processed and when it started."""
    found = [server_date(value_of(row, name)) for name in ("@processDate", "@lastStart")]
    dates = [date for date, zone_known in found if date is not None and zone_known]
    if dates:
        return format_instant(max(dates))
    return value_of(row, "@processDate") or value_of(row, "@lastStart") or None
