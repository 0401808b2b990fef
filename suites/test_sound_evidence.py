# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The records judged are complete, signed, and from the right time and tool."""

from wavegate.testing import Case, Judge, compare_sound_evidence


def test_records_can_be_relied_on(case: Case, judge: Judge) -> None:
    """The records are whole, in their place and time, and were taken after the move."""
    judge(compare_sound_evidence(case.evidence))
