# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A drill of random worlds: any number of benign variations, at most one fault, in any order.

The gate must find exactly that fault, or nothing. Worlds are drawn by a state machine of
hypothesis, share one lab, and are made smaller by playing all that are smaller by one variation at
once. A counter-example is printed as a scenario that `wavegate lab run FILE` plays again.

    python -m tests.lab.random_drill --worlds 50 --seed 7
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from wavegate.errors import InputError
from wavegate.lab.catalogue import catalogue
from wavegate.lab.drill import Drilled, Request, drill
from wavegate.lab.drill_lots import kind_of
from wavegate.lab.faults import planted
from wavegate.lab.reference import few_world
from wavegate.lab.shared import alone, shareable

World = tuple[str, ...]
Drill = Callable[[Request, Callable[[str], None]], Drilled]
LARGEST = 8
"""Steps of the state machine; every second is a variation that does not fit, on average."""


def playable(*, benign: bool) -> tuple[str, ...]:
    """The faults, or the benign variations, that show in captures and stand beside others."""
    healthy = few_world()
    return tuple(
        fault.id
        for fault in catalogue().values()
        if fault.benign == benign
        and not (fault.unplayable or fault.play)
        and kind_of([fault]) == "still"
        and fault.instance == "acme-prod1"
        and shareable(alone((fault.id,), healthy), healthy)
    )


@cache
def fits(world: World) -> bool:
    """Whether all of a world's changes agree with each other."""
    try:
        planted(few_world(), world)
    except InputError:
        return False
    return shareable(alone(world, few_world()), few_world())


def worlds(count: int, number: int) -> tuple[World, ...]:
    """So many different worlds, the same for the same seed."""
    drawn: list[World] = []
    benign, faults = playable(benign=True), playable(benign=False)

    class Lab(RuleBasedStateMachine):
        """A world that is varied without harm, and at most once broken."""

        @initialize()
        def healthy(self) -> None:
            """Begin with a healthy world."""
            self.world: World = ()

        @rule(variation=st.sampled_from(benign))
        def vary(self, variation: str) -> None:
            """A variation that nobody may complain of, if it agrees with the others."""
            if variation not in self.world and fits((*self.world, variation)):
                self.world = (*self.world, variation)

        @precondition(lambda self: not set(self.world) & set(faults))
        @rule(fault=st.sampled_from(faults))
        def break_it(self, fault: str) -> None:
            """The one fault, wherever in the order."""
            if fits((*self.world, fault)):
                self.world = (*self.world, fault)

        def teardown(self) -> None:
            """Keep the world, to be played beside the others."""
            if getattr(self, "world", ()) and self.world not in drawn:
                drawn.append(self.world)

    profile = settings(
        max_examples=2 * count,
        stateful_step_count=LARGEST,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(Lab)
    run_state_machine_as_test(Lab, settings=profile)
    return tuple(drawn[:count])


def counter_examples(
    found: Sequence[World], folder: Path, say: Callable[[str], None], play: Drill = drill
) -> tuple[World, ...]:
    """The worlds that the gate judged wrongly, each as small as it can be and still be so."""
    wrong = _wrong(found, folder / "drawn", say, play)
    return tuple(dict.fromkeys(_smallest(world, folder, say, play) for world in wrong))


def _wrong(
    found: Sequence[World], folder: Path, say: Callable[[str], None], play: Drill
) -> list[World]:
    drilled = play(Request(wanted=tuple(found), folder=folder, jobs=1), say)
    for why in drilled.uncounted:
        raise RuntimeError(why)
    return [row.faults for row in drilled.rows if row.mark != "caught"]


def _smallest(world: World, folder: Path, say: Callable[[str], None], play: Drill) -> World:
    """Take away one change after the other, as long as the rest is still judged wrongly."""
    while smaller := [less for less in _less(world) if less]:
        say(f"smaller than {', '.join(world)}?")
        place = folder / f"smaller-{abs(hash(world)):x}"
        wrong = _wrong(smaller, place, say, play)
        if not wrong:
            break
        world = wrong[0]
    return world


def _less(world: World) -> Iterator[World]:
    for place in range(len(world)):
        yield (*world[:place], *world[place + 1 :])


def scenario(world: World) -> str:
    """A scenario file that plays the world alone, and says what must come of it."""
    broken = [fault for fault in map(catalogue().__getitem__, world) if not fault.benign]
    tree: dict[str, object] = {
        "title": "a counter-example of the random drill",
        "base": "few",
        "faults": list(world),
    }
    if broken:
        fault = broken[0]
        promise, verdict = fault.promises[0], fault.verdict
        tree["expect"] = {"instance": fault.instance, "promise": promise, "verdict": verdict}
    return json.dumps(tree, indent=1) + "\n"


def main(args: Sequence[str]) -> int:
    """Drill random worlds; exit 1 where one was judged wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--worlds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path)
    told = parser.parse_args(args)
    folder = told.dir or Path(mkdtemp(prefix="wavegate-random-"))

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    bad = counter_examples(worlds(told.worlds, told.seed), folder, say)
    for number, world in enumerate(bad):
        path = folder / f"counter-example-{number}.yaml"
        path.write_text(scenario(world), encoding="utf-8")
        sys.stdout.write(f"# wavegate lab run {path}\n{scenario(world)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
