# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Running the harness's commands as a person would: each a process of its own that prints JSON."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wavegate import clock
from wavegate.errors import InternalError

READY_WITHIN = 60.0
STEP_WITHIN = 300.0
ENDS_WITHIN = 20.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Runs commands for one folder. env: their environment. say: told what each came to."""

    folder: Path
    env: Mapping[str, str]
    say: Say

    def run(self, name: str, wanted: int | None, *args: str) -> Step:
        """Run one command with --json; a code other than the wanted one ends the play."""
        began = clock.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "wavegate", *args, "--json"],
            env=dict(self.env),
            capture_output=True,
            text=True,
            timeout=STEP_WITHIN,
            check=False,
        )
        data = _object(done.stdout)
        self.say(f"  {name:15} exit {done.returncode}  {clock.monotonic() - began:5.1f} s")
        if (wanted is not None and done.returncode != wanted) or not data:
            raise InternalError(
                f"{name} exited {done.returncode}: {done.stderr[-2000:] or done.stdout[-2000:]}",
                where=" ".join(args),
                cure="run the command by hand to see more",
            )
        return Step(name=name, code=done.returncode, data=data)

    def lab_json(self) -> Mapping[str, Any]:
        """What the lab wrote once it was ready."""
        return _object((self.folder / "lab.json").read_text("utf-8"))

    def awaited(self, name: str, process: "subprocess.Popen[bytes]") -> Step:
        """Wait until a command beside the others has ended by itself."""
        process.wait(timeout=STEP_WITHIN)
        data = _object((self.folder / f"{name}.log").read_text("utf-8", "replace"))
        self.say(f"  {name:15} exit {process.returncode}")
        return Step(name=name, code=process.returncode, data=data)

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
            [sys.executable, "-m", "wavegate", *args, "--json"],
            env=dict(self.env),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process, log)

    def _wait_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = clock.monotonic() + READY_WITHIN
        while not (self.folder / "lab.json").exists():
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                if clock.monotonic() < deadline:
                    continue
            log = (self.folder / "lab.log").read_text("utf-8", "replace")
            raise InternalError(f"the lab did not start: {log[-2000:]}", cure="see lab.log")


def _end(process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    log.close()


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
