# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import threading

from wavegate import clock
from wavegate.observe.time_limit import limit

SOON, LATE = 0.02, 5.0


def test_what_takes_too_long_is_ended_once() -> None:
    """An exchange that outlives its time is ended, whichever limits come after it."""
    calls: list[str] = []
    ended = threading.Event()

    def expire() -> None:
        calls.append("soon")
        ended.set()

    now = clock.monotonic()
    far = limit(now + LATE, lambda: calls.append("late"))
    limit(now + SOON, expire)
    assert ended.wait(LATE)
    assert now + SOON <= clock.monotonic() < now + LATE
    far.lift()
    assert ["soon"] == calls


def test_what_ended_in_time_is_left_alone() -> None:
    """A limit that was lifted ends nothing: its connection may serve another exchange by then."""
    calls: list[str] = []
    passed = threading.Event()
    limit(clock.monotonic() + SOON, lambda: calls.append("lifted")).lift()
    limit(clock.monotonic() + 2 * SOON, passed.set)
    assert passed.wait(LATE)
    assert [] == calls


def test_one_thread_serves_all() -> None:
    """Many exchanges at once cost one thread, not one each."""
    limits = [limit(clock.monotonic() + LATE, lambda: None) for _ in range(100)]
    watching = [t for t in threading.enumerate() if t.name == "limits of exchanges"]
    for found in limits:
        found.lift()
    assert 1 == len(watching)
