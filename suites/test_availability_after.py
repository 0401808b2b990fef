# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""No single point stops sending, and it keeps pace as load grows."""

from wavegate.testing import Case, Judge, compare_availability_after


def test_it_survives_and_keeps_pace(case: Case, judge: Judge) -> None:
    """Planned stops are survived, and load steps are followed."""
    judge(compare_availability_after(case.availability))
