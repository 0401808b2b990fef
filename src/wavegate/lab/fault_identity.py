# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of sending addresses and their reverse names, and variations without effect."""

from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.dns_state import Serves, txt
from wavegate.lab.plants import (
    MAILER,
    NEWS,
    POLICY,
    PROD,
    Bed,
    Change,
    after,
    agree,
    agreed_instance,
    always,
    both,
    drop,
    edit,
    mailing,
    put,
    ruled,
)
from wavegate.lab.reference_zones import BLOCKLIST, LISTED, listed_owner, reverse_owner
from wavegate.lab.world import AgreedInstance, Mailing, Route, Scene, World

BED = Bed()
IP1, IP2, IP3, IP4 = (f"127.10.3.{number}" for number in range(11, 15))
IP9 = "127.10.3.19"
SIX1, SIX2 = "2001:db8:10::20", "2001:db8:10::21"
OTHER_SIX1 = "2001:db8:10:0:a8bb:ccff:fedd:eeff"
REPLACEMENT, EXTRA = "198.51.100.77", "198.51.100.80"
REVERSE, REVERSE_SIX = "127.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."
REVERSE_CLOUD = "100.51.198.in-addr.arpa."
CLOUD_NAME = f"ec2-127-10-3-11.compute.{MAILER}"
DOMAINS = ("news.acme.example", "shop.acme.example")


def _routes(change: Callable[[Route], Route | None], name: str = PROD) -> Change:
    """A change of each route; None takes it away."""

    def lay(flow: Mailing) -> Mailing:
        changed = (change(route) for route in flow.routes)
        return replace(flow, routes=tuple(route for route in changed if route is not None))

    return mailing(lay, name)


def _unused(*addresses: str) -> Change:
    """Those addresses send nothing. Raises KeyError if one does not send anyway."""

    def lay(flow: Mailing) -> Mailing:
        gone = {flow.route(ip).ip for ip in addresses}
        return replace(flow, routes=tuple(route for route in flow.routes if route.ip not in gone))

    return mailing(lay)


def _readdressed(old: str, new: str, helo: str, name: str = PROD) -> Change:
    """Another address takes the share of one. Raises KeyError if that one does not send."""

    def lay(flow: Mailing) -> Mailing:
        changed = replace(flow.route(old), ip=new, helo=helo)
        routes = (changed if route.ip == old else route for route in flow.routes)
        return replace(flow, routes=tuple(routes))

    return mailing(lay, name)


def _extra(weight: int) -> Change:
    def lay(flow: Mailing) -> Mailing:
        host = Route(ip=EXTRA, helo="ip-10-0-3-80.internal", domains=DOMAINS, weight=weight)
        return replace(flow, routes=(*flow.routes, host))

    return mailing(lay)


@BED.plant("ip-replaced")
def _replaced(world: World) -> World:
    host = f"r77.{NEWS}"
    return after(
        world,
        both(
            _readdressed(IP3, REPLACEMENT, host[:-1]),
            edit(MAILER, POLICY, "TXT", "v=spf1 ", f"v=spf1 ip4:{REPLACEMENT} "),
            put(REVERSE_CLOUD, reverse_owner(REPLACEMENT), "PTR", host),
            put(NEWS, host, "A", REPLACEMENT),
        ),
    )


@BED.plant("extra-ip-two-percent")
def _two_percent(world: World) -> World:
    return after(world, _extra(weight=12))


@BED.plant("extra-ip-two-percent-few-samples")
def _few_samples(world: World) -> World:
    def rarely(route: Route) -> Route:
        return replace(route, weight=1) if route.ip == IP4 else route

    few = mailing(lambda flow: replace(flow, cap=20))
    return after(world, both(_routes(rarely), _extra(weight=2), few))


@BED.plant("ip-never-seen-after")
def _never_seen(world: World) -> World:
    return after(world, _unused(IP4))


@BED.plant("ips-swapped-between-customers")
def _between_customers(world: World) -> World:
    theirs, helo = "127.20.2.11", "r11.mail.globex.example"
    return after(
        world,
        both(
            _readdressed(IP2, theirs, helo),
            _readdressed(theirs, IP2, f"r12.{NEWS[:-1]}", "globex-prod1"),
        ),
    )


@BED.plant("six-dropped")
def _six_dropped(world: World) -> World:
    return after(world, _unused(SIX1, SIX2))


@BED.plant("six-replaced-same-64")
def _six_replaced(world: World) -> World:
    return after(world, _readdressed(SIX1, OTHER_SIX1, f"r20.{NEWS[:-1]}"))


@BED.plant("ptr-missing-one")
def _ptr_missing(world: World) -> World:
    return after(world, drop(REVERSE, reverse_owner(IP2), "PTR"))


@BED.plant("ptr-missing-six-only")
def _ptr_missing_six(world: World) -> World:
    return after(world, drop(REVERSE_SIX, reverse_owner(SIX2), "PTR"))


@BED.plant("ptr-cloud-default")
def _ptr_cloud(world: World) -> World:
    return after(
        world,
        both(
            put(REVERSE, reverse_owner(IP1), "PTR", CLOUD_NAME), put(MAILER, CLOUD_NAME, "A", IP1)
        ),
    )


@BED.plant("forward-lacks-new-aaaa")
def _no_aaaa(world: World) -> World:
    return after(world, drop(NEWS, f"r20.{NEWS}", "AAAA"))


@BED.plant("forward-points-old-site")
def _forward_elsewhere(world: World) -> World:
    return after(world, put(NEWS, f"r11.{NEWS}", "A", "203.0.113.9"))


@BED.plant("ptr-swapped-pair")
def _ptr_swapped(world: World) -> World:
    return after(
        world,
        both(
            put(REVERSE, reverse_owner(IP1), "PTR", f"r12.{NEWS}"),
            put(REVERSE, reverse_owner(IP2), "PTR", f"r11.{NEWS}"),
            put(NEWS, f"r11.{NEWS}", "A", IP2),
            put(NEWS, f"r12.{NEWS}", "A", IP1),
        ),
    )


@BED.plant("ptr-one-reverse-server-stale")
def _ptr_stale(world: World) -> World:
    def change(scene: Scene) -> Scene:
        other = scene.zone(REVERSE).put(reverse_owner(IP1), "PTR", CLOUD_NAME)
        return ruled(("rns2",), Serves(zones=(other,)))(scene)

    return after(world, both(change, put(MAILER, CLOUD_NAME, "A", IP1)))


@BED.plant("ptr-second-name-added")
def _ptr_second(world: World) -> World:
    names = (f"r11.{NEWS}", "host.old.example.")
    return after(world, put(REVERSE, reverse_owner(IP1), "PTR", *names))


@BED.plant("helo-is-internal-name")
def _helo(world: World) -> World:
    def lay(flow: Mailing) -> Mailing:
        return replace(
            flow,
            mtas=tuple(
                replace(mta, helo="ip-10-0-3-7.internal") if mta.name == "new-b" else mta
                for mta in flow.mtas
            ),
        )

    return after(world, mailing(lay))


@BED.plant("estate-lists-unused-ip")
def _unused_listed(world: World) -> World:
    def lay(instance: AgreedInstance) -> AgreedInstance:
        return replace(instance, sending_ips=(*instance.sending_ips, IP9))

    return agree(world, agreed_instance(PROD, lay))


@BED.plant("per-domain-affinity-lost")
def _affinity(world: World) -> World:
    own = {IP1: DOMAINS[1:], IP2: DOMAINS[1:], IP3: DOMAINS[:1], IP4: DOMAINS[:1]}

    def bind(route: Route) -> Route:
        return replace(route, domains=own.get(route.ip, route.domains))

    return replace(world, before=_routes(bind)(world.before))


@BED.plant("sending-ip-blocklisted")
def _blocklisted(world: World) -> World:
    return after(world, put(f"{BLOCKLIST}.", listed_owner(IP2), "A", LISTED))


@BED.plant("benign-ip-delisted")
def _delisted(world: World) -> World:
    listed = put(f"{BLOCKLIST}.", listed_owner(IP2), "A", LISTED)
    return replace(world, before=listed(world.before))


@BED.plant("benign-ip-order")
def _ip_order(world: World) -> World:
    def lay(instance: AgreedInstance) -> AgreedInstance:
        turned = reversed(instance.sending_ips)
        return replace(
            instance, sending_ips=tuple(ip.upper().replace("10::", "10:0:0::") for ip in turned)
        )

    return agree(world, agreed_instance(PROD, lay))


@BED.plant("benign-ptr-case")
def _ptr_case(world: World) -> World:
    return after(world, put(REVERSE, reverse_owner(IP1), "PTR", "R11.News.acme.example."))


@BED.plant("benign-ptr-two-names-before-and-after")
def _ptr_two(world: World) -> World:
    names = (f"r11.{NEWS}", f"mx11.{NEWS}")
    return always(
        world,
        both(put(REVERSE, reverse_owner(IP1), "PTR", *names), put(NEWS, f"mx11.{NEWS}", "A", IP1)),
    )


@BED.plant("benign-share-drift")
def _drift(world: World) -> World:
    shares = {IP1: 124, IP2: 88, IP3: 96, IP4: 92}
    return after(
        world, _routes(lambda route: replace(route, weight=shares.get(route.ip, route.weight)))
    )


@BED.plant("benign-new-asn")
def _asn(world: World) -> World:
    owner = "3.10.127.origin.nic.example."

    def origin(text: str) -> Change:
        return put("example.", owner, "TXT", txt(text))

    old = replace(world, before=origin("64496 | 127.10.3.0/24 | lon7")(world.before))
    return after(old, origin("64511 | 127.10.3.0/24 | cloud"))


@BED.plant("benign-forward-extra-address")
def _forward_extra(world: World) -> World:
    return after(world, put(NEWS, f"r11.{NEWS}", "A", IP1, IP2))


@BED.plant("benign-new-internal-received-host")
def _received_host(world: World) -> World:
    def lay(flow: Mailing) -> Mailing:
        return replace(flow, mtas=tuple(replace(mta, host=f"sub1-{mta.host}") for mta in flow.mtas))

    return after(world, mailing(lay))
