# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Playing one lot of a drill: its lab is served, captured, watched where it must be, and gated."""

import json
import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from wavegate import clock
from wavegate.errors import InternalError
from wavegate.lab.commands import Commands, Running, Say
from wavegate.lab.drill_judge import SeenCell, Verified, seen_cell
from wavegate.lab.drill_lots import Lot
from wavegate.lab.drill_names import normal
from wavegate.lab.drill_score import UNDRILLED
from wavegate.lab.play import Play, Played, play

TRIES = 3
MAILS_WITHIN = 6
"""How often the mail of a phase is waited for, each time as long as the lab is patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the gate made of a lot. cells: with their customers. decisions: per instance.

    verified: what verify said of the bundle, where it was asked. known: values that the play found
    out, under the catalogue's words. writes: calls that would have changed an instance.
    """

    cells: tuple[tuple[str, SeenCell], ...]
    decisions: Mapping[str, str]
    verified: Verified | None = None
    known: Mapping[str, str] | None = None
    writes: tuple[str, ...] = ()


class _TooLateError(Exception):
    """The steps before the window took until its opening."""


def play_lot(lot: Lot, folder: Path, say: Say, running: Running) -> Outcome:
    """Play a lot in a new folder. Raises InternalError, StoppedError.

    A machine too busy to be ready before the opening gets twice the time.
    """
    if lot.kind == "own":
        return _own(lot, folder, say, running)
    longer = 1
    for attempt in range(TRIES):
        try:
            return _Stage(
                folder=folder.with_name(f"{folder.name}-{attempt}") if attempt else folder,
                env={},
                say=say,
                running=running,
                lot=lot,
                opens_in=lot.opens_in * longer,
            ).play()
        except _TooLateError:
            longer *= 2
            say(f"{lot.name}: not ready before the opening, once more with twice the time")
    raise InternalError(f"{lot.name}: this machine is too busy", cure="fewer --jobs")


def environment(folder: Path) -> dict[str, str]:
    """The environment of the commands of a play."""
    return {**os.environ, "WAVEGATE_HOME": str(folder / "home"), UNDRILLED: "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage(Commands):
    lot: Lot
    opens_in: timedelta

    def play(self) -> Outcome:
        """Serve the lab, and walk through the wave."""
        self.folder.mkdir(parents=True)
        stage = replace(self, env=environment(self.folder))
        scenario = self.folder / "lot.yaml"
        scenario.write_text(json.dumps(self.lot.scenario(), indent=1) + "\n", encoding="utf-8")
        with stage.daemon("lab", *self._serve(scenario)):
            lab = stage.lab_json()
            place = ("--estate", str(lab["estate"]), "--store", str(self.folder / "store"))
            with stage.daemon("sink", "sink", *place, "--listen", str(lab["smtp"])):
                return stage.walk(lab, (*place, "--wave", str(lab["wave"])))

    def _serve(self, scenario: Path) -> tuple[str, ...]:
        opens, window = map(clock.format_duration, (self.opens_in, self.lot.window))
        where = ("--dir", str(self.folder), "--opens-in", opens, "--window", window)
        return ("lab", "serve", str(scenario), *where)

    def walk(self, lab: Mapping[str, Any], where: tuple[str, ...]) -> Outcome:
        """The steps of the wave, in their order."""
        at = ("--dir", str(self.folder))
        self._before(lab, where, at)
        watched = self.lot.kind == "watched"
        with self.started("watch", "watch", *where) if watched else nullcontext() as watch:
            self.run("phase window", 0, "lab", "phase", "window", *at)
            moved = self.run("phase after", None, "lab", "phase", "after", *at)
            if watch is not None:
                self.awaited("watch", watch)
        if self.lot.kind == "settled":
            left = clock.parse_instant(lab["settled"]) - clock.now()
            self.running.wait(left / timedelta(seconds=1))
        self.run("capture after", 0, "capture", *where, "--phase", "after")
        out = ("--final", "--out", str(self.folder / "bundle"))
        gated = self.run("gate", None, "gate", *where, *out)
        if "cells" not in gated.data:
            raise InternalError(f"{self.lot.name}: no decision: {gated.data}")
        return outcome(gated.data, writes=tuple(moved.data["writes"]))

    def _before(self, lab: Mapping[str, Any], where: tuple[str, ...], at: tuple[str, ...]) -> None:
        """All that comes before the window. Raises _TooLateError where it took too long."""
        opens = clock.parse_instant(lab["window"]["start"])
        latest = opens - (timedelta(seconds=8) if self.lot.kind == "watched" else timedelta())
        try:
            self.run("plan", 0, "plan", *where)
            for _ in range(MAILS_WITHIN):
                if not self.run("mail before", None, "lab", "phase", "before", *at).code:
                    break
            self.run("capture before", 0, "capture", *where, "--phase", "before")
        except InternalError as error:
            if clock.now() < latest:
                raise
            raise _TooLateError from error
        if clock.now() >= latest:
            raise _TooLateError


def outcome(verdicts: Mapping[str, Any], **more: Any) -> Outcome:
    """What `gate --json` printed, as a drill reads it."""
    cells = tuple((str(cell["customer"]), seen_cell(cell)) for cell in verdicts["cells"])
    return Outcome(cells=cells, decisions=dict(verdicts["instances"]), **more)


def _own(lot: Lot, folder: Path, say: Say, running: Running) -> Outcome:
    """The whole wave as a person plays it, with the steps that differ."""
    (faults,) = lot.copies
    wanted = Play(
        scenario=OWN_SCENARIO,
        folder=folder,
        faults=faults,
        opens_in=clock.format_duration(lot.opens_in),
        window=clock.format_duration(lot.window),
        running=running,
        env={UNDRILLED: "1"},
    )
    return _told(play(wanted, say))


OWN_SCENARIO = "single"


def _told(played: Played) -> Outcome:
    verify = next((step for step in played.steps if step.name == "verify"), None)
    return outcome(
        played.verdicts,
        verified=verify and Verified(code=verify.code, text=normal(json.dumps(verify.data))),
        writes=tuple(played.step("phase after").data["writes"]),
    )
