# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Random worlds: whatever is varied without harm, the gate finds the one fault, or nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab.random_drill import counter_examples, fits, playable, scenario, worlds

from wavegate.lab.catalogue import catalogue
from wavegate.lab.drill import Drilled, Request, Row
from wavegate.lab.drill_score import Score
from wavegate.lab.scenario import load_scenario

WORLDS, SEED = 12, 1
CULPRITS = {"mx-lost", "benign-ttl-change"}


def test_worlds_are_what_they_should_be() -> None:
    """Any number of variations, at most one fault, no contradiction, and the same again."""
    drawn = worlds(WORLDS, SEED)
    assert WORLDS == len(set(drawn))
    faults = set(playable(benign=False))
    assert {0, 1} == {len(faults & set(world)) for world in drawn}
    assert max(map(len, drawn)) > 2
    assert all(fits(world) for world in drawn)
    assert drawn == worlds(WORLDS, SEED)


def blames(culprits: set[str]) -> Callable[[Request, Callable[[str], None]], Drilled]:
    """A drill in which every world with all of the culprits is judged wrongly."""

    def play(request: Request, say: Callable[[str], None]) -> Drilled:
        del say
        rows = tuple(
            Row(
                faults=world,
                family="",
                mark="missed" if culprits <= set(world) else "caught",
                why="",
                lot="",
            )
            for world in request.wanted
        )
        score = Score(caught=0, played=0, catalogue="", tool="")
        return Drilled(rows=rows, uncounted=(), score=score)

    return play


def test_a_counter_example_is_made_small(tmp_path: Path) -> None:
    """What has no part in it is taken away, and the same small world is told once."""
    drawn = [
        ("benign-ptr-case", "mx-lost", "benign-ip-order", "benign-ttl-change"),
        ("benign-ttl-change", "mx-lost"),
        ("benign-ptr-case", "ptr-missing-six-only"),
    ]
    found = counter_examples(drawn, tmp_path, lambda _: None, blames(CULPRITS))
    assert {frozenset(CULPRITS)} == set(map(frozenset, found))


def test_a_counter_example_can_be_played_again(tmp_path: Path) -> None:
    """Its scenario file loads, holds every change, and says what is expected."""
    world = ("benign-ptr-case", "mx-lost")
    path = tmp_path / "found.yaml"
    path.write_text(scenario(world))
    loaded = load_scenario(str(path))
    assert world == loaded.faults
    assert loaded.expect is not None
    assert "nothing_else_changed" == loaded.expect.promise
    assert loaded.world() != load_scenario("few").world()
    assert "expect" not in json.loads(scenario(("benign-ptr-case",)))


@pytest.mark.skipif(os.name != "posix", reason="the lab needs Linux")
@pytest.mark.timeout(900)
def test_random_worlds_are_judged_rightly(tmp_path: Path) -> None:
    """A dozen of them in one lab; many more by `python -m tests.lab.random_drill`."""
    found = counter_examples(worlds(WORLDS, SEED), tmp_path, lambda _: None)
    known = catalogue()
    assert [] == ["\n".join([scenario(w), *(known[f].title for f in w)]) for w in found]
