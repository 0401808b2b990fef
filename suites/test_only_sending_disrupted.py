# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""No other Campaign function is disrupted: each probed by itself, and its effect too."""

from wavegate.testing import Case, Judge, compare_only_sending_disrupted


def test_every_function_works_through_the_window(case: Case, judge: Judge) -> None:
    """Each function answers, and does its work, from the opening until the close has settled."""
    judge(compare_only_sending_disrupted(case.functions))
