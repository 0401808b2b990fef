# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How faults are planted: small pure functions from world to world, and the words they share."""

import re
from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.campaign_functions import Functions, Rates
from wavegate.lab.campaign_state import CampaignState
from wavegate.lab.dns_state import MAX_STRING, Rule, Zone, txt
from wavegate.lab.queue_state import Waiting
from wavegate.lab.world import (
    AgreedInstance,
    AgreedWave,
    Agreement,
    InstanceState,
    Mailing,
    Pause,
    Scene,
    Sender,
    World,
)

Plant = Callable[[World], World]
Change = Callable[[Scene], Scene]
PROD = "acme-prod1"
NEWS = "news.acme.example."
SHOP = "shop.acme.example."
MAILER = "mailer.example."
POLICY = f"__spf.{PROD}.mailer.example."
NAME_SERVERS = ("ns1", "ns2", "ns3", "ns4")


class Bed:
    """The plants of one family, each under its id."""

    def __init__(self) -> None:
        self.plants: dict[str, Plant] = {}

    def plant(self, fault: str) -> Callable[[Plant], Plant]:
        """Register a function under a fault's id; an id is given once."""

        def keep(function: Plant) -> Plant:
            if fault in self.plants:
                raise ValueError(f"fault {fault} is planted twice")
            self.plants[fault] = function
            return function

        return keep


def after(world: World, change: Change) -> World:
    """Change the world from the opening of the window on, and it stays."""
    return replace(world, window=change(world.window), after=change(world.after))


def within(world: World, change: Change) -> World:
    """Change the world in the window only; at the close it is healthy again."""
    return replace(world, window=change(world.window))


def always(world: World, change: Change) -> World:
    """Change the world in every phase."""
    return after(replace(world, before=change(world.before)), change)


def agree(world: World, change: Callable[[Agreement], Agreement]) -> World:
    """Change what was agreed, from the start."""
    return replace(world, agreed=change(world.agreed), agreed_after=change(world.agreed_after))


def in_zone(origin: str, change: Callable[[Zone], Zone]) -> Change:
    """A change of one zone."""
    return lambda scene: scene.with_zone(change(scene.zone(origin)))


def put(origin: str, owner: str, rdtype: str, *data: str) -> Change:
    """A change that exchanges or writes the records of an owner and type."""
    return in_zone(origin, lambda zone: zone.put(owner, rdtype, *data))


def drop(origin: str, owner: str, rdtype: str) -> Change:
    """A change that removes the records of an owner and type."""
    return in_zone(origin, lambda zone: zone.without(owner, rdtype))


def edit(origin: str, owner: str, rdtype: str, old: str, new: str) -> Change:
    """A change of text inside the data of an owner and type. Raises KeyError if it is not there."""

    def swap(zone: Zone) -> Zone:
        if not any(old in rr.data for rr in zone.get(owner, rdtype)):
            raise KeyError(f"{owner} {rdtype} has no {old!r}")
        return zone.edit(owner, rdtype, lambda data: fitting(data.replace(old, new)))

    return in_zone(origin, swap)


def fitting(data: str) -> str:
    """Quoted strings split anew where one has grown beyond what a string can hold."""
    strings = re.findall(r'"([^"]*)"', data)
    return txt("".join(strings)) if any(len(text) > MAX_STRING for text in strings) else data


def ruled(names: tuple[str, ...], *rules: Rule) -> Change:
    """A change of the behaviour of some DNS servers."""

    def lay(scene: Scene) -> Scene:
        for name in names:
            scene = scene.with_server(scene.server(name).ruled(*rules))
        return scene

    return lay


def both(*changes: Change) -> Change:
    """Changes, one after the other."""

    def all_of(scene: Scene) -> Scene:
        for change in changes:
            scene = change(scene)
        return scene

    return all_of


def on_instance(name: str, change: Callable[[InstanceState], InstanceState]) -> Change:
    """A change of one instance."""
    return lambda scene: scene.with_instance(change(scene.instance(name)))


def campaign(change: Callable[[CampaignState], CampaignState], name: str = PROD) -> Change:
    """A change of an instance's Campaign server."""
    return on_instance(name, lambda state: replace(state, campaign=change(state.campaign)))


def mailing(change: Callable[[Mailing], Mailing], name: str = PROD) -> Change:
    """A change of an instance's mail flow."""
    return on_instance(name, lambda state: replace(state, mailing=change(state.mailing)))


def functions(change: Callable[[Functions], Functions], name: str = PROD) -> Change:
    """A change of how an instance's functions behave."""
    return campaign(lambda state: replace(state, functions=change(state.functions)), name)


def rates(change: Callable[[Rates], Rates], name: str = PROD) -> Change:
    """A change of how fast an instance sends."""
    return campaign(lambda state: replace(state, rates=change(state.rates)), name)


def paused(*pauses: Pause, name: str = PROD) -> Change:
    """A change that lets some of an instance's mail stand still for a while."""

    def lay(flow: Mailing) -> Mailing:
        every = (*flow.pauses, *pauses)
        return replace(flow, pauses=tuple(sorted(every, key=lambda p: (p.since, p.until, repr(p)))))

    return mailing(lay, name)


def waiting(change: Callable[[Waiting], Waiting], name: str = PROD) -> Change:
    """A change of what becomes of the mail that waits."""
    return on_instance(name, lambda state: replace(state, queue=tuple(map(change, state.queue))))


def sender(domain: str, change: Callable[[Sender], Sender]) -> Callable[[Mailing], Mailing]:
    """A change of one sender domain of a mail flow. Raises KeyError if it does not send."""

    def lay(flow: Mailing) -> Mailing:
        changed = change(flow.sender(domain))
        return replace(
            flow,
            senders=tuple(changed if old.domain == domain else old for old in flow.senders),
        )

    return lay


def agreed_instance(
    name: str, change: Callable[[AgreedInstance], AgreedInstance]
) -> Callable[[Agreement], Agreement]:
    """A change of an instance as the estate lists it."""
    return lambda agreed: agreed.with_instance(change(agreed.instance(name)))


def first_wave(change: Callable[[AgreedWave], AgreedWave]) -> Callable[[Agreement], Agreement]:
    """A change of the wave under test."""
    return lambda agreed: agreed.with_wave(change(agreed.waves[0]))


def wave(name: str, change: Callable[[AgreedWave], AgreedWave]) -> Callable[[Agreement], Agreement]:
    """A change of a wave. Raises KeyError if there is none of that name."""

    def lay(agreed: Agreement) -> Agreement:
        found = {item.name: item for item in agreed.waves}
        return agreed.with_wave(change(found[name]))

    return lay
