# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The steps of a play are typed, whole, and of what exists."""

import runpy
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wavegate import clock
from wavegate.cli.lab_text import listed, told
from wavegate.errors import InputError
from wavegate.lab import skewed
from wavegate.lab.faults import explain, faults, planted
from wavegate.lab.play import Play, play
from wavegate.lab.play_steps import play_step
from wavegate.lab.reference import reference_world
from wavegate.lab.tampering import TAMPERINGS

STEPS = [step for fault in faults() for step in fault.play]


def test_every_tampering_is_of_use_and_exists() -> None:
    """The catalogue names exactly the tamperings that there are."""
    assert {step.what for step in STEPS if step.do == "tamper"} == set(TAMPERINGS)


def test_every_step_can_be_told() -> None:
    """`lab explain` says in words what the play does differently."""
    assert [step for step in STEPS if not step.told() or "None" in step.told()] == []


def test_only_what_happens_after_sealing_is_for_verify() -> None:
    """A gate cannot notice what is done to its bundle."""
    late = {fault.id for fault in faults() if any(step.step == "gate" for step in fault.play)}
    assert {fault.id for fault in faults() if fault.by == "verify"} == late


@pytest.mark.parametrize(
    "entry",
    [
        {"do": "burn", "step": "watch"},
        {"do": "omit", "step": "lunch"},
        {"do": "omit", "step": "watch", "why": "x"},
        {"do": "halt", "step": "watch", "since": 0.1},
        {"do": "clock", "step": "sink"},
        {"do": "clock", "step": "sink", "off": 0.1, "days": 2},
        {"do": "capture", "step": "capture before", "phase": "window", "since": 0.1},
        {"do": "tamper", "step": "gate"},
        {"step": "gate"},
    ],
)
def test_a_broken_step_is_refused(entry: dict[str, object]) -> None:
    """A typo in the catalogue never becomes a play of something else."""
    with pytest.raises((TypeError, KeyError)):
        play_step(entry)


@pytest.mark.parametrize(("text", "seconds"), [("-4s800ms", -4.8), ("+2m", 120), ("90s", 90)])
def test_an_offset_is_read(text: str, seconds: float) -> None:
    """Behind and ahead."""
    assert skewed.offset(text) == timedelta(seconds=seconds)


def test_an_offset_that_is_none_is_refused() -> None:
    """One sentence, with an example."""
    with pytest.raises(InputError, match="soon"):
        skewed.offset("soon")


def test_a_skewed_process_goes_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs as always, by a clock that is off."""
    seen: list[tuple[datetime, list[str]]] = []
    monkeypatch.setattr(runpy, "run_module", lambda *_, **__: seen.append((clock.now(), sys.argv)))
    monkeypatch.setattr(sys, "argv", ["kept"])
    try:
        skewed.main(["--", "-45d", "plan"])
    finally:
        clock.go_wrong(timedelta())
    ((at, argv),) = seen
    assert argv == ["wavegate", "plan"]
    assert timedelta(days=44) < datetime.now(UTC) - at < timedelta(days=46)


def test_an_ordinary_play_does_not_pretend(tmp_path: Path) -> None:
    """What lies in the steps is not played by the ordinary ones: it says who takes them."""
    wanted = Play(scenario="single", folder=tmp_path / "x", faults=("record-byte-flipped",))
    with pytest.raises(InputError, match="record-byte-flipped") as caught:
        play(wanted, lambda _: None)
    assert "lab drill --fault record-byte-flipped" in (caught.value.cure or "")
    assert not (tmp_path / "x").exists()


def test_a_served_world_may_be_healthy() -> None:
    """By hand, a person can take such steps against a world that has nothing planted."""
    world = reference_world()
    assert planted(world, ("record-byte-flipped",)) == world


def test_explaining_tells_the_steps() -> None:
    """Whoever reads of a fault learns what a play does differently, and who must notice."""
    text = told(explain("verdict-edited"))
    assert "after gate: verdict-edited" in text
    assert "by verify" in text


def test_the_list_tells_why_something_cannot_be_played() -> None:
    """Nothing is dropped silently, neither from the list nor from the reasons."""
    found = replace(explain("probe-gap"), unplayable="nobody can")
    assert "cannot be played: nobody can" in listed([found])
    assert "unplayable    nobody can" in told(found)
