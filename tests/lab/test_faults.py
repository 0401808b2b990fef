# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each fault changes the world where it says, and only there."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wavegate.errors import InputError
from wavegate.lab.catalogue import Fault
from wavegate.lab.dns_answer import index
from wavegate.lab.faults import explain, faults, planted, plants
from wavegate.lab.reference import reference_names, reference_world
from wavegate.lab.world import PHASES, World
from wavegate.promise import PROMISES

WORLD = reference_world()
SETS_THE_STAGE = {
    "spf-mx-term-moved",
    "dkim-flag-t-s",
    "dmarc-aspf-strict",
    "benign-new-asn",
    "dnssec-bogus",
    "dnssec-ds-lost",
    "dnssec-one-server-unsigned",
    "benign-dnssec-key-rolled",
    "caa-forbids-renewal",
    "benign-tags-respaced",
    "transactional-events-dropped",
}
"""These need something in the world before that the reference world has not."""
EVERY = faults()
PLANTED = tuple(fault for fault in EVERY if fault.id in plants())


def test_every_entry_can_be_played_or_says_why_not() -> None:
    """Nothing is planted that is not told, and nothing told that neither world nor play does."""
    played = {fault.id for fault in EVERY if fault.play}
    unplayable = {fault.id for fault in EVERY if fault.unplayable}
    assert {fault.id for fault in EVERY} == set(plants()) | played | unplayable
    assert not unplayable & (set(plants()) | played)


def _shared() -> set[str]:
    folder = Path(__file__).parents[3] / "shared" / "faults"
    if not folder.is_dir():
        pytest.skip("the catalogue of ../shared is not here")
    files = sorted(folder.glob("*.yaml"))
    return {entry["id"] for path in files for entry in YAML(typ="safe").load(path)}


def test_no_fault_of_the_common_catalogue_is_dropped() -> None:
    """Ids are the catalogue's; those of our own come on top."""
    assert _shared() - {fault.id for fault in EVERY} == set()


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.id)
def test_a_fault_changes_its_phase(fault: Fault) -> None:
    """Each phase of a fault leaves the phases alone that it does not name."""
    world = plants()[fault.id](WORLD)
    changed = {phase for phase in PHASES if world.scene(phase) != WORLD.scene(phase)}
    agreed = (world.agreed, world.agreed_after) != (WORLD.agreed, WORLD.agreed_after)
    match fault.phase:
        case "before":
            assert (changed, agreed) == ({"before"}, False)
        case "window":
            assert (changed, agreed) == ({"window"}, False)
        case "after":
            assert ("before" in changed) == (fault.id in SETS_THE_STAGE)
            assert world.before != world.after
            assert "after" in changed or agreed
        case "always":
            assert "before" in changed or agreed
        case other:
            pytest.fail(f"unknown phase {other}")


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.id)
def test_a_planted_world_can_be_published(fault: Fault) -> None:
    """Every zone of every phase parses, in every version that a server has of it."""
    world = plants()[fault.id](WORLD)
    for phase in PHASES:
        for zone in world.scene(phase).zones:
            assert index(zone).nodes


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.id)
def test_an_entry_speaks_of_what_exists(fault: Fault) -> None:
    """Promises, verdicts and instances are the project's own."""
    assert fault.verdict in {"PASSED", "FAILED", "INCONCLUSIVE"}
    assert fault.benign == fault.id.startswith("benign-")
    assert set(fault.promises) | set(fault.also_allowed) <= set(PROMISES)
    assert fault.instance in {state.name for state in WORLD.before.instances}
    assert fault.difficulty in {1, 2, 3}


def test_the_short_names_lead_to_the_world() -> None:
    """A witness named ip3 or ns3 must be found in a finding by its address."""
    names = reference_names()
    assert names["ip3"] == "127.10.3.13"
    assert names["six2"] == "2001:db8:10::21"
    assert names["ns3"] == WORLD.before.server("ns3").address
    assert names["news"] == "news.acme.example"


def test_two_faults_of_different_things_live_together() -> None:
    """Crossed faults are both planted."""
    world = planted(WORLD, ("build-newer", "ptr-missing-one", "spf-all-softened"))
    assert world.after.instance("acme-prod1").campaign.build == "9347"
    assert world.after.zone("127.in-addr.arpa.") != WORLD.after.zone("127.in-addr.arpa.")
    assert world.after.zone("mailer.example.") != WORLD.after.zone("mailer.example.")


@pytest.mark.parametrize(
    "pair",
    [
        ("dkim-truncated", "dkim-flag-t-y"),
        ("ip-replaced", "estate-changed-between"),
        ("mx-lost", "lame-delegation", "mx-lost"),
        ("dmarc-weakened", "dmarc-record-lost-parent-applies"),
        ("ptr-missing-one", "ptr-swapped-pair"),
    ],
)
def test_a_contradiction_is_refused(pair: tuple[str, ...]) -> None:
    """Of two faults of one thing, one would hide the other."""
    with pytest.raises(InputError):
        planted(WORLD, pair)


def test_a_typo_gets_a_suggestion() -> None:
    """The cure names what was perhaps meant."""
    with pytest.raises(InputError) as caught:
        explain("ptr-mising-one")
    assert "ptr-missing-one" in (caught.value.cure or "")


def _policy(world: World) -> str:
    (found,) = world.after.zone("mailer.example.").get("__spf.acme-prod1.mailer.example.", "TXT")
    return found.data


@pytest.mark.parametrize(
    ("fault", "lost", "gained"),
    [
        ("spf-lost-one-slash32", "192.0.2.8/29", "ip4:192.0.2.12 ip4:192.0.2.14"),
        ("spf-all-softened", "-all", "~all"),
        ("spf-include-dropped", "tickets", ""),
        ("benign-spf-merged-prefixes", "192.0.2.8/29", "192.0.2.0/28"),
    ],
)
def test_a_policy_loses_and_gains_terms(fault: str, lost: str, gained: str) -> None:
    """The text published afterwards is the one that the catalogue tells."""
    world = plants()[fault](WORLD)
    assert (lost in _policy(WORLD), lost in _policy(world)) == (True, False)
    assert gained in _policy(world)
