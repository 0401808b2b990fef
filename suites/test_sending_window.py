# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""No mail leaves during the window, and sending is back when it closes, from every sending IP."""

from wavegate.testing import Case, Judge, compare_sending_window


def test_sending_stops_and_is_back(case: Case, judge: Judge) -> None:
    """Nothing leaves inside the window, and each sending IP delivers again after it."""
    judge(compare_sending_window(case.window))
