# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is no sending to compare: planned load steps, mail put off, and what then is missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.builders.estates import END, START, estate, instance
from tests.builders.rates import (
    UNIT,
    after_side,
    before_side,
    side,
    steady,
    throughput_case,
    with_policy,
)

from wavegate.compare.statistics import LOOKS
from wavegate.compare.throughput import compare_throughput
from wavegate.record.rates import Bucket, Deferral
from wavegate.verdict import Judgement, On, Verdict

HOUR = timedelta(hours=1)
CLEAN = before_side(1200, units=14)
STEP = END + 30 * HOUR


def planned(since: datetime, load: str, length: str = "6h") -> dict[str, object]:
    """An estate in which the instance has a planned load step."""
    mine = instance(planned=[{"load": load, "at": since, "for": length}])
    return {"instance": mine, "estate": estate(mine)}


def stepped(after: Sequence[Bucket], factor: float, since: datetime = STEP) -> tuple[Bucket, ...]:
    """The same buckets, six hours of them under another load."""
    return tuple(
        replace(b, sent=round(b.sent * factor)) if since <= b.start < since + 6 * HOUR else b
        for b in after
    )


@pytest.mark.parametrize("factor", [2.0, 0.2])
def test_a_planned_load_step_is_left_out(factor: float) -> None:
    """Six hours at another load are neither a speed-up nor a slow-down, and are shown."""
    after = stepped(after_side(1200, units=3), factor)
    found = compare_throughput(throughput_case(CLEAN, after, **planned(STEP, f"x{factor:g}")))
    plain = compare_throughput(throughput_case(CLEAN, after_side(1200, units=3)))
    assert (Verdict.PASSED, Verdict.PASSED) == (plain.verdict, found.verdict)
    (note,) = [n for n in found.not_compared if "load step" in n.what]
    assert f"the planned load step 'x{factor:g}': 6 buckets from" in note.what
    assert "availability_after" in note.reason


def test_a_load_step_hides_no_slow_sender() -> None:
    """Three days at 900 with a planned six hours at double fail all the same."""
    after = stepped(after_side(900, units=3), 2.0)
    found = compare_throughput(throughput_case(CLEAN, after, **planned(STEP, "x2")))
    assert Verdict.FAILED == found.verdict


def test_buckets_that_a_step_touches_are_left_out() -> None:
    """A step that begins within an hour takes the whole hour."""
    since = STEP + timedelta(minutes=30)
    found = compare_throughput(
        throughput_case(CLEAN, after_side(1200, units=3), **planned(since, "double", "1h"))
    )
    assert any("'double': 2 buckets" in note.what for note in found.not_compared)


def test_a_step_before_the_window_is_left_out_of_the_baseline() -> None:
    """A load test in the baseline would make all that follows look slow."""
    since = START - 3 * UNIT
    before = stepped(CLEAN, 8.0, since)
    fields = planned(since, "x8")
    found = compare_throughput(throughput_case(before, after_side(1200, units=3), **fields))
    assert Verdict.PASSED == found.verdict


def test_nothing_but_a_load_step_is_open() -> None:
    """A night that held only the step shows no like sending yet."""
    after = after_side(2400, units=1)
    found = compare_throughput(throughput_case(CLEAN, after, **planned(END, "x2", "24h")))
    assert (Verdict.INCONCLUSIVE, ["load-steps-only"]) == (
        found.verdict,
        [gap.rule for gap in found.missing],
    )


def put_off(buckets: Sequence[Bucket], hours: int, share: float) -> tuple[Bucket, ...]:
    """The first hours of each day slower, with so many tries repeated."""
    return tuple(
        replace(b, sent=b.sent // 2, again=round(b.sent * share), errors=round(b.sent * share))
        if (b.start - END) % UNIT < hours * HOUR
        else b
        for b in buckets
    )


def test_repeated_tries_that_nobody_explains_convict_nobody() -> None:
    """Slow only in hours full of repeated tries, and no reply was read that tells by whom."""
    after = put_off(after_side(1200, units=7), 9, 0.3)
    found = compare_throughput(throughput_case(CLEAN, after))
    assert (Verdict.INCONCLUSIVE, ["who-put-off"]) == (
        found.verdict,
        [gap.rule for gap in found.missing],
    )
    assert "63 of 168 loaded buckets" in found.missing[0].what


def test_replies_that_name_a_receiver_settle_it() -> None:
    """The same hours with the receiver's own 421 are set aside, and the rest is judged."""
    after = put_off(after_side(1200, units=7), 9, 0.3)
    slow = [b for b in after if b.again]
    replies = tuple(
        Deferral(receiver="big.example", at=b.start + timedelta(seconds=k), reply="421 4.7.0 later")
        for b in slow
        for k in range(b.sent // 10)
    )
    found = compare_throughput(throughput_case(CLEAN, after, deferrals=replies))
    assert Verdict.PASSED == found.verdict
    assert 63 == sum("big.example put mail off (421)" in n.reason for n in found.not_compared)


def test_repeated_tries_do_not_excuse_the_other_hours() -> None:
    """Slow in all hours, with repeated tries in some: the others convict."""
    after = put_off(after_side(900, units=7), 4, 0.3)
    assert Verdict.FAILED == compare_throughput(throughput_case(CLEAN, after)).verdict


def test_tries_repeated_as_ever_are_no_excuse() -> None:
    """A sender that always repeated a third of its tries is judged as any other."""
    usual = tuple(replace(b, again=b.sent // 3) for b in CLEAN)
    slow = tuple(replace(b, again=b.sent // 3) for b in after_side(900, units=7))
    assert Verdict.FAILED == compare_throughput(throughput_case(usual, slow)).verdict


def open_at(units: int, rate: float = 1200, noise: float = 0.04) -> Judgement:
    """The verdict after so many days."""
    return compare_throughput(throughput_case(CLEAN, after_side(rate, units, noise=noise)))


@pytest.mark.parametrize("units", [1, 2])
def test_before_the_first_look_it_says_how_many_days(units: int) -> None:
    """One or two days: so many more, by time, with the instant and the command."""
    (gap,) = open_at(units).missing
    more = LOOKS[0][0] - units
    assert (more, On.TIME, "units-needed") == (gap.count, gap.on, gap.rule)
    assert gap.what.startswith(f"{more} more units of 1d")
    assert gap.settles_by is not None
    assert END + 3 * UNIT <= gap.settles_by <= END + 3 * UNIT + HOUR
    assert "wavegate capture" in (gap.command or "")


def test_wave_night_can_only_fail() -> None:
    """One day at half the rate convicts; one day at any rate above passes nothing."""
    assert Verdict.FAILED == open_at(1, 600).verdict
    assert {Verdict.INCONCLUSIVE} == {open_at(1, rate).verdict for rate in (1200, 2400, 12000)}


def shaky(rate: float, units: int, spread: float) -> tuple[Bucket, ...]:
    """Days after that go up and down as wholes."""
    return tuple(
        replace(b, sent=round(b.sent * (1 + spread * (-1) ** (n // 24))))
        for n, b in enumerate(after_side(rate, units))
    )


def test_between_looks_it_names_the_next_that_settles() -> None:
    """Three shaky days settle nothing: the next planned look is at seven or fourteen."""
    case = throughput_case(CLEAN, shaky(1150, 3, 0.05))
    (gap,) = compare_throughput(case).missing
    assert gap.count in {looks - 3 for looks, _ in LOOKS[1:]}
    assert gap.settles_by is not None
    assert gap.settles_by >= END + (3 + gap.count) * UNIT


def test_shakier_than_all_looks_is_said() -> None:
    """What no planned look would settle says so, with the number of days it would take."""
    case = throughput_case(CLEAN, shaky(1110, 4, 0.2))
    (gap,) = compare_throughput(case).missing
    assert "more than the last planned look at 14" in gap.what


def test_unsteady_baseline_cannot_be_cured_after() -> None:
    """Days before that differ by a half: no amount of data after settles it, and it is said."""
    wild = tuple(
        b
        for n in range(5)
        for b in side(START - (5 - n) * UNIT, 1, steady(1200 * (1.6 if n % 2 else 0.6)), seed=n)
    )
    found = compare_throughput(throughput_case(wild, after_side(1000, units=7)))
    assert (Verdict.INCONCLUSIVE, ["baseline-too-short"]) == (
        found.verdict,
        [gap.rule for gap in found.missing],
    )
    assert "no amount of data after settles it" in (found.off_track or "")


def test_unit_comes_from_the_policy() -> None:
    """With a unit of twelve hours two days hold four of them: the first look is past."""
    case = throughput_case(
        CLEAN, after_side(1200, units=2), estate=with_policy(instance(), throughput_unit="12h")
    )
    assert Verdict.PASSED == compare_throughput(case).verdict
