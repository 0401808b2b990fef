# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The fault catalogue: what each fault is, where it shows, what the gate must make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from wavegate.errors import InternalError
from wavegate.lab.play_steps import PlayStep, play_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of the catalogue.

    changes: what is different in the world. phase: when. promises: whose cells must carry the
    verdict, on `instance`. also_allowed: promises that may turn too. also_verdict: verdicts
    accepted as well. names: the witness, in the names of the reference world, or in the words of
    `tampering.Place.names`. difficulty: 1 plain, 2 needs a second look, 3 hides from a decent
    implementation. by: who must notice, the gate or, where it happens after sealing, verify. play:
    steps of the play that differ, beside or instead of the world. unplayable: why the lab cannot
    play it; empty where it can.
    """

    id: str
    family: str
    title: str
    changes: str
    phase: str
    promises: tuple[str, ...]
    verdict: str
    names: tuple[str, ...]
    why: str
    difficulty: int
    instance: str
    also_allowed: tuple[str, ...] = ()
    also_verdict: tuple[str, ...] = ()
    by: str = "gate"
    play: tuple[PlayStep, ...] = ()
    unplayable: str = ""

    @property
    def benign(self) -> bool:
        """Whether the gate must stay quiet."""
        return self.verdict == "PASSED"


def fixtures() -> Path:
    """The folder of versioned input: in the wheel beside the package, in a checkout at its root."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "fixtures", here.parents[3] / "fixtures"):
        if (folder / "faults").is_dir():
            return folder
    raise InternalError(
        "the fixtures of the lab are missing",
        where=str(here.parents[1] / "fixtures"),
        cure="install wavegate anew from its wheel",
    )


@cache
def catalogue() -> Mapping[str, Fault]:
    """All entries by id, in the order of the files. Raises InternalError for a broken file."""
    found: dict[str, Fault] = {}
    for path in sorted((fixtures() / "faults").glob("*.yaml")):
        for fault in _read(path):
            if fault.id in found:
                raise InternalError(f"fault {fault.id} is listed twice", where=str(path))
            found[fault.id] = fault
    return found


def _read(path: Path) -> Iterator[Fault]:
    entries = YAML(typ="safe").load(path)
    for entry in entries:
        try:
            yield _fault(path.stem, entry)
        except (KeyError, TypeError) as error:
            raise InternalError(f"broken catalogue entry: {error}", where=str(path)) from error


def _fault(family: str, entry: Mapping[str, object]) -> Fault:
    return Fault(
        id=str(entry["id"]),
        family=family,
        title=str(entry["title"]),
        changes=str(entry["changes"]),
        phase=str(entry["phase"]),
        promises=_words(entry["promises"]),
        verdict=str(entry["verdict"]),
        names=_words(entry["names"]),
        why=str(entry["why"]),
        difficulty=int(str(entry["difficulty"])),
        instance=str(entry.get("instance", "acme-prod1")),
        also_allowed=_words(entry.get("also_allowed", [])),
        also_verdict=_words(entry.get("also_verdict", [])),
        by=_by(entry.get("by", "gate")),
        play=_play(entry.get("play", [])),
        unplayable=str(entry.get("unplayable", "")),
    )


def _by(value: object) -> str:
    if value not in ("gate", "verify"):
        raise TypeError(f"`by` is gate or verify, not {value!r}")
    return str(value)


def _play(value: object) -> tuple[PlayStep, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list of steps")
    return tuple(play_step(step) for step in value)


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(str(item) for item in value)
