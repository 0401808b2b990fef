# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Keeping pace as load grows, a part of `availability_after`: planned load steps and errors.

What is claimed is "kept pace up to load X, the highest seen", never more.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wavegate.compare.binomial import at_least
from wavegate.compare.statistics import Ratio, elasticity
from wavegate.compare.throughput_units import geometric, rate
from wavegate.record.rates import Bucket

_FACTOR = re.compile(r"(?:x\s*([0-9]+(?:\.[0-9]+)?)|([0-9]+(?:\.[0-9]+)?)\s*(?:x|times))\b")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:messages\s*)?(?:/|a|per)\s*min")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORDS = {"double": 2.0, "twice": 2.0, "triple": 3.0, "half": 0.5}
HIGH_SHARE = 0.05
SURE = 1e-4
BY_CHANCE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A planned load step. text: as the estate says it."""

    text: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the steps show. offered, reached: messages a minute at the highest load."""

    slope: Ratio | None
    offered: float
    reached: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """Errors that come with load. above: the share of the highest load from which on."""

    above: float
    share: float
    below: float


def offered(text: str, base: float) -> float | None:
    """The load of a step in words: `x2`, `2`, `double`, `200 %` of the base, or `2400/min`."""
    lower = text.lower().strip()
    if _BARE.fullmatch(lower):
        return base * float(lower)
    if match := _RATE.search(lower):
        return float(match[1])
    if match := _FACTOR.search(lower):
        return base * float(match[1] or match[2])
    if match := _PERCENT.search(lower):
        return base * float(match[1]) / 100
    return next((base * factor for word, factor in _WORDS.items() if word in lower), None)


def pace(after: Sequence[Bucket], steps: Sequence[Step]) -> Pace | None:
    """The elasticity over all after-buckets, in steps or outside; None where a step has none.

    A bucket that a step covers only in part belongs to neither.
    """
    calm = [b for b in after if b.sent and not any(_touches(b, step) for step in steps)]
    if not calm:
        return None
    base = geometric(calm)
    points = [(base, rate(b.sent, b.length)) for b in calm]
    highest, reached = 0.0, 0.0
    for step in steps:
        load, inside = offered(step.text, base), [b for b in after if _inside(b, step)]
        if load is None or load <= 0 or not inside:
            return None
        points += [(load, rate(b.sent, b.length)) for b in inside]
        if load > highest:
            highest, reached = load, geometric(inside)
    slope = elasticity([load for load, _ in points], [y for _, y in points])
    return Pace(slope=slope, offered=highest, reached=reached)


def _touches(bucket: Bucket, step: Step) -> bool:
    return bucket.start < step.until and bucket.end > step.since


def _inside(bucket: Bucket, step: Step) -> bool:
    return bucket.start >= step.since and bucket.end <= step.until


def overload(before: Sequence[Bucket], after: Sequence[Bucket]) -> Overload | None:
    """Errors above some load that are surely more than below it and before; None without.

    Loads in tenths of the highest seen after: the lowest bar that parts clean from bad buckets.
    Beyond chance by the one-sided binomial test.
    """
    tried = [b for b in after if b.sent + b.errors]
    if len(tried) < 2:
        return None
    highest = max(rate(b.sent + b.errors, b.length) for b in tried)
    usual = _share(before)
    for tenth in range(1, 10):
        bar = highest * tenth / 10
        high = [b for b in tried if rate(b.sent + b.errors, b.length) > bar]
        low = [b for b in tried if b not in high]
        if _is_clean(low, usual) and _is_bad(high, max(usual, _share(low))):
            return Overload(above=tenth / 10, share=_share(high), below=_share(low))
    return None


def _share(buckets: Sequence[Bucket]) -> float:
    tried = sum(b.sent + b.errors for b in buckets)
    return sum(b.errors for b in buckets) / tried if tried else 0.0


def _is_clean(low: Sequence[Bucket], usual: float) -> bool:
    """No bucket below the bar has errors beyond what is usual and 1 %."""
    return bool(low) and all(_share([b]) <= max(BY_CHANCE, 2 * usual) for b in low)


def _is_bad(high: Sequence[Bucket], usual: float) -> bool:
    if not high or _share(high) < HIGH_SHARE or any(_share([b]) <= BY_CHANCE for b in high):
        return False
    bad, tried = sum(b.errors for b in high), sum(b.sent + b.errors for b in high)
    return at_least(bad, tried, max(BY_CHANCE, min(usual, 0.5))) < SURE
