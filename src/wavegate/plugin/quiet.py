# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Proof that a suite stays quiet: while a test body runs, no socket is opened, no process begun.

An audit hook cannot be taken out again, so there is one per process, which looks only while a
body runs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HARMLESS = frozenset({"socket.gethostname", "socket.sethostname"})
_PROCESSES = frozenset({"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn"})


class NotQuietError(RuntimeError):
    """A suite reached out of the records."""


class _Watch:
    """What the one audit hook of this process looks at."""

    def __init__(self) -> None:
        self.installed = False
        self.looking = False
        self.heard: list[str] = []

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if not self.looking or not _is_loud(event):
            return
        self.heard.append(f"{event} {args!r}"[:200])
        raise NotQuietError(f"a suite reads records and opens nothing: {event}")


_WATCH = _Watch()


def _is_loud(event: str) -> bool:
    if event in _PROCESSES:
        return True
    return event.startswith("socket.") and event not in _HARMLESS


@contextmanager
def watching() -> Iterator[list[str]]:
    """Refuse sockets and processes within; the list holds what was tried, also if it was caught."""
    if not _WATCH.installed:
        sys.addaudithook(_WATCH.hook)
        _WATCH.installed = True
    _WATCH.heard, outer = [], _WATCH.looking
    _WATCH.looking = True
    try:
        yield _WATCH.heard
    finally:
        _WATCH.looking = outer
