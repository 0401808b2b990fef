# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the queue: mail that waited and is lost, doubled, late, or sent under new ids."""

from dataclasses import replace

from wavegate.lab.plants import PROD, Bed, Plant, after, functions, waiting
from wavegate.lab.queue_state import Fate, Waiting
from wavegate.lab.world import World

BED = Bed()
V7 = "acme-mkt1"
FIRST, SECOND, THIRD = 4101, 4102, 4103
VALID_FOR = 0.3


def _of(delivery: int, *fates: tuple[Fate, int], name: str = PROD) -> Plant:
    """What becomes of the first messages of one delivery."""

    def change(found: Waiting) -> Waiting:
        return found.fated(*fates) if found.id == delivery else found

    return lambda world: after(world, waiting(change, name))


def _every(fate: Fate) -> Plant:
    """The same becomes of all that waits."""
    return lambda world: after(world, waiting(lambda found: found.fated((fate, found.count))))


BED.plant("v7-spool-lost-says-sent")(_of(FIRST, ("lost", 7), name=V7))
BED.plant("v8-remainder-stuck")(_of(FIRST, ("lost", 5)))
BED.plant("queued-one-lost")(_of(THIRD, ("dropped", 1)))
BED.plant("resent-twice-one")(_of(FIRST, ("twice", 1)))
BED.plant("resent-twice-whole-delivery")(_of(SECOND, ("twice", 12)))
BED.plant("never-resent")(_every("left"))
BED.plant("partial-delivery-lost")(_of(SECOND, ("left", 12)))
BED.plant("emptied-by-expiry")(_of(FIRST, ("expired", 18)))
BED.plant("benign-resend-new-ids")(_every("anew"))
BED.plant("benign-legit-bounce")(_of(SECOND, ("bounced", 3)))


@BED.plant("resent-expired")
def _expired(world: World) -> World:
    def short(found: Waiting) -> Waiting:
        return replace(found, valid_for=VALID_FOR) if found.id == THIRD else found

    def late(found: Waiting) -> Waiting:
        return short(found).fated(("late", 4)) if found.id == THIRD else found

    world = replace(world, before=waiting(short)(world.before))
    return after(world, waiting(late))


@BED.plant("benign-cancelled-by-customer")
def _cancelled(world: World) -> World:
    return after(
        world,
        waiting(lambda found: found.fated(("cancelled", 12)) if found.id == SECOND else found),
    )


@BED.plant("queue-not-readable")
def _not_readable(world: World) -> World:
    hidden = functions(lambda f: replace(f, logs_readable=False))
    return replace(world, before=hidden(world.before))
