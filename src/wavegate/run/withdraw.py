# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Withdrawing instances from a wave before its window opens, and taking that back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from wavegate import clock
from wavegate.decision import Withdrawal, withdrawn_by
from wavegate.errors import InputError
from wavegate.evidence.shelf import Shelf
from wavegate.run.opening import Opened
from wavegate.run.spoken import check_names, check_spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a plan changes of who moves. by, why: of those that are withdrawn, "" where none is."""

    withdraw: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()
    by: str = ""
    why: str = ""


def withdrawals(opened: Opened, shelf: Shelf, change: Change) -> Mapping[str, Withdrawal]:
    """Who is withdrawn from the wave after a change: as in the plan before, unless restored.

    An instance that the wave does not list any more is not among them: it is outside the wave.
    Raises InputError (the window has opened, no such instance, withdrawn already or not at all, an
    empty text, another customer's name in it, a plan before that nobody trusted signed).
    """
    before = withdrawn_by(shelf.plan.cells) if shelf.plan else {}
    inside, at = shelf.wave.instances, shelf.at
    _check_trusted(opened, before)
    if change.withdraw or change.restore:
        _check_time(shelf, at)
        _check_known(shelf, (*change.withdraw, *change.restore))
    _check_restored(change, before)
    _check_withdrawn(shelf, change, before)
    fresh = Withdrawal(by=change.by, why=change.why, at=at)
    kept = {name: found for name, found in before.items() if name not in change.restore}
    return {
        name: found
        for name, found in {**kept, **dict.fromkeys(change.withdraw, fresh)}.items()
        if name in inside
    }


def _check_trusted(opened: Opened, before: Mapping[str, Withdrawal]) -> None:
    lost = sorted(set(opened.withdrawn) - set(before))
    if lost:
        raise InputError(
            f"the last plan withdrew {', '.join(lost)}, and no key trusted here signed it",
            where=f"plans/{opened.wave.name}/",
            cure="plan with the key that signed it, or put that into the trust file",
        )


def _check_time(shelf: Shelf, at: datetime) -> None:
    if at >= shelf.window.start:
        raise InputError(
            f"the window opened at {clock.format_instant(shelf.window.start)}: nobody can be "
            "withdrawn or restored any more",
            cure="judge by the plan as it stands; `wavegate decide` records what is decided now",
        )


def _check_known(shelf: Shelf, names: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(shelf.wave.instances))
    if unknown:
        raise InputError(
            f"not in wave {shelf.wave.name}: {', '.join(unknown)}",
            cure=f"its instances are {', '.join(shelf.wave.instances)}",
        )


def _check_restored(change: Change, before: Mapping[str, Withdrawal]) -> None:
    for name in change.restore:
        if name in change.withdraw:
            raise InputError(f"{name} both withdrawn and restored", cure="say one of them")
        if name not in before:
            listed = ", ".join(sorted(before)) or "nobody"
            raise InputError(f"{name} is not withdrawn", cure=f"withdrawn is: {listed}")


def _check_withdrawn(shelf: Shelf, change: Change, before: Mapping[str, Withdrawal]) -> None:
    if change.withdraw:
        check_spoken(by=change.by, why=change.why)
    for name in change.withdraw:
        check_names(shelf.estate, name, change.by, change.why)
        if name in before:
            found = before[name]
            raise InputError(
                f"{name} is withdrawn already, by {found.by}: {found.why}",
                cure="it stays so in every later version of the plan, unless it is restored",
            )
