# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Serving a lab: in a loop of its own in the background, until told to end."""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

from wavegate.errors import InputError, InternalError, MissingError
from wavegate.lab import client
from wavegate.lab.control import start_control
from wavegate.lab.loops import background, run_on
from wavegate.lab.running import Lab
from wavegate.lab.scenario import load_scenario

OPENS_IN = timedelta(seconds=60)
WINDOW = timedelta(seconds=10)
SHORTEST = timedelta(milliseconds=200)
SWITCH = 0.0005
"""Seconds after which one thread lets another run: each datagram that a name server sends would
otherwise wait ten times as long for the thread that draws pages."""


def serve(
    scenario: str,
    directory: Path,
    faults: Sequence[str] = (),
    opens_in: timedelta = OPENS_IN,
    window: timedelta = WINDOW,
) -> tuple[str, ...]:
    """Serve a scenario until SIGTERM or SIGINT; for the main thread.

    Writes estate.yaml and, once all is ready, lab.json into the directory. Returns the writing
    calls that arrived, which must be none. Raises InputError, InternalError.
    """
    sys.setswitchinterval(SWITCH)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        ended.set()

    signals = (signal.SIGTERM, signal.SIGINT)
    former = {number: signal.signal(number, end) for number in signals}
    try:
        with running(scenario, directory, faults=faults, opens_in=opens_in, window=window) as lab:
            ended.wait()
        return tuple(lab.log.writes)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def running(
    scenario: str,
    directory: Path,
    *,
    faults: Sequence[str] = (),
    opens_in: timedelta = OPENS_IN,
    window: timedelta = WINDOW,
) -> Iterator[Lab]:
    """A lab that runs in the background of the block. Raises InputError, InternalError."""
    found = load_scenario(scenario)
    world = found.world(tuple(faults))
    _check(directory, opens_in, window)
    with background("wavegate-lab") as loop:
        lab = Lab(
            world,
            directory,
            title=found.name,
            faults=(*found.faults, *faults),
            opens_in=opens_in,
            window=window,
        )
        stack = AsyncExitStack()
        try:
            run_on(loop, _started(lab, stack))
            yield lab
        finally:
            run_on(loop, stack.aclose())


async def _started(lab: Lab, stack: AsyncExitStack) -> None:
    await lab.start(stack)
    await start_control(lab, stack)
    lab.publish()


def _check(directory: Path, opens_in: timedelta, window: timedelta) -> None:
    if opens_in < timedelta() or window < SHORTEST:
        raise InputError(
            "the window must last 200ms or more and open in the future",
            where="--opens-in, --window",
            cure="leave them out: 60s and 10s",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".lab.write"
        probe.touch()
        probe.unlink()
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError("not a folder", where=str(directory), cure="name a folder") from error
    except OSError as error:
        raise InternalError(f"cannot write: {error.strerror}", where=str(directory)) from error
    _alone(directory)


def _alone(directory: Path) -> None:
    """Refuse a folder in which another lab runs; a dead one's file is written over."""
    if not (directory / "lab.json").exists():
        return
    try:
        client.status(directory)
    except MissingError:
        return
    raise InputError(
        "another lab runs in this folder", where=str(directory), cure="end it, or name another"
    )
