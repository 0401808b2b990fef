# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Seed delay: runs as they arrive, streams apart, runs with too many missing seeds left out."""

from datetime import timedelta
from email.utils import format_datetime

from tests.builders.estates import END
from tests.builders.mails import mail

from wavegate.compare.latency import SeedRun, latencies, runs_of


def test_runs_are_deliveries_and_delays_are_against_their_date() -> None:
    """Twenty seeds of one delivery, ten seconds late; a mail without a Date is in no run."""
    dated = {"Date": format_datetime(END)}
    seeds = [mail(n=n, at=END + timedelta(seconds=10), headers=dated) for n in range(20)]
    (found,) = runs_of([*seeds, mail(n=99, at=END)])
    assert (END, 20) == (found.at, found.planned)
    assert tuple(10.0 + n for n in range(20)) == found.delays


def run(p95: float, *, stream: str, missing: int = 0) -> SeedRun:
    """A run of twenty whose delays all are the same, some of them missing."""
    return SeedRun(stream=stream, at=END, delays=(p95,) * (20 - missing), planned=20)


def test_streams_are_apart_and_lost_runs_are_counted() -> None:
    """A run that misses two of twenty has no known p95."""
    before = [run(8, stream="a"), run(9, stream="a"), run(5, stream="b")]
    after = [run(8, stream="a"), run(9, stream="a"), run(8, stream="a", missing=2)]
    first, second = latencies(before, after)
    assert ("a", (2, 2), 1) == (first.stream, first.runs, first.dropped)
    assert first.interval is not None
    assert ("b", (1, 0), None) == (second.stream, second.runs, second.interval)
