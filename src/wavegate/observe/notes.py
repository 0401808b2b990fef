# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a look has brought so far, so that an interrupted one loses nothing."""

import threading
from dataclasses import replace

from wavegate.observe.probe import Looked
from wavegate.record.observation import Observation
from wavegate.record.snapshot import LeftOut

Identity = tuple[str, str, tuple[tuple[str, str], ...]]


class Notes:
    """The notes of one look at one instance; safe to write from several threads.

    The same question is noted once. stopped: set when no more questions may be asked.
    """

    def __init__(self, vantage: str, stopped: threading.Event | None = None) -> None:
        self.stopped = stopped or threading.Event()
        self._vantage = vantage
        self._lock = threading.Lock()
        self._observations: dict[Identity, Observation] = {}
        self._left_out: dict[LeftOut, None] = {}

    def observe(self, observation: Observation) -> None:
        """Note an outcome, seen from this look's vantage."""
        found = replace(observation, vantage=self._vantage)
        with self._lock:
            self._observations.setdefault(found.identity, found)

    def leave_out(self, what: str, reason: str) -> None:
        """Note something that was not asked, and why."""
        with self._lock:
            self._left_out[LeftOut(what=what, reason=reason)] = None

    def looked(self) -> Looked:
        """Everything noted so far, in an order that does not depend on who answered first."""
        with self._lock:
            observations = tuple(self._observations[key] for key in sorted(self._observations))
            left_out = tuple(sorted(self._left_out, key=lambda found: (found.what, found.reason)))
        return Looked(observations=observations, left_out=left_out)
