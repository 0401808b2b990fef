# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody here wrote, run as ordinary processes of a test: begun, awaited, ended.

Each is the leader of a session of its own, writes into a file that a failing test shows, and is
ended by its id; no port is fixed.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

READY_WITHIN = timedelta(seconds=20)
ENDS_WITHIN = 10.0
LOOK_EVERY = 0.03
SHOWN = 3000
LATEST = 14
"""So many servers may have to do with a failure: those of two worlds."""
LOGS: list[Path] = []
"""What the servers of this run wrote, the latest last; `conftest` shows it where a test fails."""


def binary(name: str, package: str) -> str:
    """The path of a program; skips, and names the Debian package, where there is none."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/lib/postfix/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


def as_root(what: str) -> None:
    """Skip, with the reason, where the tests do not run as root."""
    if os.geteuid() != 0:
        pytest.skip(f"{what} must be started as root")


def free_port(address: str = "127.0.0.1") -> int:
    """A port of an address that nobody holds, by TCP or UDP, at the moment."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            port = int(tcp.getsockname()[1])
            with suppress(OSError):
                udp.bind((address, port))
                return port


def accepts(address: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def greets(address: str, port: int) -> bool:
    """Whether an SMTP server says 220 there."""
    try:
        with socket.create_connection((address, port), 2) as sock:
            return sock.recv(200).startswith(b"220")
    except OSError:
        return False


def run(*command: str, folder: Path | None = None) -> str:
    """Run a command to its end and return what it printed; fails the test where it fails."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert 0 == done.returncode, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def daemon(
    name: str,
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    *,
    stop: Sequence[str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server while it runs. ready: whether it serves. stop: its own command to end it by."""
    log = folder / f"{name}.log"
    LOGS.append(log)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        await_that(lambda: _alive(process, log) and ready(), f"{name} serves")
        yield process
    finally:
        _end(process, stop)


def await_that(holds: Callable[[], bool], what: str, within: timedelta = READY_WITHIN) -> None:
    """Look again and again until something holds; fails the test where it does not in time."""
    until = datetime.now(UTC) + within
    while not holds():
        assert datetime.now(UTC) < until, f"not in {within}: {what}\n{shown_logs()}"
        threading.Event().wait(LOOK_EVERY)  # the other side gives no event


def _alive(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, f"ended with {process.returncode}: {_tail(log)}"
    return True


def _end(process: "subprocess.Popen[bytes]", stop: Sequence[str] | None) -> None:
    if process.poll() is None:
        if stop is None:
            process.send_signal(signal.SIGTERM)
        else:
            subprocess.run(stop, capture_output=True, timeout=ENDS_WITHIN, check=False)
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDS_WITHIN)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever is left of its session
    process.wait()


def shown_logs() -> str:
    """The ends of what the latest servers wrote."""
    return "\n".join(f"--- {log}\n{_tail(log)}" for log in dict.fromkeys(LOGS[-LATEST:]))


def _tail(log: Path) -> str:
    with suppress(OSError):
        return log.read_text("utf-8", "replace")[-SHOWN:]
    return ""
