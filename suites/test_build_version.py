# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The Campaign build is the one that ran before."""

from wavegate.testing import Judge, Side, compare_build_version


def test_same_build(before: Side, after: Side, judge: Judge) -> None:
    """Every front, Logon and the sending module show the build of before."""
    judge(compare_build_version(before.build, after.build))
