# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every customer was told in time before the window opened."""

from wavegate.testing import Case, Judge, compare_notice


def test_customer_was_told_of_this_window(case: Case, judge: Judge) -> None:
    """A notice of this very window was sent early enough; a moved window restarts the clock."""
    judge(compare_notice(case.notice))
