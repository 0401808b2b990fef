# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Inbound mail: the exchanger that takes bounces and replies greets. No mail is sent to it."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import dns.exception
import dns.rdatatype
import dns.resolver

from wavegate.estate.model import SenderDomain
from wavegate.estate.values import split_host_port
from wavegate.observe.dns_run import system_resolvers
from wavegate.observe.functions.answer import Answer, Asked, Function, ok, silent, wrong
from wavegate.observe.functions.facing import Facing
from wavegate.observe.functions.wire import Line, talk
from wavegate.record.timeline import Watched

NAME = "inbound_mail"
CEILING = timedelta(minutes=5)
PORT = 25
MAX_BANNER = 20


def functions(facing: Facing) -> Iterator[Function]:
    """The functions of this family."""
    expects = "220 and a greeting"
    given = facing.given(NAME).host
    domain = primary(facing)
    watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
    if given is not None:
        host, port = split_host_port(given, default=PORT)
        ask = partial(talk, facing, host, port, banner)
        yield Function(watched=watched, host=f"{host}:{port}", ask=ask)
    elif domain is not None:
        ask = partial(exchanger, facing, domain.name)
        yield Function(watched=watched, host=f"MX {domain.name}", ask=ask)
    else:
        yield facing.not_probed(NAME, expects, "the estate names no domain")


def primary(facing: Facing) -> SenderDomain | None:
    """The domain that bounces and replies go to."""
    domains = facing.instance.domains
    return next((found for found in domains if found.primary), domains[0] if domains else None)


def exchanger(facing: Facing, domain: str) -> Asked:
    """Look up the domain's exchangers and hear the first that greets."""
    hosts = _exchangers(facing, domain)
    if isinstance(hosts, Answer):
        return (hosts,)
    heard: Asked = ()
    for host in hosts[:3]:
        heard = _hear(facing, host)
        if isinstance(heard, tuple) and heard and heard[0].state == "ok":
            return heard
    return heard


def _hear(facing: Facing, host: str) -> Asked:
    try:
        found = [str(rdata) for rdata in _resolver(facing).resolve(host, "A")]
    except (dns.exception.DNSException, OSError):
        return (silent("host name not found", looked_up=host),)
    return talk(facing, found[0], PORT, banner)


def _exchangers(facing: Facing, domain: str) -> tuple[str, ...] | Answer:
    try:
        found = _resolver(facing).resolve(domain, "MX")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return wrong(f"{domain} has no MX record")
    except (dns.exception.DNSException, OSError) as error:
        return silent(f"no MX record was heard ({type(error).__name__})", looked_up=domain)
    ordered = sorted(
        (rdata.preference, rdata.exchange.to_text(omit_final_dot=True)) for rdata in found
    )
    return tuple(host for _, host in ordered)


def _resolver(facing: Facing) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    places = [split_host_port(str(place), default=53) for place in resolvers(facing)]
    resolver.nameservers = [host for host, _ in places] or ["127.0.0.1"]
    resolver.port = places[0][1] if places else 53
    resolver.nameserver_ports = dict(places)
    resolver.lifetime = min(facing.seconds, 5.0)
    return resolver


def resolvers(facing: Facing) -> tuple[str, ...]:
    """The resolvers of the estate, or this machine's."""
    return tuple(map(str, facing.estate.resolvers)) or system_resolvers()


def banner(line: Line) -> Answer:
    """Read the greeting (RFC 5321 4.2), and leave."""
    try:
        last = b""
        for _ in range(MAX_BANNER):
            last = line.line()
            if last[3:4] != b"-":
                break
        line.send(b"QUIT\r\n")
    except ValueError:
        return wrong("no SMTP greeting")
    text = last[:120].decode("ascii", "replace")
    return ok(text) if last.startswith(b"220") else wrong(f"greeted with {text!r}")
