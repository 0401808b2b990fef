# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Seed delay, a part of `throughput`: the 95th percentile of runs, by Welch over runs.

A run is one burst of at least 20 seeds; seeds of one run share its fate, so the run is the unit.
Judged only where `plan --seeds` planned enough runs of enough seeds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from wavegate.compare.senders import shipment
from wavegate.compare.statistics import Ratio, p95, ratio
from wavegate.record.message import Received

RUNS = 20
SEEDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRun:
    """One burst of seeds.

    stream: `marketing`, `transactional`. delays: seconds from sending to arrival of those that
    came. planned: how many were scheduled.
    """

    stream: str
    at: datetime
    delays: tuple[float, ...]
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The delays of one stream: geometric mean of the runs' p95 on both sides, in seconds.

    dropped: runs whose p95 is not known. interval: of after/before, None below two runs a side.
    """

    stream: str
    runs: tuple[int, int]
    before: float | None
    after: float | None
    interval: Ratio | None
    dropped: int


def latencies(before: Iterable[SeedRun], after: Iterable[SeedRun]) -> tuple[Latency, ...]:
    """Per stream that was seen on either side, sorted by name."""
    old, new = tuple(before), tuple(after)
    streams = sorted({run.stream for run in (*old, *new)})
    return tuple(_latency(stream, old, new) for stream in streams)


def _latency(stream: str, old: tuple[SeedRun, ...], new: tuple[SeedRun, ...]) -> Latency:
    mine = [[run for run in side if run.stream == stream] for side in (old, new)]
    before, after = (
        [math.log(max(found, 1e-3)) for run in side if (found := _p95(run)) is not None]
        for side in mine
    )
    enough = min(len(before), len(after)) >= 2
    return Latency(
        stream=stream,
        runs=(len(before), len(after)),
        before=math.exp(math.fsum(before) / len(before)) if before else None,
        after=math.exp(math.fsum(after) / len(after)) if after else None,
        interval=ratio(after, before) if enough else None,
        dropped=sum(map(len, mine)) - len(before) - len(after),
    )


def _p95(run: SeedRun) -> float | None:
    return p95(run.delays, run.planned)


def runs_of(
    mails: Iterable[Received], *, planned: int = SEEDS, stream: str = "seeds", stem: str = ""
) -> tuple[SeedRun, ...]:
    """Runs as they arrived: the mails of one delivery, delayed against their own Date header.

    planned: how many seeds each run had. stem: what the addresses of its seeds hold, and no
    other; mail to others is in no run. Mails without a delivery or a Date are in none either.
    """
    held: dict[str, list[tuple[datetime, float]]] = {}
    for mail in mails:
        if stem and not any(stem in to for to in mail.recipients):
            continue
        sent, delivery = _sent(mail), shipment(mail).delivery
        if delivery and sent is not None:
            delay = max(timedelta(), mail.ended - sent).total_seconds()
            held.setdefault(delivery, []).append((sent, delay))
    runs = (
        SeedRun(
            stream=stream,
            at=min(sent for sent, _ in found),
            delays=tuple(delay for _, delay in found[:planned]),
            planned=planned,
        )
        for found in held.values()
    )
    return tuple(sorted(runs, key=lambda run: (run.at, run.delays)))


def _sent(mail: Received) -> datetime | None:
    """The Date header (RFC 5322 3.6.1) as an instant, or None where it names no zone."""
    try:
        found = parsedate_to_datetime(mail.header("Date") or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else None
