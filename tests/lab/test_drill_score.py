# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The drill's score holds for the catalogue and the code it was made with, and for no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from wavegate.lab.drill_score import (
    NOT_DRILLED,
    UNDRILLED,
    Score,
    catalogue_digest,
    record,
    recorded,
    score_line,
    tool_digest,
)


@pytest.fixture
def score() -> Score:
    """A score of the catalogue and the code as they are."""
    return Score(caught=229, played=231, catalogue=catalogue_digest(), tool=tool_digest())


def test_a_recorded_score_is_printed(tmp_path: Path, score: Score) -> None:
    """Reports say how many of how many, of which catalogue, by which code."""
    path = tmp_path / "score.json"
    record(score, path)
    assert score == recorded(path)
    line = f"229/231 (catalogue {score.catalogue[:12]}, tool {score.tool[:12]})"
    assert line == score_line(path)


def test_another_catalogue_or_code_was_not_drilled(tmp_path: Path, score: Score) -> None:
    """A score does not outlive a change."""
    path = tmp_path / "score.json"
    for other in (replace(score, catalogue="0" * 64), replace(score, tool="0" * 64)):
        record(other, path)
        assert NOT_DRILLED == score_line(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"caught": "all"}', "null"])
def test_a_score_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """It is none, and no traceback."""
    path = tmp_path / "score.json"
    assert NOT_DRILLED == score_line(path)
    path.write_text(text)
    assert NOT_DRILLED == score_line(path)


def test_the_drills_own_reports_bear_no_score(
    tmp_path: Path, score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would vouch for its own making."""
    path = tmp_path / "score.json"
    record(score, path)
    monkeypatch.setenv(UNDRILLED, "1")
    assert NOT_DRILLED == score_line(path)


def test_digests_are_of_all_code_and_of_the_catalogue() -> None:
    """The judge itself counts as code, and the file with the score does not."""
    assert 64 == len(tool_digest()) == len(catalogue_digest())
    assert tool_digest() != catalogue_digest()
