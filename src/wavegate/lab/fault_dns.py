# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of what the name servers publish and how they answer, and variations without effect."""

from dataclasses import replace

from wavegate.lab.dns_sign import LONG_PAST, UNTIL, ZoneKey, delegated, signed
from wavegate.lab.dns_state import (
    Drops,
    Limits,
    MixedCase,
    NoTcp,
    Says,
    Scope,
    Serves,
    Shuffles,
    Silent,
    Truncates,
    Zone,
    txt,
)
from wavegate.lab.plants import (
    MAILER,
    NAME_SERVERS,
    NEWS,
    POLICY,
    SHOP,
    Bed,
    Change,
    after,
    always,
    both,
    drop,
    edit,
    in_zone,
    put,
    ruled,
)
from wavegate.lab.reference_zones import NS_HOSTS, SERIAL, dkim_text
from wavegate.lab.world import Scene, World

BED = Bed()
SELECTOR = f"acc1._domainkey.{NEWS}"
PARENT = "acme.example."
LEASED = "cust-a.example."
KEY = ZoneKey(name="news")


@BED.plant("one-of-four-ns-stale-spf")
def _stale(world: World) -> World:
    def change(scene: Scene) -> Scene:
        old = scene.zone(MAILER).edit(
            POLICY,
            "TXT",
            lambda data: data.replace(
                "ip4:127.10.3.8/29", "ip4:127.10.3.8/30 ip4:127.10.3.12/31 ip4:127.10.3.15"
            ),
        )
        old = old.edit(MAILER, "SOA", lambda data: data.replace(str(SERIAL), str(SERIAL - 7)))
        return ruled(("ns3",), Serves(zones=(old,)))(scene)

    return after(world, change)


@BED.plant("one-ns-nxdomain-dkim")
def _one_nxdomain(world: World) -> World:
    return after(world, ruled(("ns4",), Says(rcode="NXDOMAIN", scope=Scope(names=(SELECTOR,)))))


@BED.plant("ns-set-lost-a-server")
def _lost_server(world: World) -> World:
    return after(
        world, both(put(NEWS, NEWS, "NS", *NS_HOSTS[:3]), put(PARENT, NEWS, "NS", *NS_HOSTS[:3]))
    )


@BED.plant("ns-parent-child-differ")
def _child_differs(world: World) -> World:
    strange = ("ns5.old-site.example.", "ns6.old-site.example.")
    return after(world, put(NEWS, NEWS, "NS", *NS_HOSTS[:2], *strange))


@BED.plant("lame-delegation")
def _lame(world: World) -> World:
    return after(world, ruled(("ns2",), Says(rcode="REFUSED", scope=Scope(under=(NEWS,)))))


@BED.plant("dns-timeout-on-capture-after")
def _timeout(world: World) -> World:
    return after(world, ruled(NAME_SERVERS, Silent()))


@BED.plant("reverse-timeout-on-capture-after")
def _reverse_timeout(world: World) -> World:
    return after(world, ruled(("rns1", "rns2"), Silent()))


@BED.plant("dns-servfail-one-record")
def _servfail(world: World) -> World:
    return after(world, ruled(NAME_SERVERS, Says(rcode="SERVFAIL", scope=Scope(names=(SELECTOR,)))))


@BED.plant("dns-rate-limited")
def _limited(world: World) -> World:
    return always(world, ruled(NAME_SERVERS, Limits(answers=20, seconds=60)))


@BED.plant("udp-truncated-tcp-blocked")
def _no_tcp(world: World) -> World:
    return after(
        world, ruled(NAME_SERVERS, Truncates(above=0, scope=Scope(names=(SELECTOR,))), NoTcp())
    )


@BED.plant("mx-lost")
def _mx_lost(world: World) -> World:
    return after(world, drop(NEWS, NEWS, "MX"))


@BED.plant("mx-priority-swapped")
def _mx_swapped(world: World) -> World:
    def swap(zone: Zone) -> Zone:
        other = {"10": "20", "20": "10"}
        return zone.edit(SHOP, "MX", lambda data: other[data[:2]] + data[2:])

    return after(world, in_zone(SHOP, swap))


@BED.plant("extra-txt-verification-lost")
def _verification_lost(world: World) -> World:
    def lose(zone: Zone) -> Zone:
        kept = [rr.data for rr in zone.get(NEWS, "TXT") if "verification" not in rr.data]
        return zone.put(NEWS, "TXT", *kept)

    return after(world, in_zone(NEWS, lose))


@BED.plant("wildcard-shadows-dmarc")
def _wildcard(world: World) -> World:
    return after(world, put(SHOP, f"*.{SHOP}", "TXT", txt("catch-all of the new DNS product")))


@BED.plant("tracking-cname-elsewhere")
def _tracking(world: World) -> World:
    return after(world, put(NEWS, f"t.{NEWS}", "CNAME", "t1.cust-b.example."))


@BED.plant("answers-differ-by-vantage")
def _vantage(world: World) -> World:
    def change(scene: Scene) -> Scene:
        inside = scene.zone(NEWS).put(f"r11.{NEWS}", "A", "10.0.3.11")
        view = Serves(zones=(inside,), clients=("127.0.0.1/32",))
        return ruled(NAME_SERVERS, view)(scene)

    return after(world, change)


def _signed(key: ZoneKey, until: str = UNTIL) -> Change:
    """The zone of news signed, and vouched for by its parent."""
    return both(
        in_zone(NEWS, lambda zone: signed(zone, key, until)),
        put(PARENT, NEWS, "DS", delegated(NEWS, key)),
    )


@BED.plant("dnssec-bogus")
def _bogus(world: World) -> World:
    return after(always(world, _signed(KEY)), _signed(KEY, LONG_PAST))


@BED.plant("dnssec-ds-lost")
def _not_vouched_for(world: World) -> World:
    return after(always(world, _signed(KEY)), drop(PARENT, NEWS, "DS"))


@BED.plant("dnssec-one-server-unsigned")
def _one_unsigned(world: World) -> World:
    unsigned = world.after.zone(NEWS)
    return after(always(world, _signed(KEY)), ruled(("ns2",), Serves(zones=(unsigned,))))


@BED.plant("benign-dnssec-key-rolled")
def _rolled(world: World) -> World:
    return after(always(world, _signed(KEY)), _signed(ZoneKey(name="news, the next")))


@BED.plant("caa-forbids-renewal")
def _forbidden(world: World) -> World:
    allowed = put(NEWS, NEWS, "CAA", '0 issue "ca.example"')
    return after(always(world, allowed), put(NEWS, NEWS, "CAA", '0 issue ";"'))


@BED.plant("tls-reporting-lost")
def _no_reports(world: World) -> World:
    owner = f"_smtp._tls.{NEWS}"
    told = put(NEWS, owner, "TXT", txt("v=TLSRPTv1; rua=mailto:tls@acme.example"))
    return replace(world, before=told(world.before))


@BED.plant("mta-sts-announcement-lost")
def _not_announced(world: World) -> World:
    told = put(NEWS, f"_mta-sts.{NEWS}", "TXT", txt("v=STSv1; id=20240101"))
    return replace(world, before=told(world.before))


@BED.plant("benign-tags-respaced")
def _respaced(world: World) -> World:
    owner = f"_smtp._tls.{NEWS}"
    told = put(NEWS, owner, "TXT", txt("v=TLSRPTv1; rua=mailto:tls@acme.example"))
    closer = put(NEWS, owner, "TXT", txt("v=TLSRPTv1;rua=mailto:tls@acme.example;"))
    return after(always(world, told), closer)


@BED.plant("benign-ttl-change")
def _ttl(world: World) -> World:
    def lower(zone: Zone) -> Zone:
        return replace(zone, records=tuple(replace(rr, ttl=300) for rr in zone.records))

    return after(world, in_zone(NEWS, lower))


@BED.plant("benign-soa-serial")
def _serial(world: World) -> World:
    new = both(
        edit(NEWS, NEWS, "SOA", str(SERIAL), str(SERIAL + 30)),
        edit(NEWS, NEWS, "SOA", NS_HOSTS[0], NS_HOSTS[1]),
    )
    return after(world, new)


@BED.plant("benign-tracking-ip-rotation")
def _rotation(world: World) -> World:
    hosts = [f"{part}1.{LEASED}" for part in ("t", "m", "res")]
    changes = (put(LEASED, host, "A", f"203.0.113.{200 + at}") for at, host in enumerate(hosts))
    return after(world, both(*changes))


@BED.plant("benign-ns-order")
def _order(world: World) -> World:
    return always(world, ruled((*NAME_SERVERS, "rns1", "rns2"), Shuffles()))


@BED.plant("benign-one-timeout-retry")
def _loss(world: World) -> World:
    return always(world, ruled((*NAME_SERVERS, "rns1", "rns2"), Drops(ppm=50_000)))


@BED.plant("benign-tc-then-tcp")
def _tc_then_tcp(world: World) -> World:
    return after(world, ruled(NAME_SERVERS, Truncates(above=512, scope=Scope(types=("TXT",)))))


@BED.plant("benign-case-randomised")
def _mixed_case(world: World) -> World:
    return after(world, ruled(NAME_SERVERS, MixedCase()))


@BED.plant("benign-cname-flattened")
def _flattened(world: World) -> World:
    target = f"acc1.acme-prod1._domainkey.{MAILER}"
    key = "acme-prod1/news.acme.example/acc1"
    aliased = both(
        drop(NEWS, SELECTOR, "TXT"),
        put(NEWS, SELECTOR, "CNAME", target),
        put(MAILER, target, "TXT", txt(dkim_text(key))),
    )
    return replace(world, before=aliased(world.before))
