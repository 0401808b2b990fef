# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot's recorded DNS responses say: pure decoding of bytes, per server.

Responses are decoded here and not at capture. Hostile bytes decode to `Unknown` and never raise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.name import Name, from_text
from dns.rdata import Rdata

from wavegate.answer import Answer, Found, Lookup, NoData, NoSuchName, Unknown
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable
from wavegate.record.snapshot import Snapshot

AUTHORITATIVE = "authoritative"
RESOLVER = "resolver"
PARENT = "parent"
SIGNED = "signed"
"""The member of `asked` of a question that asked for signatures too; its answers are apart."""
MAX_CHAIN = 16

Question = tuple[Name, str]


@dataclass(frozen=True, slots=True)
class Leads:
    """A response that ends in a CNAME whose target it says nothing about.

    chain: the CNAME targets in order; the last one has to be asked elsewhere.
    missing: the response's rcode was NXDOMAIN (RFC 6604: it speaks of the last target).
    """

    chain: tuple[Name, ...]
    missing: bool = False


def decode(outcome: Outcome, name: Name, rdtype: str) -> Answer | Leads:
    """What one outcome says to a question. Never raises."""
    match outcome:
        case Unreachable(reason):
            return Unknown(reason)
        case Absent(reason, value) if not value:
            return NoSuchName() if reason == "NXDOMAIN" else NoData()
        case Absent() | Seen():
            return _decode(outcome.value[2:], name, rdtype)


@lru_cache(maxsize=50_000)
def _decode(after_id: bytes, name: Name, rdtype: str) -> Answer | Leads:
    """Memoised by the bytes after the message id, which differ in every answer by chance only."""
    try:
        message = dns.message.from_wire(b"\0\0" + after_id, ignore_trailing=True)
        return _read(message, name, rdtype)
    except Exception as error:  # noqa: BLE001 - hostile bytes: whatever the parser meets, nobody could tell
        return Unknown(f"undecodable response ({type(error).__name__})")


def _read(message: dns.message.Message, name: Name, rdtype: str) -> Answer | Leads:
    wanted = dns.rdatatype.from_text(rdtype)
    asked = message.question[0] if message.question else None
    if asked is None or asked.name != name or asked.rdtype != wanted:
        return Unknown("the response is to another question")
    rcode = message.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unknown(dns.rcode.to_text(rcode))
    chain: list[Name] = []
    while len(chain) <= MAX_CHAIN:
        owner = chain[-1] if chain else name
        found = _rdatas(message, owner, wanted)
        if found:
            return Found(found, tuple(chain))
        target = _rdatas(message, owner, dns.rdatatype.CNAME)
        if not target:
            return _nothing(message, tuple(chain), missing=rcode == dns.rcode.NXDOMAIN)
        chain.append(target[0].target)  # type: ignore[attr-defined] # a CNAME has a target
    return Unknown("CNAME loop or chain too long")


def _rdatas(
    message: dns.message.Message, owner: Name, rdtype: dns.rdatatype.RdataType
) -> tuple[Rdata, ...]:
    """All records of an owner and type in the answer section, in canonical order."""
    found = {
        rdata
        for rrset in message.answer
        if rrset.name == owner and rrset.rdtype == rdtype and rrset.rdclass == dns.rdataclass.IN
        for rdata in rrset
    }
    return tuple(sorted(found, key=Rdata.to_digestable))


def _nothing(
    message: dns.message.Message, chain: tuple[Name, ...], *, missing: bool
) -> Answer | Leads:
    if not chain:
        return NoSuchName() if missing else NoData()
    soa = [rrset.name for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA]
    if any(chain[-1].is_subdomain(owner) for owner in soa):
        return NoSuchName(chain) if missing else NoData(chain)
    return Leads(chain, missing)


class DnsView:
    """The DNS side of a snapshot. Names are absolute; servers are `host:port`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._authoritative: dict[Question, dict[str, Observation]] = {}
        self._resolver: dict[Question, dict[str, Observation]] = {}
        self._parent: dict[Question, dict[str, Observation]] = {}
        self._signed: dict[Question, dict[str, Observation]] = {}
        self._memo: dict[tuple[Question, str], Answer] = {}
        self._common: dict[Question, Answer] = {}
        for observation in snapshot.observations:
            if observation.kind == "dns":
                self._file(observation)

    def _file(self, observation: Observation) -> None:
        asked = observation.asked
        try:
            question = (from_text(asked["name"]), asked["type"])
            server, role = asked["server"], asked["role"]
        except Exception:  # noqa: BLE001 - an observation that names no question answers none
            return
        if SIGNED in asked:
            self._signed.setdefault(question, {})[server] = observation
            return
        roles = {AUTHORITATIVE: self._authoritative, PARENT: self._parent}
        roles.get(role, self._resolver).setdefault(question, {})[server] = observation

    def _asked(self, question: Question) -> Mapping[str, Observation]:
        """The observations that count: the authoritative servers', else the resolvers'."""
        return self._authoritative.get(question) or self._resolver.get(question) or {}

    @property
    def servers(self) -> tuple[str, ...]:
        """All authoritative servers asked, sorted."""
        return tuple(sorted({s for found in self._authoritative.values() for s in found}))

    def servers_of(self, name: Name) -> tuple[str, ...]:
        """The servers asked about a name: authoritative ones, or resolvers where there are none."""
        for book in (self._authoritative, self._resolver):
            found = {s for (owner, _), by in book.items() if owner == name for s in by}
            if found:
                return tuple(sorted(found))
        return ()

    def questions(self) -> tuple[Question, ...]:
        """Everything that was asked, sorted; the parents' delegations are apart."""
        return tuple(sorted({*self._authoritative, *self._resolver}))

    def observation(self, server: str, name: Name, rdtype: str) -> Observation | None:
        """The recorded observation behind an answer."""
        return self._asked((name, rdtype)).get(server)

    def answers(self, name: Name, rdtype: str) -> Mapping[str, Answer]:
        """Per server its own answer; CNAMEs are chased over everything recorded."""
        question = (name, rdtype)
        asked = self._asked(question)
        return MappingProxyType({s: self._answer(question, s, 0) for s in sorted(asked)})

    def lookup(self, server: str | None = None) -> Lookup:
        """A server's own answer where it was asked; otherwise the most frequent definite one.

        Ties go to the first server in order; Unknown where nobody gave a definite answer.
        """

        def look(name: Name, rdtype: str) -> Answer:
            if server is not None and server in self._asked((name, rdtype)):
                return self._answer((name, rdtype), server, 0)
            return self._most_frequent((name, rdtype), 0)

        return look

    def _answer(self, question: Question, server: str, depth: int) -> Answer:
        """Each answer is worked out once; while it is, it stands as a loop, which ends loops."""
        key = (question, server)
        if key not in self._memo:
            self._memo[key] = Unknown("CNAME loop")
            found = decode(self._asked(question)[server].outcome, *question)
            if isinstance(found, Leads):
                found = self._chase(found, question[1], server, depth)
            self._memo[key] = found
        return self._memo[key]

    def _chase(self, leads: Leads, rdtype: str, server: str, depth: int) -> Answer:
        target = (leads.chain[-1], rdtype)
        asked = self._asked(target)
        if depth >= MAX_CHAIN:
            return Unknown("CNAME chain too long")
        if server in asked:
            return _prolonged(self._answer(target, server, depth + 1), leads.chain)
        if asked:
            return _prolonged(self._most_frequent(target, depth + 1), leads.chain)
        if leads.missing:
            return NoSuchName(leads.chain)
        return Unknown(f"CNAME to {leads.chain[-1]}, which was not asked")

    def _most_frequent(self, question: Question, depth: int) -> Answer:
        if question not in self._common:
            self._common[question] = Unknown("CNAME loop")
            found = [self._answer(question, s, depth) for s in sorted(self._asked(question))]
            self._common[question] = _most_frequent(found)
        return self._common[question]

    def delegation(self, zone: Name) -> Mapping[str, frozenset[Name] | Unknown]:
        """Per server of the parent zone, the NS names it delegates the zone to."""
        asked = self._parent.get((zone, "NS"), {})
        return MappingProxyType({s: _delegated(asked[s].outcome, zone) for s in sorted(asked)})

    def delegated_zones(self) -> tuple[Name, ...]:
        """The zones whose parents were asked."""
        return tuple(sorted(name for name, _ in self._parent))

    def signed(self) -> Mapping[Question, Mapping[str, Observation]]:
        """What was asked with signatures, per server: DNSKEY, DS at the parent, and signed sets."""
        return MappingProxyType(self._signed)


def _prolonged(answer: Answer, chain: tuple[Name, ...]) -> Answer:
    match answer:
        case Found(rdatas, more):
            return Found(rdatas, chain + more)
        case NoSuchName(more):
            return NoSuchName(chain + more)
        case NoData(more):
            return NoData(chain + more)
        case Unknown():
            return answer


def _most_frequent(answers: Iterable[Answer]) -> Answer:
    """The first of the most frequent definite answers; chains do not make answers differ."""
    found = list(answers)
    definite = [answer for answer in found if not isinstance(answer, Unknown)]
    if not definite:
        return found[0] if found else Unknown("not asked")
    counts = Counter(_key(answer) for answer in definite)
    return max(definite, key=lambda answer: counts[_key(answer)])


def _key(answer: Answer) -> tuple[str, tuple[Rdata, ...]]:
    rdatas = answer.rdatas if isinstance(answer, Found) else ()
    return (type(answer).__name__, rdatas)


def _delegated(outcome: Outcome, zone: Name) -> frozenset[Name] | Unknown:
    if isinstance(outcome, Unreachable):
        return Unknown(outcome.reason)
    if not outcome.value:
        return frozenset()
    try:
        message = dns.message.from_wire(outcome.value, ignore_trailing=True)
    except Exception as error:  # noqa: BLE001 - hostile bytes: whatever the parser meets, nobody could tell
        return Unknown(f"undecodable response ({type(error).__name__})")
    return frozenset(
        rdata.target
        for rrset in (*message.answer, *message.authority)
        if rrset.name == zone and rrset.rdtype == dns.rdatatype.NS
        for rdata in rrset
    )
