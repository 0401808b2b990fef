# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What an authoritative server answers from its zones (RFC 1034 4.3.2, RFC 4592, RFC 8020).

Where a zone is signed and the question asks for it, signatures come along (RFC 4035 3.1).

Pure: a query and zones to a response. The misbehaviour of a server is laid over it elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

from wavegate.lab.dns_state import Zone

Name = dns.name.Name
PAYLOAD = 1232
CHAIN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A zone ready to be asked: its nodes by name and type, and every name that exists in it.

    signatures: by name and the type that they cover.
    """

    origin: Name
    nodes: dict[Name, dict[int, dns.rdataset.Rdataset]]
    existing: frozenset[Name]
    signatures: dict[Name, dict[int, dns.rdataset.Rdataset]]

    def find(self, name: Name, rdtype: int) -> dns.rdataset.Rdataset | None:
        """The records of a name and type, or None."""
        return self.nodes.get(name, {}).get(rdtype)


MOST = 8192
_read: dict[int, tuple[Zone, Index]] = {}
"""What was read, by the identity of its zone, which is kept so that its number is not given again:
to hash a zone at each question would cost more than the answer."""


def index(zone: Zone) -> Index:
    """Read a zone's text once, for all servers and questions."""
    held = _read.get(id(zone))
    if held is not None:
        return held[1]
    if len(_read) >= MOST:
        _read.clear()
    found = _index(zone)
    _read[id(zone)] = (zone, found)
    return found


@lru_cache(maxsize=512)
def _index(zone: Zone) -> Index:
    origin = dns.name.from_text(zone.origin)
    nodes: dict[Name, dict[int, dns.rdataset.Rdataset]] = {}
    signatures: dict[Name, dict[int, dns.rdataset.Rdataset]] = {}
    for rr in zone.records:
        rdtype = dns.rdatatype.from_text(rr.type)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, rr.data, origin, relativize=False)
        signs = rdtype == dns.rdatatype.RRSIG
        key = int(rdata.covers()) if signs else int(rdtype)
        node = (signatures if signs else nodes).setdefault(dns.name.from_text(rr.owner), {})
        node.setdefault(key, dns.rdataset.Rdataset(dns.rdataclass.IN, rdtype)).add(rdata, rr.ttl)
    existing = frozenset(_existing(origin, nodes))
    return Index(origin=origin, nodes=nodes, existing=existing, signatures=signatures)


def _existing(origin: Name, nodes: Iterable[Name]) -> Iterable[Name]:
    """Each owner and all that lies between it and the origin: empty non-terminals exist."""
    yield origin
    for name in nodes:
        while name.is_subdomain(origin) and name != origin:
            yield name
            name = name.parent()  # noqa: PLW2901 - walking up from each owner


def respond(query: dns.message.Message, zones: tuple[Zone, ...]) -> dns.message.Message:
    """The response of a healthy server that serves those zones."""
    response = dns.message.make_response(query, our_payload=PAYLOAD)
    question = query.question[0]
    asked = _deepest(question.name, zones, question.rdtype)
    if asked is None:
        response.set_rcode(dns.rcode.REFUSED)
        return response
    _answer(response, asked, question.name, question.rdtype, CHAIN)
    if query.ednsflags & dns.flags.DO:
        _sign(response, asked)
    return response


def _deepest(name: Name, zones: tuple[Zone, ...], rdtype: int) -> Index | None:
    """The zone that answers; for DS at its apex it is the one above (RFC 4035 3.1.4.1)."""
    found = [held for held in map(index, zones) if name.is_subdomain(held.origin)]
    above = [held for held in found if held.origin != name]
    if rdtype == dns.rdatatype.DS and above:
        found = above
    return max(found, key=lambda held: len(held.origin), default=None)


def _sign(response: dns.message.Message, zone: Index) -> None:
    """Add the signatures of what is in the answer or denies it; delegations have none."""
    for section in (response.answer, response.authority):
        for rrset in tuple(section):
            held = zone.signatures.get(rrset.name, {}).get(rrset.rdtype)
            if held is not None:
                section.append(dns.rrset.from_rdata_list(rrset.name, held.ttl, list(held)))


def _answer(
    response: dns.message.Message, zone: Index, name: Name, rdtype: int, chain: int
) -> None:
    cut = _cut(zone, name)
    if cut is not None and not (rdtype == dns.rdatatype.DS and cut == name):
        _refer(response, zone, cut)
        return
    response.flags |= dns.flags.AA
    node = _node(zone, name)
    if node is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        _soa(response, zone)
        return
    alias = node.get(dns.rdatatype.CNAME)
    if alias is not None and rdtype not in (dns.rdatatype.CNAME, dns.rdatatype.ANY):
        _follow(response, zone, name, alias, rdtype, chain)
        return
    wanted = [held for kind, held in node.items() if rdtype in (kind, dns.rdatatype.ANY)]
    for held in wanted:
        response.answer.append(dns.rrset.from_rdata_list(name, held.ttl, list(held)))
    if not wanted:
        _soa(response, zone)


def _node(zone: Index, name: Name) -> dict[int, dns.rdataset.Rdataset] | None:
    """The node of a name, of the wildcard that covers it, or None where the name is not there."""
    if name in zone.existing:
        return zone.nodes.get(name, {})
    encloser = name.parent()
    while encloser not in zone.existing:
        encloser = encloser.parent()
    return zone.nodes.get(dns.name.Name((b"*", *encloser.labels)))


def _cut(zone: Index, name: Name) -> Name | None:
    """The highest delegation between the origin and the name."""
    depth = len(zone.origin)
    for length in range(depth + 1, len(name) + 1):
        candidate = name.split(length)[1]
        if zone.find(candidate, dns.rdatatype.NS) is not None:
            return candidate
    return None


def _refer(response: dns.message.Message, zone: Index, cut: Name) -> None:
    servers = zone.nodes[cut][dns.rdatatype.NS]
    response.authority.append(dns.rrset.from_rdata_list(cut, servers.ttl, list(servers)))
    for server in servers:
        target: Name = getattr(server, "target")  # noqa: B009 - NS rdata has it; its base class has not
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            glue = zone.find(target, kind)
            if glue is not None:
                response.additional.append(dns.rrset.from_rdata_list(target, glue.ttl, list(glue)))


def _follow(
    response: dns.message.Message,
    zone: Index,
    name: Name,
    alias: dns.rdataset.Rdataset,
    rdtype: int,
    chain: int,
) -> None:
    """The CNAME, and inside the zone what it leads to; the zone's edge ends it."""
    response.answer.append(dns.rrset.from_rdata_list(name, alias.ttl, list(alias)))
    target: Name = getattr(alias[0], "target")  # noqa: B009 - CNAME rdata has it; its base class has not
    if chain and target.is_subdomain(zone.origin) and _cut(zone, target) is None:
        _answer(response, zone, target, rdtype, chain - 1)


def _soa(response: dns.message.Message, zone: Index) -> None:
    soa = zone.find(zone.origin, dns.rdatatype.SOA)
    if soa is not None:
        response.authority.append(dns.rrset.from_rdata_list(zone.origin, soa.ttl, list(soa)))


def wire(response: dns.message.Message, limit: int) -> bytes:
    """The response in so many octets; where it does not fit, empty with TC set."""
    try:
        return response.to_wire(max_size=limit, want_shuffle=False)
    except dns.exception.TooBig:
        return truncated(response).to_wire(max_size=limit, want_shuffle=False)


def truncated(response: dns.message.Message) -> dns.message.Message:
    """The response without its records and with TC set: ask again over TCP."""
    response.answer.clear()
    response.authority.clear()
    response.additional.clear()
    response.flags |= dns.flags.TC
    return response
