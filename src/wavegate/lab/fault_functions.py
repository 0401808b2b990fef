# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of single Campaign functions, one by one, and variations that mean nothing."""

from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.campaign_functions import Functions
from wavegate.lab.campaign_state import Secure
from wavegate.lab.plants import (
    PROD,
    Bed,
    Change,
    Plant,
    after,
    agree,
    agreed_instance,
    always,
    both,
    campaign,
    functions,
    within,
)
from wavegate.lab.world import World

BED = Bed()
Change1 = Callable[[Functions], Functions]
FULL, PILED_UP = (400, 400), (190, 400)
BLIP, RESTART = (0.35, 0.85), (0.4, 0.7)
"""In window lengths from the opening: four probes of a link, and a restart of modules."""
IN_MAIL, EXCHANGER = "inMail", "inbound_mail"


def _behave(play: Callable[[World, Change], World], change: Change1) -> Plant:
    return lambda world: play(world, functions(change))


def _queue(size: tuple[int, int]) -> Change:
    return campaign(lambda state: replace(state, queue=size))


IN_WINDOW: dict[str, Change1] = {
    "soap-fault-200": lambda f: replace(f, soap_fault=True),
    "maintenance-page-200": lambda f: replace(f, landing_marked=False),
    "tracking-redirect-wrong": lambda f: replace(f, redirect="home"),
    "tracking-redirect-502": lambda f: replace(f, redirect="error"),
    "mirror-page-empty": lambda f: replace(f, mirror="empty"),
    "mirror-page-unmarked": lambda f: replace(f, mirror="unmarked"),
    "slow-not-down": lambda f: replace(f, mirror="slow"),
    "workflow-zombie": lambda f: replace(f, stuck=("tracking",)),
    "workflow-failed-new": lambda f: replace(f, failed=("deliveryIndicators",)),
    "sms-stopped": lambda f: replace(f, stuck=("sms",)),
    "push-delayed": lambda f: replace(f, stuck=("push",)),
    "sftp-refused": lambda f: replace(f, host_key=None),
    "inbound-refuses": lambda f: replace(f, inbound=False),
    "logon-refused": lambda f: replace(f, logon_refused=True),
    "report-not-computed": lambda f: replace(f, report=False),
    "one-front-502": lambda f: replace(f, dead_front=1),
    "session-token-invalidated": lambda f: replace(f, sessions_dropped=True),
    "caller-blocked": lambda f: replace(f, blocked=True),
    "benign-429-once": lambda f: replace(f, throttled=1),
    "short-blip-between-probes": lambda f: replace(f, blip=BLIP),
}
FROM_THEN_ON: dict[str, Change1] = {
    "tracking-clicks-lost": lambda f: replace(f, clicks_recorded=False),
    "sftp-host-key-changed": lambda f: replace(f, host_key="another"),
    "res-image-differs": lambda f: replace(f, placeholder=True),
    "benign-ping-case": lambda f: replace(f, ping_case="Ok"),
}
ALWAYS: dict[str, Change1] = {
    "benign-ims-redirect": lambda f: replace(f, console_redirects=True),
    "benign-workflow-paused-before": lambda f: replace(f, paused=("cleanup",)),
}

for _play, _family in ((within, IN_WINDOW), (after, FROM_THEN_ON), (always, ALWAYS)):
    for _fault, _change in _family.items():
        BED.plant(_fault)(_behave(_play, _change))


@BED.plant("mc-queue-full")
def _full(world: World) -> World:
    return within(world, _queue(FULL))


@BED.plant("mc-intake-ok-not-processed")
def _not_processed(world: World) -> World:
    idle = functions(lambda f: replace(f, events_processed=False))
    return after(world, both(idle, _queue(PILED_UP)))


@BED.plant("inbound-bounces-unprocessed")
def _bounces(world: World) -> World:
    """An address that bounces is mailed to all along, and told in the estate."""
    world = agree(world, agreed_instance(PROD, lambda item: replace(item, bounce_seeds=True)))
    world = always(world, functions(lambda f: replace(f, bounce_seeds=True)))
    return after(world, functions(lambda f: replace(f, stuck=(IN_MAIL,))))


@BED.plant("benign-daily-restart")
def _restart(world: World) -> World:
    world = agree(world, agreed_instance(PROD, lambda item: replace(item, masked=(EXCHANGER,))))
    return within(world, functions(lambda f: replace(f, restart=RESTART)))


@BED.plant("benign-email-activity-waits")
def _activity(world: World) -> World:
    world = after(world, functions(lambda f: replace(f, activity="done")))
    return within(world, functions(lambda f: replace(f, activity="waits")))


SECURE: dict[str, Secure] = {
    "tracking-cert-expired": Secure(certificate="expired"),
    "tracking-cert-wrong-name": Secure(certificate="another"),
    "tls-chain-incomplete": Secure(whole=False),
    "tls12-dropped": Secure(tls12=False),
    "benign-cert-renewed": Secure(certificate="renewed"),
}


def _secured(shown: Secure) -> Plant:
    """Links and mirror page behind a TLS front, good before, and from the opening on as told."""

    def front(now: Secure) -> Change:
        return campaign(lambda state: replace(state, secure=now))

    return lambda world: after(always(world, front(Secure())), front(shown))


for _fault, _shown in SECURE.items():
    BED.plant(_fault)(_secured(_shown))
