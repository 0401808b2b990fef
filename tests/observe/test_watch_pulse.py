# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.lively import alive

from wavegate import clock
from wavegate.observe.functions.answer import Asked, Function, ok, silent, wrong
from wavegate.observe.functions.facing import Facing
from wavegate.observe.watch_hearing import Hearing
from wavegate.observe.watch_probe import probe
from wavegate.observe.watch_pulse import BEAT, Pulse
from wavegate.record.timeline import Sample, Watched

SECOND = timedelta(seconds=1)


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The moment that it is."""
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of this process, in our hands."""
    found = Time()
    monkeypatch.setattr(clock, "monotonic", found)
    return found


def test_waking_too_late_is_noted(time: Time) -> None:
    """Only what a beat took longer than it should is lateness, and only since the moment asked."""
    pulse = Pulse()
    time.now += BEAT
    pulse.note(time.now)
    began = time.now
    assert 0.0 == pulse.late(began)
    time.now += BEAT + 2.0
    assert 2.0 == pytest.approx(pulse.late(began))  # not yet awake
    pulse.note(time.now)
    assert 2.0 == pytest.approx(pulse.late(began))
    assert 0.5 == pytest.approx(pulse.late(time.now - 0.5))
    assert 0.0 == pulse.late(time.now)


def _probed(folder: Path, time: Time, asked: Asked, *, took: float, late: float) -> Sample:
    """A probe that took so long, of which this machine did not run so long."""
    estate = alive(
        "http://127.0.0.1:9", folder, opens=SECOND, length=SECOND, policy={"too_slow": "10s"}
    )
    facing = Facing(
        estate=estate, instance=estate.instance("acme-prod1"), window=SECOND, base=folder
    )
    pulse, hearing = Pulse(), Hearing(())

    def ask() -> Asked:
        time.now += BEAT + late
        pulse.note(time.now)
        for _ in range(round((took - late) / BEAT) - 1):
            time.now += BEAT
            pulse.note(time.now)
        hearing.answered("acme-prod2")
        return asked

    watched = Watched(name="mirror_page", every=SECOND, expects="HTTP 200")
    ((sample, _),) = probe(Function(watched=watched, ask=ask), facing, hearing, pulse).samples
    return sample


@pytest.mark.parametrize(
    ("asked", "took", "late", "state", "heard"),
    [
        (silent("timeout"), 10.0, 0.0, "silent", True),
        (silent("timeout"), 10.1, 4.0, "silent", False),
        (ok("HTTP 200"), 0.4, 0.0, "ok", True),
        (ok("HTTP 200"), 12.0, 0.0, "ok", True),
        (ok("HTTP 200"), 12.0, 4.0, "silent", False),
        (wrong("HTTP 502"), 12.0, 4.0, "wrong", True),
    ],
)
def test_an_overload_of_ours_is_no_silence_of_theirs(
    tmp_path: Path,
    time: Time,
    asked: object,
    took: float,
    late: float,
    state: str,
    heard: bool,
) -> None:
    """Silence, or an answer too late, that this machine may have made leaves n; answers stay."""
    found = _probed(tmp_path, time, (asked,), took=took, late=late)  # type: ignore[arg-type] # a table
    assert (state, heard) == (found.state, found.heard)
    assert ("too busy" in found.detail) is (not heard)
