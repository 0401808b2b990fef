# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Commands run as processes of their own, and nothing of them is left, however a play ends."""

import os
import threading
from pathlib import Path

import pytest

from wavegate.errors import InternalError
from wavegate.lab.commands import Commands, Running, StoppedError


def commands(folder: Path, running: Running) -> Commands:
    """Commands in a folder, silent."""
    env = {**os.environ, "WAVEGATE_HOME": str(folder / "home")}
    return Commands(folder=folder, env=env, say=lambda _: None, running=running)


def alive(pid: int) -> bool:
    """Whether a process is there."""
    return Path(f"/proc/{pid}").exists()


def test_a_command_gives_its_object(tmp_path: Path) -> None:
    """A step is the exit code and the object that was printed."""
    step = commands(tmp_path, Running()).run("faults", 0, "lab", "explain", "mx-lost")
    assert (0, "mx-lost") == (step.code, step.data["id"])


def test_another_code_than_wanted_ends_the_play(tmp_path: Path) -> None:
    """The command's own words come along."""
    with pytest.raises(InternalError, match="explain exited 2"):
        commands(tmp_path, Running()).run("explain", 0, "lab", "explain", "mx-last")


def test_all_that_runs_is_ended_at_once(tmp_path: Path) -> None:
    """A drill that is interrupted leaves no process, in no thread."""
    running, pids = Running(), []
    ready = threading.Event()

    def play() -> None:
        at = commands(tmp_path, running)
        with at.daemon("lab", "lab", "serve", "single", "--dir", str(tmp_path)):
            pids.append(at.lab_json()["pid"])
            ready.set()
            with pytest.raises(StoppedError):
                at.run("window", 0, "lab", "phase", "window", "--dir", str(tmp_path))

    thread = threading.Thread(target=play)
    thread.start()
    assert ready.wait(60)
    running.end()
    thread.join(60)
    assert not thread.is_alive()
    assert [False] == [alive(pid) for pid in pids]


def test_nothing_begins_once_all_was_ended(tmp_path: Path) -> None:
    """The plays that wait for their turn do not start after the interruption."""
    running = Running()
    running.end()
    with pytest.raises(StoppedError):
        commands(tmp_path, running).run("faults", 0, "lab", "faults")


def test_the_object_is_read_behind_what_was_told_before(tmp_path: Path) -> None:
    """A command says on the way how far it is; its log holds that too."""
    at = commands(tmp_path, Running())
    with at.started("x", "lab", "explain", "mx-last") as process:
        process.wait(60)
        log = tmp_path / "x.log"
        log.write_text(f"1/2 done\n2/2 done\n{log.read_text('utf-8')}", "utf-8")
        step = at.awaited("x", process)
    assert (2, "input") == (step.code, step.data["error"]["kind"])
