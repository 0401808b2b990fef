# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`throughput`: each fault of the catalogue as a small world, and the rules around them."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from tests.builders.estates import END, START, instance, wave
from tests.builders.mails import mail
from tests.builders.rates import (
    UNIT,
    after_side,
    before_side,
    history,
    side,
    steady,
    throughput_case,
    with_part,
    with_policy,
)

from wavegate.compare.latency import SeedRun
from wavegate.compare.throughput import compare_throughput, two_digits
from wavegate.record.message import Received
from wavegate.record.rates import LARGE_NAME, Bucket, Deferral, RateHistory
from wavegate.verdict import Judgement, On, Verdict

HOUR = timedelta(hours=1)
CLEAN = before_side()


def witness(found: Judgement) -> set[str]:
    """All witnesses of the findings."""
    return {name for finding in found.findings for name in finding.witness}


def test_minus_20_is_caught() -> None:
    """Three units of 960 against 1200 fail at the first look and name both rates."""
    found = compare_throughput(throughput_case(CLEAN, after_side(960, units=3)))
    assert Verdict.FAILED is found.verdict
    assert {"1200", "960"} <= witness(found)


def test_minus_12_noisy_waits() -> None:
    """Two noisy units beyond the margin show nothing yet; how many more are needed is said."""
    before = noisy(before_side(noise=0.15), 0.15, 1)
    found = compare_throughput(
        throughput_case(before, noisy(after_side(1056, units=2, noise=0.15), 0.15, 2))
    )
    assert (Verdict.INCONCLUSIVE, "units-needed", 1) == (
        found.verdict,
        found.missing[0].rule,
        found.missing[0].count,
    )
    assert (On.TIME, None) == (found.missing[0].on, found.off_track)


def noisy(buckets: tuple[Bucket, ...], spread: float, seed: int) -> tuple[Bucket, ...]:
    """The same buckets, each unit shifted as a whole."""
    random = Random(seed)  # noqa: S311 - noise of a made-up world, the same each time
    shifts = [1 + spread * random.uniform(-1, 1) for _ in range(0, len(buckets), 24)]
    return tuple(replace(b, sent=round(b.sent * shifts[n // 24])) for n, b in enumerate(buckets))


def test_backlog_burst_does_not_mask_a_loss() -> None:
    """The first hour's burst is set aside, the steady 900 after it fail."""

    def rate(at: datetime, _unit: int) -> float:
        return 2000.0 if at < END + HOUR else 900.0

    found = compare_throughput(throughput_case(CLEAN, after_side(rate)))
    assert Verdict.FAILED is found.verdict
    assert {"900", "burst set aside"} <= witness(found)
    assert any("burst" in note.what for note in found.not_compared)


def test_backlog_burst_alone_shows_nothing() -> None:
    """One hour of backlog neither passes as improvement nor fails."""
    after = side(END, 1, steady(2000), per_unit=4, unit=HOUR)
    before = side(START - 14 * UNIT, 14 * 24, steady(1200), per_unit=4, unit=HOUR)
    found = compare_throughput(throughput_case(before, after))
    assert (Verdict.INCONCLUSIVE, "backlog-burst-only") == (found.verdict, found.missing[0].rule)
    assert "backlog" in found.missing[0].what
    assert 3 == found.missing[0].count


def test_queued_deliveries_are_backlog_whatever_their_rate() -> None:
    """Mail that was queued before the close is no sending to compare."""
    after = tuple(replace(b, backlog=True) for b in after_side(1200, units=3))
    found = compare_throughput(throughput_case(CLEAN, after))
    assert "backlog-burst-only" == found.missing[0].rule


def arrived(since: datetime, units: int, per_hour: int) -> tuple[Received, ...]:
    """Arrivals at the receiving side, so many an hour and a few less or more."""
    return tuple(
        mail(
            n=0, at=since + h * HOUR + k * HOUR / (per_hour + (h * 7) % 3), recipient="a@b.example"
        )
        for h in range(units * 24)
        for k in range(per_hour + (h * 7) % 3)
    )


def test_slow_arrivals_fail_a_fast_relay() -> None:
    """The relay says 20 an hour as before; the receiving side counts 14."""
    slow = 20 / 60
    before = before_side(slow, units=5, noise=0.02)
    after = after_side(slow, units=3, noise=0.02)
    case = throughput_case(
        before,
        after,
        mail_before=arrived(START - 5 * UNIT, 5, 20),
        mail_after=arrived(END, 3, 14),
    )
    found = compare_throughput(case)
    assert Verdict.FAILED is found.verdict
    assert any("receiving side" in name for name in witness(found))
    assert ["slower"] == [f.rule for f in found.findings]


def test_seeds_are_no_stream() -> None:
    """Few seeds, paced by their scheduler, are not compared as a rate."""
    case = throughput_case(
        CLEAN,
        after_side(1200),
        mail_before=tuple(mail(n=n, at=START - timedelta(hours=6)) for n in range(600)),
        mail_after=tuple(mail(n=n, at=END + HOUR) for n in range(3)),
    )
    found = compare_throughput(case)
    assert Verdict.PASSED is found.verdict
    assert any("seeds" in note.reason for note in found.not_compared)


def runs(p95: float, *, stream: str = "transactional", count: int = 20) -> tuple[SeedRun, ...]:
    """Runs of twenty seeds whose 95th percentile is about so many seconds."""
    return tuple(
        SeedRun(
            stream=stream,
            at=END + n * HOUR,
            delays=tuple(p95 * (k + 1) / 19 * (1 + 0.02 * ((n * 5) % 7 - 3)) for k in range(20)),
            planned=20,
        )
        for n in range(count)
    )


def test_waiting_transactional_mail_is_caught() -> None:
    """Rates equal; 95 % arrived within 8 s before, within 95 s after."""
    case = throughput_case(
        CLEAN, after_side(1200), runs_before=runs(8), runs_after=runs(95), planned_runs=20
    )
    found = compare_throughput(case)
    assert Verdict.FAILED is found.verdict
    assert {"95 s", "transactional"} <= witness(found)


def test_delay_is_judged_only_where_it_was_planned() -> None:
    """Fewer than twenty planned runs: listed as not compared."""
    case = throughput_case(CLEAN, after_side(1200), runs_before=runs(8), runs_after=runs(95))
    found = compare_throughput(case)
    assert Verdict.PASSED is found.verdict
    assert "seed delay (p95)" in {note.what for note in found.not_compared}


def test_planned_delay_without_runs_is_open() -> None:
    """Planned seeds that did not come are missing, never a pass."""
    found = compare_throughput(throughput_case(CLEAN, after_side(1200), planned_runs=20))
    assert (Verdict.INCONCLUSIVE, "runs-needed") == (found.verdict, found.missing[0].rule)


def test_starved_destination_is_named() -> None:
    """The total holds, one receiving domain gets a tenth."""
    before = with_part(CLEAN, "big.example", 0.25)
    after = with_part(after_side(1200), "big.example", 0.025)
    found = compare_throughput(throughput_case(before, after))
    assert (Verdict.FAILED, {"big.example", "300", "30"}) == (found.verdict, witness(found))


def test_another_mix_is_no_starvation() -> None:
    """A domain that gets a third less may just be less written to."""
    before = with_part(CLEAN, "big.example", 0.25)
    after = with_part(after_side(1200), "big.example", 0.17)
    assert Verdict.PASSED is compare_throughput(throughput_case(before, after)).verdict


def test_slow_large_mail_is_named() -> None:
    """Only messages over 300 kB are slow."""
    before = with_part(CLEAN, LARGE_NAME, 0.03)
    after = with_part(after_side(1200), LARGE_NAME, 0.006)
    found = compare_throughput(throughput_case(before, after))
    assert Verdict.FAILED is found.verdict
    assert any("300 kB" in name for name in witness(found))


def test_no_load_after_is_open() -> None:
    """Forty messages in three hours show demand, not capacity."""
    after = side(END, 3, steady(40 / 180), noise=0, unit=HOUR, per_unit=1, loaded=False)
    found = compare_throughput(throughput_case(CLEAN, after))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "no hour under load" in found.missing[0].what
    assert "39 messages" in found.missing[0].what


def test_decay_over_units_is_caught() -> None:
    """Minus six percent each further unit: the trend and the last level are named."""

    def rate(_at: datetime, unit: int) -> float:
        return 1200 * 0.94 ** min(unit, 6)

    found = compare_throughput(throughput_case(CLEAN, after_side(rate)))
    assert (Verdict.FAILED, "decays") == (found.verdict, found.findings[0].rule)
    assert {"trend", "830"} <= witness(found)


def test_less_load_at_night_is_compared_with_nights() -> None:
    """600 at night is what nights were, though days were 1200."""

    def cycle(at: datetime, _unit: int) -> float:
        return 600.0 if at.hour >= 22 or at.hour < 6 else 1200.0

    before = before_side(cycle)
    after = tuple(b for b in after_side(cycle) if b.start.hour >= 22 or b.start.hour < 6)
    found = compare_throughput(throughput_case(before, after))
    assert Verdict.PASSED is found.verdict


def test_minus_6_passes_and_says_so() -> None:
    """Within the agreed margin, shown by fourteen units."""
    found = compare_throughput(throughput_case(CLEAN, after_side(1128, units=14)))
    assert Verdict.PASSED is found.verdict
    assert "6 % slower" in (found.shown or "")
    assert "margin of 10%" in (found.could_hide or "")


def test_faster_passes() -> None:
    """60 % faster for days is no burst."""
    found = compare_throughput(throughput_case(CLEAN, after_side(1920)))
    assert Verdict.PASSED is found.verdict
    assert ["relay rate is 60 % faster than before"] == list(found.remarks)


def test_receiver_that_defers_is_set_aside() -> None:
    """One hour of 421 from one receiver is the receiver's, and is named."""
    slow = END + 30 * HOUR

    def rate(at: datetime, _unit: int) -> float:
        return 900.0 if at == slow else 1200.0

    replies = tuple(
        Deferral(receiver="big.example", at=slow + k * timedelta(seconds=1), reply="421 later")
        for k in range(3600)
    )
    found = compare_throughput(throughput_case(CLEAN, after_side(rate), deferrals=replies))
    assert Verdict.PASSED is found.verdict
    assert any("big.example" in note.reason for note in found.not_compared)


def test_receiver_that_always_defers_is_on_the_receiver() -> None:
    """Nothing but deferrals after the window: nobody can tell, and the receiver can."""
    after = after_side(5, units=3)
    replies = tuple(
        Deferral(receiver="big.example", at=b.start + k * timedelta(seconds=1), reply="421 later")
        for b in after
        for k in range(40)
    )
    found = compare_throughput(throughput_case(CLEAN, after, deferrals=replies))
    assert (Verdict.INCONCLUSIVE, On.RECEIVER) == (found.verdict, found.missing[0].on)


def test_wave_night_can_fail_but_not_pass() -> None:
    """One unit: half the rate fails at once, the full rate waits for three units."""
    failed = compare_throughput(throughput_case(CLEAN, after_side(600, units=1)))
    waits = compare_throughput(throughput_case(CLEAN, after_side(1200, units=1)))
    assert ["slower-at-once"] == [f.rule for f in failed.findings]
    assert (Verdict.INCONCLUSIVE, 2) == (waits.verdict, waits.missing[0].count)


def test_short_baseline_is_said_to_be_incurable() -> None:
    """Two units before: no amount of data after settles it, and the cell is off track."""
    found = compare_throughput(throughput_case(before_side(units=2), after_side(1200)))
    assert "baseline-too-short" == found.missing[0].rule
    assert "no amount of data after settles it" in found.missing[0].what
    assert found.off_track is not None


def test_stale_data_is_off_track() -> None:
    """The newest rate is older than two units."""
    case = throughput_case(CLEAN, after_side(1200, units=1), at=END + 4 * UNIT)
    found = compare_throughput(case)
    assert "the newest rate is of" in (found.off_track or "")


def test_due_is_by_time_with_an_instant() -> None:
    """An open cell says when it settles."""
    found = compare_throughput(throughput_case(CLEAN, after_side(1200, units=1)))
    assert found.missing[0].settles_by is not None
    assert found.missing[0].settles_by > END + 3 * UNIT


def test_no_history_is_open_with_its_reason() -> None:
    """An instance that refuses its statistics is no slower instance."""
    rates = RateHistory(asked=True, problems=("nms:deliveryStat: XSV-350013",))
    found = compare_throughput(throughput_case((), (), rates=rates))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "XSV-350013" in found.missing[0].what


def test_look_between_the_looks_changes_nothing() -> None:
    """Day five judges by the three units of the first look."""
    three = compare_throughput(throughput_case(CLEAN, after_side(1200, units=3)))
    five = compare_throughput(throughput_case(CLEAN, after_side(1200, units=5)))
    assert (Verdict.PASSED, three.verdict) == (five.verdict, three.verdict)
    assert "3 units after" in (five.shown or "")


def test_same_records_same_verdict() -> None:
    """Judging cannot flake."""
    case = throughput_case(CLEAN, after_side(1100))
    assert compare_throughput(case) == compare_throughput(case)


def test_a_fix_starts_the_count_again() -> None:
    """Units before the fix do not count."""

    def rate(at: datetime, _unit: int) -> float:
        return 600.0 if at < END + UNIT else 1200.0

    after = after_side(rate, units=4)
    whole = compare_throughput(throughput_case(CLEAN, after))
    assert Verdict.INCONCLUSIVE is whole.verdict
    fixed = compare_throughput(throughput_case(CLEAN, after, since=END + UNIT))
    assert Verdict.PASSED is fixed.verdict


def test_unit_of_seconds() -> None:
    """A lab plays units of six seconds by the same rules."""
    unit = timedelta(seconds=6)
    mine = instance()
    close = END
    before = side(START - 14 * unit, 14, steady(1200), unit=unit, per_unit=6)
    after = side(close, 7, steady(1200), unit=unit, per_unit=6, seed=5)
    case = throughput_case(
        before, after, estate=with_policy(mine, throughput_unit="6s"), at=close + 8 * unit
    )
    assert Verdict.PASSED is compare_throughput(case).verdict


def test_wave_without_a_window() -> None:
    """A wave that only claims to be closed has nothing to judge."""
    closed = wave(window=None, closed={"at": START, "approved_by": "x", "reference": "CHG-1"})
    case = throughput_case(CLEAN, after_side(1200), wave=closed)
    assert Verdict.INCONCLUSIVE is compare_throughput(case).verdict


def test_two_digits() -> None:
    """A witness does not change with the noise."""
    assert ["1200", "960", "30", "8", "0"] == [two_digits(v) for v in (1203, 957.4, 30.4, 8.2, 0)]


def test_history_sides() -> None:
    """Buckets that straddle the window belong to neither side."""
    odd = Bucket(start=START - HOUR / 2, length=HOUR, sent=5)
    found = history((odd,), ())
    assert ((), ()) == (found.before(START), found.after(END))
