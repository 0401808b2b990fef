# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sending IPs are the ones used before."""

from wavegate.testing import Case, Judge, Side, compare_sending_ips


def test_mail_leaves_from_the_same_addresses(
    before: Side, after: Side, case: Case, judge: Judge
) -> None:
    """Mail after comes from every listed address, and from no other."""
    judge(compare_sending_ips(before.sending_ips, after.sending_ips, case.terms))
