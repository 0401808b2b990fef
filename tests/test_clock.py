# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate import clock


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_instants_read_back(instant: datetime) -> None:
    """The text of an instant is that instant, whatever zone it was given in."""
    assert instant == clock.parse_instant(clock.format_instant(instant))


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_durations_read_back(length: timedelta) -> None:
    """The text of a duration is that duration, to the microsecond."""
    assert length == clock.parse_duration(clock.format_duration(length))


@pytest.mark.parametrize("text", ["2024-01-16T22:00:00", "16.1.2024", "", "2024-13-01", "now"])
def test_refuses_instants_without_zone(text: str) -> None:
    """An instant that could be read in two zones is refused."""
    with pytest.raises(ValueError, match=r".+"):
        clock.parse_instant(text)


@pytest.mark.parametrize("text", ["5", "s", "5 s", "-5s", "5x", "1h30"])
def test_refuses_durations_without_unit(text: str) -> None:
    """A duration that could be read in two units is refused."""
    with pytest.raises(ValueError, match="not a duration"):
        clock.parse_duration(text)


def test_a_date_is_midnight_utc() -> None:
    """A bare date means 00:00 UTC (design, rule 9)."""
    assert datetime(2024, 1, 1, tzinfo=UTC) == clock.parse_instant("2024-01-01")


def test_a_naive_instant_has_no_text() -> None:
    """A naive instant cannot slip into a record."""
    with pytest.raises(ValueError, match="zone"):
        clock.format_instant(datetime(2024, 1, 1))  # noqa: DTZ001 - the point of the test


def test_now_is_aware_and_utc() -> None:
    """The one reader of the clock gives UTC."""
    assert timedelta(0) == clock.now().utcoffset()
