# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

import pytest
from tests.builders.rates import before_side

from wavegate.compare.throughput_baseline import baseline
from wavegate.estate.policy import Policy
from wavegate.record.rates import Bucket

CLEAN = before_side()
WILD = before_side(lambda _at, unit: (600.0, 1800.0)[unit % 2], units=7)


@pytest.mark.parametrize(
    ("buckets", "word"),
    [
        (before_side(units=2), "2 loaded units of 1d before, at least 3"),
        (before_side(loaded=False), "no hour under load"),
        ((), "no hour under load"),
        (WILD, "no amount of data"),
    ],
)
def test_short_baselines(buckets: tuple[Bucket, ...], word: str) -> None:
    """What is wrong with a baseline is said while it can be cured, and nothing is promised."""
    found = baseline(buckets, Policy())
    assert word in (found.hint or "")
    assert found.promises is None


def test_a_good_baseline_says_how_long_after_must_be() -> None:
    """Fourteen steady days: nothing to cure, and the days after that would settle it."""
    found = baseline(CLEAN, Policy())
    assert (14, None) == (found.units, found.hint)
    assert "after would show an unchanged rate with 80%" in (found.promises or "")


def test_the_unit_is_told_as_it_is_agreed() -> None:
    """A lab counts in seconds, and its hint says so."""
    policy = Policy(throughput_unit=timedelta(seconds=10))
    assert "10s" == baseline(CLEAN, policy).unit


@pytest.mark.parametrize(("margin", "word"), [(0, "margin of 0 %"), (1, None)])
def test_margins_at_the_edge(margin: int, word: str | None) -> None:
    """No margin cannot be shown by any amount of data; a margin of everything needs none."""
    hint = baseline(CLEAN, Policy(throughput_margin=margin)).hint
    assert (word or "") in (hint or "")
    assert (hint is None) == (word is None)
