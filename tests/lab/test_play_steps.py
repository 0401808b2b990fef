# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The steps of a play are typed, whole, and of what exists."""

import runpy
import sys
from datetime import UTC, datetime, timedelta

import pytest

from wavegate import clock
from wavegate.errors import InputError
from wavegate.lab import skewed
from wavegate.lab.faults import faults
from wavegate.lab.play_steps import play_step
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
