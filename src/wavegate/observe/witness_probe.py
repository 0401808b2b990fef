# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Asks other sources than nms:deliveryStat for the rate: the log, counted, and reports.

Rides on the session of `CampaignProbe`. The log is counted on the server for one unit (a day) at a
time, never read; a source that refuses or does not answer is not asked again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wavegate import clock
from wavegate.clock import format_instant
from wavegate.estate.model import Window
from wavegate.observe.campaign_client import CampaignClient
from wavegate.observe.campaign_soap import group_query
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Task
from wavegate.observe.rate_probe import Stretch, campaign_date, window_of
from wavegate.record.campaign_view import QUERY, query_rows
from wavegate.record.observation import Seen
from wavegate.record.rate_witnesses import (
    LOGS,
    REPORT,
    REPORT_PATH,
    SINCE,
    UNTIL,
    WITNESS,
)
from wavegate.record.rates import SERIES, STAT

UNITS = 7
"""Units a side that the log is counted over: as many as the second look needs."""
REPORTS = 2
"""Deliveries a side whose report is read: those that sent most."""
GROUPS = 2000
SETTLED = 12
"""A unit is counted when a twelfth of a unit has passed since: copies of the log come late."""


class WitnessQuestions:
    """What to ask on a Campaign session beside its statistics.

    At most `2 UNITS` counts of each log, two groupings and `2 REPORTS` reports in a capture.
    """

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked at least, in words."""
        window = window_of(task)
        if window is None:
            return ()
        unit = task.estate.policy.throughput_unit
        counts = [
            f"{QUERY} {log} counted {s.name}"
            for log in LOGS
            for s in units(window, unit, window.start)
        ]
        return (*counts, f"{QUERY} {STAT} deliveries before", REPORT)

    def ask(self, client: CampaignClient, task: Task, notes: Notes) -> None:
        """Count each log over every unit that has ended, then read reports."""
        window = window_of(task)
        if window is None:
            return
        unit, now = task.estate.policy.throughput_unit, clock.now()
        for log in LOGS:
            for stretch in units(window, unit, now):
                if notes.stopped.is_set() or not _count(client, log, stretch, notes):
                    break
        for side in _sides(window, unit, now):
            if notes.stopped.is_set() or not _reports(client, side, notes):
                return


def units(window: Window, unit: timedelta, now: datetime) -> tuple[Stretch, ...]:
    """The units next to the window that have ended, oldest first, in whole milliseconds."""
    late = now - unit / SETTLED
    before = [_unit(f"before {n}", window.start - n * unit, unit) for n in range(UNITS, 0, -1)]
    after = [_unit(f"after {n + 1}", window.end + n * unit, unit) for n in range(UNITS)]
    return tuple(s for s in (*before, *after) if s.until <= late)


def _unit(name: str, since: datetime, unit: timedelta) -> Stretch:
    """Campaign's dates have milliseconds, so the bounds that are asked for have them too."""
    return Stretch(name=name, since=_whole(since), until=_whole(since + unit))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _sides(window: Window, unit: timedelta, now: datetime) -> Iterator[Stretch]:
    """The units before the opening as one stretch, and those after the close so far."""
    whole = UNITS * unit
    yield _unit("before", window.start - whole, whole)
    after = _unit("after", window.end, whole)
    if now > after.since:
        yield replace(after, until=min(after.until, now))


def _count(client: CampaignClient, log: str, stretch: Stretch, notes: Notes) -> bool:
    """One count of a log by delivery and status; False where asking on makes no sense."""
    document = group_query(
        log, ("[@delivery-id]", "@status"), "count(@id)", _within("@eventDate", stretch), GROUPS
    )
    told = {
        SERIES: WITNESS,
        "body": f"counted {stretch.name}",
        SINCE: format_instant(stretch.since),
        UNTIL: format_instant(stretch.until),
    }
    called = client.select(log, document, told)
    if called.reply is not None and len(tuple(query_rows(called.reply))) >= GROUPS:
        notes.leave_out(f"{log} counted {stretch.name}", f"{GROUPS} groups or more")
        return False
    notes.observe(called.observation)
    return called.reply is not None


def _within(date: str, stretch: Stretch) -> tuple[str, str]:
    since, until = campaign_date(stretch.since), campaign_date(stretch.until)
    return f"{date} >= {since}", f"{date} < {until}"


def _reports(client: CampaignClient, side: Stretch, notes: Notes) -> bool:
    """The reports of the deliveries that sent most on a side; False where one is not answered."""
    for delivery in _most(client, side, notes):
        told = {SERIES: WITNESS, "body": f"{REPORT} of {delivery} {side.name}"}
        seen = client.report(REPORT_PATH, delivery, told)
        notes.observe(seen)
        if notes.stopped.is_set() or not isinstance(seen.outcome, Seen):
            return False
    return True


def _most(client: CampaignClient, side: Stretch, notes: Notes) -> list[str]:
    """The ids of the deliveries that sent most, by a grouping on the server."""
    document = group_query(
        STAT, ("[@delivery-id]",), "sum(@firstSuccess)", _within("@date", side), GROUPS
    )
    called = client.select(STAT, document, {SERIES: WITNESS, "body": f"deliveries {side.name}"})
    notes.observe(called.observation)
    rows = [] if called.reply is None else [row.values for row in query_rows(called.reply)]
    sent = [
        (int(row["count"]), row["delivery-id"])
        for row in rows
        if row.get("count", "").isdecimal() and row.get("delivery-id", "").isdecimal()
    ]
    ordered = sorted(sent, key=lambda found: (-found[0], found[1]))
    return [delivery for _, delivery in ordered[:REPORTS]]
