# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Planting faults by their ids: each alone, or several that do not contradict each other."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import combinations

from wavegate.errors import InputError
from wavegate.lab import (
    fault_agreed,
    fault_auth,
    fault_availability,
    fault_build,
    fault_dns,
    fault_evidence,
    fault_functions,
    fault_identity,
    fault_queue,
    fault_throughput,
    fault_window,
)
from wavegate.lab.catalogue import Fault, catalogue
from wavegate.lab.plants import Plant
from wavegate.lab.world import World

BEDS = (
    fault_auth.BED,
    fault_build.BED,
    fault_dns.BED,
    fault_identity.BED,
    fault_agreed.SCHEDULE,
    fault_agreed.EVIDENCE,
    fault_evidence.BED,
    fault_window.BED,
    fault_functions.BED,
    fault_queue.BED,
    fault_throughput.BED,
    fault_availability.BED,
)


def plants() -> dict[str, Plant]:
    """All plants by the id of their fault."""
    return {name: plant for bed in BEDS for name, plant in bed.plants.items()}


def faults() -> tuple[Fault, ...]:
    """All faults and benign variations, in the catalogue's order; few of them cannot be played."""
    return tuple(catalogue().values())


def explain(fault: str) -> Fault:
    """One entry of the catalogue. Raises InputError, with what was perhaps meant."""
    found = catalogue().get(fault)
    if found is not None:
        return found
    near = get_close_matches(fault, catalogue(), n=3)
    raise InputError(
        f"unknown fault {fault!r}",
        where="--fault",
        cure=f"did you mean {', '.join(near)}?" if near else "`wavegate lab faults` lists them",
    )


def _known(fault: str) -> Plant | None:
    """Its plant; None where only the play differs. Raises InputError for what cannot be played."""
    found = explain(fault)
    if found.unplayable:
        raise InputError(
            f"the lab cannot play {fault}: {found.unplayable}",
            where="--fault",
            cure=f"`wavegate lab explain {fault}` tells more",
        )
    return plants().get(fault)


def planted(world: World, chosen: Sequence[str]) -> World:
    """The world with those faults. Raises InputError for an unknown one or a contradiction."""
    _refuse_twice(chosen)
    found = ((fault, _known(fault)) for fault in chosen)
    known = {fault: plant for fault, plant in found if plant is not None}
    for first, second in combinations(known, 2):
        if not _compatible(world, known[first], known[second]):
            raise InputError(
                f"the faults {first} and {second} contradict each other",
                where="--fault",
                cure="plant them in two labs",
            )
    for plant in known.values():
        world = plant(world)
    return world


def _refuse_twice(chosen: Sequence[str]) -> None:
    twice = sorted({fault for fault in chosen if list(chosen).count(fault) > 1})
    if twice:
        raise InputError(
            f"planted twice: {', '.join(twice)}", where="--fault", cure="name each fault once"
        )


def _compatible(world: World, first: Plant, second: Plant) -> bool:
    """Two faults agree if their order does not matter and neither hides the other."""
    try:
        one, other = first(world), second(world)
        both, swapped = second(one), first(other)
    except (KeyError, ValueError, IndexError):
        return False
    return both == swapped and both not in (one, other)
