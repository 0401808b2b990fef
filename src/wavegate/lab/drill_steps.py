# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The steps of a play that the catalogue says differ, for one copy of a lot or for all of it.

What concerns the records of one instance is done to that instance only, so that many can share a
lab; a wrong clock of the whole harness, a watch or a sink that stands still concern all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wavegate.lab.catalogue import Fault
from wavegate.lab.drill_lots import Cast
from wavegate.lab.faults import explain
from wavegate.lab.play_steps import PlayStep

CAPTURES = {"before": "capture before", "after": "capture after"}
LAST = ("capture after", "capture again")
"""A drill captures once after the window; both names stand for it."""
Phase = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """What differs for one instance. instance: as the lab calls it."""

    fault: Fault
    cast: Cast
    step: PlayStep

    @property
    def instance(self) -> str:
        """Whose records it concerns, as the lab calls it."""
        return self.cast.instance(self.fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All that differs in a lot."""

    every: tuple[Special, ...]

    def of(self, *do: str) -> Iterator[Special]:
        """Those of some kinds."""
        return (special for special in self.every if special.step.do in do)

    def left_out(self, phase: Phase) -> frozenset[str]:
        """Instances that the ordinary capture of a phase leaves out."""
        return frozenset(
            special.instance
            for special in self.of("omit", "clock", "tool", "key")
            if self._is(special.step, phase)
        )

    def captured_otherwise(self, phase: Phase) -> Iterator[Special]:
        """Captures of a phase by another clock, tool or key."""
        return (s for s in self.of("clock", "tool", "key") if self._is(s.step, phase))

    def scheduled(self) -> tuple[Special, ...]:
        """Captures at an instant of their own, in their order."""
        return tuple(sorted(self.of("capture"), key=lambda special: special.step.since or 0.0))

    def _is(self, step: PlayStep, phase: Phase) -> bool:
        return step.step == CAPTURES[phase] or (phase == "after" and step.step in LAST)

    def tampered(self, *, sealed: bool) -> Iterator[Special]:
        """File operations before the gate, or once it has sealed."""
        return (s for s in self.of("tamper") if (s.step.step == "gate") == sealed)

    def whole(self, do: str, step: str) -> PlayStep | None:
        """A difference that concerns the whole play."""
        found = (s.step for s in self.of(do) if s.step.step == step)
        return next(found, None)


def steps(casts: Iterable[Cast]) -> Steps:
    """What the faults of all copies make different."""
    return Steps(
        every=tuple(
            Special(fault=fault, cast=cast, step=step)
            for cast in casts
            for fault in map(explain, cast.faults)
            for step in fault.play
        )
    )
