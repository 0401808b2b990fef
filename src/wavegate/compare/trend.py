# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether sending gets slower from night to night: a note, never a verdict.

CUSUM (Page 1954) on the logarithm of the rate, one-sided, allowance 0.5, alarm above 6; mean and
spread from the first 28 nights, since fewer make too many false alarms. An alarm is dated by the
optimal partition of the series (Killick 2012; at least five nights a piece, penalty 3 ln n).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

BASELINE = 28
ALLOWANCE = 0.5
ALARM = 6.0
LEAST = 5
PENALTY = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A rate that fell. began: index of the first night after the fall. before, after: rates."""

    began: int
    before: float
    after: float


def cusum(scores: Sequence[float]) -> tuple[float, ...]:
    """After each score z, c = max(0, c - z - 0.5): how far the scores have sunk."""
    found: list[float] = []
    last = 0.0
    for score in scores:
        last = max(0.0, last - score - ALLOWANCE)
        found.append(last)
    return tuple(found)


def falling(rates: Sequence[float]) -> Drop | None:
    """The fall that the last night's sum is an alarm of; None without one, or with few nights.

    rates: one a night, all positive, oldest first. Only the sum after the last night counts, so
    that a fall that was made good is no note.
    """
    if len(rates) <= BASELINE:
        return None
    logs = [math.log(rate) for rate in rates]
    mean, spread = fmean(logs[:BASELINE]), stdev(logs[:BASELINE])
    if spread == 0.0:
        spread = 1e-9  # a rate that never varied: any fall is one
    scores = [(value - mean) / spread for value in logs]
    if cusum(scores[BASELINE:])[-1] <= ALARM:
        return None
    began = _last_change(scores)
    return Drop(
        began=began,
        before=math.exp(fmean(logs[:began])),
        after=math.exp(fmean(logs[began:])),
    )


def _last_change(scores: Sequence[float]) -> int:
    """The last change point of the optimal partition, else where the last piece could begin."""
    cuts = partition(scores)
    return cuts[-1] if cuts else max(len(scores) - LEAST, 1)


def partition(scores: Sequence[float]) -> tuple[int, ...]:
    """Where the mean changes: indices of the first score of each piece but the first.

    Exact (optimal partitioning), quadratic in the number of scores, of which there are some dozen.
    """
    n = len(scores)
    if n < 2 * LEAST:
        return ()
    sums, squares = [0.0], [0.0]
    for score in scores:
        sums.append(sums[-1] + score)
        squares.append(squares[-1] + score * score)
    penalty = PENALTY * math.log(n)
    best, back = [-penalty] + [math.inf] * n, [0] * (n + 1)
    for end in range(LEAST, n + 1):
        for start in range(end - LEAST + 1):
            total, length = sums[end] - sums[start], end - start
            cost = best[start] + squares[end] - squares[start] - total * total / length + penalty
            if cost < best[end]:
                best[end], back[end] = cost, start
    return _walk(back, n)


def _walk(back: Sequence[int], end: int) -> tuple[int, ...]:
    cuts: list[int] = []
    while end > 0:
        end = back[end]
        if end > 0:
            cuts.insert(0, end)
    return tuple(cuts)
