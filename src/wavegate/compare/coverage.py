# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How many messages show that a sending IP is used or not: occupancy and binomial bounds.

For shares w of a pool, n independent messages leave some IP unseen with a chance of at most the
sum of (1 - w)^n (union bound). Shares are lower bounds (Clopper and Pearson 1934), learned from
the counts before.
"""

import math
from collections.abc import Iterable, Sequence

CONFIDENCE = 0.05
_STEPS = 60
_NEVER = 10**9


def lower_bound(hits: int, total: int, alpha: float = CONFIDENCE) -> float:
    """The one-sided Clopper-Pearson lower bound of a share: 6 of 200 at 5 % is 0.0131.

    Solves P(X >= hits | total, p) = alpha for p. ValueError unless 0 <= hits <= total.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no share")
    if hits == 0:
        return 0.0
    low, high = 0.0, hits / total
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_least(hits, total, middle) < alpha:
            low = middle
        else:
            high = middle
    return low


def _at_least(hits: int, total: int, share: float) -> float:
    """P(X >= hits) for X binomial; the shorter of the two tails is summed."""
    if hits > total / 2:
        return math.fsum(_mass(k, total, share) for k in range(hits, total + 1))
    return 1.0 - math.fsum(_mass(k, total, share) for k in range(hits))


def _mass(k: int, total: int, share: float) -> float:
    if share in (0.0, 1.0):
        return float(k == total * share)
    ways = math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
    return math.exp(ways + k * math.log(share) + (total - k) * math.log1p(-share))


def chance_of_missing(shares: Iterable[float], n: int) -> float:
    """An upper bound of the chance that n messages leave at least one of these unseen."""
    return min(1.0, math.fsum((1.0 - share) ** n for share in shares))


def messages_needed(shares: Sequence[float], alpha: float) -> int:
    """The smallest n with `chance_of_missing` at most alpha; a billion where no n suffices.

    For a whole pool it is the need; for the unseen alone it is how many more settle it.
    """
    if not shares:
        return 0
    if min(shares) <= 0.0:
        return _NEVER
    low, high = 0, 1
    while chance_of_missing(shares, high) > alpha and high < _NEVER:
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        if chance_of_missing(shares, middle) > alpha:
            low = middle
        else:
            high = middle
    return min(high, _NEVER)


def rogue_bound(n: int) -> float:
    """The largest share of mail that another address may carry unseen after n clean messages.

    1 - 0.05^(1/n), 95 % one-sided; 1 for no message.
    """
    return 1.0 if n <= 0 else 1.0 - CONFIDENCE ** (1.0 / n)
