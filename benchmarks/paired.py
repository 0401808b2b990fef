# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Two pieces of work measured beside each other: the one, the other, the other, the one.

CPU seconds of this process, so that what else the machine does weighs little; what drifts over a
round weighs on both alike.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """The CPU seconds of each in every round: of two runs."""

    floor: tuple[float, ...]
    ours: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Ours by the floor: the median over the rounds."""
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The same of each round, in order of size."""
        return sorted(ours / floor for floor, ours in zip(self.floor, self.ours, strict=True))

    def row(self) -> str:
        """Milliseconds of both, the ratio, and the smallest and largest of a round."""
        floor, ours = (500 * statistics.median(found) for found in (self.floor, self.ours))
        spread = f"{self.ratios[0]:.2f} to {self.ratios[-1]:.2f}"
        return f"{floor:.0f} | {ours:.0f} | {self.ratio:.2f} | {spread}"


def measure(floor: Work, ours: Work, rounds: int, before: Work = lambda: None) -> Pair:
    """So many rounds, after one that does not count. before: makes ready for ours, not measured."""
    found = [_round(floor, ours, before) for _ in range(rounds + 1)][1:]
    return Pair(tuple(pair[0] for pair in found), tuple(pair[1] for pair in found))


def _round(floor: Work, ours: Work, before: Work) -> tuple[float, float]:
    first, (second, third), last = (
        _took(floor),
        (_ready(ours, before) for _ in range(2)),
        _took(floor),
    )
    return first + last, second + third


def _ready(ours: Work, before: Work) -> float:
    before()
    return _took(ours)


def _took(work: Work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
