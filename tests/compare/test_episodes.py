# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Conviction by rows and shares, excuses by nights before; monotone and blind to order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.timelines import at, bad, every, sample

from wavegate.compare.episodes import (
    By,
    about_us,
    beyond_chance,
    convicts,
    convicts_by_wrong,
    counts,
    covered,
    excuse,
    heard_share,
    more_episodes,
    taken_as,
)
from wavegate.compare.spans import Span
from wavegate.record.timeline import Sample

FIVE = timedelta(seconds=5)
WINDOW = Span(since=at(0), until=at(60))
SLOW = timedelta(seconds=10)


@pytest.mark.parametrize(
    ("during", "before", "p"), [(3, 1, 0.0071), (3, 0, 0.0020), (2, 1, 0.043), (1, 0, 0.125)]
)
def test_episodes_against_seven_nights(during: int, before: int, p: float) -> None:
    """One hour against the same hour of seven nights."""
    hour = timedelta(hours=1)
    assert p == pytest.approx(more_episodes(during, before, hour, 7 * hour), rel=0.03)


@pytest.mark.parametrize(("bad_ones", "found"), [(7, False), (24, True), (720, True), (0, False)])
def test_share_beyond_chance(bad_ones: int, found: bool) -> None:
    """Of 720 samples: one percent is noise, a thirtieth is not."""
    assert found == beyond_chance(bad_ones, 720)


def test_three_in_a_row_convict_and_two_do_not() -> None:
    """The policy's confirm."""
    assert convicts(every(since=0, until=60, shape=bad(30, 30 + 9 / 60)), 3) is None
    found = convicts(every(since=0, until=60, shape=bad(30, 30 + 15 / 60)), 3)
    assert found is not None
    assert By.ROW is found.by


def test_every_second_request_convicts_by_its_share() -> None:
    """One dead front of two never fails three times in a row."""
    shape = {True: {"state": "wrong", "detail": "HTTP 502"}, False: {}}
    samples = every(since=0, until=60, shape=lambda m: shape[round(m * 12) % 2 == 0])
    found = convicts(samples, 3)
    assert found is not None
    assert By.SHARE is found.by


def test_silence_counts_only_where_the_vantage_was_heard() -> None:
    """A deaf vantage accuses nobody; an answer needs no witness."""
    assert not counts(sample(0, "silent", heard=False))
    assert counts(sample(0, "silent"))
    assert counts(sample(0, "wrong", heard=False))


@pytest.mark.parametrize("detail", ["HTTP 403 XSV-350013: no zone", "HTTP 429: throttled"])
def test_refusals_of_ours_leave_n(detail: str) -> None:
    """Our address is not the customers'."""
    assert about_us(sample(0, "wrong", detail))
    assert not counts(sample(0, "wrong", detail))


def test_a_right_answer_too_late_is_silence() -> None:
    """People give up."""
    found = taken_as([sample(0, took=timedelta(seconds=25))], SLOW)
    assert ("silent", "answered only after 25 s") == (found[0].state, found[0].detail)


def test_wrong_answers_convict_through_silences() -> None:
    """A silence between two wrong answers neither helps nor harms them."""
    found = [sample(n, "wrong" if n % 2 else "silent") for n in range(6)]
    assert convicts_by_wrong(found, 3) is not None
    assert convicts_by_wrong(found[:4], 3) is None


def nights(count: int, shape_of: object = None, first: int = 1) -> tuple[Sample, ...]:
    """The same hour of some nights before, one sample a minute."""
    minute = timedelta(minutes=1)
    return tuple(
        found
        for night in range(first, first + count)
        for found in every(
            since=-1440 * night,
            until=60 - 1440 * night,
            step=minute,
            shape=bad(30 - 1440 * night, 36 - 1440 * night) if shape_of == night else lambda _: {},
        )
    )


def judged(before: tuple[Sample, ...], length: int = 5) -> bool:
    """Whether an outage in the window is excused by nights before."""
    now = every(since=0, until=60, step=timedelta(minutes=1), shape=bad(30, 30 + length))
    return excuse((*before, *now), WINDOW, timedelta(minutes=1), 3) is not None


def test_seven_nights_excuse_what_is_no_longer_than_before() -> None:
    """Bad for as long on a night before: known noise."""
    assert judged(nights(7, shape_of=3))


def test_six_nights_excuse_nothing() -> None:
    """The baseline is too short."""
    assert not judged(nights(6, shape_of=3))


def test_nights_without_the_same_weekday_excuse_nothing() -> None:
    """Weekdays differ."""
    assert not judged((*nights(6, shape_of=3), *nights(1, first=8)))


def test_clean_nights_excuse_nothing() -> None:
    """There is nothing to excuse it with."""
    assert not judged(nights(7))


def test_longer_than_ever_before_is_not_excused() -> None:
    """One episode is judged by its length alone."""
    assert not judged(nights(7, shape_of=3), length=20)


def test_heard_share_counts_time_and_leaves_masks_out() -> None:
    """Twelve minutes of sixty missed is a fifth; masked, they are not missed."""
    samples = [s for s in every(since=0, until=60) if not 20 <= (s.sent - at(0)) / FIVE / 12 < 32]
    looks = covered(samples, FIVE)
    assert 0.8 == pytest.approx(heard_share(looks, WINDOW), abs=0.01)
    assert 1.0 == pytest.approx(heard_share(looks, WINDOW, [Span(since=at(19), until=at(33))]))


states = st.lists(st.sampled_from(["ok", "wrong", "silent"]), min_size=1, max_size=60)


def of(found: list[str]) -> list[Sample]:
    """Samples of these states."""
    return [sample(n / 12, state) for n, state in enumerate(found)]  # type: ignore[arg-type] # from a list of states


@given(found=states, where=st.integers(0, 59), confirm=st.integers(1, 5), worse=st.booleans())
def test_conviction_is_monotone(found: list[str], where: int, confirm: int, worse: bool) -> None:
    """One more bad sample never acquits."""
    samples = of(found)
    place = where % len(samples)
    spoilt = list(samples)
    if samples[place].state == "ok":
        spoilt[place] = replace(samples[place], state="wrong" if worse else "silent")
    for judge in (convicts, convicts_by_wrong):
        if judge(samples, confirm) is not None:
            assert judge(spoilt, confirm) is not None


@given(found=states, data=st.data())
def test_conviction_is_blind_to_order(found: list[str], data: st.DataObject) -> None:
    """The order of reading never matters."""
    samples = of(found)
    assert convicts(samples, 3) == convicts(data.draw(st.permutations(samples)), 3)
