# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the samples of a watch amount to so far: counts and provisional words. The gate judges."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from wavegate.estate.model import Window
from wavegate.observe.watch_events import Began, Event, Gapped, Sampled, Shown, Told
from wavegate.record.timeline import Sample, Watched


@dataclass(slots=True)
class FunctionTally:
    """One function so far. bad_row: heard bad samples in a row in the window and after.

    worst_row: the longest such row. since: when the present row began.
    """

    watched: Watched
    states: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    bad_row: int = 0
    worst_row: int = 0
    since: datetime | None = None
    last: Sample | None = None

    def add(self, sample: Sample, window: Window) -> None:
        """Count a sample."""
        self.last = sample
        if not sample.heard:
            self.unheard += 1
            return
        self.states[sample.state] += 1
        if sample.state == "ok":
            self.bad_row, self.since = 0, None
            return
        self.since = self.since or sample.sent
        if sample.ended >= window.start:
            self.bad_row += 1
            self.worst_row = max(self.worst_row, self.bad_row)

    def word(self, confirm: int) -> str:
        """The provisional word: what this watch alone shows so far; the gate judges."""
        if self.watched.not_probed:
            return "not probed"
        if self.worst_row >= confirm:
            return "disrupted so far"
        if not self.states["ok"]:
            return "nothing heard" if not self.states else "never right so far"
        return "undisturbed so far" if not self.bad_row else f"{self.bad_row} bad in a row"

    def to_json(self) -> dict[str, object]:
        """Counts of one function."""
        return {
            "ok": self.states["ok"],
            "wrong": self.states["wrong"],
            "silent": self.states["silent"],
            "unheard": self.unheard,
            "worst_row": self.worst_row,
            "not_probed": self.watched.not_probed,
        }


@dataclass(slots=True, kw_only=True)
class Tally:
    """All functions of all instances so far."""

    window: Window
    confirm: int
    functions: dict[str, dict[str, FunctionTally]] = field(default_factory=dict)
    gaps: int = 0
    problems: list[str] = field(default_factory=list)
    samples: int = 0

    def __call__(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case Began():
                for watched in event.functions:
                    self._show(event.instance, watched)
            case Shown():
                self._show(event.instance, event.function)
            case Sampled():
                self.samples += 1
                found = self.functions.get(event.instance, {}).get(event.sample.function)
                if found is not None:
                    found.add(event.sample, self.window)
            case Gapped():
                self.gaps += 1
            case Told() if event.problem:
                place = f"{event.instance}: " if event.instance else ""
                self.problems = [*self.problems[-99:], f"{place}{event.text}"]
            case _:
                pass

    def _show(self, instance: str, watched: Watched) -> None:
        mine = self.functions.setdefault(instance, {})
        if watched.name in mine:
            mine[watched.name].watched = watched
        else:
            mine[watched.name] = FunctionTally(watched)
