# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Locks that end with the process that holds them: one watch per wave, vantage and store."""

import importlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from wavegate.errors import InputError, InternalError


@contextmanager
def only_watch(folder: Path, vantage: str) -> Iterator[None]:
    """Hold the lock of a vantage in a wave's folder of timelines.

    Raises InputError where another watch holds it. Where the system has no such locks, nothing is
    held.
    """
    busy = InputError(
        f"another watch of this wave from {vantage} is running",
        where=str(folder),
        cure="let it run; to look from another place too, give another --vantage",
    )
    with locked(folder / f".lock-{sha256(vantage.encode()).hexdigest()[:16]}", busy):
        yield


@contextmanager
def locked(path: Path, busy: InputError) -> Iterator[None]:
    """Hold a lock file. Raises `busy` where another process, or thread, holds it."""
    if importlib.util.find_spec("fcntl") is None:
        yield
        return
    fcntl = importlib.import_module("fcntl")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InternalError(error.strerror or "cannot lock", where=str(path)) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
    finally:
        os.close(file)
