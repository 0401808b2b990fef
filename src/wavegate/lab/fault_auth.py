# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of SPF, DKIM and DMARC, and other spellings of the same thing."""

from collections.abc import Callable
from dataclasses import replace

from wavegate.lab.dns_state import Rr, Zone, txt
from wavegate.lab.keys import public_key
from wavegate.lab.plants import (
    MAILER,
    NEWS,
    POLICY,
    PROD,
    SHOP,
    Bed,
    Change,
    after,
    always,
    both,
    drop,
    edit,
    in_zone,
    mailing,
    put,
    sender,
)
from wavegate.lab.reference_zones import dkim_text
from wavegate.lab.world import Mailing, Sender, Signing, World

BED = Bed()
TICKETS = "include:_spf.tickets.example"
NEWS_KEY, SHOP_KEY = (f"{PROD}/{domain}.acme.example/acc1" for domain in ("news", "shop"))
SPARE_KEY = f"{PROD}/news.acme.example/acc2"
OTHER_KEY = f"{PROD}/another"
NEWS_SELECTOR, SHOP_SELECTOR = (f"acc1._domainkey.{origin}" for origin in (NEWS, SHOP))
SPARE_SELECTOR = f"acc2._domainkey.{NEWS}"
DMARC = f"_dmarc.{NEWS}"
CHAIN = 10
INBOUND = f"inbound.{NEWS}"


def _policy(old: str, new: str) -> Change:
    """A change inside the shared SPF policy."""
    return edit(MAILER, POLICY, "TXT", old, new)


def _includes(count: int) -> tuple[str, Change]:
    """So many includes that authorise nobody new, and the policies they name."""
    names = [f"_spf.part{number}.{MAILER}" for number in range(1, count + 1)]
    texts = [put(MAILER, name, "TXT", txt("v=spf1 ip4:192.0.2.0/29 -all")) for name in names]
    return " ".join(f"include:{name[:-1]}" for name in names), both(*texts)


@BED.plant("spf-lost-one-slash32")
def _lost_one(world: World) -> World:
    kept = " ".join(f"ip4:192.0.2.{number}" for number in range(8, 16) if number != 13)
    return after(world, _policy("ip4:192.0.2.8/29", kept))


@BED.plant("spf-six-only")
def _six_only(world: World) -> World:
    return after(world, _policy("2001:db8:10::/64", "2001:db8:10::/65"))


@BED.plant("spf-widened")
def _widened(world: World) -> World:
    name = f"_spf.cloud.{MAILER}"
    wide = put(MAILER, name, "TXT", txt("v=spf1 ip4:198.51.100.0/24 -all"))
    return after(world, both(_policy("-all", f"include:{name[:-1]} -all"), wide))


@BED.plant("spf-lookups-exceeded-late")
def _late(world: World) -> World:
    terms, policies = _includes(CHAIN - 1)
    return after(world, both(_policy(TICKETS, f"{TICKETS} {terms}"), policies))


@BED.plant("spf-lookups-exceeded-early")
def _early(world: World) -> World:
    terms, policies = _includes(CHAIN)
    return after(world, both(_policy("v=spf1 ", f"v=spf1 {terms} "), policies))


@BED.plant("spf-void-lookups")
def _void(world: World) -> World:
    terms = " ".join(f"a:old{number}.mailer.example" for number in range(1, 4))
    return after(world, _policy("v=spf1 ", f"v=spf1 {terms} "))


@BED.plant("spf-all-softened")
def _softened(world: World) -> World:
    return after(world, _policy("-all", "~all"))


@BED.plant("spf-two-records")
def _two_records(world: World) -> World:
    def add(zone: Zone) -> Zone:
        return zone.plus(Rr(NEWS, "TXT", txt(f"v=spf1 include:{POLICY[:-1]} -all")))

    return after(world, in_zone(NEWS, add))


@BED.plant("spf-redirect-target-gone")
def _target_gone(world: World) -> World:
    def move(zone: Zone) -> Zone:
        text = zone.get(POLICY, "TXT")[0].data
        return zone.without(POLICY, "TXT").put(f"new{POLICY}", "TXT", text)

    return after(world, in_zone(MAILER, move))


@BED.plant("spf-mx-term-moved")
def _mx_term(world: World) -> World:
    named = always(world, _policy("-all", f"mx:{NEWS[:-1]} -all"))
    return after(named, put(NEWS, INBOUND, "A", "198.51.100.25"))


@BED.plant("spf-include-dropped")
def _include_dropped(world: World) -> World:
    return after(world, _policy(f"{TICKETS} ", ""))


@BED.plant("spf-helo-identity-lost")
def _helo_lost(world: World) -> World:
    return after(world, drop(NEWS, f"r11.{NEWS}", "TXT"))


def _key_text(owner: str, text: str) -> Change:
    """The text of a selector's record, exchanged whole."""
    return put(NEWS if owner.endswith(NEWS) else SHOP, owner, "TXT", txt(text))


def _tag(owner: str, key: str, tag: str) -> Change:
    """The same key with one tag more."""
    return _key_text(owner, f"v=DKIM1; {tag}; k=rsa; p={public_key(key)}")


def _signed(domain: str, change: Callable[[Signing], Signing]) -> Change:
    return mailing(sender(domain, lambda old: replace(old, signing=change(old.signing))))


def _all_signed(change: Callable[[Signing], Signing]) -> Change:
    return both(*(_signed(f"{name}.acme.example", change) for name in ("news", "shop")))


@BED.plant("dkim-key-rotated")
def _rotated(world: World) -> World:
    return after(
        world,
        both(
            _key_text(NEWS_SELECTOR, dkim_text(OTHER_KEY)),
            _signed("news.acme.example", lambda old: replace(old, key=OTHER_KEY)),
        ),
    )


@BED.plant("dkim-old-private-new-public")
def _wrong_private(world: World) -> World:
    def lay(flow: Mailing) -> Mailing:
        return replace(
            flow,
            mtas=tuple(
                replace(mta, key=OTHER_KEY) if mta.name == "new-a" else mta for mta in flow.mtas
            ),
        )

    return after(world, mailing(lay))


@BED.plant("dkim-flag-t-s")
def _strict_identity(world: World) -> World:
    identity = "@mail.shop.acme.example"
    signed = always(
        world, _signed("shop.acme.example", lambda old: replace(old, identity=identity))
    )
    return after(signed, _tag(SHOP_SELECTOR, SHOP_KEY, "t=s"))


@BED.plant("dkim-flag-t-y")
def _testing(world: World) -> World:
    return after(world, _tag(NEWS_SELECTOR, NEWS_KEY, "t=y"))


@BED.plant("dkim-truncated")
def _truncated(world: World) -> World:
    return after(world, _key_text(NEWS_SELECTOR, dkim_text(NEWS_KEY)[:255]))


@BED.plant("dkim-space-between-strings")
def _quoted(world: World) -> World:
    text = dkim_text(NEWS_KEY)
    return after(world, _key_text(NEWS_SELECTOR, f'{text[:200]}" "{text[200:]}'))


@BED.plant("dkim-revoked-spare")
def _revoked(world: World) -> World:
    return after(world, _key_text(SPARE_SELECTOR, "v=DKIM1; k=rsa; p="))


@BED.plant("dkim-unsigned-five-percent")
def _unsigned(world: World) -> World:
    return after(world, _all_signed(lambda old: replace(old, unsigned_every=20)))


@BED.plant("dkim-header-list-shrunk")
def _fewer_headers(world: World) -> World:
    def shrink(old: Signing) -> Signing:
        gone = ("Subject", "List-Unsubscribe")
        return replace(old, headers=tuple(name for name in old.headers if name not in gone))

    return after(world, _all_signed(shrink))


@BED.plant("dkim-h-sha1-only")
def _sha1(world: World) -> World:
    return after(world, _tag(NEWS_SELECTOR, NEWS_KEY, "h=sha1"))


@BED.plant("dmarc-weakened")
def _weakened(world: World) -> World:
    return after(world, edit(NEWS, DMARC, "TXT", "p=reject", "p=none"))


@BED.plant("dmarc-record-lost-parent-applies")
def _parent_applies(world: World) -> World:
    return after(world, drop(NEWS, DMARC, "TXT"))


@BED.plant("dmarc-aspf-strict")
def _strict(world: World) -> World:
    def parent(old: Sender) -> Sender:
        signing = replace(old.signing, domain="acme.example", key=NEWS_KEY)
        return replace(old, mail_from="bounce@bounce.news.acme.example", signing=signing)

    relaxed = both(
        mailing(sender("news.acme.example", parent)),
        put(NEWS, f"bounce.{NEWS}", "TXT", txt(f"v=spf1 redirect={POLICY[:-1]}")),
        put("acme.example.", "acc1._domainkey.acme.example.", "TXT", txt(dkim_text(NEWS_KEY))),
    )
    return after(
        always(world, relaxed),
        edit(NEWS, DMARC, "TXT", "p=reject", "p=reject; aspf=s; adkim=s"),
    )


@BED.plant("dmarc-return-path-changed")
def _return_path(world: World) -> World:
    host = "eu-west.mta.example"

    def elsewhere(old: Sender) -> Sender:
        return replace(old, mail_from=f"bounce@{host}")

    policy = txt("v=spf1 ip4:127.10.3.8/29 ip6:2001:db8:10::/64 -all")
    return after(
        world,
        both(
            mailing(sender("news.acme.example", elsewhere)),
            put("example.", f"{host}.", "TXT", policy),
        ),
    )


@BED.plant("dmarc-rua-elsewhere")
def _reports(world: World) -> World:
    return after(
        world,
        both(
            edit(NEWS, DMARC, "TXT", "mailto:dmarc@acme.example", "mailto:dmarc@mailer.example"),
            put(MAILER, f"news.acme.example._report._dmarc.{MAILER}", "TXT", txt("v=DMARC1")),
        ),
    )


@BED.plant("benign-spf-flattened")
def _flattened(world: World) -> World:
    return after(world, _policy(TICKETS, "ip4:203.0.113.64/28"))


@BED.plant("benign-spf-merged-prefixes")
def _merged(world: World) -> World:
    return after(world, _policy("ip4:192.0.2.0/29 ip4:192.0.2.8/29", "ip4:192.0.2.0/28"))


@BED.plant("benign-spf-split-and-case")
def _split(world: World) -> World:
    return after(
        world,
        both(_policy("ip4:127", "IP4:127"), _policy("-all", "-ALL"), _policy(" ip6:", '" " ip6:')),
    )


@BED.plant("benign-spf-dead-term")
def _dead_term(world: World) -> World:
    dead = _policy("-all", "-all ip4:203.0.113.200 a:old1.mailer.example")
    return replace(world, before=dead(world.before))


@BED.plant("benign-dkim-rewrapped")
def _rewrapped(world: World) -> World:
    key = public_key(NEWS_KEY)
    strings = (f"v=DKIM1; k=rsa; p={key[:90]}  ", f"{key[90:180]} ", key[180:])
    data = " ".join(f'"{string}"' for string in strings)
    return after(world, put(NEWS, NEWS_SELECTOR, "TXT", data))


@BED.plant("benign-dkim-default-tags")
def _default_tags(world: World) -> World:
    text = f"v=DKIM1; p={public_key(NEWS_KEY)}; s=*; t=; k=rsa"
    return after(world, _key_text(NEWS_SELECTOR, text))


@BED.plant("benign-dmarc-tag-order")
def _tag_order(world: World) -> World:
    text = "v=DMARC1; p=reject; ri=86400; aspf=r; rua=mailto:dmarc@acme.example; adkim=r; pct=100"
    return after(world, put(NEWS, DMARC, "TXT", txt(text)))


@BED.plant("benign-dkim-canonicalisation")
def _canonicalisation(world: World) -> World:
    simple = _all_signed(lambda old: replace(old, canon="simple/simple"))
    return replace(world, before=simple(world.before))
