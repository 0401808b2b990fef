# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A server's behaviour laid over its honest answer: silence, refusals, loss, lies, other views."""

import random
from collections import deque
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal, assert_never

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rrset

from wavegate.lab.dns_answer import respond, truncated, wire
from wavegate.lab.dns_state import (
    Delays,
    DnsServer,
    Drops,
    Limits,
    MixedCase,
    NoTcp,
    Rule,
    Says,
    Scope,
    Serves,
    Shuffles,
    Silent,
    Truncates,
    Zone,
)

Transport = Literal["udp", "tcp"]
TCP_SIZE = 65535
PLAIN_SIZE = 512


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a running server remembers: its dice, and when each client was last answered."""

    dice: random.Random
    answered: dict[str, deque[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question as it arrived. now: seconds on a steady clock."""

    query: dns.message.Message
    transport: Transport
    client: str
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer on the wire, and how many seconds late it comes."""

    data: bytes
    delay: float = 0.0


def react(server: DnsServer, zones: tuple[Zone, ...], ask: Ask, memory: Memory) -> Reply | None:
    """What the server sends, or None for silence.

    zones: those it serves, in the versions everyone sees.
    """
    if any(_mute(rule, ask, memory) for rule in server.rules):
        return None
    response = respond(ask.query, _seen(server.rules, zones, ask))
    refusal = next((code for rule in server.rules if (code := _refusal(rule, ask, memory))), None)
    if refusal is not None:
        response = _refused(ask, refusal)
    for rule in server.rules:
        response = _bend(rule, response, ask, memory)
    delay = sum(_late(rule, ask) for rule in server.rules)
    return Reply(data=wire(response, _limit(ask)), delay=delay)


def _refused(ask: Ask, rcode: str) -> dns.message.Message:
    """An empty answer with that rcode; a denial of existence is given with authority."""
    response = dns.message.make_response(ask.query)
    response.set_rcode(dns.rcode.from_text(rcode))
    if rcode == "NXDOMAIN":
        response.flags |= dns.flags.AA
    return response


def _limit(ask: Ask) -> int:
    if ask.transport == "tcp":
        return TCP_SIZE
    return max(PLAIN_SIZE, ask.query.payload) if ask.query.edns >= 0 else PLAIN_SIZE


def _covers(scope: Scope, ask: Ask) -> bool:
    question = ask.query.question[0]
    name = question.name
    named = any(name == dns.name.from_text(text) for text in scope.names)
    under = any(name.is_subdomain(dns.name.from_text(text)) for text in scope.under)
    anywhere = not scope.names and not scope.under
    kind = dns.rdatatype.to_text(question.rdtype)
    return (anywhere or named or under) and (not scope.types or kind in scope.types)


def _mute(rule: Rule, ask: Ask, memory: Memory) -> bool:
    match rule:
        case Silent(scope=scope):
            return _covers(scope, ask)
        case NoTcp():
            return ask.transport == "tcp"
        case Drops(ppm=ppm):
            return ask.transport == "udp" and memory.dice.randrange(1_000_000) < ppm
        case _:
            return False


def _refusal(rule: Rule, ask: Ask, memory: Memory) -> str | None:
    match rule:
        case Says(rcode=rcode, scope=scope) if _covers(scope, ask):
            return rcode
        case Limits(answers=answers, seconds=seconds):
            past = memory.answered.setdefault(ask.client, deque())
            while past and past[0] <= ask.now - seconds:
                past.popleft()
            if len(past) >= answers:
                return "REFUSED"
            past.append(ask.now)
            return None
        case _:
            return None


def _late(rule: Rule, ask: Ask) -> float:
    match rule:
        case Delays(milliseconds=milliseconds, scope=scope) if _covers(scope, ask):
            return milliseconds / 1000
        case _:
            return 0.0


def _seen(rules: tuple[Rule, ...], zones: tuple[Zone, ...], ask: Ask) -> tuple[Zone, ...]:
    """The zones as this client sees them over this transport."""
    others = {
        zone.origin: zone
        for rule in rules
        if isinstance(rule, Serves) and _meant(rule, ask)
        for zone in rule.zones
    }
    return tuple(others.get(zone.origin, zone) for zone in zones)


def _meant(rule: Serves, ask: Ask) -> bool:
    if rule.transport is not None and rule.transport != ask.transport:
        return False
    client = ip_address(ask.client)
    return not rule.clients or any(client in ip_network(net) for net in rule.clients)


def _bend(
    rule: Rule, response: dns.message.Message, ask: Ask, memory: Memory
) -> dns.message.Message:
    match rule:
        case Truncates(above=above, scope=scope):
            long = (
                ask.transport == "udp" and _covers(scope, ask) and len(response.to_wire()) > above
            )
            return truncated(response) if long else response
        case MixedCase():
            return _recased(response)
        case Shuffles():
            return _shuffled(response, memory.dice)
        case Silent() | Says() | NoTcp() | Delays() | Drops() | Limits() | Serves():
            return response
        case _:
            assert_never(rule)


def _recased(response: dns.message.Message) -> dns.message.Message:
    for section in (response.answer, response.authority, response.additional):
        section[:] = [_recased_set(rrset) for rrset in section]
    return response


def _recased_set(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    rdatas = [
        rdata.replace(target=_mixed(rdata.target))
        if isinstance(rdata, dns.rdtypes.ANY.CNAME.CNAME)
        else rdata
        for rdata in rrset
    ]
    return dns.rrset.from_rdata_list(_mixed(rrset.name), rrset.ttl, rdatas)


def _mixed(name: dns.name.Name) -> dns.name.Name:
    return dns.name.Name(
        bytes(
            octet - 32 if place % 2 and 97 <= octet <= 122 else octet
            for place, octet in enumerate(label)
        )
        for label in name.labels
    )


def _shuffled(response: dns.message.Message, dice: random.Random) -> dns.message.Message:
    def again(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
        rdatas = list(rrset)
        dice.shuffle(rdatas)
        return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, rdatas)

    for section in (response.answer, response.authority):
        section[:] = [again(rrset) for rrset in section]
    return response
