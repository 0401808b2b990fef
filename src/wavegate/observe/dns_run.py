# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One capture's DNS: each question once per server, and which servers answer for a name.

Answers are shared between the instances of one run and never beyond it. Servers come from
`authoritative` of the estate, or by following NS through the resolver.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.name
import dns.rcode
from dns.name import Name
from dns.rdata import Rdata

from wavegate import clock
from wavegate.answer import Found
from wavegate.errors import InternalError
from wavegate.estate.model import Estate
from wavegate.estate.values import join_host_port, split_host_port
from wavegate.observe.contact import may_contact
from wavegate.observe.dns_client import DnsClient, DnsLimits, Heard
from wavegate.observe.dns_wire import AA, Question, flag, outcome, rcode
from wavegate.observe.routes import NoRouteError
from wavegate.record.dns_view import AUTHORITATIVE, PARENT, RESOLVER, SIGNED, decode
from wavegate.record.observation import Observation, Outcome, Unreachable

RESOLV_CONF = Path("/etc/resolv.conf")
SHARED = 50_000
MAX_SERVERS = 32
TOP_SERVERS = 3
"""How many servers of a top-level domain are asked: they are not the estate's, be polite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who answers for a name: the zone, its servers, their role, and how they were found.

    not_asked: servers beyond the most that are asked. private: those that NS lead to and that the
    estate does not allow to be contacted.
    """

    zone: Name
    servers: tuple[str, ...]
    role: str
    evidence: tuple[Observation, ...] = ()
    not_asked: tuple[str, ...] = ()
    private: tuple[str, ...] = ()

    @property
    def zone_text(self) -> str:
        """The zone as observations write it."""
        return self.zone.canonicalize().to_text()


def system_resolvers(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """The `nameserver` lines of resolv.conf(5) as host:port; empty where there are none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    found = [word[1] for word in words if len(word) >= 2 and word[0] == "nameserver"]
    return tuple(join_host_port(host, 53) for host in found if "%" not in host)


class MissingResolverError(InternalError):
    """No resolver is known here, and a name is in no zone that the estate gives."""


class DnsRun:
    """The questions of one capture run. Use as an async context manager."""

    def __init__(
        self,
        estate: Estate,
        limits: DnsLimits | None = None,
        *,
        resolvers: tuple[str, ...] | None = None,
    ) -> None:
        self._client = DnsClient(limits)
        self._policy = estate.policy
        found = resolvers if resolvers is not None else estate.resolvers or system_resolvers()
        self._resolvers = found
        self._given = {
            dns.name.from_text(zone): servers for zone, servers in estate.authoritative.items()
        }
        self._shared: OrderedDict[tuple[str, ...], asyncio.Task[Observation]] = OrderedDict()
        self._places: dict[Name, asyncio.Task[Place | None]] = {}

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Cancel what is still asked, close all sockets."""
        tasks = (*self._shared.values(), *self._places.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.__aexit__(kind, error, tb)

    # questions

    async def ask(
        self, server: str, question: Question, zone: str, role: str, *, dnssec: bool = False
    ) -> Observation:
        """One question to one server; asked once per run, however many instances want it.

        The observation's vantage is empty: who notes it fills it in. dnssec: with signatures; such
        an answer is kept apart from the plain one.
        Raises NoRouteError or InternalError for faults of this machine.
        """
        key = (server, question.text, question.rdtype, zone, role, SIGNED if dnssec else "")
        if key not in self._shared:
            asking = self._ask(server, question, zone, role, dnssec=dnssec)
            self._shared[key] = asyncio.create_task(asking)
            if len(self._shared) > SHARED:
                self._forget()
        return await asyncio.shield(self._shared[key])

    def _forget(self) -> None:
        """Let go of the oldest finished answers; the memory of a run is bounded."""
        done = [key for key, task in self._shared.items() if task.done()]
        for key in done[: SHARED // 10]:
            del self._shared[key]

    async def _ask(
        self, server: str, question: Question, zone: str, role: str, *, dnssec: bool
    ) -> Observation:
        at, began = clock.now(), clock.monotonic()
        recursion = role == RESOLVER
        heard = await self._client.ask(server, question, recursion=recursion, dnssec=dnssec)
        return Observation(
            kind="dns",
            subject=f"{question.text} {question.rdtype}",
            asked={
                "server": server,
                "name": question.text,
                "type": question.rdtype,
                "zone": zone,
                "role": role,
                **({SIGNED: "1"} if dnssec else {}),
            },
            heard=_facts(heard),
            outcome=_outcome(heard, role),
            at=at,
            took_us=int((clock.monotonic() - began) * 1_000_000),
            vantage="",
        )

    async def resolve(self, question: Question) -> tuple[Observation, ...]:
        """The resolvers' answers, in order, up to the first one that is definite.

        Raises MissingResolverError where this machine knows none, NoRouteError where it reaches
        none.
        """
        if not self._resolvers:
            raise MissingResolverError(
                f"missing resolver: {question.text} is in no zone of `authoritative`",
                where=str(RESOLV_CONF),
                cure="add `resolvers:` or `authoritative:` to the estate",
            )
        found: list[Observation] = []
        no_route: NoRouteError | None = None
        for server in self._resolvers:
            try:
                found.append(await self.ask(server, question, "", RESOLVER))
            except NoRouteError as error:
                no_route = error
                continue
            if not isinstance(found[-1].outcome, Unreachable):
                break
        if no_route is not None and not found:
            raise no_route
        return tuple(found)

    # places

    async def place(self, name: Name) -> Place:
        """The servers that answer for a name: given, or found by NS, or else the resolver."""
        for ancestor in (*_ancestors(name), dns.name.root):
            if ancestor in self._given:
                return await self._given_place(ancestor)
        return await self._followed(_ancestors(name))

    def gives(self, name: Name) -> bool:
        """Whether the estate gives the servers of a name."""
        return any(ancestor in self._given for ancestor in (*_ancestors(name), dns.name.root))

    async def below(self, name: Name, zone: Name) -> Place | None:
        """The servers of a zone under this one, to which its servers refer for the name."""
        inside = [found for found in _ancestors(name) if found != zone and found.is_subdomain(zone)]
        found = await self._followed(tuple(inside))
        return found if found.servers else None

    async def _followed(self, ancestors: tuple[Name, ...]) -> Place:
        evidence: list[Observation] = []
        for ancestor in ancestors:
            found = await self._cut(ancestor)
            if found is not None and (found.servers or found.role == RESOLVER):
                return replace(found, evidence=(*evidence, *found.evidence))
            evidence.extend(found.evidence if found is not None else ())
        return Place(zone=dns.name.root, servers=(), role=RESOLVER, evidence=tuple(evidence))

    async def _given_place(self, zone: Name) -> Place:
        servers: list[str] = []
        evidence: list[Observation] = []
        for server in self._given[zone]:
            host, port = split_host_port(server, default=53)
            found, seen = await self._addresses(host, port)
            servers.extend(found)
            evidence.extend(seen)
        return _place(zone, servers, evidence)

    async def _addresses(
        self, host: str, port: int
    ) -> tuple[tuple[str, ...], tuple[Observation, ...]]:
        """The socket addresses of a server given by address or by name."""
        if ":" in host or host.replace(".", "").isdigit():
            return (join_host_port(host, port),), ()
        name = dns.name.from_text(host)
        evidence = [
            *await self.resolve(Question(name, "A")),
            *await self.resolve(Question(name, "AAAA")),
        ]
        texts = [rdata.to_text() for o in evidence for rdata in _rdatas(o)]
        return tuple(join_host_port(text, port) for text in texts), tuple(evidence)

    async def _cut(self, zone: Name) -> Place | None:
        """The place of a zone if this name is one, else None; worked out once per run."""
        if zone not in self._places:
            self._places[zone] = asyncio.create_task(self._find_cut(zone))
        return await asyncio.shield(self._places[zone])

    async def _find_cut(self, zone: Name) -> Place | None:
        """A zone whose servers have no address is asked at the resolver."""
        asked = await self.resolve(Question(zone, "NS"))
        hosts = sorted({r.to_text() for o in asked for r in _rdatas(o, chained=False)})
        if not hosts:
            silent = [o for o in asked if isinstance(o.outcome, Unreachable)]
            return Place(zone=zone, servers=(), role="", evidence=tuple(silent)) if silent else None
        servers: list[str] = []
        evidence = list(asked)
        for found, seen in await asyncio.gather(*(self._addresses(h, 53) for h in hosts)):
            servers.extend(found)
            evidence.extend(seen)
        private = sorted({server for server in servers if not self._allowed(server)})
        servers = [server for server in servers if server not in private]
        place = replace(_place(zone, servers, evidence), private=tuple(private))
        return place if servers else replace(place, role=RESOLVER)

    def _allowed(self, server: str) -> bool:
        return may_contact(split_host_port(server, default=53)[0], self._policy)

    async def parent(self, zone: Name) -> Place | None:
        """The servers of the zone above, which delegate this one; None where nobody is known."""
        if len(zone) <= 2:
            return None
        above = await self.place(zone.parent())
        return replace(above, role=PARENT) if above.role == AUTHORITATIVE else None


def _place(zone: Name, servers: Iterable[str], evidence: Iterable[Observation]) -> Place:
    found = sorted(set(servers))
    most = TOP_SERVERS if len(zone) <= 2 else MAX_SERVERS
    return Place(
        zone=zone,
        servers=tuple(found[:most]),
        role=AUTHORITATIVE,
        evidence=tuple(evidence),
        not_asked=tuple(found[most:]),
    )


def _ancestors(name: Name) -> tuple[Name, ...]:
    """The name and those above it, down to the top-level domain."""
    found = []
    while len(name) >= 2:
        found.append(name)
        name = name.parent()
    return tuple(found)


def _rdatas(observation: Observation, *, chained: bool = True) -> tuple[Rdata, ...]:
    """The records found; an NS set behind a CNAME (chained=False) is no zone cut here."""
    name = dns.name.from_text(observation.asked["name"])
    found = decode(observation.outcome, name, observation.asked["type"])
    if not isinstance(found, Found) or (found.chain and not chained):
        return ()
    return found.rdatas


def _outcome(heard: Heard, role: str) -> Outcome:
    if heard.failure is not None or heard.wire is None:
        return Unreachable(heard.failure or "timeout", heard.wire or b"")
    return outcome(heard.wire, role)


def _facts(heard: Heard) -> dict[str, str]:
    """What the answer tells besides its bytes; no part of the question's identity."""
    found = {
        "transport": heard.transport,
        "edns": "1" if heard.edns else "0",
        "tries": str(heard.tries),
    }
    if heard.wire is not None:
        found["rcode"] = dns.rcode.to_text(dns.rcode.Rcode(rcode(heard.wire)))
        found["aa"] = "1" if flag(heard.wire, AA) else "0"
    if heard.ignored:
        found["ignored"] = str(heard.ignored)
    return found
