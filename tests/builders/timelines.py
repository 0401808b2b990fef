# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Timelines of a made-up watch over a made-up window; minutes count from the opening."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from tests.builders.estates import START, WAVE

from wavegate.record.snapshot import Tool
from wavegate.record.timeline import Gap, Sample, State, Timeline, Watched

TOOL = Tool(version="1.4.0", source="5" * 64)
EVERY = timedelta(seconds=5)
LATENCY = timedelta(milliseconds=200)
SETTLED = 135.0

Shape = Callable[[float], Mapping[str, object]]


def at(minute: float) -> datetime:
    """An instant, in minutes from the opening."""
    return START + timedelta(minutes=minute)


def sample(
    minute: float,
    state: State = "ok",
    detail: str = "HTTP 200",
    *,
    function: str = "tracking",
    heard: bool = True,
    took: timedelta = LATENCY,
    value: str | None = None,
    stamp: datetime | None = None,
    resolution_us: int | None = None,
) -> Sample:
    """One sample; healthy unless said otherwise."""
    return Sample(
        function=function,
        sent=at(minute),
        ended=at(minute) + took,
        state=state,
        detail=detail,
        heard=heard,
        value=value,
        stamp=stamp,
        resolution_us=resolution_us,
    )


def every(
    function: str = "tracking",
    *,
    since: float = -30,
    until: float = SETTLED,
    step: timedelta = EVERY,
    shape: Shape = lambda _: {},
) -> tuple[Sample, ...]:
    """Samples at equal distances. shape: what differs from a healthy one, by the minute."""
    count = round((until - since) * 60 / step.total_seconds())
    minutes = (since + n * step.total_seconds() / 60 for n in range(count + 1))
    return tuple(sample(m, function=function, **shape(m)) for m in minutes)  # type: ignore[arg-type] # test data of known shape


def bad(
    since: float, until: float, state: State = "wrong", detail: str = "HTTP 502", **more: object
) -> Shape:
    """A shape that is bad from one minute to another."""
    fields = {"state": state, "detail": detail, **more}
    return lambda minute: fields if since <= minute < until else {}


def watched(name: str = "tracking", **more: object) -> Watched:
    """A function as it is probed."""
    fields: dict[str, object] = {"name": name, "every": EVERY, "expects": "HTTP 200"}
    return Watched(**(fields | more))  # type: ignore[arg-type] # test data of known shape


def timeline(
    *samples: Iterable[Sample],
    functions: Iterable[Watched] | None = None,
    gaps: Iterable[Gap] = (),
    began: float = -30,
    ended: float = SETTLED,
    settled: bool = True,
    vantage: str = "here",
) -> Timeline:
    """A timeline of samples; its functions are those of the samples, at five seconds."""
    found = tuple(sorted((s for group in samples for s in group), key=lambda s: s.sent))
    names = dict.fromkeys(s.function for s in found)
    return Timeline(
        instance="acme-prod1",
        customer="acme",
        wave=WAVE,
        vantage=vantage,
        tool=TOOL,
        began=at(began),
        ended=at(ended),
        settled=settled,
        functions=tuple(functions) if functions else tuple(watched(name) for name in names),
        samples=found,
        gaps=tuple(gaps),
        digest="7" * 64,
    )
