# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A recursive resolver over the lab's own servers: it follows referrals from the root down.

It asks the servers' behaviour directly, without a socket and without a cache, so that it always
sees what a patient receiver would see now.
"""

from collections.abc import Callable, Iterator

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

STEPS = 16
Answerer = Callable[[str, dns.message.Message], dns.message.Message | None]
"""Asks the server of a host name; None for silence."""


class ResolutionError(Exception):
    """No server could be brought to a usable answer: SERVFAIL to the client."""


def recurse(query: dns.message.Message, roots: tuple[str, ...], ask: Answerer) -> bytes:
    """The response of the resolver, ready for the wire over TCP or large UDP."""
    response = dns.message.make_response(query, recursion_available=True, our_payload=1232)
    question = query.question[0]
    try:
        _resolve(response, question.name, question.rdtype, roots, ask)
    except ResolutionError:
        response.answer.clear()
        response.set_rcode(dns.rcode.SERVFAIL)
    return response.to_wire(max_size=65535, want_shuffle=False)


def _resolve(
    response: dns.message.Message,
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
    roots: tuple[str, ...],
    ask: Answerer,
) -> None:
    for _ in range(STEPS):
        found = _descend(name, rdtype, roots, ask)
        response.answer.extend(found.answer)
        response.set_rcode(found.rcode())
        target = _dangling(found, name, rdtype)
        if target is None:
            response.authority.extend(found.authority)
            return
        name = target
    raise ResolutionError


def _descend(
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
    servers: tuple[str, ...],
    ask: Answerer,
) -> dns.message.Message:
    """Follow referrals until a server answers with authority."""
    for _ in range(STEPS):
        found = _first_usable(dns.message.make_query(name, rdtype), servers, ask)
        if found.flags & dns.flags.AA:
            return found
        servers = tuple(
            str(getattr(rdata, "target"))  # noqa: B009 - NS rdata has it; its base class has not
            for rrset in found.authority
            if rrset.rdtype == dns.rdatatype.NS
            for rdata in rrset
        )
    raise ResolutionError


def _first_usable(
    query: dns.message.Message, servers: tuple[str, ...], ask: Answerer
) -> dns.message.Message:
    for reply in _replies(query, servers, ask):
        if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return reply
    raise ResolutionError


def _replies(
    query: dns.message.Message, servers: tuple[str, ...], ask: Answerer
) -> Iterator[dns.message.Message]:
    for server in servers:
        reply = ask(server, query)
        if reply is not None:
            yield reply


def _dangling(
    found: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.name.Name | None:
    """Where a CNAME chain leaves the answer, or None if the answer is complete."""
    if not isinstance(found, dns.message.QueryMessage):
        raise ResolutionError
    try:
        end = found.resolve_chaining()
    except dns.exception.DNSException as error:
        raise ResolutionError from error
    unfinished = end.answer is None and end.canonical_name != name
    missing = found.rcode() == dns.rcode.NXDOMAIN or bool(found.authority)
    wants_alias = rdtype in (dns.rdatatype.CNAME, dns.rdatatype.ANY)
    return end.canonical_name if unfinished and not missing and not wants_alias else None
