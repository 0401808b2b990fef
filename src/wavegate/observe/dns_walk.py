# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One instance's way through the DNS: ask, see where the answers lead, ask there too; bounded."""

import asyncio
import re
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import dns.exception
from dns.name import Name
from dns.rdata import Rdata

from wavegate.answer import Found, Unknown
from wavegate.estate.model import Instance, SenderDomain
from wavegate.observe.contact import REASON
from wavegate.observe.dns_names import (
    HOST_TYPES,
    Asked,
    absolute,
    blocklist_names,
    dmarc_walk,
    domain_plan,
    reverse_name,
    signed_sets,
    under,
    url_hosts,
)
from wavegate.observe.dns_run import DnsRun, MissingResolverError, Place
from wavegate.observe.dns_spf import Sender, Wanted, leads, spf_texts
from wavegate.observe.dns_wire import Question, has_cname, refers
from wavegate.observe.mta_sts import LABEL, Fetch
from wavegate.observe.notes import Notes
from wavegate.observe.probe import NOTHING_HEARD, Heard
from wavegate.observe.routes import NoRouteError
from wavegate.record.dns_view import RESOLVER, Leads, decode
from wavegate.record.observation import Observation, Seen, Unreachable

MAX_SPF_NAMES = 400
MAX_SPF_TERMS = 10_000
MAX_HOSTS = 24
MAX_POINTERS = 10
MAX_CHAIN = 8
MAX_REPORTS = 10
_MAILTO = re.compile(rb"mailto:[^@,;!\s]+@([A-Za-z0-9._-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a walk asks besides the names of the instance itself.

    blocklists: zones of lists. heard: names that received mail told.
    files: how MTA-STS policies are fetched, None for not at all.
    """

    blocklists: tuple[str, ...] = ()
    heard: Heard = NOTHING_HEARD
    files: Fetch | None = None


class Walk:
    """The questions of one instance in one run; everything that comes of them is noted."""

    def __init__(
        self, run: DnsRun, instance: Instance, notes: Notes, extra: Extra | None = None
    ) -> None:
        self._run = run
        self._instance = instance
        self._extra = extra or Extra()
        self._notes = notes
        self._asked: dict[Asked, asyncio.Task[tuple[Observation, ...]]] = {}
        self._pointers: dict[str, asyncio.Task[tuple[Name, ...]]] = {}

    async def everything(self) -> None:
        """Ask all there is to ask.

        Raises InternalError for faults of this machine, a missing resolver for the sender
        domains or the reverse zones among them.
        """
        instance = self._instance
        try:
            await self._needed()
            for ip in instance.sending_ips:
                self._pointers[ip] = asyncio.create_task(self._address(ip))
            await _all(
                *self._pointers.values(),
                *(self._domain(domain) for domain in instance.domains),
                *(self._types(host, HOST_TYPES) for host in url_hosts(instance)),
                *(self._listed(zone) for zone in self._extra.blocklists),
                *(self._bounces(name) for name in self._extra.heard.bounces),
                *(self._greeting(name) for name in self._extra.heard.greetings),
            )
        finally:
            tasks = (*self._asked.values(), *self._pointers.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _needed(self) -> None:
        """Find the servers of what matters most; without a resolver that is our own fault."""
        names = [absolute(domain.name) for domain in self._instance.domains]
        names += [reverse_name(ip) for ip in self._instance.sending_ips]
        for name in names:
            with suppress(NoRouteError):
                await self._run.place(name)

    # one question

    async def ask(self, name: Name, rdtype: str) -> tuple[Observation, ...]:
        """A question at every server of its zone, CNAMEs followed; once per instance."""
        key = (name, rdtype)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._ask(name, rdtype, 0))
        return await asyncio.shield(self._asked[key])

    async def _ask(self, name: Name, rdtype: str, depth: int) -> tuple[Observation, ...]:
        if self._notes.stopped.is_set():
            return ()
        try:
            place = await self._run.place(name)
        except (MissingResolverError, NoRouteError) as error:
            self._notes.leave_out(f"{name.to_text()} {rdtype}", str(error))
            return ()
        found = await self._at(place, name, rdtype)
        if any(isinstance(o.outcome, Unreachable) and refers(o.outcome.value) for o in found):
            found = (*found, *await self._referred(place, name, rdtype))
        await self._follow(found, name, rdtype, place, depth)
        return found

    async def _at(self, place: Place, name: Name, rdtype: str) -> tuple[Observation, ...]:
        self._note_place(place)
        question = Question(name, rdtype)
        if place.role == RESOLVER:
            return self._note(await self._run.resolve(question))
        asks = (self._one(place, server, question) for server in place.servers)
        return self._note([o for o in await asyncio.gather(*asks) if o is not None])

    async def _one(
        self, place: Place, server: str, question: Question, *, dnssec: bool = False
    ) -> Observation | None:
        zone, role = place.zone_text, place.role
        try:
            return await self._run.ask(server, question, zone, role, dnssec=dnssec)
        except NoRouteError as error:
            self._notes.leave_out(f"server {error.server}", error.reason)
            return None

    async def _referred(self, place: Place, name: Name, rdtype: str) -> tuple[Observation, ...]:
        """A given server that refers to a zone below it: ask there, if a resolver knows where."""
        with suppress(MissingResolverError, NoRouteError):
            below = await self._run.below(name, place.zone)
            if below is not None:
                return await self._at(below, name, rdtype)
        return ()

    async def _follow(
        self, found: Iterable[Observation], name: Name, rdtype: str, place: Place, depth: int
    ) -> None:
        """Ask for CNAME targets that the answers do not settle, at the target's own servers."""
        if rdtype == "CNAME":
            return
        for target in sorted(_targets(found, name, rdtype, place)):
            if depth >= MAX_CHAIN:
                self._notes.leave_out(f"{target.to_text()} {rdtype}", "CNAME chain too long")
            elif (target, rdtype) not in self._asked:
                task = asyncio.create_task(self._ask(target, rdtype, depth + 1))
                self._asked[target, rdtype] = task
                await asyncio.shield(task)

    def _note(self, found: Iterable[Observation]) -> tuple[Observation, ...]:
        kept = tuple(found)
        for observation in kept:
            self._notes.observe(observation)
        return kept

    def _note_place(self, place: Place) -> None:
        self._note(place.evidence)
        for server in place.not_asked:
            self._notes.leave_out(f"server {server}", f"one of many of {place.zone_text}")
        for server in place.private:
            self._notes.leave_out(f"server {server} of {place.zone_text}", f"it {REASON}")

    async def _records(self, name: Name, rdtype: str) -> tuple[Rdata, ...]:
        """The records in all servers' answers together, each once, CNAMEs followed."""
        kept: dict[Rdata, None] = {}
        todo, seen = [name], set[Name]()
        while todo and len(seen) <= MAX_CHAIN:
            here = todo.pop(0)
            seen.add(here)
            for observation in await self.ask(here, rdtype):
                answer = decode(observation.outcome, here, rdtype)
                if isinstance(answer, Found):
                    kept.update(dict.fromkeys(answer.rdatas))
                elif isinstance(answer, Leads) and answer.chain[-1] not in seen:
                    todo.append(answer.chain[-1].canonicalize())
        return tuple(kept)

    async def _texts(self, name: Name) -> tuple[bytes, ...]:
        found = await self._records(name, "TXT")
        return tuple(b"".join(rdata.strings) for rdata in found)  # type: ignore[attr-defined] # a TXT has strings

    async def _types(self, name: Name, rdtypes: Iterable[str]) -> None:
        await _all(*(self.ask(name, rdtype) for rdtype in rdtypes))

    async def _each(self, names: Iterable[Name], rdtype: str) -> None:
        await _all(*(self.ask(name, rdtype) for name in names))

    async def _addresses(self, name: Name) -> None:
        await self._types(name, ("A", "AAAA"))

    # a sender domain

    async def _domain(self, domain: SenderDomain) -> None:
        name = absolute(domain.name)
        await _all(
            *(self.ask(*asked) for asked in domain_plan(domain)),
            self._hosts(name, "NS"),
            self._hosts(name, "MX"),
            self._spf(name),
            self._reports(name),
            self._delegation(name),
            self._signatures(domain),
            self._policy_file(name),
        )

    async def _hosts(self, name: Name, rdtype: str) -> None:
        """The addresses of the hosts that NS or MX name."""
        field = "target" if rdtype == "NS" else "exchange"
        hosts = sorted({getattr(r, field) for r in await self._records(name, rdtype)})
        for host in hosts[MAX_HOSTS:]:
            self._notes.leave_out(f"{host.to_text()} A", f"more than {MAX_HOSTS} {rdtype} hosts")
        await _all(
            *(self._addresses(host.canonicalize()) for host in hosts[:MAX_HOSTS] if len(host) > 1)
        )

    async def _delegation(self, name: Name) -> None:
        """The NS set that the parent zone holds, which may differ from the zone's own."""
        try:
            place = await self._run.place(name)
            parent = await self._run.parent(place.zone)
            if parent is None or parent.zone == place.zone:
                zone = place.zone_text if place.servers else name.to_text()
                self._notes.leave_out(f"parent of {zone}", "its servers are not known")
                return
            await self._at(parent, place.zone, "NS")
        except (MissingResolverError, NoRouteError) as error:
            self._notes.leave_out(f"parent of {name.to_text()}", str(error))

    async def _signatures(self, domain: SenderDomain) -> None:
        """DNSKEY, the parent's DS, and of a signed zone the signed sets that mail rests on."""
        name = absolute(domain.name)
        try:
            place = await self._run.place(name)
            if place.role == RESOLVER:
                self._notes.leave_out(f"DNSSEC of {name.to_text()}", "its servers are not known")
                return
            found = await self._signed(place, place.zone, "DNSKEY")
            parent = await self._run.parent(place.zone)
            if parent is not None and parent.zone != place.zone:
                found = (*found, *await self._signed(parent, place.zone, "DS"))
        except (MissingResolverError, NoRouteError) as error:
            self._notes.leave_out(f"DNSSEC of {name.to_text()}", str(error))
            return
        if any(_holds(observation) for observation in found):
            await _all(*(self._signed(place, *q) for q in signed_sets(domain, place.zone)))

    async def _policy_file(self, domain: Name) -> None:
        """The MTA-STS policy: where it would be, by the same servers, and what stands there."""
        files = self._extra.files
        for host in under((LABEL,), domain) if files is not None else ():
            found = [*await self._records(host, "A"), *await self._records(host, "AAAA")]
            if files is not None and found and not self._notes.stopped.is_set():
                addresses = tuple(rdata.to_text() for rdata in found)
                await files.into(self._notes, host.to_text(omit_final_dot=True), addresses)

    async def _signed(self, place: Place, name: Name, rdtype: str) -> tuple[Observation, ...]:
        """A question with signatures at every server of a zone."""
        if self._notes.stopped.is_set():
            return ()
        question = Question(name, rdtype)
        asks = (self._one(place, server, question, dnssec=True) for server in place.servers)
        return self._note([o for o in await asyncio.gather(*asks) if o is not None])

    async def _reports(self, domain: Name) -> None:
        """Whether foreign report addresses consent (RFC 9990: `<domain>._report._dmarc.<dest>`)."""
        for place in dmarc_walk(domain):
            texts = b" ".join(await self._texts(place))
            for found in sorted({m.lower() for m in _MAILTO.findall(texts)})[:MAX_REPORTS]:
                with suppress(dns.exception.DNSException):
                    destination = absolute(found.decode("ascii"))
                    if destination != domain and len(destination) > 2:
                        consent = f"{domain.to_text(omit_final_dot=True)}._report._dmarc"
                        await self._each(under((consent,), destination), "TXT")

    # SPF

    async def _spf(self, domain: Name) -> None:
        """The closure of the SPF record, past the limit of ten lookups, up to 400 names."""
        senders = tuple([Sender(ip, await self._pointer_texts(ip)) for ip in self._pointers])
        done: set[Wanted] = set()
        todo, terms = {Wanted(domain, "record")}, MAX_SPF_TERMS
        while todo:
            room = MAX_SPF_NAMES - len(done)
            batch = sorted(todo, key=lambda want: (want.name, want.what))[:room]
            if len(batch) < len(todo):
                self._notes.leave_out(f"SPF of {domain.to_text()}", f"over {MAX_SPF_NAMES} names")
            done.update(batch)
            found = await asyncio.gather(*map(self._spf_one, batch))
            todo = set()
            for want, texts in zip(batch, found, strict=True):
                terms -= sum(text.count(b" ") for text in texts)
                if terms < 0:
                    self._notes.leave_out(f"SPF of {domain.to_text()}", "over 10,000 terms")
                    break
                todo |= self._led(texts, want.name, domain, senders)
                await asyncio.sleep(0)  # long records must not make answers look late
            todo -= done

    async def _pointer_texts(self, ip: str) -> tuple[str, ...]:
        return tuple(name.to_text() for name in await asyncio.shield(self._pointers[ip]))

    async def _spf_one(self, want: Wanted) -> tuple[bytes, ...]:
        """Ask for one name; the texts that may lead on."""
        match want.what:
            case "record":
                await self._serial(want.name)
                return await self._texts(want.name)
            case "address":
                await self._addresses(want.name)
            case "mx":
                await self._hosts(want.name, "MX")
            case "text":
                await self.ask(want.name, "TXT")
            case "exists":
                await self.ask(want.name, "A")
        return ()

    async def _serial(self, name: Name) -> None:
        """The SOA of the zone that a policy stands in: its serial dates a stale server's copy."""
        with suppress(MissingResolverError, NoRouteError):
            place = await self._run.place(name)
            if place.role != RESOLVER:
                await self.ask(place.zone, "SOA")

    def _led(
        self,
        texts: tuple[bytes, ...],
        record: Name,
        domain: Name,
        senders: tuple[Sender, ...],
    ) -> set[Wanted]:
        wanted: set[Wanted] = set()
        for text in spf_texts(sorted(set(texts))):
            led = leads(text, record.to_text(), domain.to_text(), senders)
            wanted.update(led.wanted)
            for term in led.unknown:
                reason = "depends on the local part or HELO name of a mail"
                self._notes.leave_out(f"SPF term {term[:100]} of {record.to_text()}", reason)
        return wanted

    # blocklists, and what mail named

    async def _listed(self, zone: str) -> None:
        """Each sending IP at one blocklist, by way of the resolver: lists want no other."""
        for name in blocklist_names(self._instance.sending_ips, zone):
            if self._notes.stopped.is_set():
                return
            try:
                if self._run.gives(name):
                    await self._at(await self._run.place(name), name, "A")
                else:
                    self._note(await self._run.resolve(Question(name, "A")))
            except (MissingResolverError, NoRouteError) as error:
                self._notes.leave_out(f"{name.to_text()} A", str(error))

    async def _bounces(self, text: str) -> None:
        """A Return-Path domain of received mail: where bounces go (RFC 5321 5.1), and its SPF."""
        name = absolute(text)
        await _all(self._types(name, ("MX", "A", "AAAA", "TXT")), self._hosts(name, "MX"))

    async def _greeting(self, text: str) -> None:
        """A HELO name of received mail: its addresses, and the SPF record of that identity."""
        await self._types(absolute(text), ("A", "AAAA", "TXT"))

    # a sending IP

    async def _address(self, ip: str) -> tuple[Name, ...]:
        """PTR, and of each target its addresses and the SPF record of the HELO identity."""
        found = await self._records(reverse_name(ip), "PTR")
        targets = sorted({r.target.canonicalize() for r in found})  # type: ignore[attr-defined] # a PTR has a target
        for target in targets[MAX_POINTERS:]:
            self._notes.leave_out(f"{target.to_text()} A", f"more than {MAX_POINTERS} PTR of {ip}")
        kept = tuple(target for target in targets[:MAX_POINTERS] if len(target) > 1)
        await _all(*(self._types(target, ("A", "AAAA", "TXT")) for target in kept))
        return kept


def _holds(observation: Observation) -> bool:
    """Whether an answer holds what was asked for."""
    asked, outcome = observation.asked, observation.outcome
    return isinstance(decode(outcome, absolute(asked["name"]), asked["type"]), Found)


async def _all(*work: Awaitable[object]) -> None:
    await asyncio.gather(*work)


def _targets(found: Iterable[Observation], name: Name, rdtype: str, place: Place) -> set[Name]:
    """Where answers with a CNAME lead, unless the zone's own servers settled it in the answer."""
    kept: set[Name] = set()
    for observation in found:
        outcome = observation.outcome
        if not isinstance(outcome, Seen) or not has_cname(outcome.value):
            continue
        answer = decode(outcome, name, rdtype)
        if isinstance(answer, Unknown) or not answer.chain:
            continue
        target = answer.chain[-1].canonicalize()
        if isinstance(answer, Leads) or not target.is_subdomain(place.zone):
            kept.add(target)
    return kept
