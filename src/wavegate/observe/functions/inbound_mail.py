# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Inbound mail: the exchanger that takes bounces and replies greets, and bounces are counted.

No mail is sent to it. Where the estate names a seed address that always bounces, which the operator
mails to, the delivery log shows whether inMail counts its bounces: polled every five minutes
(`popMailPeriodSec`), whether mail may leave or not.
"""

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
from wavegate.observe.functions.campaign import Session
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.observe.functions.waiting import text, waiting
from wavegate.observe.functions.wire import Line, talk
from wavegate.record.queue import Meaning
from wavegate.record.timeline import Watched

NAME = "inbound_mail"
CEILING = timedelta(minutes=5)
BOUNCES = "inbound_mail/bounces"
NOT_YET = (Meaning.SENT, Meaning.ACCEPTED)
PORT = 25
MAX_BANNER = 20


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    yield _greeting(facing)
    yield _counted(facing, session)


def _greeting(facing: Facing) -> Function:
    expects = "220 and a greeting"
    given = facing.given(NAME).host
    domain = primary(facing)
    watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
    if given is not None:
        host, port = split_host_port(given, default=PORT)
        ask = partial(talk, facing, host, port, banner)
        return Function(watched=watched, host=f"{host}:{port}", ask=ask)
    if domain is not None:
        ask = partial(exchanger, facing, domain.name)
        return Function(watched=watched, host=f"MX {domain.name}", ask=ask)
    return facing.not_probed(NAME, expects, "the estate names no domain")


def _counted(facing: Facing, session: Session | str) -> Function:
    seed, expects = facing.given(NAME).seed, "mail to a seed that bounces is counted as failed"
    if seed is None:
        return facing.not_probed(BOUNCES, expects, "the estate names no seed that bounces")
    if isinstance(session, str):
        return facing.not_probed(BOUNCES, expects, session)
    expects = f"inMail counts the bounces of {seed}"
    watched = Watched(name=BOUNCES, every=facing.every(NAME, CEILING), expects=expects)
    ask = partial(bounces, session, seed)
    return Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def bounces(session: Session, seed: str) -> Asked:
    """The oldest mail to the seed whose bounce was not counted yet."""
    where = (f"@address = {text(seed)}",)
    return waiting(session, "nms:broadLogRcp", where, "@eventDate", NOT_YET, f"mails to {seed}")


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
