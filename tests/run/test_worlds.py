# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every promise in a world that passes, one that fails and one that is inconclusive.

Each world is played whole, through the command line, over real DNS, HTTP, SOAP and SMTP. They are
played some at a time, since a played wave mostly waits for its window.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from wavegate.lab.play import Play, Played, play
from wavegate.promise import PROMISES

SCENARIOS = Path(__file__).parents[2] / "fixtures" / "scenarios"
WORLDS = sorted(SCENARIOS.glob("*-*.yaml"))
AT_ONCE = 4
DECISIONS = {"PASSED": "GO", "FAILED": "NO-GO", "INCONCLUSIVE": "HOLD"}
DECIDED_BY_THE_ESTATE = {"scope", "notice"}

pytestmark = pytest.mark.timeout(900)


def expected(path: Path) -> Mapping[str, Any]:
    """What a world's file says must come of it."""
    found: Mapping[str, Any] = YAML(typ="safe").load(path)["expect"]
    return found


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Mapping[Path, "Future[Played]"]]:
    """The worlds that this run asks for, being played."""
    asked = {item.callspec.params["world"] for item in request.session.items if _of_a_world(item)}
    folder = tmp_path_factory.mktemp("worlds")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            world: pool.submit(
                play,
                Play(scenario=str(world), folder=folder / world.stem, opens_in="30s", window="2s"),
                lambda _: None,
            )
            for world in WORLDS
            if world in asked
        }


def _of_a_world(item: pytest.Item) -> bool:
    return "world" in getattr(getattr(item, "callspec", None), "params", {})


@pytest.mark.skipif(os.name != "posix", reason="the lab needs Linux")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.stem)
def test_a_world_comes_out_as_its_file_says(
    world: Path, played: Mapping[Path, "Future[Played]"]
) -> None:
    """The named cell has the named verdict, the decision follows, and the bundle verifies."""
    wanted, found = expected(world), played[world].result()
    verdicts = {
        (cell["instance"], cell["promise"]): cell["verdict"] for cell in found.verdicts["cells"]
    }
    assert wanted["verdict"] == verdicts[wanted["instance"], wanted["promise"]], found.text()
    assert DECISIONS[wanted["verdict"]] == found.decision, found.text()
    assert 0 == found.step("verify").code
    assert [] == found.step("phase after").data["writes"]


def test_every_promise_with_a_suite_has_its_worlds() -> None:
    """A promise without a world that fails would be a promise that nothing tests."""
    suites = {
        path.stem.removeprefix("test_")
        for path in (SCENARIOS.parents[1] / "suites").glob("test_*.py")
    }
    wanted = {
        (promise, kind)
        for promise in suites & set(PROMISES)
        for kind in ("passes", "fails", "inconclusive")
        if kind != "inconclusive" or promise not in DECIDED_BY_THE_ESTATE
    }
    there = {tuple(path.stem.rsplit("-", 1)) for path in WORLDS}
    assert set() == wanted - there
