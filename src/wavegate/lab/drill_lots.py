# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which faults share a lab in a drill, and what each lot plays: as few labs as the faults allow.

A fault that changes only its own copy of the reference world stands beside others whose promises
need the same steps. One that changes what all copies share, or the play itself, has its own lab.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from wavegate.lab.catalogue import Fault
from wavegate.lab.copies import LEAST, MOST, Namer
from wavegate.lab.drill_names import Name, meant
from wavegate.lab.faults import explain, planted
from wavegate.lab.plants import PROD
from wavegate.lab.play_steps import PlayStep
from wavegate.lab.reference import few_world, reference_names
from wavegate.lab.shared import alone, counts_mail, names_of, shareable, touched
from wavegate.lab.tls_front import STRANGER
from wavegate.lab.world import World

Kind = Literal["still", "watched", "settled", "whole", "stepped"]
"""What is played. still: captures on both sides of the window. watched: a watch through it as well.
settled: captures, the second once stops, load steps and the queue have shown what they come to.
whole: watched and settled, so that every promise is judged.
stepped: as still, through a short window, and captures of single instances as the catalogue says.
"""
TIMELINE = ("sending_window", "only_sending_disrupted")
LATE = ("queued_mail", "throughput", "availability_after")
HOSTS = "functions"
"""A family whose hosts the estate names only where functions are probed: unnamed, nobody looks."""
FRONTS = "availability_after"
"""A promise that also rests on the looks of a watch."""
LARGEST: dict[Kind, int] = {"still": 30, "watched": 30, "settled": 24, "whole": 12, "stepped": 24}
"""Copies in a lot, so that all lots take about as long; never more than there are addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A lab that is played once. copies: for each copy of the world the faults planted in it.

    healthy: whether a copy without any stands beside them. pace: how many times as long everything
    takes, for a machine that is busy.
    """

    name: str
    kind: Kind
    copies: tuple[tuple[str, ...], ...]
    healthy: bool
    pace: int = 1

    @property
    def limits(self) -> tuple[str, ...]:
        """The promises that it does not play."""
        match self.kind:
            case "still" | "stepped":
                return (*TIMELINE, *LATE)
            case "watched":
                return LATE
            case "settled":
                return TIMELINE
            case "whole":
                return ()

    @property
    def window(self) -> timedelta:
        """Its length: more copies need more time between two looks at the same one.

        The shorter it is, the more units of history a slow capture after it has to read.
        """
        match self.kind:
            case "still":
                seconds = min(8.0 + len(self.copies), 30.0)
            case "watched" | "whole":
                seconds = max(12.0, 1.7 * len(self.copies))
            case "settled":
                seconds = 24.0
            case "stepped":
                seconds = 20.0
        return self.pace * timedelta(seconds=seconds)

    @property
    def watched(self) -> bool:
        """Whether a watch runs through the window, and functions are probed."""
        return self.kind in ("watched", "whole")

    @property
    def settled(self) -> bool:
        """Whether it is captured once stops, load steps and queue have shown what they come to."""
        return self.kind in ("settled", "whole")

    @property
    def opens_in(self) -> timedelta:
        """Time for the mail and the captures before the window, on a machine that is not idle."""
        return self.pace * timedelta(seconds=30 + 1.2 * len(self.copies))

    def scenario(self) -> dict[str, object]:
        """The scenario file that serves it."""
        return {
            "title": f"drill, {self.name}",
            "base": "few",
            "copies": [list(faults) for faults in self.copies],
            "limits": list(self.limits),
            "functions": self.watched,
        }


def kind_of(faults: Sequence[Fault]) -> Kind:
    """What must be played to see what the faults are expected to show."""
    promises = {promise for fault in faults for promise in fault.promises}
    steps = [step for fault in faults for step in fault.play]
    if FRONTS in promises:
        return "whole"
    if promises & set(LATE):
        return "settled"
    if promises & set(TIMELINE) or any(step.step == "watch" for step in steps):
        return "watched"
    if any(fault.family == HOSTS for fault in faults):
        return "watched"
    timed = any(step.do not in ("tamper", "gate") for step in steps)
    return "stepped" if timed else "still"


def concerns_all(step: PlayStep) -> bool:
    """Whether a step cannot be taken for one instance alone."""
    match step.do:
        case "halt" | "seeds":
            return True
        case "clock":
            return not step.step.startswith("capture")
        case "tamper":
            return step.what == "moved"
        case _:
            return False


def lots(wanted: Iterable[tuple[str, ...]]) -> tuple[Lot, ...]:
    """Lots in which each of the wanted sets of faults is planted once; the long ones first."""
    healthy = few_world()
    sorts: dict[Kind, list[tuple[str, ...]]] = {}
    apart: list[Lot] = []
    for faults in wanted:
        told = tuple(explain(fault) for fault in faults)
        kind = kind_of(told)
        whole = any(concerns_all(step) for fault in told for step in fault.play)
        world = alone(faults, healthy)
        if whole or counts_mail(world) or not shareable(world, healthy):
            name = "-and-".join(faults)
            apart.append(Lot(name=name, kind=kind, copies=(faults,), healthy=False))
        else:
            sorts.setdefault(kind, []).append(faults)
    order: tuple[Kind, ...] = ("whole", "watched", "still", "settled", "stepped")
    shared = (lot for kind in order for lot in _divided(kind, sorts.get(kind, ())))
    return (*shared, *apart)


def _divided(kind: Kind, every: Sequence[tuple[str, ...]]) -> Iterator[Lot]:
    """Lots of about the same size, each with a healthy copy at its end."""
    largest = min(LARGEST[kind], MOST - LEAST)
    count = -(-len(every) // largest)
    for place in range(count):
        part = tuple(every[place::count])
        yield Lot(name=f"{kind}-{place + 1}", kind=kind, copies=(*part, ()), healthy=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One copy of a lot as it is called in the lab.

    customers: whose cells are its own. moving: its instances that the wave moves. sharing: those
    that share the change.
    """

    faults: tuple[str, ...]
    namer: Namer
    customers: frozenset[str]
    moving: tuple[str, ...]
    sharing: frozenset[str]

    def instance(self, fault: Fault) -> str:
        """Where a fault must show, in the lab."""
        return self.text(fault.instance)

    def text(self, text: str) -> str:
        """A name of the reference world, in the lab."""
        return self.namer.text(text)

    def names(self, fault: Fault, known: Mapping[str, str]) -> tuple[Name, ...]:
        """What must be named. known: what the play found out."""
        short = names_of(self.namer.number, reference_names())
        shared = {*short, STRANGER}
        words = tuple(word if word in shared else self.text(word) for word in fault.names)
        return meant(words, self.instance(fault), short, known)


def cast(lot: Lot) -> tuple[Cast, ...]:
    """The copies of a lot, the healthy one last if it has one."""
    healthy = few_world()
    return tuple(
        _cast(faults, Namer(number=LEAST + place), healthy)
        for place, faults in enumerate(lot.copies)
    )


def _cast(faults: tuple[str, ...], namer: Namer, healthy: World) -> Cast:
    world = alone(faults, healthy)
    changed = touched(planted(healthy, faults), healthy) if faults else (PROD,)
    return Cast(
        faults=faults,
        namer=namer,
        customers=frozenset(map(namer.text, world.agreed.customers)),
        moving=tuple(map(namer.text, world.agreed.waves[0].instances)),
        sharing=frozenset(map(namer.text, changed)),
    )
