# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb doctor: whether this machine, its keys and a store are fit for a wave. It only looks."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wavegate import clock
from wavegate.clock import format_instant
from wavegate.errors import MissingError
from wavegate.estate.load import load
from wavegate.evidence.diagnosis import Grade
from wavegate.evidence.store_doctor import Examination, examine
from wavegate.evidence.trust import Trust
from wavegate.record.local_store import LocalStore
from wavegate.record.store_place import AnyStore, open_store
from wavegate.report.safe_text import visible
from wavegate.run.doctor_checks import Check, State
from wavegate.run.doctor_machine import machine
from wavegate.run.opening import trust_for

ROOM = 1 << 30
"""Bytes that should be free where a store lies."""
SHOWN = 50
"""Diagnoses of a grade that a person is shown; --json has all."""
_BAD = frozenset({State.DAMAGED, State.MISSING})
_STATES = {Grade.DAMAGED: State.DAMAGED, Grade.ODD: State.NOTE, Grade.HARMLESS: State.NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What doctor found. store: None where none was given."""

    checks: tuple[Check, ...]
    store: Examination | None = None

    @property
    def exit_code(self) -> int:
        """0 fit, 3 something is missing or damaged."""
        return 3 if any(check.state in _BAD for check in self.checks) else 0

    def to_json(self) -> dict[str, object]:
        """The object of `doctor --json`."""
        return {
            "fit": self.exit_code == 0,
            "checks": [check.to_json() for check in self.checks],
            "store": None if self.store is None else _counts(self.store),
        }

    def text(self) -> str:
        """Every check in a line, its cure below; of very many of a kind the first ones."""
        lines: list[str] = []
        for state in State:
            mine = [check for check in self.checks if check.state is state]
            lines += [line for check in mine[:SHOWN] for line in _lines(check)]
            if len(mine) > SHOWN:
                lines.append(f"{state:8} and {len(mine) - SHOWN} more: see --json")
        return "\n".join(lines)


def _counts(found: Examination) -> dict[str, object]:
    return {
        "place": found.place,
        "objects": found.objects,
        "signed": found.signed,
        "journals": found.journals,
        "bytes": found.size,
        "newest": format_instant(found.newest) if found.newest else None,
        "diagnoses": [one.to_json() for one in found.diagnoses],
    }


def _lines(check: Check) -> Iterator[str]:
    yield f"{check.state:8} {visible(check.what)}: {visible(check.text)}"
    if check.cure and check.state is not State.OK:
        yield f"         cure: {visible(check.cure)}"


def doctor(store: Path | None, estate: Path | None, trust: Path | None) -> Examined:
    """Look at this machine, or at a store and no more than that.

    Raises MissingError (no store there), DamagedError (its FORMAT), InputError (estate, trust).
    """
    if store is None:
        return Examined(checks=tuple(machine(load(estate).estate if estate else None)))
    opened = open_store(store, create=False)
    found = examine(opened, _trust(trust))
    return Examined(checks=tuple(_of_store(opened, found, trusted=_trust(trust))), store=found)


def _trust(path: Path | None) -> Trust | None:
    """The trust file given, or that of the own keys; without any, signatures are not checked."""
    if path is not None:
        return trust_for(path)
    try:
        return trust_for(None)
    except MissingError:
        return None


def _of_store(store: AnyStore, found: Examination, *, trusted: Trust | None) -> Iterator[Check]:
    for one in found.diagnoses:
        about = f" ({one.about})" if one.about else ""
        yield Check(
            what=f"{one.name}{about}", state=_STATES[one.grade], text=one.text, cure=one.cure
        )
    if trusted is None:
        text, cure = "signatures were not checked: no trust file", "give --trust"
        yield Check(what="trust file", state=State.NOTE, text=text, cure=cure)
    yield from _clock_behind(found)
    if isinstance(store, LocalStore):
        yield _room(store)
    if not found.damaged:
        text = (
            f"whole: {found.objects} objects, {found.signed} signed statements, "
            f"{found.journals} journals, {found.size} bytes"
        )
        yield Check(what="store", state=State.OK, text=text)


def _clock_behind(found: Examination) -> Iterator[Check]:
    if found.newest is not None and found.newest > clock.now():
        yield Check(
            what="clock",
            state=State.NOTE,
            text=f"something in the store ended later than now: {format_instant(found.newest)}",
            cure="check this machine's clock, and that of whoever recorded it",
        )


def _room(store: LocalStore) -> Check:
    free = shutil.disk_usage(store.root).free
    if free < ROOM:
        text, cure = f"only {free} bytes are free where the store lies", "make room"
        return Check(what="disk", state=State.NOTE, text=text, cure=cure)
    return Check(what="disk", state=State.OK, text=f"{free >> 30} GiB are free")
