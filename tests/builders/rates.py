# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Rate histories of made-up senders, by unit of a day, with noise that repeats."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from statistics import fmean

from tests.builders.estates import END, START, estate, instance, wave

from wavegate.compare.throughput import ThroughputCase
from wavegate.estate.model import Estate, Instance
from wavegate.estate.policy import Policy
from wavegate.record.rates import Bucket, Part, RateHistory

UNIT = timedelta(hours=24)
PER_UNIT = 24
Rate = Callable[[datetime, int], float]
"""Messages a minute at an instant; and the number of the unit, 0 for the first of its side."""


def steady(rate: float) -> Rate:
    """The same rate always."""
    return lambda _at, _unit: rate


def side(
    since: datetime,
    units: int,
    rate: Rate,
    *,
    noise: float = 0.04,
    seed: int = 1,
    unit: timedelta = UNIT,
    per_unit: int = PER_UNIT,
    loaded: bool = True,
) -> tuple[Bucket, ...]:
    """Buckets of some units from an instant on; the noise is zero in the mean."""
    random = Random(seed)  # noqa: S311 - noise of a made-up world, the same each time
    length = unit / per_unit
    minutes = length / timedelta(minutes=1)
    shifts = [random.gauss(0, noise) for _ in range(units * per_unit)]
    middle = fmean(shifts) if shifts else 0.0
    return tuple(
        Bucket(
            start=(at := since + n * length),
            length=length,
            sent=round(rate(at, n // per_unit) * minutes * (1 + shift - middle)),
            loaded=loaded,
        )
        for n, shift in enumerate(shifts)
    )


def history(before: tuple[Bucket, ...], after: tuple[Bucket, ...]) -> RateHistory:
    """Both sides as they were read back."""
    return RateHistory(buckets=(*before, *after), asked=True, records=("r" * 64,))


def before_side(
    rate: float | Rate = 1200.0, units: int = 14, **other: object
) -> tuple[Bucket, ...]:
    """The units that end at the opening."""
    found = rate if callable(rate) else steady(rate)
    return side(START - units * UNIT, units, found, **other)  # type: ignore[arg-type] # passed on


def after_side(rate: float | Rate, units: int = 7, **other: object) -> tuple[Bucket, ...]:
    """The units that begin at the close."""
    found = rate if callable(rate) else steady(rate)
    fields: dict[str, object] = {"seed": 2} | other
    return side(END, units, found, **fields)  # type: ignore[arg-type] # passed on


def with_part(buckets: tuple[Bucket, ...], name: str, share: float) -> tuple[Bucket, ...]:
    """The same buckets with a part that has a share of the messages."""
    return tuple(
        replace(b, parts=(Part(name=name, sent=round(b.sent * share), loaded=b.loaded),))
        for b in buckets
    )


def throughput_case(
    before: tuple[Bucket, ...], after: tuple[Bucket, ...], **other: object
) -> ThroughputCase:
    """The case of acme-prod1, asked right after the last bucket."""
    mine = instance()
    at = max((b.end for b in (*before, *after)), default=END) + timedelta(minutes=5)
    fields: dict[str, object] = {
        "estate": estate(mine),
        "wave": wave(),
        "instance": mine,
        "at": max(at, END + timedelta(minutes=5)),
        "rates": history(before, after),
    }
    return ThroughputCase(**(fields | other))  # type: ignore[arg-type] # test data of known shape


def with_policy(mine: Instance, **policy: object) -> Estate:
    """An estate whose policy differs in some keys."""
    return estate(mine, policy=Policy.model_validate(policy))
