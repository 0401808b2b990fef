# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a capture asks beyond the mail identity: signatures, blocklists, names that mail told."""

import asyncio
from pathlib import Path

import dns.flags
import dns.message
import pytest
from tests.builders.estates import estate, instance
from tests.builders.tiny_dns import TinyDns, Transport, Zone, reply

from wavegate.estate.model import Estate, SenderDomain
from wavegate.estate.policy import Policy
from wavegate.observe.contact import barred, may_contact
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_names import domain_plan
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.dns_run import DnsRun
from wavegate.observe.probe import NOTHING_HEARD, Heard, Looked, Task
from wavegate.record.dns_view import SIGNED

LIMITS = DnsLimits(timeout=5, tries=1)
D = "news.acme.example"
KEY = f"{D}. DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="


def look(
    *records: str, policy: Policy | None = None, heard: Heard = NOTHING_HEARD
) -> tuple[Looked, list[str]]:
    """What a capture brings from one server of everything, and what it was asked."""
    one = instance(sending_ips=("192.0.2.10", "2001:db8::10"), url=None)
    with TinyDns(Zone(*records)) as server:
        given = {".": (server.server,), D + ".": (server.server,)}
        made = estate(one, policy=policy or Policy(), authoritative=given, resolvers=())
        task = Task(estate=made, instance=one, vantage="here", base=Path(), heard=heard)
        return DnsProbe(LIMITS).look(task), server.asked


def signed_questions(looked: Looked) -> set[tuple[str, str]]:
    """Subject and role of what was asked with signatures."""
    return {(o.subject, o.asked["role"]) for o in looked.observations if SIGNED in o.asked}


def test_an_unsigned_zone_costs_two_questions() -> None:
    """DNSKEY of the zone, DS of the parent; without either there is nothing to verify."""
    looked, _ = look(f"{D}. NS ns1.{D}.")
    expected = {(f"{D}. DNSKEY", "authoritative"), (f"{D}. DS", "parent")}
    assert expected == signed_questions(looked)


def test_of_a_signed_zone_the_sets_that_mail_rests_on_are_asked() -> None:
    """SOA, SPF, MX, keys and DMARC, apart from the plain answers."""
    looked, asked = look(f"{D}. NS ns1.{D}.", KEY)
    names = {f"{D}. SOA", f"{D}. TXT", f"{D}. MX", f"_dmarc.{D}. TXT", f"acc1._domainkey.{D}. TXT"}
    assert names < {subject for subject, _ in signed_questions(looked)}
    assert 2 == asked.count(f"{D}. MX udp")


def test_signatures_are_asked_for_by_the_do_flag() -> None:
    """RFC 3225; plain questions go without it."""
    flags: dict[str, set[bool]] = {}

    def note(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        flags.setdefault(kind, set()).add(bool(query.ednsflags & dns.flags.DO))
        return reply(query)

    one = instance(sending_ips=(), url=None)
    with TinyDns(note) as server:
        made = estate(one, authoritative={".": (server.server,)}, resolvers=())
        DnsProbe(LIMITS).look(Task(estate=made, instance=one, vantage="here", base=Path()))
    assert ({True}, {False}) == (flags["DNSKEY"], flags["NS"])


def test_each_list_is_asked_for_each_address_and_its_test_entry() -> None:
    """Only lists that the estate names; IPv6 by nibbles."""
    lists = Policy.model_validate({"blocklists": ("dnsbl.example",)})
    _, asked = look(policy=lists)
    found = {line for line in asked if "dnsbl" in line}
    assert {"10.2.0.192.dnsbl.example. A udp", "2.0.0.127.dnsbl.example. A udp"} < found
    assert 4 == len(found)
    assert not [line for line in look()[1] if "dnsbl" in line]


def test_names_that_mail_told_are_looked_up() -> None:
    """The Return-Path domain's MX and its hosts, a HELO name's addresses and SPF."""
    told = Heard(bounces=("eu.mta.example",), greetings=("h1.mta.example",))
    _, asked = look("eu.mta.example. MX 10 in.mta.example.", heard=told)
    led = {"eu.mta.example. MX udp", "in.mta.example. A udp", "h1.mta.example. TXT udp"}
    assert led < set(asked)
    assert "h1.mta.example. MX udp" not in asked


def test_authorities_are_asked_where_they_are_inherited() -> None:
    """CAA of the tracking hosts, the domain and its parents (RFC 8659 3)."""
    asked = {
        name.to_text() for name, rdtype in domain_plan(SenderDomain(name=D)) if rdtype == "CAA"
    }
    assert {f"t.{D}.", f"m.{D}.", f"res.{D}.", f"{D}.", "acme.example."} == asked


def following(policy: Policy) -> Estate:
    """An estate that gives no servers."""
    return estate(policy=policy, authoritative={}, resolvers=())


@pytest.mark.parametrize(("allowed", "servers"), [((), ()), (("10.0.0.0/8",), ("10.0.3.53:53",))])
def test_servers_at_private_addresses_are_asked_only_where_the_estate_lists_them(
    allowed: tuple[str, ...], servers: tuple[str, ...]
) -> None:
    """NS records do not send us into somebody's private network; the resolver is asked instead."""
    policy = Policy.model_validate({"reachable_private": allowed})
    zone = Zone(f"{D}. NS ns1.{D}.", f"ns1.{D}. A 10.0.3.53", flags="RA")

    async def place() -> tuple[tuple[str, ...], tuple[str, ...], str]:
        async with DnsRun(following(policy), LIMITS, resolvers=(resolver.server,)) as run:
            found = await run.place(dns.name.from_text(D))
            return found.servers, found.private, found.role

    with TinyDns(zone) as resolver:
        found = asyncio.run(place())
    role = "authoritative" if servers else "resolver"
    assert (servers, () if servers else ("10.0.3.53:53",), role) == found


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("8.8.8.8", True),
        ("2600::1", True),
        ("127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("192.168.4.4", True),
    ],
)
def test_what_may_be_contacted(address: str, fine: bool) -> None:
    """Public addresses, and the networks that the policy lists; nothing disguised as one."""
    policy = Policy.model_validate({"reachable_private": ("192.168.0.0/16",)})
    assert fine is may_contact(address, policy)
    assert (None if fine else address) == barred([address], policy)
