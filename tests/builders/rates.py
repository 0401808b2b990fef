# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Rate histories of made-up senders, by unit of a day, with noise that repeats."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from statistics import fmean

from tests.builders.estates import END, START, estate, instance, wave
from tests.builders.snapshots import URL
from tests.builders.tiny_http import soap

from wavegate.compare.throughput import ThroughputCase
from wavegate.estate.model import Estate, Instance
from wavegate.estate.policy import Policy
from wavegate.record.observation import Observation, Seen
from wavegate.record.rates import DELIVERY, RATES, SERIES, STAT, Bucket, Part, RateHistory

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


def rate_answers(sides: Mapping[str, Iterable[Bucket]], at: datetime) -> tuple[Observation, ...]:
    """What an instance tells a capture: each side's buckets are of one delivery, named by id."""
    rows = {name: [_stat_row(name, bucket) for bucket in side] for name, side in sides.items()}
    answers = [
        _answer(STAT, "deliveryStat", found, f"rates {n} page 01", at)
        for n, found in enumerate(rows.values())
    ]
    states = [f'<delivery id="{name}" state="95" toDeliver="0"/>' for name in rows]
    return (*answers, _answer(DELIVERY, "delivery", states, "rates states", at))


def _stat_row(delivery: str, bucket: Bucket) -> str:
    date = bucket.start.strftime("%Y-%m-%d %H:%M:%S.000Z")
    return (
        f'<deliveryStat delivery-id="{delivery}" date="{date}" firstSuccess="{bucket.sent}" '
        f'firstError="{bucket.errors}" retriesSuccess="0" retriesError="0" '
        f'volume="{bucket.sent * 5000}"/>'
    )


def _answer(schema: str, name: str, rows: Iterable[str], body: str, at: datetime) -> Observation:
    inner = f"<{name}-collection>{''.join(rows)}</{name}-collection>"
    told = f'<ExecuteQueryResponse xmlns="urn:xtk:queryDef">{inner}</ExecuteQueryResponse>'
    action = "xtk:queryDef#ExecuteQuery"
    return Observation(
        kind="soap",
        subject=f"{URL} {action}",
        asked={"url": URL, "action": action, "schema": schema, SERIES: RATES, "body": body},
        heard={"status": "200"},
        outcome=Seen(soap(told)),
        at=at,
        took_us=1000,
        vantage="here",
    )
