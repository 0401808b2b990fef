# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Measured clock skew, as bounds, carried into every claim that compares two clocks.

A server's stamp S in an answer to a question sent at t0 and heard at t1 was written in between, so
that its clock is ahead of ours by something in [S - t1, S - t0 + resolution]. Over many answers
the bounds are intersected; if nothing is left, the clock was stepped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.compare.outages import in_order
from wavegate.record.message import Received
from wavegate.record.timeline import Sample
from wavegate.record.trace import FIRST_YEAR, LAST_YEAR, date_of, sender_lines

NOTHING = timedelta()
HEADER_RESOLUTION = timedelta(seconds=1)
_BY_HOST = re.compile(r"(?:^|\s)by\s+([^\s;()]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewBounds:
    """How far a clock is ahead of ours: between least and most (negative: behind).

    source: whose clock. answers: how many it rests on. stepped: no single skew explains all
    answers; least and most then hold every one of them.
    """

    source: str
    least: timedelta
    most: timedelta
    answers: int
    stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """A server's clock that told an earlier time in the later of two answers."""

    earlier: Sample
    later: Sample
    back: timedelta


def skew(source: str, samples: Iterable[Sample]) -> SkewBounds | None:
    """The skew of the clock that some samples show; None where none shows one."""
    bounds = [bound for sample in samples if (bound := _bound(sample))]
    if not bounds:
        return None
    least, most = max(low for low, _ in bounds), min(high for _, high in bounds)
    stepped = least > most
    if stepped:
        least, most = min(low for low, _ in bounds), max(high for _, high in bounds)
    return SkewBounds(source=source, least=least, most=most, answers=len(bounds), stepped=stepped)


def _bound(sample: Sample) -> tuple[timedelta, timedelta] | None:
    if sample.stamp is None or not FIRST_YEAR <= sample.stamp.year <= LAST_YEAR:
        return None
    resolution = timedelta(microseconds=sample.resolution_us or 0)
    return sample.stamp - sample.ended, sample.stamp - sample.sent + resolution


def went_back(samples: Iterable[Sample], tolerance: timedelta) -> WentBack | None:
    """The first two answers, one after the other, in which the server's clock ran backwards.

    tolerance: a step that is not worth a finding (two fronts never agree to the millisecond).
    """
    latest: Sample | None = None
    for sample in in_order(samples):
        if sample.stamp is None:
            continue
        if latest is None or latest.stamp is None:
            latest = sample
            continue
        resolution = timedelta(microseconds=sample.resolution_us or 0)
        back = latest.stamp - sample.stamp - resolution
        if back > tolerance and sample.sent >= latest.ended:
            return WentBack(earlier=latest, later=sample, back=back)
        latest = max(latest, sample, key=_stamp)
    return None


def _stamp(sample: Sample) -> datetime:
    return sample.stamp or sample.sent


def own_hops(mail: Received) -> tuple[datetime, ...]:
    """The instants that the sender's own hops put on a mail, the last hop first."""
    dates = (date_of(line.rpartition(";")[2]) for line in sender_lines(mail))
    return tuple(date for date in dates if date is not None)


def written(mail: Received) -> datetime | None:
    """When the mail says that it was written: Date, or its first hop, whichever is earlier."""
    told = [*own_hops(mail)[-1:], *([date] if (date := date_of(mail.header("Date") or "")) else [])]
    return min(told, default=None)


def hop_by(mail: Received, host: str) -> datetime | None:
    """When a host took the mail over, by the topmost Received line that it wrote."""
    for line in mail.headers("Received"):
        found = _BY_HOST.search(line)
        if found and found[1].rstrip(".").lower() == host.rstrip(".").lower():
            return date_of(line.rpartition(";")[2])
    return None


def receiver_skew(mails: Iterable[Received]) -> SkewBounds | None:
    """How far the receiving side's clock can be from the sender's, as the mails show it.

    A mail arrives after its last hop let it go, so the receiver's clock is ahead by at most the
    shortest passage that any mail seems to have had. Where most seem to have arrived before they
    left, it is behind, by as much as all but a tenth of them show; where few do, those are set
    aside, so that no single wrong date blurs the window. None where no mail names a hop's time.
    """
    passages = sorted(mail.ended - hops[0] for mail in mails if (hops := own_hops(mail)))
    if not passages:
        return None
    behind = passages[len(passages) // 2] < NOTHING
    forward = [passage for passage in passages if passage >= NOTHING]
    return SkewBounds(
        source="the receiving side",
        least=min(NOTHING, passages[len(passages) // 10]) if behind else NOTHING,
        most=NOTHING if behind else forward[0],
        answers=len(passages),
    )
