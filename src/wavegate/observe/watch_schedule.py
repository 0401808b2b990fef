# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""When a watch looks: first and next probes, its end, the looks at the queue. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.estate.model import Window
from wavegate.estate.policy import Policy
from wavegate.record.queue import Moment

GOLDEN = 0.618_033_988_749_895
"""Multiples of it, modulo one, lie apart from each other however many there are."""
DUE_WITHIN = timedelta(hours=2)
ONE_MORE_LOOK = timedelta(minutes=15)
MOST_LEAD = timedelta(minutes=2)
LOOKS_WITHIN = 3
MAX_IN_FLIGHT = 4


def first_after(index: int, every: float, before_opening: float, spread: float) -> float:
    """Seconds from the start of the watch to a function's first probe.

    Phases are spread over the function's own period, but not so far that the window would open
    before it was looked at once. index: of the function among all. spread: the least span, in
    seconds, to spread over.
    """
    phase = index * GOLDEN % 1.0
    return phase * min(every, max(before_opening / 2, spread))


def next_due(due: float, every: float, now: float) -> float:
    """The next point of a function's grid that is still to come; missed ones stay missed."""
    missed = max(0, int((now - due) / every))
    found = due + (missed + 1) * every
    return found if found > now else found + every


def in_flight(every: timedelta, too_slow: timedelta) -> int:
    """How many probes of a function may be under way, so that silence does not thin its samples."""
    return min(MAX_IN_FLIGHT, too_slow // every + 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A function that works by its own schedule. last: its last known run, or None."""

    period: timedelta
    last: datetime | None


def settle_of(policy: Policy, window: Window, functions: Iterable[Periodic]) -> timedelta:
    """How long a watch goes on after the close (design, `policy.settle`).

    auto: the longest period of a function with a run due before close + 2 h, + 15 min.
    """
    if policy.settle != "auto":
        return policy.settle
    due = (found.period for found in functions if _due(found, window))
    return max(due, default=timedelta()) + ONE_MORE_LOOK


def _due(found: Periodic, window: Window) -> bool:
    """Where its last run is not known: whether one must fall between opening and close + 2 h."""
    if found.last is None:
        return found.period <= window.end - window.start + DUE_WITHIN
    return found.last + found.period <= window.end + DUE_WITHIN


def look_instants(window: Window, at: datetime) -> tuple[tuple[datetime, Moment], ...]:
    """When the queue is looked at: at the latest moment before, some times within, after the close.

    at: when the watch starts; what had to be before it is made up for only where the window has not
    opened yet.
    """
    length = window.end - window.start
    before = window.start - min(MOST_LEAD, length / 5)
    within = (window.start + length * k / (LOOKS_WITHIN + 1) for k in range(1, LOOKS_WITHIN + 1))
    found: list[tuple[datetime, Moment]] = [(instant, "window") for instant in within]
    if at < window.start:
        found.append((max(before, at), "before"))
    found.append((max(window.end, at), "after"))
    return tuple(sorted(item for item in found if item[0] >= at))
