# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the queue: mail that waited and is lost, doubled, late, or sent under new ids."""

from dataclasses import replace

from wavegate.lab.plants import (
    PROD,
    Bed,
    Plant,
    after,
    agree,
    always,
    both,
    campaign,
    functions,
    on_instance,
    waiting,
)
from wavegate.lab.queue_state import Fate, Waiting
from wavegate.lab.world import InstanceState, World

BED = Bed()
V7 = "acme-mkt1"
FIRST, SECOND, THIRD = 4101, 4102, 4103
VALID_FOR = 0.3
CAP = 200
LONG = Waiting(id=4200, name="DM200", label=f"{PROD} yearly account", count=240)
LOST = 6
"""A delivery that no single answer can hold, and how many of its last messages are lost."""
PATIENT = 40.0
EVENTS = 3


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
BED.plant("resent-twice-one-in-thousand")(_of(FIRST, ("twice", 1)))
BED.plant("resent-twice-whole-delivery")(_of(SECOND, ("twice", 12)))
BED.plant("never-resent")(_every("left"))
BED.plant("partial-delivery-lost")(_of(SECOND, ("left", 12)))
BED.plant("emptied-by-expiry")(_of(FIRST, ("expired", 18)))
BED.plant("benign-resend-new-ids")(_every("anew"))
BED.plant("resent-to-wrong-recipient")(_of(THIRD, ("swapped", 2)))
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


@BED.plant("ledger-has-no-before")
def _not_readable(world: World) -> World:
    hidden = functions(lambda f: replace(f, logs_readable=False))
    return replace(world, before=hidden(world.before))


@BED.plant("transactional-events-dropped")
def _events(world: World) -> World:
    wait = functions(lambda f: replace(f, events_waiting=EVENTS))
    world = replace(world, before=wait(world.before), window=wait(world.window))
    gone = functions(lambda f: replace(f, events_dropped=True))
    return replace(world, after=gone(world.after))


@BED.plant("too-early-to-tell")
def _early(world: World) -> World:
    """The policy's deadline is far away, and the queue drains slowly and steadily."""
    world = agree(world, lambda agreed: replace(agreed, queue_deadline=PATIENT))
    return _every("slow")(world)


@BED.plant("row-cap-hides-queue")
def _capped(world: World) -> World:
    capped = campaign(lambda state: replace(state, row_cap=CAP))
    longer = on_instance(PROD, lambda state: replace(state, queue=(*state.queue, LONG)))
    return _of(LONG.id, ("sent", LONG.count - LOST), ("lost", LOST))(
        always(world, both(capped, longer))
    )


@BED.plant("benign-two-mails-same-subject")
def _same_subject(world: World) -> World:
    def alike(state: InstanceState) -> InstanceState:
        first = next(found for found in state.queue if found.id == FIRST)
        changed = (
            replace(found, label=first.label, place=first.place, readers=FIRST)
            if found.id == THIRD
            else found
            for found in state.queue
        )
        return replace(state, queue=tuple(changed))

    return always(world, on_instance(PROD, alike))
