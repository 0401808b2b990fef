# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of the window itself: mail that leaves in it, sending that stops early or is back late."""

from dataclasses import replace

from wavegate.lab.plants import (
    PROD,
    Bed,
    Plant,
    after,
    always,
    first_wave,
    mailing,
    on_instance,
    paused,
    within,
)
from wavegate.lab.reference import NEW_SITE, OLD_SITE
from wavegate.lab.world import Mailing, Mta, Pause, World

BED = Bed()
IP1, IP2, IP3 = (f"127.10.3.{host}" for host in (11, 12, 13))
SIX2 = "2001:db8:10::21"
WHOLE_FLOW = 0.85
LATE, LATE_ONE, OVERRUN = 1.7, 2.2, 0.6
RETRY, WRITTEN = 0.15, -0.03
"""When the receiver's patience ends, and when the messages were written that it had put off."""
SLOW = 0.2
SISTER = "acme-stage1"
HELD = 1.1
VISITS = 20
SCANNED = 20


def leaking(mtas: tuple[Mta, ...], ips: tuple[str, ...], *, burst: int, cap: int = 0) -> Plant:
    """Some hosts and addresses go on sending in the window."""

    def leak(flow: Mailing) -> Mailing:
        routes = tuple(flow.route(ip) for ip in ips)
        return replace(flow, flowing=True, mtas=mtas, routes=routes, burst=burst, cap=cap)

    return lambda world: within(world, mailing(leak))


@BED.plant("leak-one-ip")
def _one_ip(world: World) -> World:
    return leaking(OLD_SITE[1:], (IP2,), burst=2)(world)


@BED.plant("leak-single-message")
def _single(world: World) -> World:
    leaked = leaking(OLD_SITE[:1], (IP1,), burst=1, cap=1)(world)
    return within(leaked, paused(Pause(since=0.0, until=0.5)))


@BED.plant("leak-at-close-edge")
def _edge(world: World) -> World:
    ips = tuple(route.ip for route in world.window.instance(PROD).mailing.routes)
    leaked = leaking(NEW_SITE, ips, burst=1)(world)
    return within(leaked, paused(Pause(since=0.0, until=WHOLE_FLOW)))


@BED.plant("resume-late")
def _late(world: World) -> World:
    return after(world, paused(Pause(since=1.0, until=LATE)))


@BED.plant("resume-one-ip-late")
def _one_late(world: World) -> World:
    return after(world, paused(Pause(since=1.0, until=LATE_ONE, ip=IP3)))


@BED.plant("window-overruns-announced")
def _overrun(world: World) -> World:
    longer = first_wave(lambda wave: replace(wave, longer=OVERRUN))
    stretched = after(world, paused(Pause(since=1.0, until=1 + OVERRUN)))
    return replace(stretched, agreed_after=longer(world.agreed_after))


@BED.plant("stopped-early")
def _early(world: World) -> World:
    change = paused(Pause(since=-0.8, until=0.0))
    return replace(world, before=change(world.before))


@BED.plant("flapping-after")
def _flapping(world: World) -> World:
    return after(world, paused(Pause(since=1.15, until=1.9)))


@BED.plant("ip-rests-always")
def _rests(world: World) -> World:
    def less(flow: Mailing) -> Mailing:
        return replace(flow, routes=tuple(r for r in flow.routes if r.ip != SIX2))

    return always(world, mailing(less))


@BED.plant("leak-transactional-only")
def _transactional(world: World) -> World:
    leaked = leaking(NEW_SITE[:1], (IP1, IP2), burst=1)(world)
    return within(leaked, mailing(lambda flow: replace(flow, binding="transactional")))


@BED.plant("retry-connection-in-window")
def _retry(world: World) -> World:
    leaked = leaking(OLD_SITE[:1], (IP1, IP2), burst=5, cap=20)(world)
    leaked = within(leaked, paused(Pause(since=0.0, until=RETRY)))
    return within(leaked, mailing(lambda flow: replace(flow, dated=WRITTEN)))


@BED.plant("benign-in-flight-edge")
def _in_flight(world: World) -> World:
    change = mailing(lambda flow: replace(flow, in_flight=True))
    return replace(world, before=change(world.before))


@BED.plant("benign-inbound-in-window")
def _inbound(world: World) -> World:
    return within(world, on_instance(PROD, lambda state: replace(state, bounces=VISITS)))


@BED.plant("benign-other-instance-sends")
def _other(world: World) -> World:
    return within(world, mailing(lambda flow: replace(flow, burst=2 * flow.burst), SISTER))


@BED.plant("benign-short-window")
def _short(world: World) -> World:
    """The new site could send all along, and is held until the announced end."""
    ready = within(world, mailing(lambda flow: replace(flow, flowing=True, mtas=NEW_SITE)))
    return within(ready, paused(Pause(since=0.0, until=HELD)))


@BED.plant("benign-seed-duplicate-received-line")
def _slow_hop(world: World) -> World:
    def slow(flow: Mailing) -> Mailing:
        return replace(flow, mtas=tuple(replace(mta, behind=SLOW) for mta in flow.mtas))

    return always(world, mailing(slow))


@BED.plant("benign-late-in-mailbox")
def _late_in_mailbox(world: World) -> World:
    """The receiver took the messages before the opening, and scans until the window is open."""

    def late(flow: Mailing) -> Mailing:
        return replace(flow, mailbox=SCANNED, dated=WRITTEN, mtas=OLD_SITE)

    return within(world, mailing(late))
