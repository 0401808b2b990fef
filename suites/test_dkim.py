# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each selector publishes the same key, and mail sent after is signed and verifies."""

from wavegate.testing import Judge, Side, compare_dkim


def test_same_keys_and_mail_verifies(before: Side, after: Side, judge: Judge) -> None:
    """The keys are the ones of before, and mail that was sent after verifies with them."""
    judge(compare_dkim(before.dkim, after.dkim))
