# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Outages from probes: bounds instead of points, and what could hide between the probes.

A probe that was sent at s and rightly answered at r worked at some time in [s, r]; one that was
given up at g was bad at some time in [s, g]. Everything here follows from these two sentences.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import format_instant
from wavegate.compare.coverage import rogue_bound
from wavegate.compare.spans import NOTHING, spelled
from wavegate.record.timeline import Sample

NOISE_LEVELS = (0.001, 0.005, 0.01, 0.02, 0.05)
MOST_CONFIRM = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An instant that lies between two others; None where nothing bounds it on that side."""

    earliest: datetime | None
    latest: datetime | None

    def __str__(self) -> str:
        if self.earliest is None and self.latest is None:
            return "unknown"
        if self.latest is None:
            return f"not before {_text(self.earliest)}"
        if self.earliest is None:
            return f"not after {_text(self.latest)}"
        return f"between {_text(self.earliest)} and {_text(self.latest)}"


def _text(instant: datetime | None) -> str:
    return "unknown" if instant is None else format_instant(instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which a function was bad. samples: the bad ones, by sending.

    start, end: bounds of its edges; start.earliest is None where no good answer came before,
    end.latest is None where none followed.
    """

    samples: tuple[Sample, ...]
    start: Bounds
    end: Bounds

    @property
    def shortest(self) -> timedelta:
        """The least that it lasted."""
        if self.end.earliest is None or self.start.latest is None:
            return NOTHING
        return max(NOTHING, self.end.earliest - self.start.latest)

    @property
    def longest(self) -> timedelta | None:
        """The most that it can have lasted; None where an edge was not seen."""
        if self.end.latest is None or self.start.earliest is None:
            return None
        return self.end.latest - self.start.earliest

    @property
    def lasted(self) -> str:
        """How long it lasted, as bounds."""
        most = "unknown" if self.longest is None else spelled(self.longest)
        return f"{spelled(self.shortest)} to {most}"


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples by sending, each once: what is judged never depends on the order of reading."""
    return tuple(sorted(set(samples), key=_key))


def _key(sample: Sample) -> tuple[datetime, datetime, str, str, str, str]:
    value = sample.value or ""
    return sample.sent, sample.ended, sample.function, sample.state, sample.detail, value


def outages(samples: Iterable[Sample]) -> tuple[Outage, ...]:
    """The outages that some samples of one function show, in order.

    Two bad samples belong to one outage unless a good one lies between them without overlapping
    either. Samples that say nothing (unheard) must have been left out.
    """
    groups: list[list[Sample]] = []
    edges: list[tuple[datetime | None, datetime | None]] = []
    good_since: datetime | None = None
    for sample, separates in _marked(in_order(samples)):
        if sample.state != "ok":
            if not groups or edges[-1][1] is not None:
                groups.append([])
                edges.append((good_since, None))
            groups[-1].append(sample)
        elif separates:
            good_since = sample.sent
            if groups and edges[-1][1] is None:
                edges[-1] = (edges[-1][0], sample.ended)
    return tuple(_outage(group, *edge) for group, edge in zip(groups, edges, strict=True))


def _marked(samples: tuple[Sample, ...]) -> Iterable[tuple[Sample, bool]]:
    """Each sample, and whether it overlaps no bad one."""
    following: list[datetime | None] = []
    next_bad: datetime | None = None
    for sample in reversed(samples):
        following.append(next_bad)
        next_bad = sample.sent if sample.state != "ok" else next_bad
    given_up: datetime | None = None
    for sample, later in zip(samples, reversed(following), strict=True):
        after = given_up is None or sample.sent >= given_up
        yield sample, after and (later is None or sample.ended <= later)
        if sample.state != "ok":
            given_up = max(given_up or sample.ended, sample.ended)


def _outage(bad: list[Sample], good_before: datetime | None, good_after: datetime | None) -> Outage:
    return Outage(
        samples=tuple(bad),
        start=Bounds(earliest=good_before, latest=min(sample.ended for sample in bad)),
        end=Bounds(earliest=max(sample.sent for sample in bad), latest=good_after),
    )


def chance_seen(outage: timedelta, every: timedelta, confirm: int) -> float:
    """P(an outage of that length makes `confirm` bad probes in a row): clip(d/p - k + 1, 0, 1)."""
    return min(1.0, max(0.0, outage / every - confirm + 1))


def chance_all_missed(outage: timedelta, every: timedelta, times: int) -> float:
    """P(no probe falls into any of several outages shorter than the distance of two probes)."""
    return float(max(0.0, 1.0 - outage / every) ** times)


def false_outage(confirm: int, probes: int, noise: float) -> float:
    """P(`confirm` failures in a row somewhere) among independent probes that fail with `noise`.

    Exact, by the chance of reaching each length of the running row.
    """
    rows = [1.0] + [0.0] * (confirm - 1)
    reached = 0.0
    for _ in range(probes):
        reached += rows[-1] * noise
        rows = [math.fsum(rows) * (1.0 - noise), *(row * noise for row in rows[:-1])]
    return reached


def confirm_needed(probes: int, noise: float, alpha: float) -> int:
    """The fewest failures in a row that noise alone makes with a chance of at most alpha."""
    found = (k for k in range(1, MOST_CONFIRM) if false_outage(k, probes, noise) <= alpha)
    return next(found, MOST_CONFIRM)


def surely_seen(samples: Sequence[Sample], confirm: int) -> timedelta | None:
    """The shortest outage that these samples could not have missed, however it lay between them.

    An outage that begins just after a sample must reach over the next `confirm` of them. Within
    the first and last sample; None where there are too few samples to see any.
    """
    sent = [sample.sent for sample in in_order(samples)]
    steps = [late - early for early, late in zip(sent, sent[confirm:], strict=False)]
    return max(steps, default=None)


def could_hide(function: str, samples: Sequence[Sample], confirm: int) -> str:
    """The sentence of what the samples cannot exclude."""
    seen, n = surely_seen(samples, confirm), len(samples)
    if seen is None:
        return f"{function}: any outage, {n} samples are too few for {confirm} in a row"
    share = f"{rogue_bound(n):.2%}"
    return (
        f"{function}: no outage of {spelled(seen)} or more; shorter ones could hide between "
        f"{n} samples (at most {share} of the time bad, 95 %)"
    )
