# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every promise in a world that passes, one that fails and one that is inconclusive.

Worlds are played whole, through the command line, over real DNS, HTTP, SOAP and SMTP. Those of one
kind that do not contradict each other share a play: each must still be found under its promise.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from wavegate.errors import InputError
from wavegate.lab.play import Play, Played, play
from wavegate.lab.scenario import load_scenario
from wavegate.promise import PROMISES

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "fixtures" / "scenarios"
SUITES = {path.stem.removeprefix("test_") for path in (ROOT / "suites").glob("test_*.py")}
WORLDS = sorted(SCENARIOS.glob("*-*.yaml"))
KINDS = ("passes", "fails", "inconclusive")
AT_ONCE = 3
LEAST_SECRET = 8
"""Bytes of what counts as a secret; an operator's name is none."""
DECISIONS = {"PASSED": {"GO"}, "FAILED": {"NO-GO"}, "INCONCLUSIVE": {"HOLD", "NO-GO"}}
"""What the wave may be; the same fact may break another promise where one cannot tell."""
SETTLE_LATE = {"throughput", "queued_mail", "availability_after"}
"""Promises that a gate right after the window leaves open."""
DECIDED_BY_THE_ESTATE = {"scope", "notice"}

pytestmark = pytest.mark.timeout(1200)


@cache
def told(path: Path) -> Mapping[str, Any]:
    """What a world's file says."""
    found: Mapping[str, Any] = YAML(typ="safe").load(path)
    return found


def fits(group: list[Path], world: Path) -> bool:
    """Whether a world can be played together with others: same base, no contradiction."""
    if told(group[0])["base"] != told(world)["base"]:
        return False
    promises = {told(member)["expect"]["promise"] for member in group}
    if told(world)["expect"]["promise"] in promises:
        return False
    faults = [fault for member in (*group, world) for fault in told(member)["faults"]]
    try:
        load_scenario(told(world)["base"]).world(tuple(faults))
    except InputError:
        return False
    return True


def same(group: list[Path], world: Path) -> bool:
    """Whether a world is broken in the same way as another."""
    return all(told(group[0])[key] == told(world)[key] for key in ("base", "faults"))


def groups(worlds: list[Path]) -> list[list[Path]]:
    """The worlds in as few plays as their faults allow.

    What cannot be told might hide something else, so such worlds share a play only if it is the
    same.
    """
    found: list[list[Path]] = []
    for world in worlds:
        alone = world.stem.endswith("inconclusive")
        shared = (g for g in found if (same(g, world) if alone else fits(g, world)))
        if not (group := next(shared, None)):
            found.append([world])
        else:
            group.append(world)
    return found


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Mapping[Path, "Future[Played]"]]:
    """The worlds that this run asks for, being played."""
    asked = {world for item in request.session.items if (world := _world_of(item))}
    folder = tmp_path_factory.mktemp("worlds")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plays: dict[Path, Future[Played]] = {}
        for kind in KINDS:
            of_kind = [w for w in WORLDS if w in asked and w.stem.endswith(kind)]
            for number, group in enumerate(groups(of_kind)):
                wanted = _play(folder / f"{kind}-{number}", group)
                plays |= dict.fromkeys(group, pool.submit(play, wanted, lambda _: None))
        yield plays


def _play(folder: Path, group: list[Path]) -> Play:
    faults = [fault for world in group for fault in told(world)["faults"]]
    return Play(
        scenario=told(group[0])["base"],
        folder=folder,
        faults=tuple(dict.fromkeys(faults)),
        opens_in="45s",
        window="8s",
        close=any(told(world)["expect"]["promise"] in SETTLE_LATE for world in group),
    )


def _world_of(item: pytest.Item) -> Path | None:
    found: Path | None = getattr(getattr(item, "callspec", None), "params", {}).get("world")
    return found


@pytest.mark.skipif(os.name != "posix", reason="the lab needs Linux")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.stem)
def test_a_world_comes_out_as_its_file_says(
    world: Path, played: Mapping[Path, "Future[Played]"]
) -> None:
    """The named cell has the named verdict, the decision follows, and the bundle verifies."""
    wanted, found = told(world)["expect"], played[world].result()
    verdicts = {
        (cell["instance"], cell["promise"]): cell["verdict"] for cell in found.verdicts["cells"]
    }
    assert wanted["verdict"] == verdicts[wanted["instance"], wanted["promise"]], found.text()
    assert found.decision in DECISIONS[wanted["verdict"]], found.text()
    assert 0 == found.step("verify").code
    assert [] == found.step("phase after").data["writes"]


def test_every_promise_with_a_suite_has_its_worlds() -> None:
    """A promise without a world that fails would be a promise that nothing tests."""
    wanted = {
        (promise, kind)
        for promise in SUITES & set(PROMISES)
        for kind in KINDS
        if kind != "inconclusive" or promise not in DECIDED_BY_THE_ESTATE
    }
    there = {tuple(path.stem.rsplit("-", 1)) for path in WORLDS}
    assert set() == wanted - there


TOKEN = re.compile(rb"___[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}|@[A-Za-z0-9+/]{40,}={1,2}")


def test_no_secret_is_at_rest(played: Mapping[Path, "Future[Played]"]) -> None:
    """No password and no token of any instance is in store, bundle, logs or output, decoded too."""
    if not played:
        pytest.skip("no world was asked for")
    found = next(iter(played.values())).result()
    assert found.bundle is not None
    folder = found.bundle.parent
    secrets = [path.read_bytes().strip() for path in (folder / "secrets").iterdir()]
    passwords = [secret for secret in secrets if len(secret) > LEAST_SECRET]
    assert passwords
    printed = json.dumps([dict(step.data) for step in found.steps]).encode()
    places = [folder / "store", found.bundle, *folder.glob("*.log")]
    texts = [printed, *(text for place in places for text in _texts(place))]
    leaks = [word for text in texts for word in passwords if word in text]
    assert [] == leaks
    assert [] == [token for text in texts for token in TOKEN.findall(text)]


def _texts(place: Path) -> Iterator[bytes]:
    """Every file below a place, and what its base64 values hold."""
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.is_file():
            data = path.read_bytes()
            yield data
            for value in re.findall(rb'"value":"([A-Za-z0-9+/]{4,}={0,2})"', data):
                with suppress(binascii.Error):
                    yield base64.b64decode(value)
