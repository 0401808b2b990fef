# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reads the rate history back from an instance: nms:deliveryStat, never rows of the broadLog.

Rides on the session of `CampaignProbe`. The stretches are counted from the window, so that
captures agree on them; those before it are the last that have begun. Pages go by date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wavegate import clock
from wavegate.estate.model import Window
from wavegate.observe.campaign_client import CampaignClient
from wavegate.observe.campaign_soap import series_query
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Task
from wavegate.record.campaign_view import QUERY, query_rows, server_date
from wavegate.record.rates import DELIVERY, RATES, SERIES, STAT

STRETCH = 7
"""Units asked for at once: the distance of the looks."""
STRETCHES = 3
"""Stretches of before, and at most so many after the close."""
NIGHT = timedelta(hours=26)
"""How far back a night asks: a day, and two hours where the night before ran early."""
LINES = 1000
PAGES = 20
LEAST_CAP = 200
"""The lowest cap of rows that is known: a page that is shorter is the last one.

A longer one that an instance may have cut off is followed up, and never taken for all.
"""
COUNTS = (
    "[@delivery-id]",
    "@date",
    "@volume",
    "@firstSuccess",
    "@firstError",
    "@retriesSuccess",
    "@retriesError",
)
STATES = ("@id", "@state", "[properties/@toDeliver]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A span of time that is asked for. name: stable over captures of the same window."""

    name: str
    since: datetime
    until: datetime


class RateQuestions:
    """What to ask on a Campaign session about past rates."""

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked at least, in words."""
        window = window_of(task)
        if window is None:
            return ()
        unit = task.estate.policy.throughput_unit
        found = [f"{QUERY} {STAT} {s.name}" for s in stretches(window, unit, window.start)]
        return (*found, f"{QUERY} {DELIVERY} states")

    def ask(self, client: CampaignClient, task: Task, notes: Notes) -> None:
        """Ask for every stretch that has begun, then for the states of deliveries."""
        window = window_of(task)
        if window is None:
            return
        unit = task.estate.policy.throughput_unit
        for stretch in stretches(window, unit, clock.now()):
            if not _read(client, stretch, notes):
                return
        _states(client, window.start - STRETCH * STRETCHES * unit, notes)


class NightQuestions:
    """What a night asks about rates: those since a little more than a day ago, without a window."""

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked at least, in words."""
        del task
        return f"{QUERY} {STAT} night", f"{QUERY} {DELIVERY} states"

    def ask(self, client: CampaignClient, task: Task, notes: Notes) -> None:
        """Ask for the stretch that ends now, then for the states of deliveries."""
        del task
        now = clock.now()
        stretch = Stretch(name="night", since=now - NIGHT, until=now)
        if _read(client, stretch, notes):
            _states(client, stretch.since, notes)


def _states(client: CampaignClient, since: datetime, notes: Notes) -> None:
    document = series_query(DELIVERY, STATES, (f"@lastModified >= {campaign_date(since)}",))
    notes.observe(client.select(DELIVERY, document, _told("states")).observation)


def _read(client: CampaignClient, stretch: Stretch, notes: Notes) -> bool:
    """All pages of a stretch; False where asking on makes no sense."""
    since = stretch.since
    for page in range(1, PAGES + 1):
        where = (f"@date >= {campaign_date(since)}", f"@date < {campaign_date(stretch.until)}")
        document = series_query(STAT, COUNTS, where, lines=LINES, order="@date")
        called = client.select(STAT, document, _told(f"{stretch.name} page {page:02d}"))
        notes.observe(called.observation)
        if called.reply is None or notes.stopped.is_set():
            return False
        rows = tuple(query_rows(called.reply))
        if len(rows) < min(LINES, LEAST_CAP):
            return True
        newest = server_date(rows[-1].values.get("date"))[0]
        if newest is None or newest <= since:
            break
        since = newest
    notes.leave_out(
        f"{STAT} {stretch.name}", f"more rows than {PAGES} pages hold, or than show in one"
    )
    return True


def _told(body: str) -> dict[str, str]:
    return {SERIES: RATES, "body": f"rates {body}"}


def window_of(task: Task) -> Window | None:
    """The window of the first wave that names the instance and has one."""
    for wave in task.estate.waves:
        if task.instance.name in wave.instances and wave.window is not None:
            return wave.window
    return None


def stretches(window: Window, unit: timedelta, now: datetime) -> tuple[Stretch, ...]:
    """The last of before that have begun, oldest first, and those of after that have."""
    step = STRETCH * unit
    last = max(-((now - window.start) // step), 1)
    before = [
        Stretch(
            name=f"before {number}",
            since=window.start - number * step,
            until=window.start - (number - 1) * step,
        )
        for number in range(last + STRETCHES - 1, last - 1, -1)
    ]
    after = [
        Stretch(
            name=f"after {number + 1}",
            since=window.end + number * step,
            until=window.end + (number + 1) * step,
        )
        for number in range(STRETCHES)
    ]
    return (*before, *(found for found in after if found.since <= now))


def campaign_date(at: datetime) -> str:
    """An instant as a literal of Campaign's query language, UTC."""
    text = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"#{text}.{at.microsecond // 1000:03d}Z#"
