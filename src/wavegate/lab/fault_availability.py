# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults that show when a host stops or load grows: hidden single points, no room to grow."""

from dataclasses import replace

from wavegate.lab.campaign_state import CampaignState
from wavegate.lab.plants import (
    PROD,
    Bed,
    after,
    agree,
    agreed_instance,
    always,
    campaign,
    mailing,
    paused,
    rates,
)
from wavegate.lab.reference import NEW_SITE
from wavegate.lab.world import Mailing, Pause, World

BED = Bed()
FOREVER = 1e6
STOP, SLOW = (2.0, 3.0), (2.0, 2.9)
"""The planned stop of new-a, and how long a slow failover leaves everything still."""
IP1, IP2 = "127.10.3.11", "127.10.3.12"
UNEVEN = (140, 60)
ENDS, TAKES_OVER = 4.3, 0.02
"""When a host ends for good, after the planned stops, and how much later another one appears."""
NEW_HOST = "irl1-lab1-mta-i-0c5577e1a2b3948f6"


@BED.plant("single-mta-after")
def _single(world: World) -> World:
    return after(world, paused(Pause(since=0.0, until=FOREVER, node="new-b")))


@BED.plant("failover-takes-20-min")
def _slow(world: World) -> World:
    return after(world, paused(Pause(since=SLOW[0], until=SLOW[1])))


@BED.plant("both-mtas-one-rack")
def _shared(world: World) -> World:
    return after(world, paused(Pause(since=STOP[0], until=STOP[1])))


@BED.plant("ip-bound-to-one-node")
def _bound(world: World) -> World:
    held = (Pause(since=STOP[0], until=STOP[1], ip=ip) for ip in (IP1, IP2))
    return after(world, paused(*held))


@BED.plant("one-of-two-fronts-dead")
def _front(world: World) -> World:
    def one(state: CampaignState) -> CampaignState:
        return replace(state, fronts=state.fronts[:1])

    return after(world, campaign(one))


@BED.plant("no-scale-with-load")
def _flat(world: World) -> World:
    return after(world, rates(lambda r: replace(r, flat=True)))


@BED.plant("errors-only-under-load")
def _errors(world: World) -> World:
    return after(world, rates(lambda r: replace(r, errors_under_load=0.3)))


@BED.plant("failover-not-tried")
def _not_tried(world: World) -> World:
    world = always(world, mailing(lambda flow: replace(flow, pauses=())))
    return agree(world, agreed_instance(PROD, lambda item: replace(item, planned=())))


@BED.plant("benign-uneven-nodes")
def _uneven(world: World) -> World:
    def share(flow: Mailing) -> Mailing:
        weights = zip(flow.mtas, UNEVEN, strict=True)
        return replace(flow, mtas=tuple(replace(mta, weight=weight) for mta, weight in weights))

    return after(world, mailing(share))


@BED.plant("benign-node-replaced")
def _replaced(world: World) -> World:
    """The new host has the old one's place from a moment after the last planned stop on."""
    fresh = replace(NEW_SITE[1], name="new-c", host=NEW_HOST)
    ends = Pause(since=ENDS, until=FOREVER, node=NEW_SITE[1].name)
    appears = Pause(since=0.0, until=ENDS + TAKES_OVER, node=fresh.name)

    def more(flow: Mailing) -> Mailing:
        return replace(flow, mtas=(*flow.mtas, fresh))

    return after(after(world, mailing(more)), paused(ends, appears))
