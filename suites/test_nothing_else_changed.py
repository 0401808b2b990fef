# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What was observed and no other promise explains is unchanged."""

from wavegate.testing import Judge, Side, compare_nothing_else_changed


def test_the_rest_is_as_it_was(before: Side, after: Side, judge: Judge) -> None:
    """Every other fact is the same, or differs by a rule that the report names."""
    judge(compare_nothing_else_changed(before.residue, after.residue))
