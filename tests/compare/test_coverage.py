# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The bounds behind sending-IP coverage, against the table that was worked out exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.compare.coverage import (
    chance_of_missing,
    lower_bound,
    messages_needed,
    rogue_bound,
)

EQUAL = {
    1: (1, 1, 1, 1),
    2: (8, 11, 18, 21),
    4: (21, 29, 45, 51),
    8: (51, 68, 102, 115),
    16: (115, 150, 222, 248),
    32: (255, 327, 472, 526),
    64: (557, 703, 996, 1105),
}


@pytest.mark.parametrize("pool", EQUAL)
def test_need_of_equal_shares(pool: int) -> None:
    """So many messages meet all addresses of a pool, at four levels."""
    found = tuple(
        messages_needed([1 / pool] * pool, alpha) for alpha in (0.01, 0.001, 1e-5, 1.8e-6)
    )
    assert found == EQUAL[pool]


def test_need_of_one_at_half_share() -> None:
    """A pool with one address at half share needs as many as the table says."""
    assert messages_needed([0.5, *[0.5 / 3] * 3], 0.001) == pytest.approx(52, abs=10)
    assert messages_needed([8 / 15, 4 / 15, 2 / 15, 1 / 15], 0.001) == 101


@pytest.mark.parametrize(("alpha", "more"), [(0.001, 57), (1e-5, 92)])
def test_more_for_the_unseen(alpha: float, more: int) -> None:
    """Eight equal addresses of which two are unseen need so many more messages."""
    assert messages_needed([1 / 8] * 2, alpha) == more


def test_unknown_share_is_bounded_from_below() -> None:
    """6 of 200 is at least 0.0131, which asks for 523 messages and not for 227."""
    assert lower_bound(6, 200) == pytest.approx(0.0131, abs=0.0001)
    assert messages_needed([lower_bound(6, 200)], 0.001) == 523
    assert messages_needed([0.03], 0.001) == 227


def test_no_share_is_never_met() -> None:
    """An address that was never seen before cannot be met by any number of messages."""
    assert lower_bound(0, 200) == 0.0
    assert messages_needed([0.0], 0.001) >= 10**9
    assert messages_needed([], 0.001) == 0


@pytest.mark.parametrize(("share", "n"), [(0.1, 29), (0.05, 59), (0.02, 149), (0.01, 299)])
def test_rogue_bound(share: float, n: int) -> None:
    """After so many clean messages another address carries at most that share."""
    assert rogue_bound(n) == pytest.approx(share, rel=0.02)


def test_nothing_clean_bounds_nothing() -> None:
    """Without a message another address may carry everything."""
    assert rogue_bound(0) == 1.0


@given(st.integers(1, 60), st.integers(0, 60))
def test_lower_bound_is_below_the_estimate_and_grows(hits: int, misses: int) -> None:
    """The bound never exceeds what was seen, and more hits never lower it."""
    total = hits + misses
    bound = lower_bound(hits, total)
    assert 0 <= bound <= hits / total
    assert bound >= lower_bound(hits - 1, total) - 1e-9


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8), st.sampled_from([0.05, 0.001]))
def test_need_is_the_smallest_that_suffices(shares: list[float], alpha: float) -> None:
    """One message fewer would leave too much to chance."""
    need = messages_needed(shares, alpha)
    assert chance_of_missing(shares, need) <= alpha
    assert need == 1 or chance_of_missing(shares, need - 1) > alpha


def test_impossible_share_is_refused() -> None:
    """More hits than trials is a mistake of the caller."""
    with pytest.raises(ValueError, match="is no share"):
        lower_bound(3, 2)
