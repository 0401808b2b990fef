# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Ends what takes too long: one thread for all exchanges of this process, not one timer for each.

A watch makes many exchanges a second and nearly all end in time; a thread for each would cost more
than the exchange.
"""

import heapq
import os
import threading
from collections.abc import Callable
from itertools import count

from wavegate import clock


class _Limit:
    """A moment at which something is called, unless it was lifted before."""

    __slots__ = ("at", "expire")

    def __init__(self, at: float, expire: Callable[[], None]) -> None:
        self.at = at
        self.expire: Callable[[], None] | None = expire

    def lift(self) -> None:
        """It ended in time."""
        self.expire = None


class _Watchdog:
    """One thread that sleeps until the next limit; begun when first needed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: list[tuple[float, int, _Limit]] = []
        self._order = count()
        self._process = 0

    def set(self, limit: _Limit) -> None:
        """Watch a limit. It is noticed at once only if it comes before all others."""
        with self._changed:
            heapq.heappush(self._limits, (limit.at, next(self._order), limit))
            if self._process != os.getpid():  # the first, or a fork, which takes no thread along
                self._process = os.getpid()
                threading.Thread(target=self._run, name="limits of exchanges", daemon=True).start()
            elif self._limits[0][2] is limit:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            for limit in self._due():
                expire = limit.expire
                if expire is not None:
                    expire()

    def _due(self) -> list[_Limit]:
        """Wait until a limit that still stands is reached; those that are."""
        with self._changed:
            while True:
                while self._limits and self._limits[0][2].expire is None:
                    heapq.heappop(self._limits)
                left = self._limits[0][0] - clock.monotonic() if self._limits else None
                if left is not None and left <= 0:
                    return [heapq.heappop(self._limits)[2]]
                self._changed.wait(left)


_WATCHDOG = _Watchdog()


def limit(at: float, expire: Callable[[], None]) -> _Limit:
    """Have something called at a moment of the monotonic clock, unless `lift` comes first.

    expire: quick; called in another thread, and must not raise.
    """
    found = _Limit(at, expire)
    _WATCHDOG.set(found)
    return found
