# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SPF authorises exactly the same addresses, and each sending IP passes."""

from wavegate.testing import Judge, Side, compare_spf


def test_same_addresses_authorised(before: Side, after: Side, judge: Judge) -> None:
    """Every IPv4 and IPv6 address gets the SPF result it got before."""
    judge(compare_spf(before.spf, after.spf))
