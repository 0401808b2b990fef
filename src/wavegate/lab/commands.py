# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Running the harness's commands as a person would: each a process of its own that prints JSON."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from wavegate import clock
from wavegate.errors import InternalError

READY_WITHIN = 60.0
STEP_WITHIN = 900.0
ENDS_WITHIN = 20.0
POLL = 0.05

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command that was run. data: the object it printed."""

    name: str
    code: int
    data: Mapping[str, Any]

    @property
    def gates(self) -> bool:
        """Whether it asked for a decision about the wave."""
        return self.name in ("gate", "gate again")


class StoppedError(Exception):
    """The plays were told to end."""


class Running:
    """What runs for one play or many, so that another thread can end it all at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[subprocess.Popen[str]] = set()
        self._ended = threading.Event()

    @contextmanager
    def held(self, process: "subprocess.Popen[str]") -> "Iterator[subprocess.Popen[str]]":
        """Wait for a process in the block; nothing of it is left after. Raises StoppedError."""
        with self._lock:
            self._held.add(process)
        try:
            self.check()
            yield process
            self.check()
        finally:
            with self._lock:
                self._held.discard(process)
            _end(process)

    def check(self) -> None:
        """Raises StoppedError once all was told to end."""
        if self._ended.is_set():
            raise StoppedError

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises StoppedError."""
        self._ended.wait(max(seconds, 0))
        self.check()

    def end(self) -> None:
        """End every process that is waited for, and let no other begin."""
        self._ended.set()
        with self._lock:
            for process in self._held:
                process.terminate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Runs commands for one folder. env: their environment. say: told what each came to.

    running: where their processes are held. ahead: how far the clock of every command but the lab's
    own is ahead, such as `-90s`; empty where it is right.
    """

    folder: Path
    env: Mapping[str, str]
    say: Say
    running: Running = field(default_factory=Running)
    ahead: str = ""

    def by_clock(self, ahead: str) -> Self:
        """The same commands by a clock that is so far ahead."""
        return replace(self, ahead=ahead)

    def with_env(self, **more: str) -> Self:
        """The same commands with more in their environment."""
        return replace(self, env={**self.env, **more})

    def _line(self, args: tuple[str, ...]) -> list[str]:
        wrong = self.ahead and args[0] != "lab"
        module = ["wavegate.lab.skewed", "--", self.ahead] if wrong else ["wavegate"]
        return [sys.executable, "-m", *module, *args, "--json"]

    def run(self, name: str, wanted: int | None, *args: str) -> Step:
        """Run one command with --json; a code other than the wanted one ends the play."""
        began = clock.monotonic()
        self.running.check()
        process = subprocess.Popen(
            self._line(args),
            env=dict(self.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with self.running.held(process):
            out, err = process.communicate(timeout=STEP_WITHIN)
        data = _object(out)
        self.say(f"  {name:15} exit {process.returncode}  {clock.monotonic() - began:5.1f} s")
        if (wanted is not None and process.returncode != wanted) or not data:
            raise InternalError(
                f"{name} exited {process.returncode}: {err[-2000:] or out[-2000:]}",
                where=" ".join(args),
                cure="run the command by hand to see more",
            )
        return Step(name=name, code=process.returncode, data=data)

    def lab_json(self) -> Mapping[str, Any]:
        """What the lab wrote once it was ready."""
        return _object((self.folder / "lab.json").read_text("utf-8"))

    def awaited(self, name: str, process: "subprocess.Popen[bytes]") -> Step:
        """Wait until a command beside the others has ended by itself.

        Its log holds what it told of its progress too; the object is the last line.
        """
        self._gone(process)
        said = (self.folder / f"{name}.log").read_text("utf-8", "replace")
        data = _object(said.strip().rpartition("\n")[2])
        self.say(f"  {name:15} exit {process.returncode}")
        return Step(name=name, code=process.returncode, data=data)

    def _gone(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = clock.monotonic() + STEP_WITHIN
        while process.poll() is None and clock.monotonic() < deadline:
            self.running.wait(POLL)
        if process.returncode is None:
            raise InternalError("a command does not end", where=str(self.folder))

    @contextmanager
    def daemon(self, name: str, *args: str) -> Iterator[None]:
        """Run a command beside the others, once it is ready; end it by SIGTERM."""
        with self.started(name, *args) as process:
            if name == "lab":
                self._wait_ready(process)
            yield

    @contextmanager
    def started(self, name: str, *args: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Start a command beside the others; end it by SIGTERM and wait for it."""
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(
            self._line(args),
            env=dict(self.env),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)
            log.close()

    def _wait_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = clock.monotonic() + READY_WITHIN
        while not (self.folder / "lab.json").exists():
            if process.poll() is None and clock.monotonic() < deadline:
                self.running.wait(POLL)
                continue
            log = (self.folder / "lab.log").read_text("utf-8", "replace")
            raise InternalError(f"the lab did not start: {log[-2000:]}", cure="see lab.log")


def _end(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """End a process, if it has not, and let nothing of it be left."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
