# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of what was agreed or done about it: scope, schedule, notice; and a bent estate file."""

from dataclasses import replace
from datetime import timedelta

from wavegate.lab.plants import (
    PROD,
    Bed,
    after,
    agree,
    agreed_instance,
    first_wave,
    mailing,
    on_instance,
    wave,
)
from wavegate.lab.reference import OLD_SITE, TOLD, without_instance
from wavegate.lab.world import (
    AgreedDomain,
    AgreedInstance,
    AgreedNotice,
    AgreedWave,
    Agreement,
    Mailing,
    World,
)

SCHEDULE = Bed()
EVIDENCE = Bed()
DEV_WAVE, STAGE_WAVE = "2023-10-w1", "2023-10-w2"
SHORT = timedelta(days=-6, hours=-23)
LATER = timedelta(days=14)


def _without(instance: str, found: AgreedWave) -> AgreedWave:
    kept = tuple(name for name in found.instances if name != instance)
    if len(kept) == len(found.instances):
        raise KeyError(instance)
    return replace(found, instances=kept)


def _later(instance: str, name: str) -> AgreedWave:
    """A wave a fortnight later for one instance, announced like the one under test."""
    told = AgreedNotice(customer=instance.partition("-")[0], sent=TOLD, reference="mail-4801")
    return AgreedWave(name=name, instances=(instance,), opens=LATER, notices=(told,))


def _stays(world: World, name: str) -> World:
    """The instance is not touched: its mail goes on from where it came."""
    state = world.before.instance(name)
    return after(world, on_instance(name, lambda _: state))


@SCHEDULE.plant("onprem-v7-in-wave")
def _on_premise(world: World) -> World:
    return agree(
        world, agreed_instance("acme-mkt1", lambda item: replace(item, hosting="on-premise"))
    )


@SCHEDULE.plant("affected-in-no-wave")
def _in_no_wave(world: World) -> World:
    name = "globex-hyb1"
    return _stays(agree(world, first_wave(lambda found: _without(name, found))), name)


@SCHEDULE.plant("instance-in-two-waves")
def _in_two_waves(world: World) -> World:
    def add(found: AgreedWave) -> AgreedWave:
        return replace(found, instances=(*found.instances, "acme-stage1"))

    return agree(world, wave(DEV_WAVE, add))


@SCHEDULE.plant("unlisted-instance-moved")
def _moved_too(world: World) -> World:
    def put_off(agreed: Agreement) -> Agreement:
        less = first_wave(lambda found: _without("globex-prod1", found))(agreed)
        return replace(less, waves=(*less.waves, _later("globex-prod1", "2024-02-w1")))

    return agree(world, put_off)


@SCHEDULE.plant("listed-instance-not-moved")
def _not_moved(world: World) -> World:
    return after(world, mailing(lambda flow: replace(flow, mtas=OLD_SITE)))


def _not_before(world: World, zone_hours: int) -> World:
    """Production is allowed only from half an hour after the opening."""

    def lay(agreed: Agreement) -> Agreement:
        shown = replace(agreed.waves[0], zone_hours=zone_hours)
        return replace(agreed.with_wave(shown), earliest_prod=timedelta(minutes=30))

    return agree(world, lay)


@SCHEDULE.plant("prod-before-january")
def _too_early(world: World) -> World:
    return _not_before(world, 0)


@SCHEDULE.plant("tz-boundary-local")
def _too_early_local(world: World) -> World:
    return _not_before(world, 1)


@SCHEDULE.plant("prod-stage-never-gated")
def _never_gated(world: World) -> World:
    def open_again(found: AgreedWave) -> AgreedWave:
        told = tuple(
            AgreedNotice(customer=name, sent=timedelta(days=-40), reference="mail-4600")
            for name in world.agreed.customers
        )
        return replace(found, closed=None, opens=timedelta(days=-21), notices=told)

    return agree(world, wave(STAGE_WAVE, open_again))


@SCHEDULE.plant("prod-before-stage-passed")
def _not_passed(world: World) -> World:
    """The play has the stage's wave gated, which nobody captured: NO-GO, and never repeated."""
    return _never_gated(world)


@SCHEDULE.plant("stage-passed-after-prod")
def _passed_after(world: World) -> World:
    return agree(world, wave(STAGE_WAVE, lambda found: replace(found, closed=timedelta(hours=2))))


@SCHEDULE.plant("other-customers-stage")
def _other_customer(world: World) -> World:
    def put_off(agreed: Agreement) -> Agreement:
        less = wave(STAGE_WAVE, lambda found: _without("acme-stage1", found))(agreed)
        return replace(less, waves=(*less.waves, _later("acme-stage1", "2024-02-w2")))

    return agree(world, put_off)


def _acme_notices(world: World, *notices: AgreedNotice) -> World:
    """Other notices to acme than the healthy one."""

    def lay(found: AgreedWave) -> AgreedWave:
        others = tuple(item for item in found.notices if item.customer != "acme")
        return replace(found, notices=(*notices, *others))

    return agree(world, first_wave(lay))


def _acme(sent: timedelta, *, zone_hours: int = 0) -> AgreedNotice:
    return AgreedNotice(customer="acme", sent=sent, reference="mail-4711", zone_hours=zone_hours)


def _written_in(world: World, zone_hours: int) -> World:
    """The window of the wave under test, written in another offset."""
    return agree(world, first_wave(lambda found: replace(found, zone_hours=zone_hours)))


@SCHEDULE.plant("notice-6d23h")
def _one_hour_short(world: World) -> World:
    return _acme_notices(world, _acme(SHORT))


@SCHEDULE.plant("notice-moved-window")
def _moved_window(world: World) -> World:
    return _acme_notices(world, replace(_acme(TOLD), announces=timedelta(days=-2)))


@SCHEDULE.plant("notice-missing-one-customer")
def _not_told(world: World) -> World:
    def lay(found: AgreedWave) -> AgreedWave:
        told = tuple(item for item in found.notices if item.customer != "globex")
        return replace(found, notices=told)

    return agree(world, first_wave(lay))


@SCHEDULE.plant("notice-dst-spring")
def _spring(world: World) -> World:
    return _written_in(_acme_notices(world, _acme(SHORT, zone_hours=1)), 2)


@SCHEDULE.plant("notice-in-future")
def _in_future(world: World) -> World:
    return _acme_notices(world, _acme(timedelta(hours=2)))


@SCHEDULE.plant("benign-notice-exactly-7d")
def _exactly(world: World) -> World:
    return _acme_notices(world, _acme(timedelta(days=-7)))


@SCHEDULE.plant("benign-two-notices")
def _reminder(world: World) -> World:
    reminder = replace(_acme(timedelta(days=-2)), reference="mail-4790")
    return _acme_notices(world, _acme(timedelta(days=-12)), reminder)


@SCHEDULE.plant("benign-offset-form")
def _offsets(world: World) -> World:
    def shown(found: AgreedWave) -> AgreedWave:
        notices = tuple(replace(item, zone_hours=1) for item in found.notices)
        return replace(found, zone_hours=1, notices=notices)

    return agree(
        world, lambda agreed: replace(agreed, waves=tuple(shown(item) for item in agreed.waves))
    )


@SCHEDULE.plant("benign-customer-without-stage")
def _without_stage(world: World) -> World:
    return without_instance(world, "initech-stage1")


@SCHEDULE.plant("benign-onprem-listed-not-in-wave")
def _listed_only(world: World) -> World:
    listed = AgreedInstance(
        name="acme-own1",
        customer="acme",
        product="campaign-v7",
        hosting="on-premise",
        environment="prod",
        sending_ips=(),
        domains=(AgreedDomain(name="own.acme.example", selectors=(), primary=True),),
        moves=False,
    )
    return agree(world, lambda agreed: replace(agreed, instances=(*agreed.instances, listed)))


@SCHEDULE.plant("benign-notice-dst-autumn")
def _autumn(world: World) -> World:
    told = _acme(timedelta(days=-7, hours=-1), zone_hours=2)
    return _written_in(_acme_notices(world, told), 1)


@EVIDENCE.plant("estate-changed-between")
def _bent(world: World) -> World:
    gone = "127.10.3.13"

    def lose(flow: Mailing) -> Mailing:
        used = flow.route(gone)
        return replace(flow, routes=tuple(route for route in flow.routes if route != used))

    def less(item: AgreedInstance) -> AgreedInstance:
        return replace(item, sending_ips=tuple(ip for ip in item.sending_ips if ip != gone))

    bent = agreed_instance(PROD, less)(world.agreed_after)
    return replace(after(world, mailing(lose)), agreed_after=bent)
