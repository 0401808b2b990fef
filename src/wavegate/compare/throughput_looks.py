# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One series of units through the planned looks: what it shows, or what would settle it.

Fewer units than the first look may only fail (wave night). A look that decided stands; a later one
can still fail. An unplanned look between them is display only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from wavegate.compare.statistics import (
    ALPHA,
    LEAST_UNITS,
    LOOKS,
    Matched,
    Ratio,
    decay,
    ratio,
    settled_with,
    units_more,
    wave_night,
)
from wavegate.verdict import Verdict

BASELINE_TOO_SHORT = "baseline too short: no amount of data after settles it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The outcome of a series.

    ratio: of the look that decided, else of all units so far; None below one. at: how many units
    the look used. how: `look`, `wave night`, `decay`. more: how many more units would settle an
    open one by a planned look; None where no amount would. beyond: more than the last look has.
    """

    verdict: Verdict
    ratio: Ratio | None
    at: int
    how: str = "look"
    more: int | None = 0
    beyond: bool = False


def look(found: Matched, floor: float, parts: int = 1) -> Look:
    """Judge a series. parts: among how many series the chance of error is shared."""
    units = len(found.after)
    if not units or len(found.before) < LEAST_UNITS:
        return Look(verdict=Verdict.INCONCLUSIVE, ratio=None, at=0, more=LEAST_UNITS)
    if units < LEAST_UNITS:
        return _wave_night(found, floor)
    planned = [_planned(found, floor, n, alpha / parts) for n, alpha in LOOKS if units >= n]
    for wanted in (Verdict.FAILED, Verdict.PASSED):
        for one in reversed(planned):
            if one.verdict is wanted and (wanted is Verdict.FAILED or not _decays(found, floor)):
                return one
    falling = decay(found.after, floor)
    if falling is not None:
        return Look(verdict=Verdict.FAILED, ratio=falling, at=units, how="decay")
    return _open(found, floor)


def _decays(found: Matched, floor: float) -> bool:
    return decay(found.after, floor) is not None


def _wave_night(found: Matched, floor: float) -> Look:
    night = wave_night(found.after[0], found.plain)
    units = len(found.after)
    if night.not_below(floor) is Verdict.FAILED:
        return Look(verdict=Verdict.FAILED, ratio=night, at=1, how="wave night")
    hopeless = units_more((0.0, 0.0), found.before, floor, LOOKS[-1][1]) is None
    more = None if hopeless else LEAST_UNITS - units
    return Look(verdict=Verdict.INCONCLUSIVE, ratio=night, at=1, how="wave night", more=more)


def _planned(found: Matched, floor: float, units: int, alpha: float) -> Look:
    interval = ratio(found.after[:units], found.before, alpha)
    return Look(verdict=interval.not_below(floor), ratio=interval, at=units)


def _open(found: Matched, floor: float) -> Look:
    after, before = found.after, found.before
    more, beyond = _more(after, before, floor)
    return Look(
        verdict=Verdict.INCONCLUSIVE,
        ratio=ratio(after, before, ALPHA),
        at=len(after),
        more=more,
        beyond=beyond,
    )


def _more(after: Sequence[float], before: Sequence[float], floor: float) -> tuple[int | None, bool]:
    """Units until the first planned look that would settle it if the spread stays."""
    gap = abs(fmean(after) - fmean(before) - math.log(floor))
    for units, alpha in LOOKS:
        if units > len(after) and settled_with(units, after, before, gap, alpha):
            return units - len(after), False
    return units_more(after, before, floor, LOOKS[-1][1]), True
