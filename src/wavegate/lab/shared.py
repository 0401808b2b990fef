# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Many worlds in one lab: each trimmed to what its fault touches, copied, and joined to the rest.

What is left to share are the zones above all copies, the list of bad senders, their server, the
wave and the policy. A fault that changes one of those cannot stand beside others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from wavegate.lab.catalogue import Fault
from wavegate.lab.copies import LEAST, WAVE, Namer, copied
from wavegate.lab.dns_state import DnsServer, Zone, zone
from wavegate.lab.faults import explain, planted
from wavegate.lab.plants import PROD
from wavegate.lab.reference import fewer_messages
from wavegate.lab.reference_zones import BLOCKLIST
from wavegate.lab.world import AgreedWave, Agreement, Scene, World

COMMON = (".", "example.", f"{BLOCKLIST}.")
"""Origins of the zones that all copies share."""
REGISTRY = "reg1"
"""The server of those, and of every customer's own zone."""


class ConflictError(ValueError):
    """A change that reaches beyond its own copy; the text says what it changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A world that shares a lab. number: of its names and addresses. world: planted and trimmed."""

    number: int
    world: World


COVERED = frozenset({"per-domain-affinity-lost"})
"""Faults that only many messages can show."""
MANY = 20
AGREED = "schedule_notice_scope"
"""The family whose faults need the instances of the customer that moved before."""


def crowd(copies: Sequence[tuple[str, ...]], healthy: World) -> World:
    """One world with a copy for each list of faults, which may be empty. Raises InputError.

    Raises ConflictError for a fault that cannot stand beside others, where there are others.
    """
    made = (Copy(number=LEAST + place, world=alone(f, healthy)) for place, f in enumerate(copies))
    return joined(tuple(made), healthy)


def alone(faults: tuple[str, ...], healthy: World) -> World:
    """The world of one copy: with those faults, and only what they touch. Raises InputError."""
    told = tuple(explain(fault) for fault in faults)
    world = trimmed(planted(healthy, faults), healthy, _keep(told, healthy))
    return fewer_messages(world, MANY) if COVERED & set(faults) else world


def counts_mail(world: World) -> bool:
    """Whether its rates are those of the mail that really leaves, which other copies slow down."""
    return any(state.campaign.rates.counted for state in world.before.instances)


def _keep(faults: tuple[Fault, ...], healthy: World) -> Iterator[str]:
    for fault in faults:
        yield from (fault.instance, *((PROD,) if fault.by == "verify" else ()))
        if fault.family == AGREED:
            customer = fault.instance.partition("-")[0]
            first = healthy.agreed.waves[0].instances
            mine = (item.name for item in healthy.agreed.instances if item.customer == customer)
            yield from (name for name in mine if name not in first)
    if not faults:
        yield PROD


def trimmed(world: World, healthy: World, keep: Iterable[str]) -> World:
    """The world with the instances to keep and those that differ from the healthy world's.

    Customers, notices and zones that belong to none of them go too.
    """
    wanted = {*keep, *touched(world, healthy)}
    names = {item.name for item in world.agreed.instances if item.name in wanted}
    names |= {item.name for item in world.agreed.instances if item.name not in _known(healthy)}
    agreed = _less(world.agreed, names)
    return World(
        agreed=agreed,
        agreed_after=_less(world.agreed_after, names),
        before=_fewer(world.before, agreed, healthy),
        window=_fewer(world.window, agreed, healthy),
        after=_fewer(world.after, agreed, healthy),
    )


def _known(world: World) -> frozenset[str]:
    return frozenset(item.name for item in world.agreed.instances)


def touched(world: World, healthy: World) -> Iterator[str]:
    """The instances of which something is not as in the healthy world."""
    for name in _known(healthy):
        if _facts(world, name) != _facts(healthy, name):
            yield name


def _facts(world: World, name: str) -> tuple[object, ...]:
    scenes = (world.before, world.window, world.after)
    states = (state for scene in scenes for state in scene.instances if state.name == name)
    agreed = (item for item in world.agreed.instances if item.name == name)
    moves = name in world.agreed.waves[0].instances
    others = (_bare(wave) for wave in world.agreed.waves[1:] if name in wave.instances)
    return (*states, *agreed, moves, *others)


def _less(agreed: Agreement, names: set[str]) -> Agreement:
    """What was agreed about some instances only."""
    kept = tuple(item for item in agreed.instances if item.name in names)
    customers = {item.customer for item in kept}
    waves = (
        replace(
            wave,
            instances=tuple(name for name in wave.instances if name in names),
            notices=tuple(told for told in wave.notices if told.customer in customers),
        )
        for wave in agreed.waves
    )
    return replace(
        agreed,
        customers=tuple(name for name in agreed.customers if name in customers),
        instances=kept,
        waves=tuple(wave for wave in waves if wave.instances or wave.name == WAVE),
    )


def _fewer(scene: Scene, agreed: Agreement, healthy: World) -> Scene:
    """A scene without what belongs to instances that are not agreed any more."""
    names = {item.name for item in agreed.instances}
    gone = {
        f"{origin}."
        for item in healthy.agreed.instances
        if item.name not in names
        for origin in (*(domain.name for domain in item.domains), f"{item.customer}.example")
    }
    held = {
        f"{origin}."
        for item in agreed.instances
        for origin in (*(domain.name for domain in item.domains), f"{item.customer}.example")
    }
    gone -= held
    return replace(
        scene,
        zones=tuple(found for found in scene.zones if found.origin not in gone),
        servers=tuple(
            replace(server, zones=tuple(origin for origin in server.zones if origin not in gone))
            for server in scene.servers
        ),
        instances=tuple(state for state in scene.instances if state.name in names),
    )


def joined(copies: Sequence[Copy], healthy: World) -> World:
    """One world in which all copies stand side by side.

    healthy: the world that all of them were made from. Raises ConflictError for one that changes
    what is shared, where there are others.
    """
    if len(copies) > 1:
        for copy in copies:
            _refuse(copy.world, healthy)
    worlds = [(copy.number, copied(copy.world, copy.number)) for copy in copies]
    return World(
        agreed=_together([world.agreed for _, world in worlds]),
        agreed_after=_together([world.agreed_after for _, world in worlds]),
        before=_beside([(number, world.before) for number, world in worlds], healthy.before),
        window=_beside([(number, world.window) for number, world in worlds], healthy.window),
        after=_beside([(number, world.after) for number, world in worlds], healthy.after),
    )


def names_of(number: int, names: dict[str, str]) -> dict[str, str]:
    """What short names of the reference world stand for in a copy."""
    namer = Namer(number=number)
    return {name: namer.text(text) for name, text in names.items()}


def shareable(world: World, healthy: World) -> bool:
    """Whether the world can stand beside others."""
    try:
        _refuse(world, healthy)
    except ConflictError:
        return False
    return True


def _refuse(world: World, healthy: World) -> None:
    if _policy(world.agreed) != _policy(healthy.agreed):
        raise ConflictError("the policy")
    for agreed in (world.agreed, world.agreed_after):
        if _bare(agreed.waves[0]) != _bare(healthy.agreed.waves[0]):
            raise ConflictError("the wave")
    scenes = ((world.before, healthy.before), (world.window, healthy.window))
    for scene, usual in (*scenes, (world.after, healthy.after)):
        _refuse_scene(scene, usual)


def _policy(agreed: Agreement) -> tuple[object, ...]:
    return (agreed.earliest_prod, agreed.queue_deadline)


def _bare(wave: AgreedWave) -> AgreedWave:
    return replace(wave, instances=(), notices=())


def _refuse_scene(scene: Scene, usual: Scene) -> None:
    if scene.server(REGISTRY).rules != usual.server(REGISTRY).rules:
        raise ConflictError(f"the server {REGISTRY}")
    for origin in COMMON:
        now, before = set(scene.zone(origin).records), set(usual.zone(origin).records)
        if before - now:
            raise ConflictError(f"the zone {origin}")


def _together(agreements: Sequence[Agreement]) -> Agreement:
    """What was agreed about all copies: one wave for all, the other waves one after the other."""
    first = agreements[0].waves[0]
    shared = replace(
        first,
        instances=tuple(name for agreed in agreements for name in agreed.waves[0].instances),
        notices=tuple(told for agreed in agreements for told in agreed.waves[0].notices),
    )
    return replace(
        agreements[0],
        customers=tuple(name for agreed in agreements for name in agreed.customers),
        instances=tuple(item for agreed in agreements for item in agreed.instances),
        waves=(shared, *(wave for agreed in agreements for wave in agreed.waves[1:])),
    )


def _beside(scenes: Sequence[tuple[int, Scene]], healthy: Scene) -> Scene:
    own = (found for _, scene in scenes for found in scene.zones if found.origin not in COMMON)
    shared = (_shared(origin, [scene for _, scene in scenes], healthy) for origin in COMMON)
    servers = (
        replace(server, name=server_name(server.name, number))
        for number, scene in scenes
        for server in scene.servers
        if server.name != REGISTRY
    )
    return Scene(
        zones=(*shared, *own),
        servers=(_registry([scene for _, scene in scenes]), *servers),
        instances=tuple(state for _, scene in scenes for state in scene.instances),
    )


def server_name(name: str, number: int) -> str:
    """The short name of a server of a copy."""
    return f"{name}-{number}"


def _registry(scenes: Sequence[Scene]) -> DnsServer:
    first = scenes[0].server(REGISTRY)
    served = dict.fromkeys(origin for scene in scenes for origin in scene.server(REGISTRY).zones)
    return replace(first, zones=tuple(served))


def _shared(origin: str, scenes: Sequence[Scene], healthy: Scene) -> Zone:
    """A zone above all copies: its own apex, and what each copy has in it."""
    apex = [rr for rr in healthy.zone(origin).records if rr.type == "SOA"]
    rest = (rr for scene in scenes for rr in scene.zone(origin).records if rr.type != "SOA")
    return zone(origin, [*apex, *rest])
