# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rules for few, noisy data against the numbers that were worked out for them."""

import math
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import linregress, nct, t, ttest_ind

from wavegate.compare import statistics
from wavegate.compare.statistics import (
    LOOKS,
    Point,
    baseline_units,
    cusum,
    decay,
    elasticity,
    match,
    p95,
    ratio,
    seeds_for_p95_bound,
    units_after,
    units_each,
    units_more,
    wave_night,
)
from wavegate.verdict import Verdict

BEFORE = (980, 1010, 1040, 995, 1020, 1005, 1030)
WIDE = (700, 1300, 950, 1250, 800)
FLOOR = 0.9


def points(rates: tuple[int, ...]) -> list[Point]:
    """One cell, one bucket a unit."""
    return [Point(unit=n, cell="", x=math.log(rate)) for n, rate in enumerate(rates)]


@pytest.mark.parametrize(
    ("before", "after", "bounds", "verdict", "more"),
    [
        (BEFORE, (1000, 985, 1015, 990, 1025), (0.992, 0.971, 1.013), Verdict.PASSED, 0),
        (BEFORE, (800, 815, 790, 805, 820), (0.797, 0.781, 0.813), Verdict.FAILED, 0),
        (BEFORE, (870, 885, 860, 880, 875), (0.864, 0.848, 0.881), Verdict.FAILED, 0),
        (BEFORE, (890, 905, 880, 900, 895), (0.884, 0.868, 0.901), Verdict.INCONCLUSIVE, 6),
        (BEFORE, (1010, 880, 1100, 940, 900), (0.952, 0.873, 1.038), Verdict.INCONCLUSIVE, 5),
        (WIDE, (990, 1010, 1000, 1005, 995), (1.030, 0.745, 1.422), Verdict.INCONCLUSIVE, None),
    ],
)
def test_matched_day_t(
    before: tuple[int, ...],
    after: tuple[int, ...],
    bounds: tuple[float, float, float],
    verdict: Verdict,
    more: int | None,
) -> None:
    """Ratio, bounds, verdict and how many more days are those of the worked examples."""
    found = match(points(before), points(after), least=1)
    interval = ratio(found.after, found.before)
    assert bounds == (round(interval.value, 3), round(interval.low, 3), round(interval.high, 3))
    assert verdict is interval.not_below(FLOOR)
    if verdict is Verdict.INCONCLUSIVE:
        assert more == units_more(found.after, found.before, FLOOR)


@pytest.mark.parametrize(
    ("rate", "high", "verdict"),
    [
        (700, 0.722, Verdict.FAILED),
        (820, 0.846, Verdict.FAILED),
        (900, 0.928, Verdict.INCONCLUSIVE),
    ],
)
def test_wave_night(rate: int, high: float, verdict: Verdict) -> None:
    """One day after is held against the spread before."""
    found = wave_night(math.log(rate), [math.log(r) for r in BEFORE])
    assert high == round(found.high, 3)
    assert verdict is found.not_below(FLOOR)


def test_leave_one_out_widens_before() -> None:
    """In one cell the deviations before are those from the mean, times n/(n-1)."""
    found = match(points(BEFORE), points((1000,)), least=1)
    logs = [math.log(r) for r in BEFORE]
    n = len(logs)
    expected = [(x - fmean(logs)) * n / (n - 1) for x in logs]
    assert expected == pytest.approx(found.before)


def test_only_like_cells_are_compared() -> None:
    """A night after is not held against the days before."""
    before = [
        Point(unit=n, cell=cell, x=math.log(rate))
        for n in range(5)
        for cell, rate in (("day", 1200), ("day", 1200), ("night", 600), ("night", 600))
    ]
    after = [Point(unit=n, cell="night", x=math.log(600)) for n in range(3) for _ in range(2)]
    found = match(before, after)
    assert 1.0 == pytest.approx(ratio(found.after, found.before).value)
    assert 10 == found.dropped


def test_unit_with_one_bucket_does_not_count() -> None:
    """A unit needs two loaded buckets."""
    before = [Point(unit=n, cell="", x=0.0) for n in range(3) for _ in range(2)]
    after = [Point(unit=0, cell="", x=0.0), Point(unit=1, cell="", x=0.0)] + [
        Point(unit=2, cell="", x=0.0)
    ] * 2
    assert 1 == len(match(before, after).after)


def test_no_spread_is_no_warning() -> None:
    """Machines without noise give an interval without width, not a warning."""
    found = ratio([0.0, 0.0], [0.1, 0.1])
    assert (found.low, found.high) == (found.value, found.value)


def test_looks_spend_five_percent() -> None:
    """The planned looks together stay at the nominal error."""
    assert ((3, 0.005), (7, 0.015), (14, 0.03)) == LOOKS
    assert sum(alpha for _, alpha in LOOKS) <= 0.05 + 1e-12


@pytest.mark.parametrize(
    ("spread", "units", "after"),
    [
        (0.05, 7, 4), (0.05, 10, 3), (0.08, 7, 10), (0.08, 14, 6), (0.10, 10, 15),
        (0.10, 14, 11), (0.10, 7, None), (0.15, 14, None), (0.15, 21, 34), (0.15, 28, 24),
    ],
)  # fmt: skip
def test_hopeless_baselines(spread: float, units: int, after: int | None) -> None:
    """Where the table of needed days says never, or asks for weeks, the baseline is too short."""
    hopeless, comfortable = baseline_units(spread, 0.10)
    assert (after is None) == (units < 1.5 * (spread / 0.0424) ** 2 and units < hopeless)
    assert comfortable >= hopeless
    assert after == units_after(spread, 0.10, units)


def test_units_on_both_sides() -> None:
    """The fewest days a side for 80 % power; no number for a margin that nothing shows."""
    assert [4, 12, 26] == [units_each(spread, 0.10) for spread in (0.05, 0.10, 0.15)]
    assert units_each(0.1, 0.0) is None
    assert units_after(0.1, 0.1, 1) is None


def test_decay_is_told_from_noise() -> None:
    """Six percent less each unit is a trend whose last level is below the floor."""
    falling = [k * math.log(0.94) for k in range(7)]
    noisy = [x + (0.004 if k % 2 else -0.004) for k, x in enumerate(falling)]
    found = decay(noisy, FLOOR)
    assert found is not None
    assert 0.69 == pytest.approx(found.value, abs=0.01)
    assert decay([0.01, -0.02, 0.015, -0.01, 0.0, 0.02, -0.015], FLOOR) is None
    assert decay([0.0, -0.01, -0.02, -0.03, -0.04, -0.05], FLOOR) is None


RUNS = (120, 135, 118, 140, 128, 131, 125, 138, 122, 133)


@pytest.mark.parametrize(
    ("after", "bounds", "verdict"),
    [
        (
            (126, 130, 121, 137, 125, 129, 133, 127, 135, 124),
            (0.999, 0.960, 1.039),
            Verdict.PASSED,
        ),
        (
            (180, 205, 190, 170, 210, 188, 195, 176, 201, 185),
            (1.472, 1.401, 1.547),
            Verdict.FAILED,
        ),
        ((150, 110, 190, 120, 160), (1.112, 0.901, 1.372), Verdict.INCONCLUSIVE),
    ],
)
def test_latency_over_runs(
    after: tuple[int, ...], bounds: tuple[float, float, float], verdict: Verdict
) -> None:
    """p95 of runs by Welch, against a ceiling of 1.25."""
    found = ratio([math.log(v) for v in after], [math.log(v) for v in RUNS])
    assert bounds == (round(found.value, 3), round(found.low, 3), round(found.high, 3))
    assert verdict is found.not_above(1.25)


def test_p95_of_a_run() -> None:
    """Nineteenth of twenty; one missing seed is later than all, two make it unknown."""
    delays = [float(n) for n in range(1, 21)]
    assert 19.0 == p95(delays, 20)
    assert 19.0 == p95(delays[:19], 20)
    assert p95(delays[:18], 20) is None
    assert p95(delays[:19], 19) is None


def test_seeds_for_a_bound_of_p95() -> None:
    """Below 59 seeds no finite upper bound exists."""
    assert (59, 72) == (seeds_for_p95_bound(), seeds_for_p95_bound(0.975))


@pytest.mark.parametrize(
    ("load", "rate", "bounds", "verdict"),
    [
        (
            (1, 2, 1, 2, 4, 4, 8, 8),
            (100, 205, 98, 196, 390, 402, 770, 800),
            (0.994, 0.975, 1.013),
            Verdict.PASSED,
        ),
        (
            (1, 2, 1, 2, 4, 4, 8, 8),
            (100, 180, 102, 176, 300, 310, 480, 470),
            (0.748, 0.713, 0.783),
            Verdict.FAILED,
        ),
        (
            (1, 2, 1, 2, 4, 4, 8, 8),
            (100, 190, 210, 360, 340, 800, 500, 780),
            (0.732, 0.358, 1.105),
            Verdict.INCONCLUSIVE,
        ),
    ],
)
def test_elasticity(
    load: tuple[int, ...],
    rate: tuple[int, ...],
    bounds: tuple[float, float, float],
    verdict: Verdict,
) -> None:
    """Keeping pace, falling behind, and too noisy to say."""
    found = elasticity(load, rate)
    assert found is not None
    assert bounds == (round(found.value, 3), round(found.low, 3), round(found.high, 3))
    assert verdict is found.not_below(FLOOR)


def test_elasticity_needs_two_loads() -> None:
    """One load says nothing about growth."""
    assert elasticity([1, 1, 1, 1], [10, 11, 10, 11]) is None


def test_cusum() -> None:
    """The alarm at five comes on the seventh night."""
    found = cusum([0.2, -0.5, 0.1, -2.2, -1.9, -2.4, -2.1])
    assert [0.0, 0.0, 0.0, 1.7, 3.1, 5.0, 6.6] == pytest.approx(list(found))
    assert [7] == [n for n, c in enumerate(found, 1) if c > 5 + 1e-9]


@given(
    st.lists(st.integers(500, 2000), min_size=3, max_size=8),
    st.lists(st.integers(500, 2000), min_size=3, max_size=8),
    st.floats(0.2, 5.0),
)
def test_ratio_does_not_depend_on_the_scale(
    before: list[int], after: list[int], factor: float
) -> None:
    """Messages per hour or per minute give the same ratio and bounds."""
    one = match(points(tuple(before)), points(tuple(after)), least=1)
    logs = [Point(unit=p.unit, cell="", x=p.x + math.log(factor)) for p in points(tuple(before))]
    more = [Point(unit=p.unit, cell="", x=p.x + math.log(factor)) for p in points(tuple(after))]
    two = match(logs, more, least=1)
    assert ratio(one.after, one.before).value == pytest.approx(ratio(two.after, two.before).value)


SIDE = st.lists(st.integers(-900, 900).map(lambda n: n / 1000), min_size=2, max_size=12)


@given(SIDE, SIDE)
def test_ratio_is_the_interval_of_scipy(after: list[float], before: list[float]) -> None:
    """Welch's formula is written out for speed, and is still the one of the library."""
    assume(min(len(set(after)), len(set(before))) > 1)
    found = ttest_ind(after, before, equal_var=False).confidence_interval(0.9)
    assert [found.low, found.high] == pytest.approx(
        [math.log(ratio(after, before).low), math.log(ratio(after, before).high)], abs=1e-9
    )


@given(
    st.lists(st.floats(-2, 2), min_size=3, max_size=30),
    st.floats(0.1, 3),
)
def test_the_line_is_that_of_linregress(values: list[float], step: float) -> None:
    """The slope and its error are the documented ones, without importing scipy.stats."""
    assume(len(set(values)) > 1)  # of a level line linregress knows no error
    x = [step * place for place in range(len(values))]
    found, wanted = statistics._line(x, values), linregress(x, values)
    assert found.slope == pytest.approx(wanted.slope, abs=1e-9)
    assert found.slope_error == pytest.approx(wanted.stderr, abs=1e-7)


@given(st.integers(2, 60), st.integers(2, 60), st.floats(0.01, 0.3))
def test_the_power_is_that_of_the_noncentral_t(after: int, before: int, spread: float) -> None:
    """The chance of a pass is the documented one."""
    mine, theirs = spread**2 / after, spread**2 / before
    df = (mine + theirs) ** 2 / (mine**2 / (after - 1) + theirs**2 / (before - 1))
    gap = -math.log(0.9) / math.sqrt(mine + theirs)
    wanted = nct.sf(t.ppf(0.95, df), df, gap)
    assert statistics._power(after, spread, 0.1, before) == pytest.approx(wanted, abs=1e-6)
