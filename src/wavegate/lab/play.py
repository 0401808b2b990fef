# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Plays a whole wave against the lab, as a person would: every step is a command of its own.

The lab knows nothing of the harness's code and drives only its command line (design, "Lab").
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from wavegate import clock
from wavegate.errors import InputError, InternalError
from wavegate.lab.commands import Commands, Running, Say, Step
from wavegate.lab.faults import explain
from wavegate.lab.scenario import load_scenario

WATCH_STARTS = timedelta(seconds=8)
"""How long before the opening a watch is started at the latest."""
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What to play. folder: an empty or new folder. faults: ids. opens_in, window: durations.

    close: whether to go on until nothing is open that time can settle.
    running: holds its processes. env: more for the environment of its commands.
    """

    scenario: str
    folder: Path
    faults: tuple[str, ...] = ()
    opens_in: str = "40s"
    window: str = "8s"
    out: Path | None = None
    close: bool = True
    running: Running = field(default_factory=Running)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A wave that was played. steps: each command with its code. bundle: the sealed folder."""

    scenario: str
    faults: tuple[str, ...]
    wave: str
    steps: tuple[Step, ...]
    bundle: Path | None

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    @property
    def verdicts(self) -> Mapping[str, Any]:
        """The verdicts that the last gate printed; empty where none made a decision."""
        gated = [step.data for step in self.steps if "decision" in step.data and step.gates]
        return gated[-1] if gated else {}

    @property
    def decision(self) -> str:
        """GO, HOLD, NO-GO, or `none`."""
        return str(self.verdicts.get("decision", "none"))

    def text(self) -> str:
        """The decision, each bad cell with before and after, and where the report is."""
        lines = [str(s.data.get("decision_line", self.decision)) for s in self.steps if s.gates]
        for cell in self.cells("FAILED", "INCONCLUSIVE"):
            lines += _cell_lines(cell, self.promised)
        lines.append(f"report: {self.bundle}/report.html" if self.bundle else "no bundle")
        return "\n".join(lines)

    def cells(self, *verdicts: str) -> list[Mapping[str, Any]]:
        """The cells of these verdicts."""
        return [cell for cell in self.verdicts.get("cells", []) if cell["verdict"] in verdicts]

    @property
    def promised(self) -> Mapping[str, str]:
        """The promises' sentences by id."""
        return {row["id"]: row["sentence"] for row in self.verdicts.get("promises", [])}


def play(wanted: Play, say: Say) -> Played:
    """Play a wave: serve, sink, plan, capture, watch the window, capture, gate, verify.

    While something is open, it waits until the world has nothing more to show, and gates again.

    A machine too busy to be ready before the opening gets twice the time, in another folder.
    Raises InputError for a fault that only a drill plays, and InternalError, with the command's own
    words, for a step that could not be done.
    """
    _refuse_other_steps(wanted)
    for attempt in range(1, TRIES):
        try:
            return _play(wanted, say)
        except _TooLateError:
            longer = 2 * clock.parse_duration(wanted.opens_in)
            folder = wanted.folder.with_name(f"{wanted.folder.name}-again{attempt}")
            wanted = replace(wanted, folder=folder, opens_in=clock.format_duration(longer))
            say(
                f"not ready before the opening: once more, {wanted.opens_in} before it, in {folder}"
            )
    return _play(wanted, say)


def _refuse_other_steps(wanted: Play) -> None:
    """A play takes the ordinary steps: a fault that lies in the steps would not be played by it."""
    faults = (*load_scenario(wanted.scenario).faults, *wanted.faults)
    for fault in map(explain, faults):
        if fault.play:
            raise InputError(
                f"{fault.id} is no state of the world alone: its steps differ",
                where="--fault",
                cure=f"`wavegate lab drill --fault {fault.id}` takes them",
            )


class _TooLateError(Exception):
    """The steps before the window took until its opening."""


def _play(wanted: Play, say: Say) -> Played:
    wanted.folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, **wanted.env, "WAVEGATE_HOME": str(wanted.folder / "home")}
    stage = _Stage(wanted=wanted, folder=wanted.folder, env=env, say=say, running=wanted.running)
    with stage.daemon("lab", *_serve(wanted)):
        lab = stage.lab_json()
        listen = ("--listen", str(lab["smtp"]))
        with stage.daemon("sink", "sink", *stage.place(lab), *listen):
            return stage.walk(lab)


def _cell_lines(cell: Mapping[str, Any], promised: Mapping[str, str]) -> Iterator[str]:
    yield f"{cell['promise']}[{cell['instance']}] {cell['verdict']}"
    yield f"  promised  {promised.get(cell['promise'], cell['promise'])}"
    for row in cell["findings"]:
        yield f"  before    {row['expected']}"
        yield f"  after     {row['observed']}"
        yield f"  look at   {row['subject']}; witness {', '.join(row['witness']) or '-'}"
    for row in cell["missing"]:
        yield f"  missing   {row['what']} (on {row['on']})"


def _serve(wanted: Play) -> Iterator[str]:
    yield from ("lab", "serve", wanted.scenario, "--dir", str(wanted.folder))
    yield from ("--opens-in", wanted.opens_in, "--window", wanted.window)
    for fault in wanted.faults:
        yield from ("--fault", fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage(Commands):
    wanted: Play

    def place(self, lab: Mapping[str, object]) -> tuple[str, ...]:
        """The options that say which estate and store."""
        return ("--estate", str(lab["estate"]), "--store", str(self.wanted.folder / "store"))

    def walk(self, lab: Mapping[str, Any]) -> Played:
        """The steps of a wave, one after the other."""
        wave = str(lab["wave"])
        where = (*self.place(lab), "--wave", wave)
        at = ("--dir", str(self.wanted.folder))
        key = str(self.wanted.folder / "home" / "keys" / "default.pub")
        steps = self._before(lab, where, at)
        with self.started("watch", "watch", *where) as watch:
            steps += self._window(where, at)
            steps.append(self.awaited("watch", watch))
        steps += self._decide(lab, where)
        bundle = self.bundle
        if bundle.is_dir():
            steps.append(self.run("verify", None, "verify", str(bundle), "--key", key))
        return Played(
            scenario=self.wanted.scenario,
            faults=self.wanted.faults,
            wave=wave,
            steps=tuple(steps),
            bundle=bundle if bundle.is_dir() else None,
        )

    def _before(
        self, lab: Mapping[str, Any], where: tuple[str, ...], at: tuple[str, ...]
    ) -> list[Step]:
        """All that comes before the watch. Raises _TooLateError where it took until the opening."""
        latest = clock.parse_instant(lab["window"]["start"]) - WATCH_STARTS
        try:
            steps = [
                self.run("plan", 0, "plan", *where),
                self.run("mail before", 0, "lab", "phase", "before", *at),
                self.run("capture before", 0, "capture", *where, "--phase", "before"),
                self.run("ready", None, "ready", *where),
            ]
        except InternalError as error:
            if clock.now() < latest:
                raise
            raise _TooLateError from error
        if clock.now() >= latest:
            raise _TooLateError
        return steps

    @property
    def bundle(self) -> Path:
        """Where the sealed folder of the last gate goes."""
        return self.wanted.out or self.wanted.folder / "bundle"

    def _decide(self, lab: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[Step]:
        """Gate; and once more, when the world has settled, where something was open."""
        interim = self.bundle.with_name(f"{self.bundle.name}-interim")
        first = self.run("gate", None, "gate", *where, "--out", str(interim))
        yield first
        if not (self.wanted.close and first.data.get("open")):
            if interim.is_dir():
                interim.rename(self.bundle)
            return
        self._await(clock.parse_instant(lab["settled"]))
        yield self.run("capture again", 0, "capture", *where, "--phase", "after")
        yield self.run("gate again", None, "gate", *where, "--out", str(self.bundle))

    def _await(self, at: datetime) -> None:
        """Wait until an instant is past."""
        left = (at - clock.now()).total_seconds()
        self.say(f"  {'settling':15} {max(left, 0):5.1f} s until stops and load steps are over")
        self.running.wait(left)

    def _window(self, where: tuple[str, ...], at: tuple[str, ...]) -> list[Step]:
        """Through the window, and the capture after it."""
        return [
            self.run("phase window", 0, "lab", "phase", "window", *at),
            self.run("phase after", None, "lab", "phase", "after", *at),
            self.run("capture after", 0, "capture", *where, "--phase", "after"),
        ]
