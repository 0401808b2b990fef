# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.estate.model import Window
from wavegate.estate.policy import Policy
from wavegate.observe.functions.facing import interval
from wavegate.observe.watch_schedule import (
    Periodic,
    first_after,
    in_flight,
    look_instants,
    next_due,
    settle_of,
)

START = datetime(2024, 1, 16, 22, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
WINDOW = Window(start=START, end=START + HOUR)


@pytest.mark.parametrize(
    ("given_every", "window", "expected"),
    [
        (None, HOUR, MINUTE),  # the documented ceiling is slower than the policy
        (None, 10 * MINUTE, MINUTE),
        (None, 10 * MINUTE - SECOND, 5 * SECOND),  # it does not bind in short windows
        (SECOND, HOUR, SECOND),  # the estate says so for this function
        (HOUR, 5 * MINUTE, HOUR),
    ],
)
def test_documented_ceilings_win_but_for_short_windows_and_the_estate(
    given_every: timedelta | None, window: timedelta, expected: timedelta
) -> None:
    """Politeness binds unless somebody who agreed it says otherwise."""
    assert expected == interval(given_every, MINUTE, 5 * SECOND, window)


def test_a_faster_ceiling_does_not_speed_a_probe_up() -> None:
    """`probe_interval` is what was agreed; a ceiling of one second only allows it."""
    assert 5 * SECOND == interval(None, SECOND, 5 * SECOND, HOUR)


@given(
    index=st.integers(0, 5000),
    every=st.floats(0.01, 86_400),
    before=st.floats(0, 90_000),
    spread=st.floats(0.01, 60),
)
def test_each_function_is_looked_at_once_before_the_opening(
    index: int, every: float, before: float, spread: float
) -> None:
    """Phases are spread, but never past the opening where there is time before it."""
    found = first_after(index, every, before, spread)
    assert 0 <= found <= every
    assert found <= max(before / 2, spread)


def test_phases_of_many_functions_lie_apart() -> None:
    """A hundred functions of one minute do not all ask in the same second."""
    phases = sorted(first_after(index, 60.0, 3600.0, 5.0) for index in range(100))
    assert max(b - a for a, b in itertools.pairwise(phases)) < 2.0


@given(due=st.floats(0, 1e6), every=st.floats(0.01, 1e5), late=st.floats(0, 1e6))
def test_the_next_probe_lies_ahead_on_the_grid(due: float, every: float, late: float) -> None:
    """Missed probes stay missed: there is no burst after a standstill."""
    found = next_due(due, every, due + late)
    assert due + late < found
    assert found - (due + late) <= 2 * every


def test_silence_does_not_thin_the_samples() -> None:
    """A probe every 5 s that waits 10 s for an answer needs three under way."""
    assert 4 == in_flight(5 * SECOND, 10 * SECOND)
    assert 2 == in_flight(MINUTE, 10 * SECOND)


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ([], 15 * MINUTE),
        ([Periodic(period=HOUR, last=None)], HOUR + 15 * MINUTE),
        ([Periodic(period=HOUR, last=START), Periodic(period=10 * MINUTE, last=None)], 75 * MINUTE),
        # a daily run that is not due before close + 2 h is not waited for
        ([Periodic(period=24 * HOUR, last=START - 18 * HOUR)], 15 * MINUTE),
        ([Periodic(period=24 * HOUR, last=None), Periodic(period=HOUR, last=None)], 75 * MINUTE),
        # one that is due then is
        ([Periodic(period=24 * HOUR, last=START - 22 * HOUR)], 24 * HOUR + 15 * MINUTE),
    ],
)
def test_auto_settles_after_the_longest_period_that_is_due(
    functions: list[Periodic], expected: timedelta
) -> None:
    """The design's rule for `settle: auto`."""
    assert expected == settle_of(Policy(), WINDOW, functions)


def test_a_given_settle_is_taken_as_it_is() -> None:
    """The estate may agree any other length."""
    policy = Policy(settle=5 * SECOND)
    assert 5 * SECOND == settle_of(policy, WINDOW, [Periodic(period=HOUR, last=None)])


def test_the_queue_is_looked_at_around_and_within_the_window() -> None:
    """At the latest moment before, three times within, and right after the close."""
    found = look_instants(WINDOW, START - HOUR)
    assert ["before", "window", "window", "window", "after"] == [moment for _, moment in found]
    assert START - 2 * MINUTE == found[0][0]
    assert WINDOW.end == found[-1][0]
    assert sorted(found) == list(found)


def test_a_late_start_makes_up_only_for_the_look_before() -> None:
    """Until it opens, a look before is still one; afterwards nothing pretends to be."""
    late = START - SECOND
    assert (late, "before") == look_instants(WINDOW, late)[0]
    assert ["window", "after"] == [m for _, m in look_instants(WINDOW, START + 40 * MINUTE)]
