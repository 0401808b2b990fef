# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A copy of a world is the same world under other names, and has nothing of the first."""

import re
from dataclasses import fields, is_dataclass
from ipaddress import ip_address

import dns.dnssec
import dns.name
import dns.rdatatype
import pytest
from dns.node import Node
from dns.rdataset import Rdataset
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from wavegate.lab.copies import LEAST, MOST, Namer, copied
from wavegate.lab.dns_answer import index
from wavegate.lab.faults import planted
from wavegate.lab.reference import few_world
from wavegate.lab.world import PHASES

WORLD = few_world()
COPY = copied(WORLD, LEAST)


def texts(value: object) -> set[str]:
    """Every text in a value, but for the names of private keys."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, tuple):
        return {text for item in value for text in texts(item)}
    if is_dataclass(value):
        names = (field.name for field in fields(value) if field.name != "key")
        return {text for name in names for text in texts(getattr(value, name))}
    return set()


def addresses(found: set[str]) -> set[str]:
    """All addresses among texts, the two of the list of bad senders and the registry's aside."""
    own = set()
    for text in found:
        for word in re.split(r"[\s;=|/]|ip[46]:", text):
            try:
                own.add(str(ip_address(word.strip('"'))))
            except ValueError:
                continue
    return own - {"127.0.0.2", "127.53.0.1"}


def test_no_owner_or_address_is_left() -> None:
    """What a copy kept of the first would be shared by both, and a fault would hit both."""
    before, after = texts(WORLD), texts(COPY)
    owned = re.compile(r"(?<![a-z0-9])(acme|globex|initech|mailer|tickets|cust-[ab])(?![a-z0-9])")
    assert [] == sorted(text for text in after if owned.search(text))
    assert set() == addresses(before) & addresses(after)


def test_copies_have_nothing_in_common() -> None:
    """Two copies share no address and no domain."""
    first, last = COPY, copied(WORLD, MOST)
    assert set() == addresses(texts(first)) & addresses(texts(last))
    origins = {zone.origin for zone in first.before.zones} & {z.origin for z in last.before.zones}
    assert {".", "example.", "dnsbl.example."} == origins


@pytest.mark.parametrize(
    ("written", "copied_to"),
    [
        ("127.10.3.11", "127.54.3.11"),
        ("127.20.2.12", "127.54.102.12"),
        ("11.3.10.127.in-addr.arpa.", "11.3.54.127.in-addr.arpa."),
        ("127.in-addr.arpa.", "54.127.in-addr.arpa."),
        ("3.10.127.origin.nic.example.", "3.54.127.origin.nic.example."),
        ("127.53.1.2", "127.54.201.2"),
        ("127.53.0.1", "127.53.0.1"),
        ("2001:DB8:10:0:0::20", "2001:DB8:54:0:0::20"),
        ('"v=spf1 ip6:2001:db8:10::/64 -all"', '"v=spf1 ip6:2001:db8:54::/64 -all"'),
        ("8.b.d.0.1.0.0.2.ip6.arpa.", "4.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa."),
        ("198.51.100.77", "198.18.182.77"),
        ("77.100.51.198.in-addr.arpa.", "77.182.18.198.in-addr.arpa."),
        ("R11.News.acme.example.", "R11.News.acme54.example."),
        ("acmeol-prod1-app-2", "acme54ol-prod1-app-2"),
        ("2023-10-w1", "2023-10-w1-54"),
        ("2024-01-w1", "2024-01-w1"),
        ("host.old.example.", "host.old.example."),
        ("X-mailer", "X-mailer"),
        ("127.0.0.2", "127.0.0.2"),
    ],
)
def test_how_names_are_exchanged(written: str, copied_to: str) -> None:
    """Each form in which a name or address is written, backwards ones too."""
    assert copied_to == Namer(number=LEAST).text(written)


def test_a_number_without_addresses_is_refused() -> None:
    """Copy 53 would have the addresses of the name servers."""
    with pytest.raises(ValueError, match="copy 53 has no addresses"):
        copied(WORLD, 53)


@pytest.mark.parametrize("fault", ["spf-lookups-exceeded-late", "benign-new-asn", "mx-lost"])
def test_a_copy_of_a_planted_world_can_be_published(fault: str) -> None:
    """Longer names make longer texts, which are split anew into strings that fit."""
    world = copied(planted(WORLD, (fault,)), MOST)
    for phase in PHASES:
        for zone in world.scene(phase).zones:
            assert index(zone).origin


def test_signatures_are_of_the_new_names() -> None:
    """A copy of a signed zone validates, up to the DS in its parent."""
    zones = {z.origin: z for z in copied(planted(WORLD, ("dnssec-bogus",)), LEAST).before.zones}
    held = index(zones["news.acme54.example."])
    name = dns.name.from_text("news.acme54.example.")
    published = held.nodes[name][dns.rdatatype.DNSKEY]
    keys: dict[dns.name.Name, Node | Rdataset] = {name: published}
    for owner, sets in held.signatures.items():
        for rdtype, signatures in sets.items():
            rrset = (owner, held.nodes[owner][rdtype])
            dns.dnssec.validate(rrset, (owner, signatures), keys)
    vouched = zones["acme54.example."].get("news.acme54.example.", "DS")
    key = next(iter(published))
    assert isinstance(key, DNSKEY)
    assert [dns.dnssec.make_ds(name, key, "SHA256").to_text()] == [rr.data for rr in vouched]
