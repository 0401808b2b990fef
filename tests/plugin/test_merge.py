# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Several judgements of a cell: the worst counts, and nothing that was said is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugin.test_wire import judgements

from wavegate.plugin.merge import merge
from wavegate.verdict import Judgement, worst


@given(st.lists(judgements, min_size=1, max_size=4))
def test_worst_counts_and_all_is_kept(found: list[Judgement]) -> None:
    """The verdict is the worst; every finding, gap, clearing and remark is there."""
    merged = merge(found)
    assert merged.verdict is worst(one.verdict for one in found)
    for field in ("findings", "missing", "cleared", "not_compared", "records", "remarks"):
        assert set(getattr(merged, field)) == {x for one in found for x in getattr(one, field)}


@given(st.lists(judgements, min_size=1, max_size=4))
def test_order_does_not_change_the_verdict(found: list[Judgement]) -> None:
    """Workers report in any order."""
    assert merge(found).verdict is merge(found[::-1]).verdict


def test_nothing_is_no_judgement() -> None:
    """Empty is never a pass."""
    with pytest.raises(ValueError, match="no judgement"):
        merge([])
