# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Sending is not slower than before, by more than the agreed margin."""

from wavegate.testing import Case, Judge, compare_throughput


def test_sending_is_as_fast_as_before(case: Case, judge: Judge) -> None:
    """Relay and arrival are not slower than before the window, unit against unit."""
    judge(compare_throughput(case.throughput))
