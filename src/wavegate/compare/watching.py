# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How long the window is watched, and whether it was; both promises of the window ask it first."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from wavegate.clock import format_instant
from wavegate.compare.spans import Span, clip, merge, place
from wavegate.estate.model import Window
from wavegate.estate.policy import Policy
from wavegate.record.timeline import Timeline, Watched
from wavegate.record.trace import FIRST_YEAR, LAST_YEAR
from wavegate.verdict import Missing, On

DUE_WITHIN = timedelta(hours=2)
ONE_MORE_LOOK = timedelta(minutes=15)
COMMAND = "wavegate watch"
MISSED = 3
"""So many turns must be missed."""


def watch_until(policy: Policy, window: Window, timelines: Iterable[Timeline]) -> datetime:
    """When the watch may end: the policy's settle after the close.

    auto: the longest period of a function with a run due before close + 2 h, + 15 min; a watch
    that ended by itself after the close has settled, by its own reckoning.
    """
    found = tuple(timelines)
    settled = [line.ended for line in found if line.settled and line.ended >= window.end]
    if policy.settle != "auto":
        return window.end + policy.settle
    if settled:
        return min(settled)
    periods = [
        watched.period
        for line in found
        for watched in line.functions
        if watched.period is not None and _due(line, watched, watched.period, window)
    ]
    return window.end + max(periods, default=timedelta()) + ONE_MORE_LOOK


def _due(line: Timeline, watched: Watched, period: timedelta, window: Window) -> bool:
    """Whether a run of the function is due before the close + 2 h, by its last run known."""
    runs = [run for sample in line.of(watched.name) if (run := as_instant(sample.value))]
    before = [run for run in runs if run <= window.end]
    if not before:
        return period <= (window.end - window.start) + DUE_WITHIN
    return max(before) + period <= window.end + DUE_WITHIN


def as_instant(value: str | None) -> datetime | None:
    """A mark of progress that is an instant with a zone, else None."""
    if value is None or not value[:4].isdigit() or "-" not in value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo and FIRST_YEAR <= found.year <= LAST_YEAR else None


def not_yet(window: Window, name: str, at: datetime) -> Missing | None:
    """The gap of a run before the close: time settles it."""
    if at >= window.end:
        return None
    return Missing(
        what=f"the window of {name} to close: it is {format_instant(at)}, it closes "
        f"{format_instant(window.end)}",
        on=On.TIME,
        rule="window-not-over",
        subject=f"instance:{name}",
        settles_by=window.end,
    )


def no_timeline(name: str) -> Missing:
    """The gap of a window that nobody watched: nothing can cure it."""
    return Missing(
        what=f"the timeline of a watch over {name}: without one nothing shows that anybody looked",
        on=On.OPERATOR,
        rule="no-timeline",
        subject=f"instance:{name}",
        command=COMMAND,
    )


def unwatched(
    window: Window, timelines: tuple[Timeline, ...], hides: timedelta, at: datetime
) -> Iterator[tuple[Span, str]]:
    """The parts of the window in which no watch looked, with the reason, longest gaps only.

    hides: a gap no longer than what hides between probes anyway is none. at: the run's instant.
    """
    within = Span(since=window.start, until=min(window.end, at))
    reasons = [(Span(since=g.since, until=g.until), g.reason) for t in timelines for g in t.gaps]
    for hole in _blind(timelines, within, hides):
        if hole.length > hides:
            why = next((reason for span, reason in reasons if span.meets(hole)), "no sign of life")
            yield hole, why


def _blind(timelines: tuple[Timeline, ...], within: Span, hides: timedelta) -> tuple[Span, ...]:
    """Where no vantage was at work."""
    from_all = [_blind_of(line, within, hides) for line in timelines]
    if not from_all:
        return clip([within], within)
    common = from_all[0]
    for other in from_all[1:]:
        common = merge(part for span in other for part in clip(common, span))
    return common


def _blind_of(line: Timeline, within: Span, hides: timedelta) -> tuple[Span, ...]:
    spans = [Span(since=gap.since, until=gap.until) for gap in line.gaps]
    spans += _asleep(line, hides)
    spans.append(Span(since=within.since, until=min(line.began, within.until)))
    spans.append(Span(since=max(line.ended, within.since), until=within.until))
    return clip(spans, within)


def _asleep(line: Timeline, hides: timedelta) -> Iterator[Span]:
    """Where a watch that was there asked nothing: a process that stands still records no gap.

    Between two looks there is a turn, the shorter the more functions are probed; where few are,
    and seldom, some turns must be missed.
    """
    turns = [watched.every for watched in line.functions if watched.not_probed is None]
    often = sum(1 / every.total_seconds() for every in turns if every)
    turn = timedelta(seconds=1 / often) if often else hides
    least = max(hides, MISSED * turn) + turn
    signs = sorted({instant for sample in line.samples for instant in (sample.sent, sample.ended)})
    for since, until in pairwise(signs):
        if until - since > least:
            yield Span(since=since, until=until)


def gap_in_watch(name: str, hole: Span, reason: str, window: Window) -> Missing:
    """The gap of a watch that did not look for a while."""
    return Missing(
        what=f"a watch over {name} from {place(hole, window.start)}: it did not look ({reason}), "
        "and no sample is no claim",
        on=On.US,
        rule="watch-gap",
        subject=f"instance:{name}",
        command=COMMAND,
    )


def off_track(missing: Iterable[Missing]) -> str | None:
    """Why waiting settles nothing: the first gap that time does not cure."""
    return next((gap.what for gap in missing if gap.on is not On.TIME), None)
