# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The tail by which shares convict is that of the documented test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from wavegate.compare.binomial import at_least


@given(st.data())
def test_the_tail_is_that_of_binomtest(data: st.DataObject) -> None:
    """The design names binomtest; what is used instead must give the same number."""
    n = data.draw(st.integers(1, 5000))
    bad = data.draw(st.integers(0, n))
    chance = data.draw(st.floats(0.001, 0.999))
    wanted = binomtest(bad, n, chance, alternative="greater").pvalue
    assert at_least(bad, n, chance) == pytest.approx(wanted, rel=1e-6, abs=1e-12)
