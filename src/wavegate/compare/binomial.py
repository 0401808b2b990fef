# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The tail of the binomial distribution, without importing scipy.stats (half a second of CPU)."""


def at_least(bad: int, n: int, chance: float) -> float:
    """P(so many of n or more): the p-value of `scipy.stats.binomtest(bad, n, chance, "greater")`.

    A test holds it to that.
    """
    if bad <= 0:
        return 1.0
    from scipy.special import bdtrc  # noqa: PLC0415 - not needed where nothing was bad

    return float(bdtrc(bad - 1, n, chance))
