# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of what an instance says of its build, and variations that mean nothing."""

from dataclasses import replace

from wavegate.lab.campaign_state import CampaignState, Front
from wavegate.lab.plants import PROD, Bed, after, always, campaign, mailing
from wavegate.lab.world import Mailing, World

BED = Bed()
OTHER_BUILD = "9347"
OTHER_COMMIT = "d41c07a"


@BED.plant("build-newer")
def _newer(world: World) -> World:
    return after(world, campaign(lambda state: state.built(OTHER_BUILD)))


@BED.plant("build-same-commit-differs")
def _commit(world: World) -> World:
    return after(world, campaign(lambda state: replace(state, commit=OTHER_COMMIT)))


@BED.plant("build-one-front-differs")
def _one_front(world: World) -> World:
    def change(state: CampaignState) -> CampaignState:
        first, second = state.fronts
        return replace(state, fronts=(first, replace(second, build=OTHER_BUILD)))

    return after(world, campaign(change))


@BED.plant("build-hidden-by-zone")
def _hidden(world: World) -> World:
    return after(world, campaign(lambda state: replace(state, cover="zone")))


@BED.plant("build-hidden-one-witness")
def _hidden_one(world: World) -> World:
    return after(
        world,
        campaign(lambda state: replace(state, rtest_hidden=True, logon_build=OTHER_BUILD)),
    )


@BED.plant("build-witnesses-disagree")
def _disagree(world: World) -> World:
    return after(world, campaign(lambda state: replace(state, logon_build=OTHER_BUILD)))


@BED.plant("build-other-instance-answers")
def _other_instance(world: World) -> World:
    other = world.after.instance("acme-stage1").campaign

    def change(state: CampaignState) -> CampaignState:
        return replace(state, instance_name=other.instance_name, database_id=other.database_id)

    return after(world, campaign(change))


@BED.plant("build-mta-xmailer-differs")
def _x_mailer(world: World) -> World:
    def change(flow: Mailing) -> Mailing:
        return replace(
            flow,
            mtas=tuple(
                replace(mta, x_mailer="nlserver, Build 8.6.0") if mta.name == "new-b" else mta
                for mta in flow.mtas
            ),
        )

    return after(world, mailing(change))


@BED.plant("build-package-lost")
def _package(world: World) -> World:
    def change(state: CampaignState) -> CampaignState:
        kept = tuple(package for package in state.packages if package != "nms:mobile")
        return replace(state, packages=kept)

    return after(world, campaign(change))


@BED.plant("build-maintenance-page")
def _maintenance(world: World) -> World:
    return after(world, campaign(lambda state: replace(state, cover="maintenance")))


@BED.plant("benign-version-attribute-added")
def _version_added(world: World) -> World:
    return after(world, campaign(lambda state: replace(state, version=state.release)))


@BED.plant("benign-localhost-varies")
def _local_hosts(world: World) -> World:
    def change(state: CampaignState) -> CampaignState:
        fronts = tuple(Front(local_host=f"ip-10-0-3-{number}") for number in (7, 8, 9))
        return replace(state, fronts=fronts, source_ip_shown=False)

    return after(world, campaign(change))


@BED.plant("benign-date-format")
def _date_forms(world: World) -> World:
    def change(state: CampaignState) -> CampaignState:
        first, second = state.fronts
        return replace(state, fronts=(replace(first, date="slashes"), replace(second, date="zulu")))

    return after(world, campaign(change))


@BED.plant("benign-xmailer-absent")
def _no_number(world: World) -> World:
    return always(
        world, mailing(lambda flow: replace(flow, x_mailer="nlserver, Build 6.7.0"), PROD)
    )
