# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What this machine can do before a wave: routes, resolvers, and whether its clock is kept.

These are our own faults, told apart from anybody else's (design, rule 13). A resolver is asked one
question, for the name servers of the root; nothing else leaves the machine.
"""

import asyncio
import ctypes
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import dns.name
import dns.rcode

from wavegate.errors import InternalError
from wavegate.observe.dns_client import DnsClient, DnsLimits, Heard
from wavegate.observe.dns_wire import Question, rcode
from wavegate.observe.routes import NoRouteError

_ELSEWHERE = {
    "IPv4": (socket.AF_INET, "198.51.100.1"),
    "IPv6": (socket.AF_INET6, "2001:db8::1"),
}
"""Documentation addresses (RFC 5737, RFC 3849); a connected UDP socket sends nothing."""
_LIMITS = DnsLimits(timeout=1.0, tries=2)
_UNSYNCHRONISED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A resolver that was asked. said: what it answered, or why nothing came."""

    server: str
    answered: bool
    said: str


def routes() -> dict[str, str | None]:
    """Per address family: None where there is a route to elsewhere, else why there is none."""
    return {family: _no_route(*place) for family, place in _ELSEWHERE.items()}


def _no_route(family: socket.AddressFamily, address: str) -> str | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((address, 9))
    except OSError as error:
        return error.strerror or str(error)
    return None


def reach(resolvers: Iterable[str]) -> tuple[Reached, ...]:
    """Ask each resolver (`host:port`) once, all at the same time; in their order."""
    return asyncio.run(_reach(tuple(dict.fromkeys(resolvers))))


async def _reach(resolvers: tuple[str, ...]) -> tuple[Reached, ...]:
    async with DnsClient(_LIMITS) as client:
        return tuple(await asyncio.gather(*(_ask(client, server) for server in resolvers)))


async def _ask(client: DnsClient, server: str) -> Reached:
    question = Question(dns.name.root, "NS")
    try:
        heard = await client.ask(server, question, recursion=True)
    except NoRouteError as error:
        return Reached(server=server, answered=False, said=error.reason)
    except InternalError as error:
        return Reached(server=server, answered=False, said=error.message)
    return _told(server, heard)


def _told(server: str, heard: Heard) -> Reached:
    """Any answer shows that it can be reached; what it refuses is its own business."""
    if heard.wire is None:
        return Reached(server=server, answered=False, said=heard.failure or "silence")
    code = dns.rcode.to_text(dns.rcode.Rcode(rcode(heard.wire)))
    return Reached(server=server, answered=True, said=code)


def clock_is_kept() -> bool | None:
    """Whether the system says that something keeps its clock (adjtimex(2)); None: it tells not."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = adjtimex(ctypes.create_string_buffer(512))
    return None if state < 0 else state != _UNSYNCHRONISED
