# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Dev and staging move first; production in its time and after they are closed."""

from wavegate.testing import Case, Judge, compare_schedule


def test_moves_in_its_turn(case: Case, judge: Judge) -> None:
    """The window opens on time, and after the customer's dev and staging waves closed."""
    judge(compare_schedule(case.schedule))
