# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the rate at which mail leaves after the window, and rates that keep the promise."""

from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.campaign_functions import Rates
from wavegate.lab.plants import Bed, Plant, after, always, both, mailing, rates
from wavegate.lab.world import Mailing, World

BED = Bed()
Change1 = Callable[[Rates], Rates]
NOISY, TIGHT = 0.15, 0.01
LARGE, A_FIFTH = 0.03, 0.2
NIGHT = 0.5
FEW = 240
"""A rate of which a log can tell every tenth message."""
STREAM, BIG_SHARE, STARVED = 5.0, 0.75, 0.075
"""Messages per announced minute that really leave, and the share of one receiver, then and now."""
SWIFT, WAITING = 8.0, 95.0
"""Seconds within which 95 % of a burst of seeds arrive."""

AFTER: dict[str, Change1] = {
    "throughput-minus-20": lambda r: r.at(0.8),
    "throughput-minus-30": lambda r: r.at(0.7),
    "backlog-burst-masks-loss": lambda r: replace(r, burst=1.67, factor=0.75),
    "no-load-after": lambda r: replace(r, idle=True),
    "slow-start-day-two": lambda r: replace(r, decay=0.06),
    "relay-fast-arrival-slow": lambda r: replace(r, arrives=0.7),
    "benign-faster": lambda r: r.at(1.6),
    "backlog-burst-only": lambda r: replace(r, burst=1.67, spent=True),
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


@BED.plant("large-messages-slow")
def _large(world: World) -> World:
    world = always(world, rates(lambda r: replace(r, large=LARGE)))
    return after(world, rates(lambda r: replace(r, large_factor=A_FIFTH)))


@BED.plant("benign-night-load-lower")
def _night(world: World) -> World:
    """Nights have half the mail of days on both sides; after, only nights have any."""
    world = always(world, rates(lambda r: replace(r, night=NIGHT)))
    return after(world, rates(lambda r: replace(r, by_night_only=True)))


@BED.plant("benign-receiver-deferrals")
def _put_off(world: World) -> World:
    world = always(world, rates(lambda r: replace(r, per_minute=FEW)))
    return after(world, rates(lambda r: replace(r, put_off=True)))


@BED.plant("one-destination-starved")
def _starved(world: World) -> World:
    def stream(share: float) -> Callable[[Mailing], Mailing]:
        return lambda flow: replace(flow, stream=STREAM, elsewhere=share, burst=0)

    seen = rates(lambda r: replace(r, counted=True))
    world = always(world, both(seen, mailing(stream(BIG_SHARE))))
    return after(world, mailing(stream(STARVED)))


@BED.plant("p95-latency-doubled")
def _waiting(world: World) -> World:
    world = always(world, mailing(lambda flow: replace(flow, seed_delay=SWIFT)))
    return after(world, mailing(lambda flow: replace(flow, seed_delay=WAITING)))
