# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One watch per wave, vantage and store: a lock that ends with the process that holds it."""

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
    if importlib.util.find_spec("fcntl") is None:
        yield
        return
    fcntl = importlib.import_module("fcntl")
    path = folder / f".lock-{sha256(vantage.encode()).hexdigest()[:16]}"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InternalError(error.strerror or "cannot lock", where=str(path)) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"another watch of this wave from {vantage} is running",
                where=str(folder),
                cure="let it run; to look from another place too, give another --vantage",
            ) from error
        yield
    finally:
        os.close(file)
