# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each sending IP has the PTR it had, and it forward-confirms."""

from wavegate.testing import Judge, Side, compare_reverse_dns


def test_same_names_that_forward_confirm(before: Side, after: Side, judge: Judge) -> None:
    """Each address has the names it had, and one of them leads back to it."""
    judge(compare_reverse_dns(before.reverse_dns, after.reverse_dns))
