# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The window as rows for a picture: per function and vantage, what each span of time was.

Spans follow each other without overlap; what nobody sampled is a gap, never a guess.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from wavegate.compare.episodes import counts, taken_as
from wavegate.compare.known_noise import mask_spans
from wavegate.compare.only_sending_disrupted import FunctionsCase
from wavegate.compare.outages import in_order
from wavegate.compare.spans import Span
from wavegate.record.timeline import Sample, Timeline, Watched

Looked = Literal["ok", "wrong", "silent", "unheard", "gap", "masked"]
PATIENCE = 2
"""A sample speaks for at most so many distances of two probes; what is longer is a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSpan:
    """A span of a row. state: what the samples in it said; masked and gap say nothing."""

    since: datetime
    until: datetime
    state: Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One function from one vantage. not_probed: why it has no spans, else None."""

    function: str
    vantage: str
    spans: tuple[RowSpan, ...]
    not_probed: str | None = None


def window_rows(case: FunctionsCase) -> tuple[Row, ...]:
    """The rows of an instance, by function and vantage; each from the watch's start to its end."""
    rows = (_row(case, line, found) for line in case.timelines for found in line.functions)
    return tuple(sorted(rows, key=lambda row: (row.function, row.vantage)))


def _row(case: FunctionsCase, line: Timeline, found: Watched) -> Row:
    if found.not_probed is not None:
        return Row(function=found.name, vantage=line.vantage, spans=(), not_probed=found.not_probed)
    whole = Span(since=line.began, until=line.ended)
    raw = in_order(line.of(found.name))
    masks = mask_spans(case.instance.masks, found.name, raw)
    judged = tuple(_states(raw, case.estate.policy.too_slow, masks))
    return Row(
        function=found.name,
        vantage=line.vantage,
        spans=tuple(_joined(_laid_out(judged, found.every, whole))),
    )


def _states(
    raw: tuple[Sample, ...], too_slow: timedelta, masks: tuple[Span, ...]
) -> Iterator[tuple[Sample, Looked]]:
    for sample in raw:
        if any(mask.holds(sample.sent) for mask in masks):
            yield sample, "masked"
        elif not counts(sample):
            yield sample, "unheard"
        else:
            yield sample, taken_as([sample], too_slow)[0].state


def _laid_out(
    judged: tuple[tuple[Sample, Looked], ...], every: timedelta, whole: Span
) -> Iterator[RowSpan]:
    """Each sample until the next, but no longer than it speaks for; gaps between."""
    reached = whole.since
    following = [sample.sent for sample, _ in judged[1:]] + [whole.until]
    for (sample, state), later in zip(judged, following, strict=False):
        reach = max(sample.ended, sample.sent + PATIENCE * every)
        since, until = max(reached, sample.sent), min(later, reach, whole.until)
        if since > reached:
            yield RowSpan(since=reached, until=since, state="gap")
        if until > since:
            yield RowSpan(since=since, until=until, state=state)
        reached = max(reached, since, until)
    if reached < whole.until:
        yield RowSpan(since=reached, until=whole.until, state="gap")


def _joined(spans: Iterable[RowSpan]) -> Iterator[RowSpan]:
    """Neighbours of one state as one."""
    last: RowSpan | None = None
    for span in spans:
        if last is not None and last.state == span.state and last.until == span.since:
            last = replace(last, until=span.until)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
