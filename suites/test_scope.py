# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Exactly the affected instances move, each in one wave."""

from wavegate.testing import Case, Judge, compare_scope


def test_moves_in_its_one_wave_or_not_at_all(case: Case, judge: Judge) -> None:
    """An affected instance stands in one wave, and nothing outside the wave moves with it."""
    judge(compare_scope(case.scope))
