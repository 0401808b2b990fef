# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Crossed faults: two at once in one instance, both of which must be named."""

from collections.abc import Iterator, Sequence

from wavegate.errors import InputError
from wavegate.lab.catalogue import Fault
from wavegate.lab.drill_lots import kind_of
from wavegate.lab.faults import explain, planted
from wavegate.lab.reference import few_world
from wavegate.lab.shared import alone, shareable
from wavegate.lab.world import World


def crossed(wanted: Sequence[tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """Pairs of the wanted faults, each fault in one pair at the most.

    Two faults are paired where they are of different promises and agree in the world, where neither
    is allowed to turn what the other must, and both show in the same kind of play. Raises
    InputError where no two of them go together.
    """
    found = tuple(_pairs([explain(fault) for faults in wanted for fault in faults], few_world()))
    if not found:
        raise InputError("no two of these faults go together", cure="name more, or none for all")
    return found


def _pairs(faults: Sequence[Fault], healthy: World) -> Iterator[tuple[str, str]]:
    left = [fault for fault in faults if _crossable(fault, healthy)]
    while left:
        first = left.pop(0)
        for second in left:
            if _apart(first, second) and _agree(first, second, healthy):
                left.remove(second)
                yield first.id, second.id
                break


def _crossable(fault: Fault, healthy: World) -> bool:
    """Whether a fault is one of its own copy, and takes no observation away."""
    if fault.verdict != "FAILED" or fault.unplayable or fault.play:
        return False
    return shareable(alone((fault.id,), healthy), healthy)


def _apart(first: Fault, second: Fault) -> bool:
    """Whether neither could be taken for the other."""
    theirs = {*second.promises, *second.also_allowed}
    mine = {*first.promises, *first.also_allowed}
    clear = not (theirs & set(first.promises) or mine & set(second.promises))
    same = kind_of([first]) == kind_of([second]) and first.instance == second.instance
    return clear and same


def _agree(first: Fault, second: Fault, healthy: World) -> bool:
    try:
        world = planted(healthy, (first.id, second.id))
    except InputError:
        return False
    return world != healthy and shareable(alone((first.id, second.id), healthy), healthy)
