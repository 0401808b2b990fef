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
from wavegate.lab.world import Pause, World

BED = Bed()
FOREVER = 1e6
STOP, SLOW = (2.0, 3.0), (2.0, 2.9)
"""The planned stop of new-a, and how long a slow failover leaves everything still."""
IP1, IP2 = "127.10.3.11", "127.10.3.12"


@BED.plant("single-mta-after")
def _single(world: World) -> World:
    return after(world, paused(Pause(since=0.0, until=FOREVER, node="new-b")))


@BED.plant("failover-takes-long")
def _slow(world: World) -> World:
    return after(world, paused(Pause(since=SLOW[0], until=SLOW[1])))


@BED.plant("both-mtas-one-resolver")
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
