# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether this vantage could hear anything while an instance was silent (design, rule 15).

Another instance's answer shows it; where there was none, name servers outside are asked for a name
that no cache can hold.
"""

import secrets
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from wavegate import clock
from wavegate.estate.model import Estate, Instance
from wavegate.estate.values import split_host_port
from wavegate.observe.dns_run import system_resolvers

PATIENCE = 1.0
MOST = 6


@dataclass(frozen=True, slots=True)
class Reference:
    """A name server outside the instances. domain: under which a name is asked."""

    host: str
    port: int
    domain: str
    recursive: bool

    def answers(self, name: str, rdtype: str = "A") -> bool:
        """Whether it gives a definite answer about a name. Never raises."""
        return self.ask(name, rdtype) is not None

    def ask(self, name: str, rdtype: str = "A") -> dns.message.Message | None:
        """Its definite answer about a name, or None."""
        try:
            question = dns.message.make_query(name, rdtype)
            if not self.recursive:
                question.flags &= ~dns.flags.RD
            found = dns.query.udp(
                question, socket.gethostbyname(self.host), timeout=PATIENCE, port=self.port
            )
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            return None
        definite = found.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
        return found if definite else None


class Hearing:
    """When which instance answered this vantage last. Safe to use from many threads."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._references = tuple(references)
        self._answered: dict[str, float] = {}
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._asked_since = -1.0
        self._found = False

    def answered(self, instance: str) -> None:
        """An instance answered just now."""
        at = clock.monotonic()
        with self._lock:
            self._answered[instance] = at

    def heard(self, instance: str, since: float) -> bool:
        """Whether anything outside an instance answered since then; asks if nothing did yet.

        since: when the silent probe was sent, on the monotonic clock.
        """
        return self._others(instance, since) or self._ask(since) or self._others(instance, since)

    def _others(self, instance: str, since: float) -> bool:
        with self._lock:
            return any(at >= since for name, at in self._answered.items() if name != instance)

    def _ask(self, since: float) -> bool:
        """One round of questions serves all who wait for it."""
        with self._asking:
            if self._asked_since >= since:
                return self._found
            began = clock.monotonic()
            found = any(ref.answers(_uncached(ref.domain)) for ref in self._references)
            self._asked_since, self._found = began, found
            return found

    def no_such_host(self, name: str) -> bool:
        """Whether a name server outside says that a host has no address.

        False where one gives an address (then it is our resolver that fails), or none answers.
        """
        for reference in self._references:
            answer = reference.ask(name) if reference.recursive else None
            if answer is not None:
                return not answer.answer
        return False


def _uncached(domain: str) -> str:
    return f"wavegate-{secrets.token_hex(6)}.{domain}"


def references(estate: Estate, instances: Sequence[Instance]) -> tuple[Reference, ...]:
    """The name servers that show whether this vantage hears: of the estate, or the system's.

    One at a loopback address shows nothing of the network, unless the instances are there too.
    """
    domain = next((str(domain.name) for i in instances for domain in i.domains), "example.com")
    local = any(_loopback(_host(instance)) for instance in instances)
    servers = {server: False for found in estate.authoritative.values() for server in found}
    recursive = [str(place) for place in estate.resolvers] or list(system_resolvers())
    found = [
        Reference(*split_host_port(str(place), default=53), domain, recursive=asks)
        for place, asks in [*((place, True) for place in recursive), *servers.items()]
    ]
    return tuple(ref for ref in found if local or not _loopback(ref.host))[:MOST]


def _host(instance: Instance) -> str:
    return urlsplit(instance.url or "").hostname or ""


def _loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"
