# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The grid: the cells that a wave must have, fixed by the estate before anything is looked at."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from wavegate.decision import GridCell, Withdrawal
from wavegate.errors import InputError
from wavegate.estate.lookup import affected_outside, instances_of, named_wave
from wavegate.estate.model import Estate, Instance, Limit
from wavegate.promise import NEEDS_URL, order

NO_URL = "not looked at: no url"
SCOPE = "scope"


def grid(estate: Estate, wave: str, promises: Iterable[str]) -> tuple[GridCell, ...]:
    """The cells of a wave: its instances in their order, each with the promises in theirs.

    Each affected instance outside the wave follows with one `scope` cell, where that promise is
    among them. A limit makes its cell not applicable; so does a missing url where one is needed.
    Cells of the nightly, whose wave has neither window nor `closed`, have no due. Raises InputError
    for an unknown wave, and for one that is only `closed`.
    """
    asked = sorted(set(promises), key=order)
    end = None if named_wave(estate, wave).open_ended else _end(estate, wave)
    limits = _limits(estate)
    inside = (
        _cell(estate, instance, promise, end, limits.get((instance.name, promise)))
        for instance in instances_of(estate, wave)
        for promise in asked
    )
    return (*inside, *(_outside(estate, wave, end) if end and SCOPE in asked else ()))


def without(cells: Iterable[GridCell], withdrawn: Mapping[str, Withdrawal]) -> tuple[GridCell, ...]:
    """The grid in which some instances of the wave were withdrawn: their rows stay.

    Their cells are not applicable, but for `scope`: that they stay behind is still judged.
    """
    return tuple(
        _withdrawn(cell, withdrawn[cell.instance]) if cell.instance in withdrawn else cell
        for cell in cells
    )


def _withdrawn(cell: GridCell, withdrawal: Withdrawal) -> GridCell:
    reason = None if cell.promise == SCOPE else withdrawal.reason
    return replace(cell, not_applicable=reason, limit_by=None, outside=True, withdrawn=withdrawal)


def _end(estate: Estate, wave: str) -> datetime:
    end = named_wave(estate, wave).end
    if end is None:
        raise InputError(
            f"wave {wave} has no window, only `closed`: there is nothing to plan or judge",
            cure="give the wave a window, or name a wave that has one",
        )
    return end


def _limits(estate: Estate) -> dict[tuple[str, str], Limit]:
    """The limit of each limited cell; the first in the file where several name it."""
    found: dict[tuple[str, str], Limit] = {}
    for limit in estate.limits:
        for instance in limit.instances:
            found.setdefault((instance, limit.promise), limit)
    return found


def _cell(
    estate: Estate, instance: Instance, promise: str, end: datetime | None, limit: Limit | None
) -> GridCell:
    blind = instance.url is None and promise in NEEDS_URL
    return GridCell(
        instance=instance.name,
        customer=instance.customer,
        promise=promise,
        due=end + estate.policy.due_after(promise) if end else None,
        not_applicable=limit.reason if limit else NO_URL if blind else None,
        limit_by=limit.approved_by if limit else None,
    )


def _outside(estate: Estate, wave: str, end: datetime) -> Iterator[GridCell]:
    for instance in affected_outside(estate, wave):
        yield GridCell(
            instance=instance.name,
            customer=instance.customer,
            promise=SCOPE,
            due=end + estate.policy.due_after(SCOPE),
            outside=True,
        )
