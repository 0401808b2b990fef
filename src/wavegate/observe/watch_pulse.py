# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether this machine itself was late: an overload here is no silence there (design, rule 13).

A thread that wants to wake several times a second notes by how much it woke too late; whatever kept
it from waking kept the probes from hearing too.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from wavegate import clock

BEAT = 0.25
NOTED = 0.05
"""Seconds that are no lateness: every machine has such."""
REMEMBERED = 300.0


class Pulse:
    """How late this process was, and when. Safe to use from many threads."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque()
        self._due = clock.monotonic() + BEAT
        self._lock = threading.Lock()
        self._over = threading.Event()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Keep noting until the end of the block."""
        self._due = clock.monotonic() + BEAT
        threading.Thread(target=self._beat, name="wavegate-pulse", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def late(self, since: float) -> float:
        """Seconds for which this process did not run since a moment of the monotonic clock."""
        with self._lock:
            found = sum(min(by, at - since) for at, by in self._late if at > since)
            return found + self._lateness(clock.monotonic(), since)

    def note(self, now: float) -> None:
        """Awake at last."""
        with self._lock:
            by = self._lateness(now, float("-inf"))
            if by > 0.0:
                self._late.append((now, by))
            while self._late and self._late[0][0] < now - REMEMBERED:
                self._late.popleft()
            self._due = now + BEAT

    def _lateness(self, now: float, since: float) -> float:
        by = min(now - self._due, now - since)
        return by if by > NOTED else 0.0

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            self.note(clock.monotonic())
