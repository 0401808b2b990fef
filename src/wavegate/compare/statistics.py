# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What may be concluded from few, noisy numbers: day-t, looks, wave night, p95, elasticity, CUSUM.

Pure and without random numbers, so that a verdict can be worked out again bit for bit. One rule for
every "not worse than": the interval of the ratio after/before is held against a margin.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, linear_regression, stdev, variance

from wavegate.verdict import Verdict

LOOKS = ((3, 0.005), (7, 0.015), (14, 0.03))
"""Planned looks: after how many units, and the one-sided chance of error spent there.

Together below 5 % (facts on statistics, "Looks"); a look between them is display only.
"""
ALPHA = 0.05
"""One-sided: the bounds of a 90 % interval."""
LEAST_UNITS = 3
LEAST_BUCKETS = 2
POWER = 0.80
POWER_Z = 0.842
"""The normal quantile of 80 % power."""
ELASTIC = 0.9
CUSUM_SLACK = 0.5
_MOST_UNITS = 10_000
_MOST_WAITED = 256
"""Units that anybody would wait for."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One loaded bucket.

    unit: which piece of evidence (day) it belongs to. cell: what it may be compared with (hour,
    size class, mix). x: the natural logarithm of its rate.
    """

    unit: int
    cell: str
    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """One value per unit and side: logarithms of rates, relative to like cells before.

    plain: as before, but each unit against all units, for a look at a single unit.
    dropped: points in cells that the other side (or no second unit before) has, or in units with
    too few points.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    plain: tuple[float, ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio after/before with the bounds of its interval; each errs with chance alpha."""

    value: float
    low: float
    high: float
    alpha: float

    def not_below(self, floor: float) -> Verdict:
        """PASSED if the whole interval is above the floor, FAILED if below, else INCONCLUSIVE."""
        if self.low > floor:
            return Verdict.PASSED
        return Verdict.FAILED if self.high < floor else Verdict.INCONCLUSIVE

    def not_above(self, ceiling: float) -> Verdict:
        """PASSED if the whole interval is below the ceiling, FAILED if above."""
        if self.high < ceiling:
            return Verdict.PASSED
        return Verdict.FAILED if self.low > ceiling else Verdict.INCONCLUSIVE


def match(before: Iterable[Point], after: Iterable[Point], least: int = LEAST_BUCKETS) -> Matched:
    """The values of the matched day-t: before against the other days, after against all of them.

    Before: less the cell's mean over the other units, averaged per unit, recentred on plain cell
    means. After: less the plain cell mean before. Only cells on both sides, and in at least two
    units before; a unit needs `least` points.
    """
    old, new = tuple(before), tuple(after)
    kept_old, kept_new = _comparable(old, new, least)
    all_units, one_unit = _sums(kept_old)
    means = {cell: total / count for cell, (total, count) in all_units.items()}

    def others(p: Point) -> float:
        (total, count), (mine, few) = all_units[p.cell], one_unit[p.cell, p.unit]
        return (total - mine) / (count - few)

    left = _by_unit((p, p.x - others(p)) for p in kept_old)
    plain = _by_unit((p, p.x - means[p.cell]) for p in kept_old)
    shift = (fmean(plain) - fmean(left)) if left else 0.0
    return Matched(
        before=tuple(value + shift for value in left),
        after=tuple(_by_unit((p, p.x - means[p.cell]) for p in kept_new)),
        plain=tuple(plain),
        dropped=len(old) + len(new) - len(kept_old) - len(kept_new),
    )


def _comparable(
    old: tuple[Point, ...], new: tuple[Point, ...], least: int
) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The points that have a counterpart; a dropped unit may orphan a cell, so until it settles."""
    while True:
        cells = _common_cells(old, new)
        kept = _enough(old, cells, least), _enough(new, cells, least)
        if kept == (old, new):
            return kept
        old, new = kept


def _cells(points: Iterable[Point]) -> frozenset[str]:
    return frozenset(p.cell for p in points)


def _common_cells(old: Sequence[Point], new: Sequence[Point]) -> frozenset[str]:
    units: dict[str, set[int]] = {}
    for p in old:
        units.setdefault(p.cell, set()).add(p.unit)
    twice = frozenset(cell for cell, found in units.items() if len(found) > 1)
    return twice & _cells(new)


def _enough(points: Sequence[Point], cells: frozenset[str], least: int) -> tuple[Point, ...]:
    """The points in these cells, of units that have enough of them."""
    kept = [p for p in points if p.cell in cells]
    counts: dict[int, int] = {}
    for p in kept:
        counts[p.unit] = counts.get(p.unit, 0) + 1
    return tuple(p for p in kept if counts[p.unit] >= least)


Sums = tuple[float, int]


def _sums(points: Iterable[Point]) -> tuple[dict[str, Sums], dict[tuple[str, int], Sums]]:
    """Sum and count of each cell, and of each cell in each unit."""
    cells: dict[str, Sums] = {}
    units: dict[tuple[str, int], Sums] = {}
    for p in points:
        total, count = cells.get(p.cell, (0.0, 0))
        cells[p.cell] = (total + p.x, count + 1)
        total, count = units.get((p.cell, p.unit), (0.0, 0))
        units[p.cell, p.unit] = (total + p.x, count + 1)
    return cells, units


def _by_unit(values: Iterable[tuple[Point, float]]) -> list[float]:
    found: dict[int, list[float]] = {}
    for point, value in values:
        found.setdefault(point.unit, []).append(value)
    return [fmean(found[unit]) for unit in sorted(found)]


def ratio(after: Sequence[float], before: Sequence[float], alpha: float = ALPHA) -> Ratio:
    """Welch's interval of the difference of means, as a ratio (values are logarithms).

    `scipy.stats.ttest_ind(after, before, equal_var=False).confidence_interval(1 - 2 alpha)`, to
    which a test holds it, without importing scipy.stats (0.8 s).
    ValueError below two values a side. Values without any spread give an interval without width.
    """
    if min(len(after), len(before)) < 2:
        raise ValueError("two values a side are needed for an interval")
    d = fmean(after) - fmean(before)
    if max(stdev(after), stdev(before)) < _TINY:
        return Ratio(value=math.exp(d), low=math.exp(d), high=math.exp(d), alpha=alpha)
    shares = [(variance(side) / len(side), len(side) - 1) for side in (after, before)]
    error = sum(share for share, _ in shares)
    freedom = error**2 / sum(share**2 / others for share, others in shares)
    width = _t(1 - alpha, freedom) * math.sqrt(error)
    return Ratio(value=math.exp(d), low=math.exp(d - width), high=math.exp(d + width), alpha=alpha)


def wave_night(after: float, before: Sequence[float]) -> Ratio:
    """One unit after against all before: d +- t(.95, n-1) s sqrt(1 + 1/n).

    One value has no spread of its own, so the spread before is assumed; therefore this look may
    only fail. before: plain deviations. ValueError below two values before.
    """
    n = len(before)
    if n < 2:
        raise ValueError("two values before are needed")
    d = after - fmean(before)
    width = _t(1 - ALPHA, n - 1) * stdev(before) * math.sqrt(1 + 1 / n)
    low, high = math.exp(d - width), math.exp(d + width)
    return Ratio(value=math.exp(d), low=low, high=high, alpha=ALPHA)


def units_more(
    after: Sequence[float], before: Sequence[float], floor: float, alpha: float = ALPHA
) -> int | None:
    """How many more units after would settle it if they came out as those so far.

    The smallest n with t(df) sqrt(sa^2/n + sb^2/nb) < |d - ln floor|, less those there are.
    None: the baseline is too short, no amount of data after settles it.
    """
    gap = abs(fmean(after) - fmean(before) - math.log(floor))
    if _t(1 - alpha, len(before) - 1) * stdev(before) / math.sqrt(len(before)) >= gap:
        return None
    low, high = len(after) - 1, len(after)
    while not settled_with(high, after, before, gap, alpha):
        low, high = high, high * 2
        if high > _MOST_UNITS:
            return None
    while low + 1 < high:
        middle = (low + high) // 2
        if settled_with(middle, after, before, gap, alpha):
            high = middle
        else:
            low = middle
    return high - len(after)


def settled_with(
    n: int, after: Sequence[float], before: Sequence[float], gap: float, alpha: float
) -> bool:
    """Whether n units after, with the spread of those so far, make the interval clear the gap."""
    if n < 2:
        return False
    mine, theirs = stdev(after) ** 2 / n, stdev(before) ** 2 / len(before)
    if mine + theirs < _TINY**2:
        return gap > 0
    df = (mine + theirs) ** 2 / (mine**2 / (n - 1) + theirs**2 / (len(before) - 1))
    return _t(1 - alpha, df) * math.sqrt(mine + theirs) < gap


def baseline_units(spread: float, margin: float) -> tuple[int, int]:
    """Units before below which the case is hopeless, and from which it is comfortable.

    spread: of the logarithm of the rate from unit to unit. For 80 % power at no change the standard
    error must be at most -ln(1 - margin) / (1.645 + 0.842); before-units under 1.5 (s/SE)^2 leave
    nothing for after.
    """
    error = -math.log(1 - margin) / (1.645 + POWER_Z)
    return (
        max(LEAST_UNITS, math.ceil(1.5 * (spread / error) ** 2)),
        max(LEAST_UNITS, math.ceil(2 * (spread / error) ** 2)),
    )


def units_after(spread: float, margin: float, before: int, power: float = POWER) -> int | None:
    """How many units after pass an unchanged rate with that chance, by one look at 5 %.

    spread: as for `baseline_units`, taken as the same on both sides. None: no number that could be
    waited for, the baseline is too short.
    """
    if before < 2 or not 0 < margin < 1:
        return None
    low, high = LEAST_UNITS - 1, LEAST_UNITS
    while _power(high, spread, margin, before) < power:
        low, high = high, high * 2
        if high > _MOST_WAITED:
            return None
    while low + 1 < high:
        middle = (low + high) // 2
        if _power(middle, spread, margin, before) < power:
            low = middle
        else:
            high = middle
    return high


def units_each(spread: float, margin: float, power: float = POWER) -> int | None:
    """How many units before and as many after pass an unchanged rate with that chance."""
    if not 0 < margin < 1:
        return None
    sizes = range(LEAST_UNITS, _MOST_WAITED)
    return next((n for n in sizes if _power(n, spread, margin, n) >= power), None)


def _power(after: int, spread: float, margin: float, before: int) -> float:
    """The chance that Welch's one-sided test passes an unchanged rate (noncentral t)."""
    if spread < _TINY:
        return 1.0
    from scipy.special import nctdtr  # noqa: PLC0415 - lighter than scipy.stats, same number

    mine, theirs = spread**2 / after, spread**2 / before
    df = (mine + theirs) ** 2 / (mine**2 / (after - 1) + theirs**2 / (before - 1))
    gap = -math.log(1 - margin) / math.sqrt(mine + theirs)
    return 1 - float(nctdtr(df, gap, _t(1 - ALPHA, df)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A least-squares line. error: of a value about it. spread: sum of squares of x."""

    slope: float
    intercept: float
    error: float
    spread: float

    @property
    def slope_error(self) -> float:
        """The standard error of the slope."""
        return self.error / math.sqrt(self.spread)


def _line(x: Sequence[float], y: Sequence[float]) -> _Line:
    """`scipy.stats.linregress(x, y)`, to which a test holds it; three points or more."""
    slope, intercept = linear_regression(x, y)
    rest = math.fsum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    return _Line(
        slope=slope,
        intercept=intercept,
        error=math.sqrt(rest / (len(x) - 2)),
        spread=variance(x) * (len(x) - 1),
    )


def decay(values: Sequence[float], floor: float, alpha: float = LOOKS[0][1]) -> Ratio | None:
    """The level at the last unit where the units surely fall, or None where they do not.

    values: logarithms relative to before, in order. A straight line is fitted; the slope's upper
    bound must be below zero. The interval is that of the line at the last unit.
    """
    n = len(values)
    if n < 4:
        return None
    line = _line(range(n), values)
    t = _t(1 - alpha, n - 2)
    if line.slope + t * line.slope_error >= 0:
        return None
    last = line.intercept + line.slope * (n - 1)
    width = t * line.error * math.sqrt(1 / n + ((n - 1) / 2) ** 2 / line.spread)
    level = Ratio(
        value=math.exp(last), low=math.exp(last - width), high=math.exp(last + width), alpha=alpha
    )
    return level if level.high < floor else None


def p95(delays: Sequence[float], planned: int) -> float | None:
    """The 95th percentile of a run: the ceil(.95 planned)-th smallest delay.

    Seeds that did not come are later than all that did; None where more than 5 % are missing, or
    the run is smaller than 20.
    """
    place = math.ceil(0.95 * planned)
    if planned < 20 or len(delays) < place:
        return None
    return sorted(delays)[place - 1]


def seeds_for_p95_bound(confidence: float = 0.95) -> int:
    """The least sample whose largest value bounds its p95 from above: 59 at 95 %, 72 at 97.5 %."""
    return math.ceil(math.log(1 - confidence) / math.log(0.95))


def elasticity(load: Sequence[float], throughput: Sequence[float]) -> Ratio | None:
    """The slope of ln throughput on ln load with its bounds; None without two loads and 3 points.

    1 keeps pace, 0 is flat. Never extrapolate: it speaks of the loads seen.
    """
    if len(load) < 3 or len(set(load)) < 2:
        return None
    line = _line([math.log(v) for v in load], [math.log(v) for v in throughput])
    width = _t(1 - ALPHA, len(load) - 2) * line.slope_error
    return Ratio(value=line.slope, low=line.slope - width, high=line.slope + width, alpha=ALPHA)


def cusum(z: Iterable[float]) -> tuple[float, ...]:
    """The running sum c = max(0, c - z - 0.5) of standardised values; a drop makes it grow."""
    sums = accumulate(z, lambda c, value: max(0.0, c - value - CUSUM_SLACK), initial=0.0)
    return tuple(sums)[1:]


def _t(chance: float, df: float) -> float:
    """The quantile of Student's t."""
    from scipy.special import stdtrit  # noqa: PLC0415 - lighter than scipy.stats, same number

    return float(stdtrit(df, chance))
