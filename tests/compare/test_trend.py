# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import random

import pytest

from wavegate.compare.trend import BASELINE, Drop, cusum, falling, partition


def night_rates(count: int, *, drop: float = 1.0, since: int = 0, seed: int = 7) -> list[float]:
    """Rates about 1,200 with a spread of 5 %; from a night on they are multiplied."""
    chance = random.Random(seed)  # noqa: S311 - noise for a test
    rates = [1200 * chance.gauss(1, 0.05) for _ in range(count)]
    return [rate * (drop if n >= since else 1) for n, rate in enumerate(rates)]


def test_the_sums_are_those_of_the_worked_example() -> None:
    """The published example: an alarm at 5 on the seventh night."""
    scores = (0.2, -0.5, 0.1, -2.2, -1.9, -2.4, -2.1)
    assert [0, 0, 0, 1.7, 3.1, 5.0, 6.6] == [round(c, 1) for c in cusum(scores)]


@pytest.mark.parametrize("count", [0, 1, 5, BASELINE])
def test_few_nights_say_nothing(count: int) -> None:
    """Fewer than the baseline are no trend, however they fall."""
    assert falling([1200.0 / (n + 1) for n in range(count)]) is None


def test_a_fall_is_noted_and_dated() -> None:
    """A tenth less for ten nights is noted with both rates, dated to a night or two."""
    found = falling(night_rates(50, drop=0.88, since=40))
    assert isinstance(found, Drop)
    assert abs(found.began - 40) <= 2
    assert (1200, 1056) == pytest.approx((found.before, found.after), rel=0.03)


def test_a_steady_rate_and_one_that_rises_are_no_note() -> None:
    """Noise alone is none, and faster is no fall."""
    assert falling(night_rates(90)) is None
    assert falling(night_rates(50, drop=1.3, since=40)) is None


def test_a_rate_that_never_varied_is_held_to_itself() -> None:
    """No spread in the baseline is no division by zero."""
    assert falling([1200.0] * 40) is None
    assert falling([1200.0] * 38 + [600.0] * 2) is not None


def test_pieces_are_no_shorter_than_five() -> None:
    """A single odd night is no change of the mean."""
    scores = [0.0] * 20 + [-9.0] + [0.0] * 20
    assert all(cut >= 5 for cut in partition(scores))
    assert (20,) == partition([0.0] * 20 + [-4.0] * 20)
