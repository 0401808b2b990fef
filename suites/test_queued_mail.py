# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every mail queued before the window is accounted for, and is resent exactly once."""

from wavegate.testing import Case, Judge, compare_queued_mail


def test_every_queued_mail_is_accounted_for(case: Case, judge: Judge) -> None:
    """Each queued mail ends in exactly one class, and the classes add up to the queue."""
    judge(compare_queued_mail(case.queue))
