# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`notice`: instants, not dates; this window, not another; the first valid notice counts."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.estates import NOW, START, WINDOW, estate, instance, notice, wave

from wavegate.clock import parse_instant
from wavegate.compare.notice import NoticeCase, compare_notice, spell
from wavegate.estate.model import Notice, Window
from wavegate.verdict import Judgement, Verdict

WEEK = timedelta(days=7)


def judged(*notices: Notice, window: Window = WINDOW, at: datetime = NOW) -> Judgement:
    """The judgement about acme-prod1 with these notices."""
    found = estate(waves=(wave(notices=notices, window=window),))
    case = NoticeCase(estate=found, wave=found.waves[0], instance=instance(), at=at)
    return compare_notice(case)


def test_exactly_seven_days_is_at_least_seven() -> None:
    """The bound itself is kept."""
    found = judged(notice(sent=START - WEEK))
    assert found.verdict is Verdict.PASSED
    assert "mail-4711" in (found.shown or "")


def test_one_hour_short_fails_and_is_named() -> None:
    """6 d 23 h are not seven days."""
    found = judged(notice(sent=START - WEEK + timedelta(hours=1)))
    assert found.findings[0].rule == "notice-too-late"
    assert {"acme", "6 d 23 h"} <= set(found.findings[0].witness)


def test_spring_clock_change_is_one_hour_short() -> None:
    """Seven local days across the change of March are 6 d 23 h."""
    start = parse_instant("2024-04-01T00:30:00+02:00")
    sent = parse_instant("2024-03-25T00:30:00+01:00")
    window = Window(start=start, end=start + timedelta(hours=1))
    found = judged(notice(sent=sent), window=window, at=start)
    assert "6 d 23 h" in found.findings[0].witness


def test_autumn_clock_change_is_one_hour_more() -> None:
    """Seven local days across the change of October are 7 d 1 h."""
    start = parse_instant("2023-10-30T00:30:00+01:00")
    sent = parse_instant("2023-10-23T00:30:00+02:00")
    window = Window(start=start, end=start + timedelta(hours=1))
    assert judged(notice(sent=sent), window=window, at=start).verdict is Verdict.PASSED


def test_notice_of_a_moved_window_does_not_count() -> None:
    """A moved window restarts the clock; the notice and its window are named."""
    old = Window(start=START - timedelta(days=2), end=START - timedelta(days=2, hours=-1))
    found = judged(notice(announces=old))
    assert found.findings[0].rule == "notice-of-another-window"
    assert "mail-4711" in found.findings[0].witness
    assert any("2024-01-14" in text for text in found.findings[0].witness)


def test_first_valid_notice_counts() -> None:
    """A reminder two days before takes nothing away."""
    early = notice(sent=START - timedelta(days=12))
    late = notice(sent=START - timedelta(days=2), reference="mail-9")
    assert judged(late, early).verdict is Verdict.PASSED


def test_customer_without_notice_fails() -> None:
    """A notice to another customer is none to this one, and the other is not named."""
    found = judged(notice("globex"))
    assert found.findings[0].rule == "no-notice"
    assert "acme" in found.findings[0].witness
    assert "globex" not in str(found)


def test_notice_in_the_future_is_planned_not_sent() -> None:
    """The sent time is later than the run."""
    sent = START - timedelta(days=8)
    found = judged(notice(sent=sent), at=sent - timedelta(days=1))
    assert found.findings[0].rule == "notice-in-future"
    assert "2024-01-08T22:00:00Z" in found.findings[0].witness


def test_same_instants_in_another_offset() -> None:
    """+01:00 says the same."""
    sent = parse_instant("2024-01-09T23:00:00+01:00")
    assert judged(notice(sent=sent)).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=6, hours=23), "6 d 23 h"),
        (timedelta(days=7), "7 d"),
        (timedelta(minutes=31), "31 min"),
        (timedelta(), "0 d"),
    ],
)
def test_spelling(length: timedelta, text: str) -> None:
    """Lengths as people say them."""
    assert spell(length) == text


def test_days_are_per_environment() -> None:
    """Thirty days for production refuse what seven would allow."""
    found = estate(policy={"notice_days": {"prod": 30}}, waves=(wave(),))
    case = NoticeCase(
        estate=found, wave=found.waves[0], instance=instance(), at=datetime(2024, 2, 1, tzinfo=UTC)
    )
    assert compare_notice(case).findings[0].rule == "notice-too-late"
