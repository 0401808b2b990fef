# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How far clocks are apart: bounded from both sides, so that slowness is no skew."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders.snapshots import AFTER, logon, redir, snapshot

from wavegate.compare.clocks import skews
from wavegate.record.campaign_view import CampaignView
from wavegate.record.observation import Observation


def least(*observations: Observation) -> dict[str, float]:
    """Seconds by source."""
    taken = snapshot("after", observations)
    return {s.source: s.least.total_seconds() for s in skews(taken, CampaignView(taken))}


@pytest.mark.parametrize("seconds", [90, -90])
def test_skew_is_measured_with_its_sign(seconds: int) -> None:
    """Ahead is positive; whole seconds of HTTP Date are allowed for."""
    found = least(redir("", at=AFTER, date=AFTER + timedelta(seconds=seconds)))
    assert found["HTTP Date"] == pytest.approx(seconds, abs=1.1)


def test_slow_answer_is_no_skew() -> None:
    """The date lies between asking and hearing."""
    look = replace(redir("", at=AFTER, date=AFTER + timedelta(seconds=8)), took_us=9_000_000)
    assert least(look)["HTTP Date"] == 0


def test_server_date_without_a_zone_is_not_used() -> None:
    """Whose wall clock it was is not known."""
    assert set(least(redir("date='2024/01/16 23:30:00'", at=AFTER))) == {"HTTP Date"}
    found = least(redir("date='2024-01-16 23:31:30Z'", at=AFTER))
    assert found["/r/test date"] == pytest.approx(90, abs=1.1)


def test_median_of_several_answers() -> None:
    """One odd answer does not make a skew."""
    looks = [redir("", at=AFTER, n=n) for n in range(2)]
    odd = redir("", at=AFTER, n=2, date=AFTER + timedelta(hours=1))
    assert least(*looks, odd)["HTTP Date"] == 0


def test_unreadable_dates_are_left_out() -> None:
    """Hostile headers tell no time."""
    look = redir("", at=AFTER)
    assert least(replace(look, heard={**look.heard, "date": "yesterday"})) == {}
    assert least(logon(at=AFTER)) == {}
