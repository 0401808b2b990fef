# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Many faulty worlds share one lab, and none of them touches another."""

from pathlib import Path

import pytest

from wavegate.errors import InputError
from wavegate.lab.catalogue import catalogue
from wavegate.lab.reference import few_world
from wavegate.lab.scenario import load_scenario
from wavegate.lab.shared import ConflictError, alone, crowd, shareable
from wavegate.lab.world import PHASES, Scene

HEALTHY = few_world()
SHARED_BY_ALL = {
    "prod-before-january",
    "tz-boundary-local",
    "notice-dst-spring",
    "benign-offset-form",
    "benign-notice-dst-autumn",
    "window-overruns-announced",
}
"""These change the policy, or the window of the wave."""


def own(scene: Scene, number: int) -> tuple[object, ...]:
    """What belongs to one copy: its zones, servers and instances."""
    mark = str(number)
    zones = (zone for zone in scene.zones if mark in zone.origin)
    servers = (server for server in scene.servers if server.name.endswith(mark))
    return (*zones, *servers, *(item for item in scene.instances if mark in item.name))


def test_only_what_all_share_needs_a_lab_of_its_own() -> None:
    """A fault that stands alone without need makes the drill long; one that need not is a leak."""
    playable = (fault.id for fault in catalogue().values() if not fault.unplayable)
    apart = {f for f in playable if not shareable(alone((f,), HEALTHY), HEALTHY)}
    assert SHARED_BY_ALL <= apart
    assert len(apart) < len(catalogue()) / 10


def test_a_fault_touches_no_other_copy() -> None:
    """The healthy copy beside faulty ones is what it is beside healthy ones."""
    faulty = crowd((("dns-timeout-on-capture-after",), (), ("ptr-cloud-default",)), HEALTHY)
    healthy = crowd(((), (), ()), HEALTHY)
    for phase in PHASES:
        assert own(healthy.scene(phase), 55) == own(faulty.scene(phase), 55)
    assert own(healthy.after, 54) != own(faulty.after, 54)


def test_a_copy_holds_what_its_fault_touches_and_no_more() -> None:
    """An instance that nothing happens to would only cost time."""
    one = alone(("mx-lost",), HEALTHY)
    assert ("acme-prod1",) == tuple(item.name for item in one.agreed.instances)
    two = alone(("ips-swapped-between-customers",), HEALTHY)
    assert ("acme", "globex") == two.agreed.customers
    assert ("acme-prod1", "globex-prod1") == two.agreed.waves[0].instances


def test_the_shared_zones_hold_every_copy() -> None:
    """A resolver that follows the root must find every copy's servers."""
    world = crowd(((), (), ()), HEALTHY)
    glue = {rr.owner for rr in world.before.zone(".").records if rr.type == "A"}
    assert {f"ns1.mailer{number}.example." for number in (54, 55, 56)} < glue
    assert 1 == len(world.before.zone("example.").get("example.", "SOA"))


def test_a_change_of_what_all_share_is_refused_beside_others() -> None:
    """It would hit the other copies, and their results would say nothing."""
    with pytest.raises(ConflictError, match="the policy"):
        crowd((("prod-before-january",), ()), HEALTHY)
    assert 3 == len(crowd((("prod-before-january",),), HEALTHY).agreed.instances)


def test_a_scenario_file_of_copies(tmp_path: Path) -> None:
    """Copies, limits and functions of a scenario are what the drill plays, and can be replayed."""
    path = tmp_path / "lot.yaml"
    path.write_text("base: few\ncopies: [[mx-lost], []]\nlimits: [throughput]\nfunctions: false\n")
    world = load_scenario(str(path)).world()
    assert ("acme54-prod1", "acme55-prod1") == world.agreed.waves[0].instances
    assert (("throughput",), False) == (world.agreed.limits, world.agreed.probed)


def test_a_scenario_whose_copies_conflict(tmp_path: Path) -> None:
    """A person who writes such a file is told what stands against it."""
    path = tmp_path / "lot.yaml"
    path.write_text("base: few\ncopies: [[prod-before-january], []]\n")
    with pytest.raises(InputError, match="cannot share a lab: one changes the policy"):
        load_scenario(str(path)).world()
