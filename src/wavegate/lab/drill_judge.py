# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judging a drill: what the gate made of a planted fault, held against the catalogue.

Pure. An expected FAILED that is INCONCLUSIVE is a miss, and the reverse a false alarm; every
witness must be named under the promise; whatever else turned, unasked, is a false alarm too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wavegate.lab.catalogue import Fault
from wavegate.lab.drill_names import Name, normal

Mark = Literal["caught", "wrong promise", "wrong witness", "missed", "cried wolf"]
MARKS: tuple[Mark, ...] = ("caught", "wrong promise", "wrong witness", "missed", "cried wolf")
BAD = ("FAILED", "INCONCLUSIVE")
EVIDENCE = "evidence"
_FOUND = ("subject", "expected", "observed", "explanation", "before", "after")
_MISSING = ("subject", "what", "command", "before", "after")
_CLEARED = ("rule", "subject", "before", "after", "explanation", "what", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCell:
    """One cell as the gate printed it.

    found: all texts of its findings; lacking: of what is missing; cleared: of what was seen and
    cleared, or not compared; each normalised.
    """

    instance: str
    promise: str
    verdict: str
    found: str = ""
    lacking: str = ""
    cleared: str = ""

    @property
    def place(self) -> str:
        """Where it stands in the grid, with its verdict."""
        return f"{self.promise}[{self.instance}] {self.verdict}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What `verify` said of the bundle. code: its exit code. text: all it printed, normalised."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a fault. instance: where, by its name in the lab that was played.

    names: what must be named. sharing: instances that share the change. usual: the verdict of each
    promise in the healthy world.
    """

    fault: Fault
    instance: str
    names: tuple[Name, ...]
    sharing: frozenset[str]
    usual: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How a fault came out, and in words what was otherwise than it should."""

    mark: Mark
    why: str = ""


def seen_cell(cell: Mapping[str, Any]) -> SeenCell:
    """A cell of `gate --json`."""
    findings = [*_texts(cell["findings"], _FOUND), *_witnesses(cell["findings"])]
    cleared = [*_texts(cell["cleared"], _CLEARED), *_texts(cell["not_compared"], _CLEARED)]
    said = [str(cell[key] or "") for key in ("reason", "shown", "could_hide")]
    return SeenCell(
        instance=str(cell["instance"]),
        promise=str(cell["promise"]),
        verdict=str(cell["verdict"]),
        found=normal("\n".join(findings)),
        lacking=normal("\n".join([*_texts(cell["missing"], _MISSING), *findings, said[0]])),
        cleared=normal("\n".join([*cleared, *said, *map(str, cell["remarks"])])),
    )


def _texts(rows: list[Mapping[str, Any]], keys: tuple[str, ...]) -> Iterator[str]:
    for row in rows:
        yield from (str(row[key]) for key in keys if row.get(key) is not None)


def _witnesses(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from map(str, row["witness"])


def judge(expected: Expected, cells: tuple[SeenCell, ...]) -> Judged:
    """Hold what the gate made of a fault against the catalogue.

    cells: of the instance and its sisters, of the customers that the fault's world holds.
    """
    mine = {cell.promise: cell for cell in cells if cell.instance == expected.instance}
    wrong = _otherwise(expected, mine)
    alarms = tuple(_alarms(expected, cells))
    if wrong is not None:
        return _elsewhere(wrong, alarms)
    if alarms:
        return Judged(mark="cried wolf", why="; ".join(cell.place for cell in alarms))
    return _witnessed(expected, mine)


def judge_verified(expected: Expected, verified: Verified) -> Judged:
    """A fault of what was sealed: `verify` must refuse it and name the witness."""
    refused = verified.code == 1
    if expected.fault.benign:
        return (
            Judged(mark="cried wolf", why="verify refuses it") if refused else Judged(mark="caught")
        )
    if not refused:
        return Judged(mark="missed", why=f"verify exits {verified.code}")
    return _lost(expected.names, verified.text)


def _otherwise(expected: Expected, mine: Mapping[str, SeenCell]) -> Judged | None:
    """The first promise whose cell has none of the expected verdicts, and what that makes it."""
    wanted = (expected.fault.verdict, *expected.fault.also_verdict)
    for promise in expected.fault.promises:
        cell = mine.get(promise)
        if cell is None:
            return Judged(mark="missed", why=f"there is no cell {promise}[{expected.instance}]")
        if cell.verdict not in wanted:
            loud = "PASSED" in wanted and cell.verdict in BAD
            louder = cell.verdict == "FAILED" and "FAILED" not in wanted
            return Judged(mark="cried wolf" if loud or louder else "missed", why=cell.place)
    return None


def _elsewhere(wrong: Judged, alarms: tuple[SeenCell, ...]) -> Judged:
    """A miss is the wrong promise where the alarm was raised under another one."""
    if wrong.mark == "missed" and any(cell.verdict == "FAILED" for cell in alarms):
        places = "; ".join(cell.place for cell in alarms)
        return Judged(mark="wrong promise", why=f"{wrong.why}, but {places}")
    return wrong


def _alarms(expected: Expected, cells: tuple[SeenCell, ...]) -> Iterator[SeenCell]:
    """The cells that turned although nobody asked them to."""
    fault = expected.fault
    listed = {*fault.promises, *fault.also_allowed}
    for cell in cells:
        turned = cell.verdict in BAD and cell.verdict != expected.usual.get(cell.promise)
        here = cell.instance == expected.instance or cell.instance in expected.sharing
        if turned and not (here and (cell.promise in listed or _deprived(fault, cell))):
            yield cell


def _deprived(fault: Fault, cell: SeenCell) -> bool:
    """Whether a cell cannot tell for lack of the observation that the fault takes away."""
    takes = fault.verdict == "INCONCLUSIVE" or fault.family == EVIDENCE
    return takes and cell.verdict == "INCONCLUSIVE"


def _witnessed(expected: Expected, mine: Mapping[str, SeenCell]) -> Judged:
    """Whether the cells of the promises name every witness."""
    hit = [mine[promise] for promise in expected.fault.promises]
    if "PASSED" in expected.fault.also_verdict and all(cell.verdict == "PASSED" for cell in hit):
        return Judged(mark="caught")
    match expected.fault.verdict:
        case "FAILED":
            text = "\n".join(part for cell in hit for part in (cell.found, cell.lacking))
        case "INCONCLUSIVE":
            text = "\n".join(cell.lacking for cell in hit)
        case _:
            text = "\n".join(cell.cleared for cell in mine.values())
    return _lost(expected.names, text)


def _lost(names: tuple[Name, ...], text: str) -> Judged:
    lost = [name for name in names if not name.said_in(text)]
    if not lost:
        return Judged(mark="caught")
    why = ", ".join(f"{name.word} ({' or '.join(name.texts)})" for name in lost)
    return Judged(mark="wrong witness", why=f"not named: {why}")
