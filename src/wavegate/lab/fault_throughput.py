# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the rate at which mail leaves after the window, and rates that keep the promise."""

from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.campaign_functions import Rates
from wavegate.lab.plants import Bed, Plant, after, always, rates
from wavegate.lab.world import World

BED = Bed()
Change1 = Callable[[Rates], Rates]
NOISY, TIGHT = 0.15, 0.01

AFTER: dict[str, Change1] = {
    "throughput-minus-20": lambda r: r.at(0.8),
    "throughput-minus-30": lambda r: r.at(0.7),
    "backlog-burst-masks-loss": lambda r: replace(r, burst=1.67, factor=0.75),
    "no-load-after": lambda r: replace(r, idle=True),
    "slow-start-day-two": lambda r: replace(r, decay=0.06),
    "relay-fast-arrival-slow": lambda r: replace(r, arrives=0.7),
    "benign-faster": lambda r: r.at(1.6),
}


def _afterwards(change: Change1) -> Plant:
    return lambda world: after(world, rates(change))


for _fault, _change in AFTER.items():
    BED.plant(_fault)(_afterwards(_change))


def _with_noise(world: World, noise: float, unsteady: float, factor: float) -> World:
    world = always(world, rates(lambda r: replace(r, noise=noise, unsteady=unsteady)))
    return after(world, rates(lambda r: r.at(factor)))


@BED.plant("throughput-minus-12-noisy")
def _noisy(world: World) -> World:
    return _with_noise(world, NOISY, NOISY / 2, 0.88)


@BED.plant("benign-minus-6")
def _tight(world: World) -> World:
    return _with_noise(world, TIGHT, 0.0, 0.94)
