# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Outages: bounds that always hold, and the numbers of the statistics they were taken from."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.timelines import every, sample

from wavegate.compare.coverage import rogue_bound
from wavegate.compare.outages import (
    chance_all_missed,
    chance_seen,
    confirm_needed,
    could_hide,
    false_outage,
    outages,
    surely_seen,
)
from wavegate.record.timeline import Sample

SECOND = timedelta(seconds=1)
FIVE = 5 * SECOND


def seconds(number: float) -> float:
    """The minute of a second after the opening."""
    return number / 60


def probe(sent: float, *, bad: bool, took: float) -> Sample:
    """A probe by seconds."""
    return sample(seconds(sent), "silent" if bad else "ok", took=took * SECOND)


def test_bounds_as_calculated_by_hand() -> None:
    """OK :00, fail :05 (3 s), :10, :15, OK :20 to :20.2: start [:00, :08], end [:15, :20.2]."""
    found = outages(
        [
            probe(0, bad=False, took=0.2),
            *(probe(sent, bad=True, took=3) for sent in (5, 10, 15)),
            probe(20, bad=False, took=0.2),
        ]
    )
    zero = found[0].start.earliest
    assert zero is not None
    edges = (
        found[0].start.earliest,
        found[0].start.latest,
        found[0].end.earliest,
        found[0].end.latest,
    )
    assert [0, 8, 15, 20.2] == [(edge - zero) / SECOND for edge in edges if edge]
    assert 7 * SECOND == found[0].shortest
    assert 20.2 * SECOND == found[0].longest


@pytest.mark.parametrize(("outage", "chance"), [(15, 1.0), (12, 0.4), (9.9, 0.0), (30, 1.0)])
def test_chance_of_being_seen(outage: float, chance: float) -> None:
    """P = 5, k = 3: 15 s sure, 12 s 40 %, under 10 s never."""
    assert chance == pytest.approx(chance_seen(outage * SECOND, FIVE, 3))


def test_chance_that_short_ones_are_all_missed() -> None:
    """M outages of d < p are all missed with (1 - d/p)^m."""
    assert 0.6**3 == pytest.approx(chance_all_missed(2 * SECOND, FIVE, 3))


TABLE = {
    0.001: ((2, 2), (2, 3), (3, 3)),
    0.005: ((2, 3), (3, 3), (4, 4)),
    0.01: ((2, 3), (3, 4), (4, 5)),
    0.02: ((3, 3), (4, 5), (5, 6)),
    0.05: ((3, 4), (5, 6), (6, 7)),
}


@pytest.mark.parametrize("noise", sorted(TABLE))
def test_confirm_against_noise(noise: float) -> None:
    """The smallest k per noise, for an hour at 60 s and at 5 s, at three error rates."""
    found = tuple(
        tuple(confirm_needed(probes, noise, alpha) for probes in (60, 720))
        for alpha in (0.01, 1e-4, 1.8e-6)
    )
    assert TABLE[noise] == found


def test_false_outages_by_the_recursion() -> None:
    """One in a row is any failure at all; two probes in a row that both fail is e squared."""
    assert 1 - 0.98**720 == pytest.approx(false_outage(1, 720, 0.02))
    assert 0.02**2 == pytest.approx(false_outage(2, 2, 0.02))


@pytest.mark.parametrize(("n", "share"), [(720, 0.0042), (60, 0.049), (59, 0.05), (299, 0.01)])
def test_share_that_clean_samples_leave_open(n: int, share: float) -> None:
    """N clean samples leave at most 1 - .05^(1/n); the same bound for seeds and for time."""
    assert share == pytest.approx(rogue_bound(n), abs=5e-4)


def test_what_could_hide_is_said() -> None:
    """At 5 s and three in a row, 15 s could not hide, and anything shorter could."""
    told = could_hide("tracking", every(since=0, until=60), 3)
    assert "no outage of 15 s or more" in told
    assert "0.41%" in told


def test_a_hole_between_samples_hides_more() -> None:
    """The longest reach over three samples counts, not the planned distance."""
    kept = [s for n, s in enumerate(every(since=0, until=5)) if not 20 <= n < 30]
    assert timedelta(seconds=65) == surely_seen(kept, 3)


def test_too_few_samples_exclude_nothing() -> None:
    """Three samples in a row need more than three samples around."""
    assert "any outage" in could_hide("tracking", every(since=0, until=0.1), 3)


def test_an_outage_that_never_ended_has_no_end() -> None:
    """What was not seen is not made up."""
    found = outages([probe(0, bad=True, took=1), probe(5, bad=True, took=1)])
    assert (None, None) == (found[0].start.earliest, found[0].end.latest)
    assert found[0].longest is None


runs = st.lists(
    st.tuples(st.floats(0.2, 9), st.floats(0.01, 0.9), st.floats(0.0, 1.0), st.floats(0.5, 12)),
    min_size=3,
    max_size=60,
)


def simulated(
    run: list[tuple[float, float, float, float]], begin: float, length: float
) -> list[Sample]:
    """A probe run over a world that is bad from begin on: each probe meets it at one moment."""
    clock, found = 0.0, []
    for distance, latency, moment, patience in run:
        clock += distance
        met = clock + latency * moment
        bad = begin <= met < begin + length
        found.append(probe(clock, bad=bad, took=max(patience, latency) if bad else latency))
    return found


@given(run=runs, begin=st.floats(0, 60), length=st.floats(0, 60))
def test_bounds_hold_the_true_outage(
    run: list[tuple[float, float, float, float]], begin: float, length: float
) -> None:
    """Whatever the distances, latencies and patience, even overlapping: the truth is inside."""
    found = outages(simulated(run, begin, length))
    if not found:
        return
    origin = sample(0).sent
    start, end = origin + begin * SECOND, origin + (begin + length) * SECOND
    hair = timedelta(milliseconds=1)
    assert 1 == len(found)
    assert (found[0].start.earliest or start) <= start + hair
    assert start <= (found[0].start.latest or start) + hair
    assert (found[0].end.earliest or end) <= end + hair
    assert end <= (found[0].end.latest or end) + hair
    assert found[0].shortest <= length * SECOND + hair


@given(run=runs, begin=st.floats(0, 60), length=st.floats(0, 60), data=st.data())
def test_order_of_reading_does_not_matter(
    run: list[tuple[float, float, float, float]], begin: float, length: float, data: st.DataObject
) -> None:
    """Samples of several files are the same outages in any order."""
    samples = simulated(run, begin, length)
    assert outages(samples) == outages(data.draw(st.permutations(samples)))
