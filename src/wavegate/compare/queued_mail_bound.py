# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a sample of a queue can hide: bounds at 95 %, exact, without random numbers."""

import math

DOUBT = 0.05


def lost_bound(met: int) -> float:
    """The share that may be lost although none of so many was: 1 - .05^(1/n); 1 for none."""
    return 1 - DOUBT ** (1 / met) if met else 1.0


def hidden(met: int, queue: int) -> int:
    """The highest number of lost messages in a queue that meeting so many may have missed.

    Hypergeometric: a sample of `met` out of `queue` without replacement that holds no lost one.
    """
    low, high = 0, queue - met
    while low < high:
        middle = (low + high + 1) // 2
        if _all_missed(met, queue, middle) > DOUBT:
            low = middle
        else:
            high = middle - 1
    return low


def needed(queue: int, lost: int) -> int:
    """How many of a queue must be met so that so many lost ones show with 95 %."""
    low, high = 0, queue
    while low < high:
        middle = (low + high) // 2
        if _all_missed(middle, queue, lost) > DOUBT:
            low = middle + 1
        else:
            high = middle
    return low


def _all_missed(met: int, queue: int, lost: int) -> float:
    """The chance that a sample holds none of the lost ones: C(Q-L, n) / C(Q, n).

    Rounded to nine digits, so that a chance of exactly .05 is not more than .05.
    """
    if lost > queue - met:
        return 0.0
    logarithm = (
        math.lgamma(queue - lost + 1)
        - math.lgamma(queue - lost - met + 1)
        - math.lgamma(queue + 1)
        + math.lgamma(queue - met + 1)
    )
    return round(math.exp(logarithm), 9)
