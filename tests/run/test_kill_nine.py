# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.kill_nine import Found, sink, watch


@pytest.mark.parametrize("play", [watch, sink])
def test_kill_9_loses_nothing_told(
    play: Callable[[Path, int, random.Random], Found], tmp_path: Path
) -> None:
    """Three deaths under load: what was acknowledged is there and vouched for, each is a gap."""
    found = play(tmp_path, 3, random.Random(9))  # noqa: S311 - not for secrets
    assert (3, ()) == (found.deaths, found.problems)
    assert 3 < found.told <= found.kept
