# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A drill plays every fault in as few labs as it can, keeps what is finished, counts honestly."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from wavegate.errors import InputError, InternalError
from wavegate.lab.catalogue import catalogue
from wavegate.lab.commands import Running, Say, StoppedError
from wavegate.lab.drill import HEALTHY, RESULTS, Request, chosen, drill
from wavegate.lab.drill_crossed import crossed
from wavegate.lab.drill_judge import SeenCell
from wavegate.lab.drill_lots import LATE, TIMELINE, Lot, cast, lots
from wavegate.lab.drill_play import Outcome
from wavegate.lab.faults import explain

PTR, MX, EARLY = "ptr-missing-one", "mx-lost", "prod-before-january"


@dataclass(slots=True)
class Stage:
    """A player that catches every fault, unless it is told otherwise.

    sick: lots whose healthy copy is NO-GO. silent: faults that nobody notices. played: what was.
    """

    sick: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    played: list[str] = field(default_factory=list)
    instead: Callable[[Lot, Running], None] | None = None

    def __call__(self, lot: Lot, folder: Path, say: Say, running: Running) -> Outcome:
        """Play a lot."""
        del folder, say
        self.played.append(lot.name)
        if self.instead:
            self.instead(lot, running)
        copies = cast(lot)
        healthy = copies[-1].instance(replace(explain(PTR), instance="acme-prod1"))
        decision = "NO-GO" if lot.name in self.sick else "GO"
        cells = [
            (min(copy.customers), cell)
            for copy in copies
            for fault in copy.faults
            for cell in self._cells(copy.instance(explain(fault)), fault, copy.names)
        ]
        whose = min(copies[-1].customers)
        cells.append((whose, SeenCell(instance=healthy, promise="spf", verdict="PASSED")))
        return Outcome(cells=tuple(cells), decisions={healthy: decision})

    def _cells(self, instance: str, fault: str, names: object) -> list[SeenCell]:
        told = explain(fault)
        assert callable(names)
        texts = "\n".join(text for name in names(told, {}) for text in name.texts)
        quiet = fault in self.silent and told.verdict != "PASSED"
        return [
            SeenCell(
                instance=instance,
                promise=promise,
                verdict="PASSED" if quiet else told.verdict,
                found=texts,
                lacking=texts,
                cleared=texts,
            )
            for promise in told.promises
        ]


def request(folder: Path, *faults: str) -> Request:
    """A drill of some faults, one after the other."""
    return Request(wanted=tuple((fault,) for fault in faults), folder=folder, jobs=1)


def quiet(text: str) -> None:
    """Say nothing."""
    del text


def test_all_caught(tmp_path: Path) -> None:
    """Every fault once, in the order of the request, and the score says so."""
    found = drill(request(tmp_path, PTR, MX), quiet, Stage())
    assert [(PTR,), (MX,)] == [row.faults for row in found.rows]
    assert (True, 2, 2) == (found.passed, found.score.caught, found.score.played)


def test_one_that_nobody_notices(tmp_path: Path) -> None:
    """It is missed, and the drill has not passed."""
    found = drill(request(tmp_path, PTR, MX), quiet, Stage(silent={MX}))
    assert ["caught", "missed"] == [row.mark for row in found.rows]
    assert (False, 1) == (found.passed, found.score.caught)


def test_finished_results_are_kept(tmp_path: Path) -> None:
    """An interrupted drill goes on where it was; only what is left is played."""
    drill(request(tmp_path, PTR), quiet, Stage())
    again = Stage()
    found = drill(request(tmp_path, PTR, MX), quiet, again)
    assert (True, ["still-1"]) == (found.passed, again.played)
    assert [(PTR,), (MX,)] == [row.faults for row in found.rows]
    last = Stage()
    assert drill(request(tmp_path, MX, PTR), quiet, last).passed
    assert [] == last.played


def test_results_of_other_code_are_not_used(tmp_path: Path) -> None:
    """What another catalogue or another harness made says nothing of these."""
    drill(request(tmp_path, PTR), quiet, Stage())
    path = tmp_path / RESULTS
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "tool": "0" * 64}) + "\n")
    again = Stage()
    drill(request(tmp_path, PTR), quiet, again)
    assert ["still-1"] == again.played


def test_a_torn_line_is_no_result(tmp_path: Path) -> None:
    """A drill that was killed while it wrote loses that one result, and no later one."""
    drill(request(tmp_path, PTR), quiet, Stage())
    path = tmp_path / RESULTS
    path.write_bytes(path.read_bytes()[:-20])
    assert drill(request(tmp_path, MX), quiet, Stage()).passed
    last = Stage()
    assert drill(request(tmp_path, PTR, MX), quiet, last).passed
    assert ["still-1"] == last.played


def test_an_unhealthy_world_counts_for_nothing(tmp_path: Path) -> None:
    """If the copy without a fault is not GO, no result beside it counts, however it came out."""
    stage = Stage(sick={"still-1"})
    found = drill(request(tmp_path, PTR, MX), quiet, stage)
    assert ((), False) == (found.rows, found.passed)
    assert ["still-1"] * 3 == stage.played
    assert ["still-1: the world without a fault is not GO: {'acme56-prod1': 'NO-GO'}"] == list(
        found.uncounted
    )


def test_a_fault_alone_in_its_lab_counts_if_a_healthy_lab_does(tmp_path: Path) -> None:
    """Where no healthy copy can stand beside it, a healthy lab is played first."""
    stage = Stage()
    assert drill(request(tmp_path / "good", EARLY), quiet, stage).passed
    assert [HEALTHY.name, EARLY] == stage.played
    found = drill(request(tmp_path / "bad", EARLY), quiet, Stage(sick={HEALTHY.name}))
    assert not found.passed
    assert f"{EARLY}: the healthy world is not GO" in found.uncounted


def test_a_lab_that_fails_counts_for_nothing(tmp_path: Path) -> None:
    """An error of ours is neither a catch nor a miss, and the other labs go on."""

    def fail(lot: Lot, running: Running) -> None:
        del running
        if lot.name == EARLY:
            raise InternalError("no port was free")

    found = drill(request(tmp_path, PTR, EARLY), quiet, Stage(instead=fail))
    assert [(PTR,)] == [row.faults for row in found.rows]
    assert [f"{EARLY}: no port was free"] == list(found.uncounted)


def test_interrupted(tmp_path: Path) -> None:
    """What is finished stays; what runs is told to end; what waits does not begin."""
    begun, stopped = threading.Event(), threading.Event()

    def interrupt(lot: Lot, running: Running) -> None:
        if lot.name == "still-1":
            assert begun.wait(60)
        else:
            begun.set()
            try:
                running.wait(60)
            except StoppedError:
                stopped.set()
                raise

    def say(text: str) -> None:
        if "caught" in text:
            raise KeyboardInterrupt

    wanted = replace(request(tmp_path, PTR, "never-resent"), jobs=2)
    with pytest.raises(KeyboardInterrupt):
        drill(wanted, say, Stage(instead=interrupt))
    assert stopped.is_set()
    again = Stage()
    assert drill(wanted, quiet, again).passed
    assert ["settled-1"] == again.played


@pytest.mark.parametrize(
    ("families", "faults", "cure"),
    [
        (("dnss",), (), "did you mean dns?"),
        ((), ("ptr-mising-one",), "did you mean ptr-missing-one"),
        (("%",), (), "one of auth, availability, build"),
    ],
)
def test_an_unknown_fault_or_family(
    families: tuple[str, ...], faults: tuple[str, ...], cure: str
) -> None:
    """The nearest match is told."""
    with pytest.raises(InputError) as caught:
        chosen(families, faults)
    assert cure in str(caught.value.cure)


def test_what_is_chosen() -> None:
    """All playable ones, or those of a family and those by name."""
    playable = {(fault.id,) for fault in catalogue().values() if not fault.unplayable}
    assert playable == set(chosen((), ()))
    build = chosen(("build",), (PTR,))
    assert {"build", "identity"} == {explain(fault).family for (fault,) in build}


def test_every_fault_is_in_one_lot_that_plays_its_promises() -> None:
    """A promise that a lot declares unknowable could not be caught in it."""
    found = lots(chosen((), ()))
    planted = [fault for lot in found for faults in lot.copies for fault in faults]
    assert sorted(fault for (fault,) in chosen((), ())) == sorted(planted)
    for lot in found:
        assert not set(lot.limits) & {p for c in lot.copies for f in c for p in explain(f).promises}
        assert lot.healthy == (() in lot.copies)
    assert {*TIMELINE, *LATE} == set(next(lot for lot in found if lot.kind == "still").limits)


def test_crossed_faults_do_not_hide_each_other() -> None:
    """Each pair is of two promises, and neither may turn what the other must."""
    pairs = crossed(chosen((), ()))
    every = [fault for pair in pairs for fault in pair]
    assert len(every) == len(set(every))
    for first, second in (map(explain, pair) for pair in pairs):
        assert not set(first.promises) & {*second.promises, *second.also_allowed}
        assert not set(second.promises) & {*first.promises, *first.also_allowed}


def test_both_of_a_pair_must_be_caught(tmp_path: Path) -> None:
    """One of two faults in an instance is not both."""
    pair = (PTR, MX)
    assert drill(Request(wanted=(pair,), folder=tmp_path / "a"), quiet, Stage()).passed
    found = drill(Request(wanted=(pair,), folder=tmp_path / "b"), quiet, Stage(silent={MX}))
    assert [(pair, "missed")] == [(row.faults, row.mark) for row in found.rows]


def test_two_that_do_not_go_together() -> None:
    """A pair of one promise could be taken for one another."""
    with pytest.raises(InputError, match="no two of these faults go together"):
        crossed(chosen((), (PTR, "ptr-cloud-default")))
