# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Spans of time, what covers them and what does not, and how a person reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import format_instant

NOTHING = timedelta()
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """From `since` to `until`, both aware; empty where `until` is not later."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; never negative."""
        return max(NOTHING, self.until - self.since)

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it; its end does not."""
        return self.since <= instant < self.until

    def meets(self, other: "Span") -> bool:
        """Whether the two share an instant, edges included."""
        return self.since <= other.until and other.since <= self.until


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in the fewest spans, by their beginning; empty ones vanish."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.length):
        if found and span.since <= found[-1].until:
            last = found.pop()
            span = Span(since=last.since, until=max(last.until, span.until))  # noqa: PLW2901 - the grown span goes on
        found.append(span)
    return tuple(found)


def clip(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """The parts of some spans that lie within another, merged."""
    return merge(
        Span(since=max(span.since, within.since), until=min(span.until, within.until))
        for span in spans
    )


def holes(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """The parts of a span that none of the others covers."""
    found, reached = [], within.since
    for span in clip(spans, within):
        found.append(Span(since=reached, until=span.since))
        reached = span.until
    found.append(Span(since=reached, until=within.until))
    return tuple(span for span in found if span.length)


def total(spans: Iterable[Span]) -> timedelta:
    """How much time some spans cover together."""
    return sum((span.length for span in merge(spans)), NOTHING)


def minute(instant: datetime, opening: datetime) -> str:
    """When it was, counted from the opening: `minute 85`, `minute -40`."""
    return f"minute {round((instant - opening) / MINUTE, 2):g}"


def spelled(length: timedelta) -> str:
    """A length for a person: `95 min`, `7.5 s`; minutes from one minute on."""
    if abs(length) >= MINUTE:
        return f"{round(length / MINUTE, 2):g} min"
    return f"{round(length.total_seconds(), 3):g} s"


def place(span: Span, opening: datetime) -> str:
    """Where a span lies: `minute 20 to minute 32 (2024-...Z to 2024-...Z)`."""
    since, until = format_instant(span.since), format_instant(span.until)
    relative = f"{minute(span.since, opening)} to {minute(span.until, opening)}"
    return f"{relative} ({since} to {until})"
