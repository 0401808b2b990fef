# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rate history of an instance, as rows of nms:deliveryStat at an instant. Pure.

Before the opening one delivery keeps all lines busy; from when mail leaves again, another one does.
What had waited is one row of its own.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from wavegate.lab.backlog import ACCEPTED, FAILED, SENT
from wavegate.lab.campaign_functions import Rates
from wavegate.lab.clockwork import BEFORE, BUCKETS, Clockwork

OLD_DELIVERY, NEW_DELIVERY, SINGLE_DELIVERY = 5001, 5002, 5100
LARGE_STREAM = 10
"""How far the delivery of large messages is from that of the others."""
MINUTES = 60
"""Announced minutes of a window."""
BYTES, LARGE_BYTES = 30_000, 350_000
USUAL_ERRORS = 0.002
BURST_UNITS = 0.75
FEWER_BUCKETS = 8
"""Of a unit, where what really leaves is counted: a whole number of milliseconds each."""
IDLE_EVERY = 6
PUT_OFF_UNIT, PUT_OFF_SHARE, PUT_OFF_ROWS = 5, 0.3, 12
"""The unit after in which a receiver puts mail off, its share of the mail, and how many replies a
bucket of the log tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """A planned load step: so many times the load, from when to when."""

    factor: float
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """One row: delivery, start of its bucket, messages sent and refused, bytes of each."""

    delivery: int
    date: datetime
    sent: int
    errors: int
    size: int = BYTES


def before(name: str, clock: Clockwork, rates: Rates, at: datetime) -> Iterator[Stat]:
    """The rows of buckets that have ended before the opening, and are not yet purged."""
    bucket = clock.bucket
    newest = min((at - clock.opens) // bucket, 0)
    for number in range(newest - BEFORE * BUCKETS, 0):
        if clock.opens + (number + 1) * bucket <= at:
            yield from _old(name, clock, rates, number)


@lru_cache(maxsize=1 << 16)
def _old(name: str, clock: Clockwork, rates: Rates, number: int) -> tuple[Stat, ...]:
    """The rows of a bucket before the opening; what was is kept, since each query asks again."""
    start = clock.opens + number * clock.bucket
    found = _stat(OLD_DELIVERY, start, _sent(name, clock, rates, number, rates.factor))
    return tuple(_by_size(found, rates))


def after(
    name: str,
    clock: Clockwork,
    rates: Rates,
    resumed: datetime,
    at: datetime,
    steps: tuple[LoadStep, ...],
) -> Iterator[Stat]:
    """The rows since mail leaves again, of buckets that have ended."""
    bucket = clock.bucket
    first = number = math.ceil((max(resumed, clock.closes) - clock.opens) / bucket)
    while clock.opens + (number + 1) * bucket <= at:
        yield from _new(name, clock, rates, number, first, steps)
        number += 1


@lru_cache(maxsize=1 << 17)
def _new(
    name: str,
    clock: Clockwork,
    rates: Rates,
    number: int,
    first: int,
    steps: tuple[LoadStep, ...],
) -> tuple[Stat, ...]:
    """The rows of a bucket since mail leaves again; kept as those of before are."""
    spent = rates.spent and (number - first) / BUCKETS >= BURST_UNITS
    if rates.idle or spent:
        return tuple(_idle(clock.opens + number * clock.bucket, number))
    if by_night(number) or not rates.by_night_only:
        return tuple(_by_size(_loaded(name, clock, rates, number, first, steps), rates))
    return ()


def by_night(number: int) -> bool:
    """Whether a bucket lies in the first half of its unit."""
    return number % BUCKETS < BUCKETS // 2


def put_off(clock: Clockwork, rates: Rates, resumed: datetime, at: datetime) -> Iterator[datetime]:
    """The instants at which a receiver put a message off, as the log tells them."""
    first = math.ceil((max(resumed, clock.closes) - clock.opens) / clock.bucket)
    for number in range(first + PUT_OFF_UNIT * BUCKETS, first + (PUT_OFF_UNIT + 1) * BUCKETS):
        start = clock.opens + number * clock.bucket
        if rates.put_off and start + clock.bucket <= at:
            yield from (start + clock.bucket * n / PUT_OFF_ROWS for n in range(PUT_OFF_ROWS))


def counted(
    clock: Clockwork, left: Iterable[datetime], resumed: datetime | None, at: datetime
) -> Iterator[Stat]:
    """The rows of what really left, in eighths of a unit, of those that have ended.

    left: when each message left. resumed: since when mail leaves again, None before that.
    """
    length = clock.unit / FEWER_BUCKETS
    counts = Counter((when - clock.opens) // length for when in left)
    for number in sorted(counts):
        start = clock.opens + number * length
        if start + length <= at and (number < 0 or (resumed and start >= resumed)):
            delivery = OLD_DELIVERY if number < 0 else NEW_DELIVERY
            yield _stat(delivery, start, counts[number])


def fates(stat: Stat, rates: Rates, *, feedback: bool) -> tuple[tuple[int, int], ...]:
    """What the log says of a row's messages: statuses with their counts.

    feedback: whether Sent means delivered, so that what waits in the spool is told apart.
    """
    arrived = round(stat.sent * rates.arrives) if feedback else stat.sent
    return ((SENT, arrived), (ACCEPTED, stat.sent - arrived), (FAILED, stat.errors))


def _idle(start: datetime, number: int) -> Iterator[Stat]:
    """Now and then a delivery of one message."""
    if number % IDLE_EVERY == 0:
        yield Stat(delivery=SINGLE_DELIVERY + number, date=start, sent=1, errors=0)


def _loaded(
    name: str,
    clock: Clockwork,
    rates: Rates,
    number: int,
    first: int,
    steps: tuple[LoadStep, ...],
) -> Stat:
    start = clock.opens + number * clock.bucket
    step = next((s for s in steps if s.since <= start and start + clock.bucket <= s.until), None)
    units = (number - first) / BUCKETS
    factor = rates.factor * (1 - rates.decay) ** units
    if rates.burst is not None and units < BURST_UNITS:
        factor = rates.burst
    if step is not None and not rates.flat:
        factor *= step.factor
    if rates.put_off and PUT_OFF_UNIT <= units < PUT_OFF_UNIT + 1:
        factor *= 1 - PUT_OFF_SHARE
    found = _stat(NEW_DELIVERY, start, _sent(name, clock, rates, number, factor))
    return _refused(found, rates.errors_under_load) if step is not None else found


def _by_size(stat: Stat, rates: Rates) -> Iterator[Stat]:
    """A row, and where there are large messages a second one for those."""
    yield stat
    if rates.large:
        yield replace(
            stat,
            delivery=stat.delivery + LARGE_STREAM,
            sent=round(stat.sent * rates.large * rates.large_factor),
            errors=0,
            size=LARGE_BYTES,
        )


def _stat(delivery: int, start: datetime, sent: int) -> Stat:
    return _refused(Stat(delivery=delivery, date=start, sent=sent, errors=0), USUAL_ERRORS)


def _refused(stat: Stat, share: float) -> Stat:
    tried = stat.sent + stat.errors
    errors = round(tried * max(share, USUAL_ERRORS))
    return replace(stat, sent=tried - errors, errors=errors)


def _sent(name: str, clock: Clockwork, rates: Rates, number: int, factor: float) -> int:
    minutes = clock.bucket / clock.window * MINUTES
    if by_night(number):
        factor *= rates.night
    noise = rates.noise * _paired(name, number) + rates.unsteady * _unit(name, number)
    return round(rates.per_minute * minutes * factor * math.exp(noise))


def _paired(name: str, number: int) -> float:
    """What a bucket has too much, its neighbour has too little: a unit as a whole is steady."""
    found = _deviate(f"{name} {number // 2}")
    return found if number % 2 else -found


def _unit(name: str, number: int) -> float:
    return _deviate(f"{name} unit {number // BUCKETS}")


@lru_cache(maxsize=1 << 18)
def _deviate(seed: str) -> float:
    """A number of mean 0 and deviation 1, the same for the same seed: a sum of twelve uniforms."""
    drawn = hashlib.sha256(seed.encode()).digest()
    uniform = (int.from_bytes(drawn[2 * k : 2 * k + 2]) / 65_535 for k in range(12))
    return sum(uniform) - 6
