# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The time scale of a lab: a unit is a tenth of the window, an announced minute its sixtieth."""

from dataclasses import dataclass
from datetime import datetime, timedelta

UNITS = 10
BUCKETS = 10
BEFORE = 21
"""Units of rate history that are kept of before: as many as a capture asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """When the window opens and closes. period: how often workflows run."""

    opens: datetime
    closes: datetime
    period: timedelta

    @property
    def window(self) -> timedelta:
        """Its length."""
        return self.closes - self.opens

    @property
    def unit(self) -> timedelta:
        """The distance of independent pieces of throughput evidence."""
        return unit(self.window)

    @property
    def bucket(self) -> timedelta:
        """The length of one row of statistics."""
        return self.unit / BUCKETS

    def share(self, windows: float) -> datetime:
        """The instant so many window lengths after the opening."""
        return self.opens + windows * self.window

    def within(self, at: datetime, span: tuple[float, float] | None) -> bool:
        """Whether an instant lies in a span of window lengths from the opening."""
        return span is not None and self.share(span[0]) <= at < self.share(span[1])

    def run_before(self, at: datetime, period: timedelta) -> datetime:
        """The last instant of a schedule that is not later."""
        return self.opens + (at - self.opens) // period * period


def unit(window: timedelta) -> timedelta:
    """The throughput unit of a window."""
    return window / UNITS


def period(opens_in: timedelta, window: timedelta) -> timedelta:
    """How often workflows run: at most a third of the time before the window, and in it often."""
    return max(min(opens_in / 3, window / 8), timedelta(milliseconds=50))


def too_slow(window: timedelta) -> timedelta:
    """After how long an answer is silence."""
    return max(window / 2, timedelta(seconds=2))
