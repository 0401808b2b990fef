# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Other sources on the rate: they agree, they are silent or too coarse, or they contradict."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders.estates import END, START
from tests.builders.rates import UNIT, after_side, before_side, throughput_case

from wavegate.compare.throughput import compare_throughput
from wavegate.record.queue import Meaning
from wavegate.record.rate_witnesses import REPORT, LogCount, ReportCount, Witnesses
from wavegate.record.rates import Bucket, Deferral
from wavegate.verdict import Judgement, Verdict

RCP = "nms:broadLogRcp"
HOUR = timedelta(hours=1)


def mailed(side: Sequence[Bucket], delivery: str = "7") -> tuple[Bucket, ...]:
    """The same buckets, all sent by one delivery."""
    return tuple(replace(b, by_delivery=((delivery, b.sent),)) for b in side)


BEFORE = mailed(before_side(1200, units=7))
AFTER = mailed(after_side(1200, units=7))
SLOW = mailed(after_side(900, units=7))


def day(side: Iterable[Bucket], number: int, told: float, waiting: float) -> list[LogCount]:
    """What the log says of the number-th day of a side."""
    mine = sorted(side, key=lambda b: b.start)[number * 24 : number * 24 + 24]
    sent = round(sum(b.sent for b in mine) * told)
    held = round(sent * waiting)
    return [
        LogCount(
            log=RCP, delivery="7", status=status, start=mine[0].start, end=mine[-1].end, count=count
        )
        for status, count in ((Meaning.SENT, sent - held), (Meaning.ACCEPTED, held))
        if count
    ]  # fmt: skip


def log(
    before: Sequence[Bucket],
    after: Sequence[Bucket],
    *,
    told: tuple[float, float] = (1.0, 1.0),
    waiting: tuple[float, float] = (0.0, 0.0),
    days: int = 7,
) -> Witnesses:
    """The log's counts of the days of both sides."""
    rows = [row for n in range(days) for row in day(before, n, told[0], waiting[0])]
    rows += [row for n in range(days) for row in day(after, n, told[1], waiting[1])]
    spans = dict.fromkeys((row.start, row.end) for row in rows)
    return Witnesses(log=tuple(rows), counted=tuple(spans))


def judged(after: Sequence[Bucket], found: Witnesses, **other: object) -> Judgement:
    """The verdict on a week before and this side after."""
    case = throughput_case(BEFORE, tuple(after), **({"witnesses": found} | other))
    return compare_throughput(case)


def reasons(found: Judgement) -> dict[str, str]:
    """What was not compared, and why."""
    return {note.what: note.reason for note in found.not_compared}


def test_sources_that_agree_are_shown() -> None:
    """Log and report beside the statistics: the cell says what each of them shows."""
    told = replace(log(BEFORE, AFTER), report=reports(), trunc=HOUR)
    found = judged(AFTER, told)
    assert Verdict.PASSED == found.verdict
    assert found.shown is not None
    assert "the log tells 1.000 of what the statistics do" in found.shown
    assert "the throughput report agrees on" in found.shown


def reports(share_after: float = 1.0) -> tuple[ReportCount, ...]:
    """The report of the delivery, hour by hour."""
    return tuple(
        ReportCount(
            delivery="7",
            start=b.start,
            length=b.length,
            sent=round(b.sent * (share_after if b.start >= END else 1.0)),
        )
        for b in (*BEFORE, *AFTER)
    )


def test_relay_fast_arrival_slow() -> None:
    """Relayed at 1200, three tenths wait in the spool: 840 arrive, and the cell fails."""
    found = judged(AFTER, log(BEFORE, AFTER, waiting=(0.0, 0.3)))
    assert Verdict.FAILED == found.verdict
    (finding,) = found.findings
    assert ("arrival-slower", ("1200", "840", "receiving side")) == (finding.rule, finding.witness)


def test_spool_of_always_is_no_change() -> None:
    """A tenth that always waits says nothing about the migration."""
    found = judged(AFTER, log(BEFORE, AFTER, waiting=(0.1, 0.1)))
    assert Verdict.PASSED == found.verdict
    assert "arrived by its feedback" in str(found.shown)


def test_receiver_that_defers_does_not_convict_the_spool() -> None:
    """What a receiver put off by its own replies waits because of it."""
    slow = [
        Deferral(receiver="big.example", at=END + n * UNIT + HOUR, reply="421 later")
        for n in range(7)
        for _ in range(5000)
    ]
    found = judged(AFTER, log(BEFORE, AFTER, waiting=(0.0, 0.3)), deferrals=tuple(slow))
    assert Verdict.PASSED == found.verdict
    assert "arrivals by the log's feedback in 7 units" in reasons(found)


@pytest.mark.parametrize("told", [(1.0, 0.7), (0.7, 1.0)])
def test_log_that_contradicts_the_statistics_is_open(told: tuple[float, float]) -> None:
    """One of two sources is wrong, whichever: no pass, no conviction, and both are named."""
    found = judged(AFTER, log(BEFORE, AFTER, told=told))
    assert Verdict.INCONCLUSIVE == found.verdict
    (gap,) = found.missing
    assert "sources-disagree" == gap.rule
    assert "which source is right: the statistics count" in gap.what


def test_log_that_denies_a_slow_down_stays_its_conviction() -> None:
    """The statistics fall by a quarter, the log does not: which is wrong is not known."""
    found = judged(SLOW, log(BEFORE, SLOW, told=(1.0, 1.34)))
    assert (Verdict.INCONCLUSIVE, ["sources-disagree"]) == (
        found.verdict,
        [gap.rule for gap in found.missing],
    )


def test_log_that_sees_even_less_does_not_save_a_slow_sender() -> None:
    """A second source that counts fewer still is no excuse."""
    assert Verdict.FAILED == judged(SLOW, log(BEFORE, SLOW, told=(1.0, 0.7))).verdict


def test_agreeing_log_leaves_a_conviction() -> None:
    """Both fall by a quarter."""
    assert Verdict.FAILED == judged(SLOW, log(BEFORE, SLOW)).verdict


def test_log_of_other_mail_is_no_witness() -> None:
    """Where the log holds little of what the statistics count, it is shown as not compared."""
    mixed = [
        tuple(
            replace(b, by_delivery=(("7", b.sent // 3), ("8", b.sent - b.sent // 3))) for b in side
        )
        for side in (BEFORE, AFTER)
    ]
    case = throughput_case(*mixed, witnesses=log(BEFORE, AFTER, told=(0.33, 0.1)))
    found = compare_throughput(case)
    assert Verdict.PASSED == found.verdict
    assert "under half of the mail" in reasons(found)["the log's counts"]


def test_too_few_counted_units_wait() -> None:
    """Two days a side are no comparison, and no gap either: the statistics decide."""
    found = judged(AFTER, log(BEFORE, AFTER, told=(1.0, 0.5), days=2))
    assert Verdict.PASSED == found.verdict
    assert reasons(found)["the log's counts"].startswith("2 units before and 2 after")


def test_silent_sources_are_shown() -> None:
    """What refused, and that nobody asked, is told by name."""
    refused = (("nms:broadLogRtEvent", "XFR-180000 Unknown schema"), (REPORT, "HTTP 404"))
    found = reasons(judged(AFTER, Witnesses(silent=refused)))
    assert dict(refused).items() <= found.items()
    nobody = reasons(judged(AFTER, Witnesses()))
    assert "no capture asked for them" == nobody["the log's counts and the throughput report"]


def test_report_that_contradicts_the_statistics_is_open() -> None:
    """The product's own report counts a quarter less than its statistics."""
    found = judged(AFTER, Witnesses(report=reports(0.75), trunc=HOUR))
    assert (Verdict.INCONCLUSIVE, ["sources-disagree"]) == (
        found.verdict,
        [gap.rule for gap in found.missing],
    )


def test_coarse_report_is_not_compared() -> None:
    """Buckets of a week against days are listed, never judged; so are hours across the window."""
    coarse = replace(Witnesses(report=reports(0.1)), trunc=7 * UNIT)
    assert "too coarse: its buckets of 7d" in str(reasons(judged(AFTER, coarse)))
    across = ReportCount(delivery="7", start=START - HOUR, length=2 * HOUR, sent=5)
    found = judged(AFTER, Witnesses(report=(across,), trunc=2 * HOUR))
    assert Verdict.PASSED == found.verdict
    assert "no bucket of it lies on one side" in reasons(found)[f"the {REPORT}"]


def test_same_records_same_verdict() -> None:
    """Judging cannot flake."""
    told = replace(log(BEFORE, AFTER, waiting=(0.0, 0.3)), report=reports(), trunc=HOUR)
    assert judged(AFTER, told) == judged(AFTER, told)
