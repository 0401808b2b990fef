# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Scenarios by name and from files."""

from pathlib import Path

import pytest

from wavegate.errors import InputError
from wavegate.lab.reference import reference_world
from wavegate.lab.scenario import load_scenario, named

PROMISES = (
    "scope",
    "schedule",
    "notice",
    "sending_ips",
    "reverse_dns",
    "spf",
    "dkim",
    "dmarc",
    "build_version",
    "nothing_else_changed",
    "sound_evidence",
    "sending_window",
    "only_sending_disrupted",
    "queued_mail",
    "throughput",
    "availability_after",
)


def test_clean_is_the_reference_world() -> None:
    """The name that everybody uses is the healthy world."""
    assert load_scenario("clean").world() == reference_world()


def test_small_has_eight_instances_of_three_customers() -> None:
    """Small in messages, not in kinds."""
    world = load_scenario("small").world()
    assert len(world.agreed.instances) == 8
    assert world.agreed.customers == ("acme", "globex", "initech")
    kinds = {(item.product, item.hosting) for item in world.agreed.instances}
    assert len(kinds) == 3


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_its_worlds(promise: str) -> None:
    """One that passes, one that fails, and one that cannot be told, where there is one."""
    ends = ["passes", "fails"]
    if promise not in ("scope", "notice"):
        ends.append("inconclusive")
    verdicts = {"passes": "PASSED", "fails": "FAILED", "inconclusive": "INCONCLUSIVE"}
    for end in ends:
        expect = load_scenario(f"{promise}-{end}").expect
        assert expect is not None
        assert (expect.promise, expect.verdict) == (promise, verdicts[end])


@pytest.mark.parametrize("name", named())
def test_every_shipped_scenario_can_be_built(name: str) -> None:
    """Its faults exist and agree with each other, and the instance it names is there."""
    scenario = load_scenario(name)
    world = scenario.world()
    if scenario.expect is not None:
        assert scenario.expect.instance in {item.name for item in world.agreed.instances}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fault: [build-newer]", "faults"),
        ("base: cleen", "clean"),
        ("faults: build-newer", "list"),
        ("faults: [bild-newer]", "build-newer"),
        ("expect: {instance: acme-prod1}", "promise, verdict"),
        ("expect: {instanse: x}", "instance"),
        ("[1]", "mapping"),
        ("a: [", "cannot read"),
        ("a: 1\na: 2", "cannot read"),
    ],
)
def test_a_typo_in_a_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    """What was found, where, and what was perhaps meant."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_scenario(str(path)).world()
    assert told in str(caught.value)


@pytest.mark.parametrize(("name", "told"), [("claen", "clean"), ("no/such.yaml", "no such")])
def test_an_unknown_scenario_is_told(name: str, told: str) -> None:
    """By name with a suggestion, by file plainly."""
    with pytest.raises(InputError) as caught:
        load_scenario(name)
    assert told in str(caught.value)
