# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What `ready`, `plan` and `capture` say of a baseline while it can be cured, and afterwards."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import estate, wave
from tests.builders.rates import rate_answers, side, steady
from tests.builders.stores import Desk

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.estate.model import Limit, Window
from wavegate.evidence.trust import Trust, everything
from wavegate.observe.probe import Looked, Task
from wavegate.run import capture
from wavegate.run.opening import open_wave
from wavegate.run.plan import plan
from wavegate.run.ready import ready
from wavegate.run.seeds import seeds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Rates:
    """A probe that is told so many days of loaded sending."""

    name = "rates"

    def __init__(self, opening: datetime, units: int) -> None:
        self.opening = opening
        self.units = units

    def questions(self, task: Task) -> tuple[str, ...]:
        """Nothing to tell."""
        del task
        return ()

    def look(self, task: Task) -> Looked:
        """The statistics of the days before."""
        del task
        at = clock.now()
        buckets = side(at - self.units * DAY - 3 * HOUR, self.units, steady(1200.0))
        return Looked(observations=rate_answers({"77": buckets}, at))


def desk_at(tmp_path: Path, opens_in: timedelta, **other: Any) -> Desk:
    """A planned wave whose window opens then."""
    opening = clock.now() + opens_in
    window = Window(start=opening, end=opening + HOUR)
    desk = Desk(tmp_path / "desk", estate=estate(waves=(wave(window=window),), **other))
    desk.plan("throughput")
    return desk


def captured(desk: Desk, units: int) -> capture.Taken:
    """A capture before, of an instance that tells of so many days."""
    opened = open_wave(desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False)
    request = capture.Request(phase="before", because=None, force=False, vantage="here")
    probe = Rates(opened.window.start, units)
    (taken,) = capture.take(opened, request, [probe], desk.signer, lambda _: None)
    return taken


@pytest.mark.parametrize(
    ("units", "word"),
    [(0, "no hour under load"), (2, "2 loaded units of 1d before, at least 3"), (14, None)],
)
def test_capture_and_ready_say_what_the_baseline_lacks(
    tmp_path: Path, units: int, word: str | None
) -> None:
    """From the captured history, by the same words, days before the window opens."""
    desk = desk_at(tmp_path, 3 * DAY)
    taken = captured(desk, units)
    assert (word is None) == (taken.baseline is None)
    assert (word or "") in (taken.baseline or "")
    told = capture.summary([taken], "before")
    assert ("throughput, while it can be cured:" in told) == (word is not None)
    opened = open_wave(desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False)
    found = ready(opened, Trust(keys=(everything(desk.signer.public),)))
    (check,) = (check for check in found.checks if check.promise == "throughput")
    assert (word or "14 loaded units of 1d before") in check.what
    assert (word is None) == (check.cure is None)


def test_a_limited_cell_needs_no_baseline(tmp_path: Path) -> None:
    """What was declared unknowable is not asked for again at each capture."""
    limit = Limit(
        promise="throughput", instances=("acme-prod1",), reason="no load", approved_by="me"
    )
    assert captured(desk_at(tmp_path, 3 * DAY, limits=(limit,)), 2).baseline is None


@pytest.mark.parametrize(
    ("opens_in", "word"), [(-HOUR / 2, "it opened at"), (-3 * HOUR, "the window is over")]
)
def test_a_window_in_the_past_has_no_cure(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    opens_in: timedelta,
    word: str,
) -> None:
    """`ready` says that it is asked too late, and offers no command that would be refused."""
    desk = desk_at(tmp_path, opens_in)
    folder = desk.folder
    args = ["--estate", str(folder / "estate.json"), "--wave", desk.wave]
    args += ["--store", str(folder / "store"), "--trust", str(folder / "home/trust.json")]
    assert 3 == run(["ready", *args, "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert any(word in check["what"] for check in checks)
    cures = {check["cure"] for check in checks} - {None}
    assert {"none any more: judge by what there is, or plan another wave"} == cures


def test_slots_that_nobody_can_keep_are_told(tmp_path: Path) -> None:
    """A seed plan made half an hour before the opening asks for mails of half an hour ago."""
    fresh = Desk(tmp_path / "fresh", estate=desk_at(tmp_path, HOUR / 2).estate)
    opened = open_wave(
        fresh.folder / "estate.json", fresh.wave, fresh.folder / "store", create=True
    )
    planned = plan(opened, (), (), fresh.signer, _shelf(fresh), seeds(opened))
    assert 1 == sum("slots of the seed plan lie in the past" in w for w in planned.warnings)


def _shelf(desk: Desk) -> Any:
    from wavegate.run.opening import shelf_of

    opened = open_wave(desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False)
    return shelf_of(opened, Trust(keys=(everything(desk.signer.public),)))
