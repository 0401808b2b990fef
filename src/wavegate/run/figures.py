# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The plots of a run: what people would rather look at than read, drawn from the frozen records."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from wavegate.compare.only_sending_disrupted import FunctionsCase
from wavegate.compare.window_rows import Row, window_rows
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.shelf import Shelf
from wavegate.record.rates import Bucket, read_history, waiting_at
from wavegate.report.html import Plot
from wavegate.report.plots import (
    FunctionRow,
    QueueFigure,
    QueuePoint,
    RateFigure,
    RatePoint,
    State,
    StateSpan,
    WindowFigure,
    queue_svg,
    rate_svg,
    window_svg,
)

MOST_INSTANCES = 12
"""Instances that are drawn; a page of hundreds would be looked at by nobody."""
PENDING = 6
PPM = 1_000_000
LEAST_POINTS = 3
_STATES: dict[str, State] = {"ok": "ok", "wrong": "wrong", "silent": "silent"}


def figures(shelf: Shelf, dossier: Dossier) -> tuple[Plot, ...]:
    """The plots of an instance: window, rate, queue, as far as there is data."""
    return tuple(_of(shelf, dossier))


def _of(shelf: Shelf, dossier: Dossier) -> Iterator[Plot]:
    rows = window_rows(
        FunctionsCase(
            estate=dossier.estate,
            wave=dossier.wave,
            instance=dossier.instance,
            at=dossier.at,
            timelines=dossier.timelines,
        )
    )
    if any(row.spans for row in rows):
        yield _window(shelf, dossier, rows)
    yield from _rate(shelf, dossier)
    yield from _queue(shelf, dossier)


def _window(shelf: Shelf, dossier: Dossier, rows: Sequence[Row]) -> Plot:
    title = f"{dossier.instance.name}: each function around the window"
    drawn = tuple(
        FunctionRow(
            name=row.function,
            spans=tuple(
                StateSpan(since=s.since, until=s.until, state=_STATES.get(s.state, "gap"))
                for s in row.spans
            ),
        )
        for row in rows
        if row.spans
    )
    figure = WindowFigure(
        title=title, opening=shelf.window.start, close=shelf.window.end, rows=drawn
    )
    return Plot(title=title, svg=window_svg(figure))


def _rate(shelf: Shelf, dossier: Dossier) -> Iterator[Plot]:
    chosen = [side for side in (dossier.before, dossier.after) if side]
    snapshots = tuple(taken for side in chosen for taken in side.attempts)
    close = shelf.window.end
    queued = waiting_at(dossier.looks, close)
    buckets = read_history(snapshots, close=close, queued=queued).buckets
    before = [_a_minute(b) for b in buckets if b.loaded and b.end <= shelf.window.start]
    if len(before) < LEAST_POINTS:
        return
    expected = fmean(before)
    margin = dossier.estate.policy.throughput_margin / PPM
    title = f"{dossier.instance.name}: messages relayed a minute, before and after"
    figure = RateFigure(
        title=title,
        opening=shelf.window.start,
        close=shelf.window.end,
        points=tuple(
            RatePoint(at=b.start, rate=_a_minute(b), counted=b.loaded and not b.backlog)
            for b in buckets
        ),
        expected=expected,
        floor=expected * (1 - margin),
    )
    yield Plot(title=title, svg=rate_svg(figure))


def _a_minute(bucket: Bucket) -> float:
    return bucket.sent * 60 / bucket.length.total_seconds()


def _queue(shelf: Shelf, dossier: Dossier) -> Iterator[Plot]:
    looks = [look for look in dossier.looks if look.complete]
    if len(looks) < LEAST_POINTS:
        return
    title = f"{dossier.instance.name}: queued mails that still wait"
    figure = QueueFigure(
        title=title,
        opening=shelf.window.start,
        close=shelf.window.end,
        points=tuple(
            QueuePoint(at=look.began, waiting=sum(row.status == PENDING for row in look.rows))
            for look in looks
        ),
    )
    yield Plot(title=title, svg=queue_svg(figure))
