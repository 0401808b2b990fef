# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The reference world: nine instances of three customers, one production wave, all healthy.

Addresses: senders 127.C.I.N and 2001:db8:CC::N, name servers 127.53.x.y. The name of a sending
address is r<N>.<primary domain>, as Campaign's own are.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address

from wavegate.lab.campaign_state import CampaignState, Front, Option
from wavegate.lab.dns_state import DnsServer
from wavegate.lab.keys import make_keys
from wavegate.lab.queue_state import usual_queue
from wavegate.lab.reference_tables import tables
from wavegate.lab.reference_zones import BLOCKLIST, address_name, dkim_keys, zones
from wavegate.lab.world import (
    AgreedDomain,
    AgreedInstance,
    AgreedNotice,
    AgreedStep,
    AgreedWave,
    Agreement,
    InstanceState,
    Mailing,
    Mta,
    Pause,
    Route,
    Scene,
    Sender,
    Signing,
    World,
)

WAVE = "2024-01-w1"
TOLD = timedelta(days=-10)
OLD_SITE = (
    Mta(name="old-a", host="momentum06.lon7.mta.example"),
    Mta(name="old-b", host="momentum07.lon7.mta.example"),
)
NEW_SITE = (
    Mta(name="new-a", host="irl1-lab1-mta-i-0f68260768887617a"),
    Mta(name="new-b", host="irl1-lab1-mta-i-0b2c91d4e07a35f18"),
)
PLANNED = (
    AgreedStep(since=2.0, until=2.3, load=2.0),
    AgreedStep(since=2.0, until=3.0, node=NEW_SITE[0].host),
    AgreedStep(since=3.2, until=4.2, node=NEW_SITE[1].host),
)
"""What is tried after the window of each moving instance: a load step, a stop of each host."""
STOPS = tuple(
    Pause(since=step.since, until=step.until, node=mta.name)
    for step in PLANNED
    for mta in NEW_SITE
    if step.node == mta.host
)
MOVED_WHEN = "-mta-i-0[0-9a-f]{16}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Party:
    """One line of the cast: an instance with its addresses and its domains with selectors."""

    name: str
    product: str
    hosting: str
    ips: tuple[str, ...]
    domains: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def customer(self) -> str:
        return self.name.split("-")[0]

    @property
    def environment(self) -> str:
        if "-dev" in self.name:
            return "dev"
        return "stage" if "-stage" in self.name else "prod"

    def agreed(self) -> AgreedInstance:
        return AgreedInstance(
            name=self.name,
            customer=self.customer,
            product=self.product,
            hosting=self.hosting,
            environment=self.environment,
            sending_ips=self.ips,
            domains=tuple(
                AgreedDomain(name=name, selectors=selectors, primary=place == 0)
                for place, (name, selectors) in enumerate(self.domains)
            ),
        )


def _party(name: str, kind: str, net: str, hosts: range, *domains: str) -> _Party:
    product, hosting = kind.split()
    return _Party(
        name=name,
        product=product,
        hosting=hosting,
        ips=tuple(f"127.{net}.{host}" for host in hosts),
        domains=tuple((domain, ("acc1",)) for domain in domains),
    )


V8 = "campaign-v8 managed"


def _cast() -> tuple[_Party, ...]:
    prod1 = _party("acme-prod1", V8, "10.3", range(11, 15))
    return (
        _party("acme-dev1", V8, "10.1", range(11, 12), "dev.acme.example"),
        _party("acme-stage1", V8, "10.2", range(11, 12), "stage.acme.example"),
        replace(
            prod1,
            ips=(*prod1.ips, "2001:db8:10::20", "2001:db8:10::21"),
            domains=(("news.acme.example", ("acc1", "acc2")), ("shop.acme.example", ("acc1",))),
        ),
        _party("acme-mkt1", "campaign-v7 hosted", "10.4", range(11, 13), "offers.acme.example"),
        _party("globex-stage1", V8, "20.1", range(11, 12), "stage.globex.example"),
        _party("globex-prod1", V8, "20.2", range(11, 13), "mail.globex.example"),
        _party("globex-hyb1", "campaign-v7 hybrid", "20.3", range(11, 13), "promo.globex.example"),
        _party("initech-stage1", V8, "30.1", range(11, 12), "stage.initech.example"),
        _party("initech-prod1", V8, "30.2", range(11, 12), "news.initech.example"),
    )


def reference_world() -> World:
    """The healthy migration of the nine instances."""
    cast = _cast()
    agreed = _agreement(cast)
    make_keys(key for instance in agreed.instances for _, key in dkim_keys(instance))
    servers = _servers(agreed)
    published = zones(agreed.instances)
    before = Scene(
        zones=published,
        servers=servers,
        instances=tuple(_state(agreed, instance, OLD_SITE) for instance in agreed.instances),
    )
    after = replace(
        before,
        instances=tuple(
            _tried(agreed, _state(agreed, instance, NEW_SITE)) for instance in agreed.instances
        ),
    )
    window = replace(after, instances=tuple(_stopped(agreed, state) for state in after.instances))
    return World(agreed=agreed, agreed_after=agreed, before=before, window=window, after=after)


@cache
def few_world() -> World:
    """All nine instances, and only a few messages for each address and domain."""
    return fewer_messages(reference_world(), 5)


def small_world() -> World:
    """Eight of them."""
    return without_instance(few_world(), "initech-stage1")


def single_world() -> World:
    """The three instances of one customer, of which one moves, and only a few messages."""
    world = small_world()
    for item in world.agreed.instances:
        if item.customer != "acme" or item.name == "acme-mkt1":
            world = without_instance(world, item.name)
    wave = world.agreed.waves[0]
    notices = tuple(notice for notice in wave.notices if notice.customer == "acme")
    agreed = replace(world.agreed, customers=("acme",)).with_wave(replace(wave, notices=notices))
    return replace(world, agreed=agreed, agreed_after=agreed)


def _agreement(cast: tuple[_Party, ...]) -> Agreement:
    def listed(*environments: str) -> tuple[str, ...]:
        return tuple(party.name for party in cast if party.environment in environments)

    def listing(party: _Party) -> AgreedInstance:
        moves = party.environment == "prod"
        return replace(party.agreed(), planned=PLANNED if moves else ())

    customers = tuple(sorted({party.customer for party in cast}))
    notices = tuple(
        AgreedNotice(customer=name, sent=TOLD, reference=f"mail-{4711 + place}")
        for place, name in enumerate(customers)
    )
    return Agreement(
        customers=customers,
        instances=tuple(map(listing, cast)),
        waves=(
            AgreedWave(name=WAVE, instances=listed("prod"), opens=timedelta(), notices=notices),
            AgreedWave(name="2023-10-w1", instances=listed("dev"), closed=timedelta(days=-40)),
            AgreedWave(name="2023-10-w2", instances=listed("stage"), closed=timedelta(days=-20)),
        ),
    )


def _servers(agreed: Agreement) -> tuple[DnsServer, ...]:
    customers = (f"{customer}.example." for customer in agreed.customers)
    upper = (".", "example.", f"{BLOCKLIST}.", *customers)
    names = tuple(f"{domain.name}." for instance in agreed.instances for domain in instance.domains)
    senders = (*names, "mailer.example.", "tickets.example.", "cust-a.example.", "cust-b.example.")
    reverse = (
        "127.in-addr.arpa.",
        "2.0.192.in-addr.arpa.",
        "100.51.198.in-addr.arpa.",
        "113.0.203.in-addr.arpa.",
        "8.b.d.0.1.0.0.2.ip6.arpa.",
    )
    return (
        DnsServer(name="reg1", host="a.nic.example.", address="127.53.0.1", zones=upper),
        *(_server(f"ns{number}", f"127.53.1.{number}", senders) for number in range(1, 5)),
        *(_server(f"rns{number}", f"127.53.2.{number}", reverse) for number in range(1, 3)),
    )


def _server(name: str, address: str, served: tuple[str, ...]) -> DnsServer:
    return DnsServer(name=name, host=f"{name}.mailer.example.", address=address, zones=served)


def _state(agreed: Agreement, instance: AgreedInstance, site: tuple[Mta, ...]) -> InstanceState:
    moving = instance.name in agreed.waves[0].instances
    return InstanceState(
        name=instance.name,
        campaign=_campaign(instance),
        mailing=_mailing(instance, site if moving else NEW_SITE),
        queue=usual_queue(instance.name) if moving else (),
    )


def _tried(agreed: Agreement, state: InstanceState) -> InstanceState:
    """After the window, with the planned stops of hosts."""
    if state.name not in agreed.waves[0].instances:
        return state
    return replace(state, mailing=replace(state.mailing, pauses=STOPS))


def _stopped(agreed: Agreement, state: InstanceState) -> InstanceState:
    if state.name not in agreed.waves[0].instances:
        return state
    return replace(state, mailing=replace(state.mailing, flowing=False))


def _mailing(instance: AgreedInstance, mtas: tuple[Mta, ...]) -> Mailing:
    senders = tuple(
        Sender(
            domain=domain.name,
            mail_from=f"bounce@{domain.name}",
            signing=Signing(
                domain=domain.name,
                selector=domain.selectors[0],
                key=f"{instance.name}/{domain.name}/{domain.selectors[0]}",
            ),
        )
        for domain in instance.domains
    )
    version = "8.5.1" if instance.product == "campaign-v8" else "6.7.0"
    return Mailing(
        flowing=True,
        mtas=mtas,
        senders=senders,
        routes=tuple(
            Route(
                ip=ip,
                helo=address_name(ip, instance.domains[0].name),
                domains=tuple(domain.name for domain in instance.domains),
            )
            for ip in instance.sending_ips
        ),
        x_mailer=f"nlserver, Build {version}",
    )


def _campaign(instance: AgreedInstance) -> CampaignState:
    v8 = instance.product == "campaign-v8"
    host = instance.name.replace("-", "ol-", 1)
    primary = instance.domains[0].name
    return CampaignState(
        build="9282" if v8 else "9364",
        commit="8f3ef8e" if v8 else "cc45440",
        release="8.5.1" if v8 else "7.3.4",
        instance_name=instance.name,
        database_id=f"uFE80000000000000{sum(instance.name.encode()):06X}",
        major=8 if v8 else 6,
        minor=5 if v8 else 7,
        fronts=(Front(local_host=f"{host}-app-1"), Front(local_host=f"{host}-app-2")),
        packages=("nms:core", "nms:campaign", "nms:mobile", "nms:mrm", "xtk:ctp"),
        options=(
            Option(name="NmsServer_LastPostUpgrade", value="9236"),
            Option(name="NmsEmail_DefaultErrorAddr", value=f"bounce@{primary}"),
            Option(name="XtkInstanceIdentifier", value=instance.name),
            Option(name="MC_RtEventQueueAlert", value="400", type=3),
        ),
        tables=tables(instance.name),
    )


def without_instance(world: World, name: str) -> World:
    """The world less one instance: not agreed, not there; its zones stay published."""
    agreed = replace(
        world.agreed,
        instances=tuple(item for item in world.agreed.instances if item.name != name),
        waves=tuple(
            wave
            for wave in (
                replace(wave, instances=tuple(item for item in wave.instances if item != name))
                for wave in world.agreed.waves
            )
            if wave.instances
        ),
    )

    def less(scene: Scene) -> Scene:
        kept = tuple(state for state in scene.instances if state.name != name)
        return replace(scene, instances=kept)

    return World(
        agreed=agreed,
        agreed_after=agreed,
        before=less(world.before),
        window=less(world.window),
        after=less(world.after),
    )


def fewer_messages(world: World, burst: int) -> World:
    """The world with another number of messages for each address and domain."""

    def thin(scene: Scene) -> Scene:
        return replace(
            scene,
            instances=tuple(
                replace(state, mailing=replace(state.mailing, burst=burst))
                for state in scene.instances
            ),
        )

    return replace(
        world, before=thin(world.before), window=thin(world.window), after=thin(world.after)
    )


def reference_names() -> dict[str, str]:
    """What the short names of the reference world stand for: ip1, six2, news, ns3, new-a, old-b.

    Servers as their address, hosts as they write themselves in Received.
    """
    agreed = _agreement(_cast())
    prod1 = agreed.instance("acme-prod1")
    v4 = [ip for ip in prod1.sending_ips if ip_address(ip).version == 4]
    v6 = [ip for ip in prod1.sending_ips if ip_address(ip).version == 6]
    return {
        **{f"ip{place}": ip for place, ip in enumerate(v4, 1)},
        **{f"six{place}": ip for place, ip in enumerate(v6, 1)},
        **{domain.name.split(".")[0]: domain.name for domain in prod1.domains},
        **{server.name: server.address for server in _servers(agreed)},
        **{mta.name: mta.host for mta in (*OLD_SITE, *NEW_SITE)},
    }
