# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How often the throughput rule errs: made-up worlds with a fixed seed, a Markdown table out.

Run: python -m benchmarks.statistics_errors [--worlds N]. Rule and looks are those of the product.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from wavegate.compare.statistics import LOOKS, Point, match
from wavegate.compare.throughput_looks import look
from wavegate.verdict import Verdict

MARGIN = 0.10
BUCKETS = 10
BEFORE = 14
SEED = 20240116
Noise = Callable[[Generator, int], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A kind of sender: its noise of ln rate, units x buckets, and its rate over the hours."""

    name: str
    noise: Noise
    cycle: float = 0.0
    night_only: bool = False


def calm(random: Generator, units: int) -> np.ndarray:
    """Counts of a thousand an hour, independent."""
    return np.log(random.poisson(1000, (units, BUCKETS)) / 1000)


def daily(spread: float) -> Noise:
    """A shift per day, and 4 % per bucket."""

    def noise(random: Generator, units: int) -> np.ndarray:
        shift = random.normal(0, spread, (units, 1))
        return shift + random.normal(0, 0.04, (units, BUCKETS))

    return noise


def drifting(random: Generator, units: int) -> np.ndarray:
    """Neighbouring buckets alike (AR(1), 0.8, sd 0.1), with a night between the days."""
    values = np.empty((units, BUCKETS))
    values[:, 0] = random.normal(0, 0.1, units)
    for k in range(1, BUCKETS):
        values[:, k] = 0.8 * values[:, k - 1] + random.normal(0, 0.06, units)
    return values


def heavy(random: Generator, units: int) -> np.ndarray:
    """Some days are far off: Student's t with 3 degrees of freedom, sd about 0.09."""
    return 0.05 * random.standard_t(3, (units, 1)) + random.normal(0, 0.04, (units, BUCKETS))


WORLDS = (
    World(name="independent counts, 1000/h", noise=calm),
    World(name="4 % a bucket, 3 % from day to day", noise=daily(0.03)),
    World(name="4 % a bucket, 8 % from day to day", noise=daily(0.08)),
    World(name="neighbours alike, AR(1) .8", noise=drifting),
    World(name="heavy-tailed days", noise=heavy),
    World(
        name="hours differ by half, only nights after",
        noise=daily(0.05),
        cycle=0.7,
        night_only=True,
    ),
)


def points(
    world: World, random: Generator, units: int, shift: float, after: bool
) -> Iterator[Point]:
    """The buckets of one side."""
    noise = world.noise(random, units)
    hours = range(4) if world.night_only and after else range(BUCKETS)
    for unit in range(units):
        for hour in hours:
            usual = -world.cycle * (hour < 4)
            yield Point(unit=unit, cell=str(hour), x=usual + shift + float(noise[unit, hour]))


def play(world: World, ratio: float, units: int, worlds: int) -> Counter[Verdict]:
    """The verdicts of many migrations whose true ratio is known."""
    random = np.random.default_rng((SEED, units, round(ratio * 1000)))
    found: Counter[Verdict] = Counter()
    for _ in range(worlds):
        before = points(world, random, BEFORE, 0.0, after=False)
        after = points(world, random, units, math.log(ratio), after=True)
        found[look(match(before, after), 1 - MARGIN).verdict] += 1
    return found


def row(world: World, units: int, worlds: int) -> str:
    """One line of the table."""
    same, edge, slow = (play(world, ratio, units, worlds) for ratio in (1.0, 0.9, 0.8))

    def share(found: Counter[Verdict], verdict: Verdict) -> str:
        return f"{100 * found[verdict] / worlds:.1f}"

    cells = (
        share(same, Verdict.FAILED),
        share(edge, Verdict.PASSED),
        share(edge, Verdict.FAILED),
        share(slow, Verdict.PASSED),
        share(same, Verdict.PASSED),
        share(same, Verdict.INCONCLUSIVE),
        share(slow, Verdict.FAILED),
        share(slow, Verdict.INCONCLUSIVE),
    )
    return f"| {world.name} | {units} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=800, help="migrations per cell")
    worlds = parser.parse_args().worlds
    print(f"{worlds} migrations a cell, {BEFORE} units before, {BUCKETS} buckets a unit, ", end="")
    print(f"margin {MARGIN:.0%}, seed {SEED}. Percent.\n")
    print(
        "| world | units after | FAILED at 1.0 | PASSED at 0.9 | FAILED at 0.9 | PASSED at 0.8 "
        "| *PASSED at 1.0* | *INCONCLUSIVE at 1.0* | *FAILED at 0.8* | *INCONCLUSIVE at 0.8* |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for world in WORLDS:
        for units in (1, *(n for n, _ in LOOKS)):
            print(row(world, units, worlds), flush=True)


if __name__ == "__main__":
    main()
