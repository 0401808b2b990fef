# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DMARC policy in effect is the same, and mail aligns."""

from wavegate.testing import Judge, Side, compare_dmarc


def test_same_policy_and_mail_aligns(before: Side, after: Side, judge: Judge) -> None:
    """Receivers apply the policy they applied before, and mail sent after passes it."""
    judge(compare_dmarc(before.dmarc, after.dmarc))
