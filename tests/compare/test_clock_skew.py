# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Clock skew: bounds from every answer, intersected; they hold the truth, and a step is seen."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mails import mail
from tests.builders.timelines import at, sample

from wavegate.compare.clock_skew import own_hops, receiver_skew, skew, went_back, written
from wavegate.record.timeline import Sample

SECOND = timedelta(seconds=1)


def told(sent: float, ahead: float, took: float = 0.1, moment: float = 0.5) -> Sample:
    """An answer whose server is some seconds ahead; stamps tell milliseconds."""
    stamp = at(0) + (sent + took * moment + ahead) * SECOND
    whole = stamp - timedelta(microseconds=stamp.microsecond % 1000)
    return sample(sent / 60, took=took * SECOND, stamp=whole, resolution_us=1000)


def test_one_answer_bounds_by_its_round_trip() -> None:
    """[S - t1, S - t0 + resolution]."""
    found = skew("soap", [told(0, ahead=2)])
    assert found is not None
    assert 1.95 <= found.least / SECOND <= 2.0 <= found.most / SECOND <= 2.06


def test_more_answers_bound_it_more_tightly() -> None:
    """The intersection of early and late moments."""
    found = skew("soap", [told(0, 2, moment=0.9), told(5, 2, moment=0.1)])
    alone = skew("soap", [told(0, 2, moment=0.9)])
    assert found is not None
    assert alone is not None
    assert found.most - found.least < alone.most - alone.least


def test_a_stepped_clock_leaves_nothing() -> None:
    """The bounds then hold all answers, and say so."""
    found = skew("soap", [told(0, 0), told(5, 9)])
    assert found is not None
    assert found.stepped
    assert found.least <= 0 * SECOND
    assert found.most >= 9 * SECOND


def test_no_stamp_no_skew() -> None:
    """Unknown is not zero."""
    assert skew("soap", [sample(0)]) is None
    assert receiver_skew([mail()]) is None


def test_going_back_is_seen_beyond_the_tolerance() -> None:
    """Two fronts never agree to the millisecond."""
    steps = [told(0, 60), told(5, 0)]
    assert went_back(steps, 5 * SECOND) is not None
    assert went_back(steps, 70 * SECOND) is None
    assert went_back([told(0, 0), told(5, 60)], 5 * SECOND) is None


@given(
    ahead=st.floats(-100, 100),
    looks=st.lists(st.tuples(st.floats(0.001, 3), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_bounds_hold_the_true_skew(ahead: float, looks: list[tuple[float, float]]) -> None:
    """Whatever the round trips and the moments of writing."""
    samples = [told(5 * n, ahead, took, moment) for n, (took, moment) in enumerate(looks)]
    found = skew("soap", samples)
    hair = timedelta(microseconds=10)
    assert found is not None
    assert not found.stepped
    assert found.least - hair <= ahead * SECOND <= found.most + hair


def test_hops_and_dates_are_read() -> None:
    """The last own hop first; broken ones are none."""
    lines = {"Received": "from a by b; Tue, 16 Jan 2024 21:59:00 +0000", "Date": "no date"}
    found = mail(headers=lines)
    assert (at(-1),) == own_hops(found)
    assert at(-1) == written(found)
    assert () == own_hops(mail(headers={"Received": "from a by b; yesterday"}))


def test_the_receiver_is_ahead_by_at_most_the_shortest_passage() -> None:
    """A mail arrives after it left."""
    line = {"Received": "from a by b; Tue, 16 Jan 2024 21:00:00 +0000"}
    found = receiver_skew([mail(n=90, headers=line), mail(n=200, headers=line)])
    assert found is not None
    assert (0 * SECOND, 90 * SECOND) == (found.least, found.most)


def test_one_wrong_date_blurs_nothing() -> None:
    """A hop a day ahead of all others is set aside; a receiver that is behind is not."""
    line = {"Received": "from a by b; Tue, 16 Jan 2024 21:00:00 +0000"}
    ahead = {"Received": "from a by b; Wed, 17 Jan 2024 21:00:00 +0000"}
    right = [mail(n=n, headers=line) for n in range(3, 20)]
    found = receiver_skew([*right, mail(n=5, headers=ahead)])
    assert found is not None
    assert (0 * SECOND, 3 * SECOND) == (found.least, found.most)
    behind = receiver_skew([mail(n=n - 60, headers=line) for n in range(20)])
    assert behind is not None
    assert (-58 * SECOND, 0 * SECOND) == (behind.least, behind.most)


def test_years_that_no_clock_tells_are_no_dates() -> None:
    """They would not bear arithmetic."""
    assert () == own_hops(mail(headers={"Received": "x; Fri, 31 Dec 9999 23:59:59 -0100"}))
