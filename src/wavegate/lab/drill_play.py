# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Playing one lot of a drill: its lab is served, captured, watched where it must be, and gated."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import wavegate
from wavegate import clock
from wavegate.errors import InternalError
from wavegate.lab.commands import Commands, Running, Say
from wavegate.lab.drill_judge import SeenCell, Verified, seen_cell
from wavegate.lab.drill_lots import Lot, cast
from wavegate.lab.drill_names import normal
from wavegate.lab.drill_score import UNDRILLED
from wavegate.lab.drill_steps import Phase, Special, Steps, steps
from wavegate.lab.play_steps import PlayStep
from wavegate.lab.tampering import Place, other_tool, second_key, tamper

TRIES = 3
MAILS_WITHIN = 6
"""How often the mail of a phase is waited for, each time as long as the lab is patient."""
BEFORE = timedelta(seconds=8)
"""What a window length is at most, for instants before the opening."""
NEAR = -1.0
"""Captures at instants from here on are forced: a slow start must not end the play."""
SEEDS, BURSTS = "seeds.json", "20"
Lab = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the gate made of a lot. cells: with their customers. decisions: per instance.

    verified: what verify said of what was tampered with after sealing, by instance. known: values
    that the play found out, by instance and under the catalogue's words. writes: calls that would
    have changed an instance. verdicts: all that the gate printed.
    """

    cells: tuple[tuple[str, SeenCell], ...]
    decisions: Mapping[str, str]
    verified: Mapping[str, Verified] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    verdicts: Mapping[str, Any] = field(default_factory=dict)


class _TooLateError(Exception):
    """The steps before the window took until its opening."""


def play_lot(lot: Lot, folder: Path, say: Say, running: Running) -> Outcome:
    """Play a lot in a new folder. Raises InternalError, StoppedError.

    A machine too busy to be ready before the opening gets twice the time.
    """
    longer = 1
    for attempt in range(TRIES):
        place = folder.with_name(f"{folder.name}-{attempt}") if attempt else folder
        try:
            return _stage(lot, place, say, running, lot.opens_in * longer).play()
        except _TooLateError:
            longer *= 2
            say("  not ready before the opening: once more, with twice the time")
    raise InternalError(f"{lot.name}: this machine is too busy", cure="fewer --jobs")


def _stage(lot: Lot, folder: Path, say: Say, running: Running, opens_in: timedelta) -> "_Stage":
    different = steps(cast(lot))
    harness = different.whole("clock", "harness")
    return _Stage(
        folder=folder,
        env={**os.environ, "WAVEGATE_HOME": str(folder / "home"), UNDRILLED: "1"},
        say=say,
        running=running,
        lot=lot,
        opens_in=opens_in,
        steps=different,
        ahead=_ahead(harness, lot.window) if harness else "",
    )


def _ahead(step: PlayStep, window: timedelta) -> str:
    """How far a clock is ahead, with its sign."""
    off = timedelta(days=step.days) if step.days else (step.off or 0.0) * window
    return ("-" if off < timedelta() else "+") + clock.format_duration(abs(off))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A capture of one instance that runs beside the play."""

    name: str
    instance: str
    process: "Popen[bytes]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage(Commands):
    lot: Lot
    opens_in: timedelta
    steps: Steps

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def play(self) -> Outcome:
        """Serve the lab, and walk through the wave."""
        self.folder.mkdir(parents=True)
        scenario = self.folder / "lot.yaml"
        scenario.write_text(json.dumps(self.lot.scenario(), indent=1) + "\n", encoding="utf-8")
        opens, window = map(clock.format_duration, (self.opens_in, self.lot.window))
        where = ("--dir", str(self.folder), "--opens-in", opens, "--window", window)
        with self.daemon("lab", "lab", "serve", str(scenario), *where):
            lab = self.lab_json()
            with self._sink(lab):
                return self._walk(lab)

    @contextmanager
    def _sink(self, lab: Lab) -> Iterator[None]:
        """The sink, by a wrong clock or with a rest where the catalogue says so."""
        wrong, rest = self.steps.whole("clock", "sink"), self.steps.whole("halt", "sink")
        by = self.by_clock(_ahead(wrong, self.lot.window)) if wrong else self
        args = ("sink", *self._place(lab), "--listen", str(lab["smtp"]))
        if rest is None:
            with by.daemon("sink", *args):
                yield
            return
        with ExitStack() as stack:
            first = stack.enter_context(by.started("sink", *args))

            def again() -> None:
                stack.enter_context(by.started("sink-again", *args))

            with self._timed(lab, (rest.since, first.terminate), (rest.until, again)):
                yield

    @contextmanager
    def _timed(self, lab: Lab, *what: tuple[float | None, Any]) -> Iterator[None]:
        """Do things at instants, in window lengths from the opening."""
        timers = []
        for share, do in what:
            left = (self._at(lab, share or 0.0) - clock.now()) / timedelta(seconds=1)
            timers.append(threading.Timer(max(left, 0), do))
        for timer in timers:
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
                timer.join()

    def _at(self, lab: Lab, share: float) -> datetime:
        return clock.parse_instant(lab["window"]["start"]) + share * self.lot.window

    def _place(self, lab: Lab) -> tuple[str, ...]:
        return ("--estate", str(lab["estate"]), "--store", str(self.store))

    def _where(self, lab: Lab) -> tuple[str, ...]:
        return (*self._place(lab), "--wave", str(lab["wave"]))

    def _walk(self, lab: Lab) -> Outcome:
        """The steps of the wave, in their order."""
        at = ("--dir", str(self.folder))
        self._before(lab, at)
        with ExitStack() as stack:
            watch = stack.enter_context(self._watch(lab))
            extra = self._scheduled(lab, stack, early=True)
            self.run("phase window", 0, "lab", "phase", "window", *at)
            extra += self._scheduled(lab, stack, early=False)
            moved = self.run("phase after", None, "lab", "phase", "after", *at)
            known = dict(map(self._captured, extra))
            if watch is not None:
                self.awaited("watch", watch)
        if self.lot.settled:
            self._until(clock.parse_instant(lab["settled"]))
        self._until(self._closed_for_all(lab))
        self._capture(lab, "after")
        return replace(self._decided(lab, known), writes=tuple(moved.data["writes"]))

    def _closed_for_all(self, lab: Lab) -> datetime:
        """When the window is over by the harness's clock too."""
        wrong = self.steps.whole("clock", "harness")
        behind = max(-(wrong.off or 0.0), 0.0) if wrong else 0.0
        return self._at(lab, 1.0 + behind)

    def _until(self, at: datetime) -> None:
        self.running.wait((at - clock.now()) / timedelta(seconds=1))

    def _before(self, lab: Lab, at: tuple[str, ...]) -> None:
        """All that comes before the window. Raises _TooLateError where it took too long."""
        opens = clock.parse_instant(lab["window"]["start"])
        latest = opens - timedelta(seconds=8 if self.lot.watched else 3)
        try:
            self._gate_others(lab)
            self._plan(lab)
            for _ in range(MAILS_WITHIN):
                if not self.run("mail before", None, "lab", "phase", "before", *at).code:
                    break
            self._capture(lab, "before")
        except InternalError as error:
            if clock.now() < latest:
                raise
            raise _TooLateError from error
        if clock.now() >= latest:
            raise _TooLateError

    def _plan(self, lab: Lab) -> None:
        seeds = self.steps.whole("seeds", "plan")
        ordered = ("--seeds", str(self.folder / SEEDS), "--seed-runs", BURSTS) if seeds else ()
        self.run("plan", 0, "plan", *self._where(lab), *ordered)

    @contextmanager
    def _watch(self, lab: Lab) -> "Iterator[Popen[bytes] | None]":
        """The watch, where the lot needs one, with a rest where the catalogue says so."""
        if not self.lot.watched:
            yield None
            return
        rest = self.steps.whole("halt", "watch")
        with self.started("watch", "watch", *self._where(lab)) as process:
            if rest is None:
                yield process
                return
            stop = (rest.since, lambda: process.send_signal(signal.SIGSTOP))
            go_on = (rest.until, lambda: process.send_signal(signal.SIGCONT))
            with self._timed(lab, stop, go_on):
                yield process

    def _capture(self, lab: Lab, phase: Phase) -> None:
        """The ordinary capture of a phase, and those by another clock, tool or key."""
        left_out = self.steps.left_out(phase)
        moving = (name for copy in cast(self.lot) for name in copy.moving)
        asked = [name for name in moving if name not in left_out]
        only = [part for name in asked for part in ("--instance", name)] if left_out else []
        args = ("capture", *self._where(lab), "--phase", phase)
        if asked:
            self.run(f"capture {phase}", 0, *args, *only)
        for special in self.steps.captured_otherwise(phase):
            commands, more = self._otherwise(special.step)
            commands.run("capture", 0, *args, "--instance", special.instance, *more)

    def _otherwise(self, step: PlayStep) -> "tuple[_Stage, tuple[str, ...]]":
        """Commands by another clock or tool, or with another key to sign with."""
        match step.do:
            case "clock":
                return self.by_clock(_ahead(step, self.lot.window)), ()
            case "tool":
                folder = self.folder / "tool"
                if not folder.exists():
                    package = Path(wavegate.__file__).parent
                    other_tool(package, folder, step.version or "0")
                return self.with_env(PYTHONPATH=str(folder)), ()
            case _:
                home = self.folder / "home"
                key = second_key(home / "keys" / "default.pem", home / "trust.json")
                return self, ("--key", str(key))

    def _scheduled(self, lab: Lab, stack: ExitStack, *, early: bool) -> list["_Begun"]:
        """Begin captures of single instances, each at its instant, and go on meanwhile.

        early: those before the opening, or those in the window.
        """
        due = (s for s in self.steps.scheduled() if ((s.step.since or 0.0) < 0) == early)
        return [self._begin(lab, stack, special) for special in due]

    def _begin(self, lab: Lab, stack: ExitStack, special: Special) -> "_Begun":
        since, phase = special.step.since or 0.0, str(special.step.phase)
        length = min(self.lot.window, BEFORE) if since < 0 else self.lot.window
        self._until(clock.parse_instant(lab["window"]["start"]) + since * length)
        name = f"capture-{special.instance}-{phase}"
        force = ("--force",) if phase == "after" or since > NEAR else ()
        args = ("--phase", phase, "--instance", special.instance, *force)
        process = stack.enter_context(self.started(name, "capture", *self._where(lab), *args))
        return _Begun(name=name, instance=special.instance, process=process)

    def _captured(self, begun: "_Begun") -> tuple[str, Mapping[str, str]]:
        """Wait for a capture that was begun; the record that it made."""
        data = self.awaited(begun.name, begun.process).data
        if "snapshots" not in data:
            raise InternalError(f"{begun.name} came to nothing: {data}")
        return begun.instance, {"the record": str(data["snapshots"][0]["record"])}

    def _decided(self, lab: Lab, known: dict[str, Mapping[str, str]]) -> Outcome:
        """Tamper where the catalogue says so, gate, tamper again and verify."""
        store = self.store
        for special in self.steps.tampered(sealed=False):
            done = tamper(str(special.step.what), self._evidence(lab, special))
            known[special.instance] = dict(done.names)
            store = done.store if done.store != self.store else store
        where = ("--estate", str(lab["estate"]), "--store", str(store), "--wave", str(lab["wave"]))
        bundle = self.folder / "bundle"
        gated = self.run("gate", None, "gate", *where, "--final", "--out", str(bundle))
        if "cells" not in gated.data:
            raise InternalError(f"{self.lot.name}: no decision: {gated.data}")
        verified = {}
        for special in self.steps.tampered(sealed=True):
            names, verified[special.instance] = self._after_sealing(lab, special, bundle)
            known[special.instance] = names
        return outcome(gated.data, verified=verified, known=known)

    def _gate_others(self, lab: Lab) -> None:
        """Plan and gate another wave of a copy, of which nothing was captured."""
        for special in self.steps.of("gate"):
            wave = special.cast.text(str(special.step.what))
            where = (*self._place(lab), "--wave", wave)
            self.run("plan other", 0, "plan", *where)
            out = self.folder / f"bundle-{wave}"
            self.run("gate other", None, "gate", *where, "--final", "--out", str(out))

    def _evidence(
        self, lab: Lab, special: Special, bundle: Path | None = None, extract: Path | None = None
    ) -> Place:
        text = special.cast.text
        return Place(
            store=self.store,
            key=self.folder / "home" / "keys" / "default.pem",
            wave=str(lab["wave"]),
            instance=special.instance,
            sister=text("acme-stage1"),
            server=text("127.53.1.4"),
            bundle=bundle,
            extract=extract,
        )

    def _after_sealing(
        self, lab: Lab, special: Special, bundle: Path
    ) -> tuple[Mapping[str, str], Verified]:
        """Tamper with a copy of the bundle, or of the customer's extract, and verify that."""
        copy = self.folder / f"tampered-{special.instance}"
        shutil.copytree(bundle, copy)
        key = ("--key", str(self.folder / "home" / "keys" / "default.pub"))
        if special.step.what != "one-left-out":
            done = tamper(str(special.step.what), self._evidence(lab, special, bundle=copy))
            return dict(done.names), self._verify(copy, *key)
        customer = special.instance.partition("-")[0]
        extract = self.folder / f"extract-{customer}"
        self.run("report", 0, "report", str(bundle), "--customer", customer, "--out", str(extract))
        done = tamper(str(special.step.what), self._evidence(lab, special, extract=extract))
        secret = f"file:{self.folder / 'secrets' / f'{customer}.extract'}"
        whose = ("--customer", customer, "--secret", secret)
        return dict(done.names), self._verify(extract, *key, *whose)

    def _verify(self, folder: Path, *args: str) -> Verified:
        step = self.run("verify", None, "verify", str(folder), *args)
        return Verified(code=step.code, text=normal(json.dumps(step.data)))


def outcome(verdicts: Mapping[str, Any], **more: Any) -> Outcome:
    """What `gate --json` printed, as a drill reads it."""
    cells = tuple((str(cell["customer"]), seen_cell(cell)) for cell in verdicts["cells"])
    decisions = dict(verdicts["instances"])
    return Outcome(cells=cells, decisions=decisions, verdicts=verdicts, **more)
