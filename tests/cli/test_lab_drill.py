# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb `lab drill`: bad input, what it prints, and that nothing is left when interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wavegate.cli.entry import run
from wavegate.cli.lab_drill_text import as_object, table
from wavegate.cli.lab_text import not_played
from wavegate.cli.outcome import show
from wavegate.lab.drill import Drilled, Row
from wavegate.lab.drill_score import Score

SCORE = Score(caught=1, played=2, catalogue="c" * 64, tool="d" * 64)
ROWS = (
    Row(faults=("mx-lost",), family="dns", mark="caught", why="", lot="still-1"),
    Row(faults=("ptr-missing-one",), family="identity", mark="missed", why="PASSED", lot="still-1"),
)
DRILLED = Drilled(rows=ROWS, uncounted=("still-2: no port",), score=SCORE)


@pytest.mark.parametrize(
    ("args", "cure"),
    [
        (("--fault", "mx-last"), "did you mean mx-lost"),
        (("--family", "identiti"), "did you mean identity"),
        (("--fault", "mx-lost", "--crossed"), "name more, or none for all"),
    ],
)
def test_what_cannot_be_drilled(
    args: tuple[str, ...], cure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one object with the nearest match, and no folder."""
    folder = tmp_path / "drill"
    assert 2 == run(["lab", "drill", *args, "--dir", str(folder), "--json"])
    assert cure in json.loads(capsys.readouterr().out)["error"]["cure"]
    assert not folder.exists()


def test_a_part_is_not_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    """The score of a release is of the whole catalogue."""
    assert 2 == run(["lab", "drill", "--family", "dns", "--record"])
    assert "whole catalogue" in capsys.readouterr().err


def test_the_object() -> None:
    """Score, counts by mark, each result, and what was not counted."""
    found = json.loads(json.dumps(as_object(DRILLED)))
    assert (1, 1, 0) == tuple(found["counts"][mark] for mark in ("caught", "missed", "cried wolf"))
    assert (False, ["still-2: no port"]) == (found["passed"], found["not_counted"])
    assert (1, 2) == (found["score"]["caught"], found["score"]["played"])


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A line per family, the sum, and what was not caught with its reason."""
    show(table(DRILLED))
    printed = capsys.readouterr().out
    for text in ("1/2", "dns", "identity", "wrong witness", "cried wolf", "ptr-missing-one"):
        assert text in printed
    assert "mx-lost" not in printed


@pytest.mark.skipif(os.name != "posix", reason="the lab needs Linux")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Exit 130, and neither lab nor sink is left."""
    command = [sys.executable, "-m", "wavegate", "lab", "drill", "--fault", "mx-lost"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "plan" in line)
        (told,) = (tmp_path / "lab-drill" / "lots").rglob("lab.json")
        pid = json.loads(told.read_text("utf-8"))["pid"]
        process.send_signal(number)
        process.stderr.read()
        assert 130 == process.wait(60)
    assert not Path(f"/proc/{pid}").exists()


def test_what_only_a_drill_plays() -> None:
    """A lab that is served shows a world; who asks it for a step of the harness is told so."""
    told = not_played(("mx-lost", "record-byte-flipped"))
    assert "record-byte-flipped is more than a world: after capture after: byte-flipped" in told
    assert "mx-lost" not in told
