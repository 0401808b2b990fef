# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Zones and DNS servers as state: what is published, and how each server behaves.

Names are absolute, in lower case, with their final dot; data stands in zone-file text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

TTL = 3600
MAX_STRING = 255


@dataclass(frozen=True, slots=True, order=True)
class Rr:
    """One resource record: owner, type, data in presentation form, TTL in seconds."""

    owner: str
    type: str
    data: str
    ttl: int = TTL


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone: its origin and its records, kept sorted so that equal zones are equal values."""

    origin: str
    records: tuple[Rr, ...]

    def get(self, owner: str, rdtype: str) -> tuple[Rr, ...]:
        """The records of an owner and type; empty where there are none."""
        return tuple(rr for rr in self.records if rr.owner == owner and rr.type == rdtype)

    def without(self, owner: str, rdtype: str) -> "Zone":
        """The zone less the records of an owner and type. Raises KeyError if there are none."""
        kept = tuple(rr for rr in self.records if rr.owner != owner or rr.type != rdtype)
        if len(kept) == len(self.records):
            raise KeyError(f"{owner} {rdtype}")
        return replace(self, records=kept)

    def plus(self, *records: Rr) -> "Zone":
        """The zone with records added."""
        return replace(self, records=tuple(sorted({*self.records, *records})))

    def put(self, owner: str, rdtype: str, *data: str) -> "Zone":
        """The zone with the records of an owner and type exchanged, or newly written."""
        base = self.without(owner, rdtype) if self.get(owner, rdtype) else self
        return base.plus(*(Rr(owner, rdtype, item) for item in data))

    def edit(self, owner: str, rdtype: str, change: Callable[[str], str]) -> "Zone":
        """The zone with the data of each such record changed. Raises KeyError if none."""
        new = [change(rr.data) for rr in self.get(owner, rdtype)]
        return self.without(owner, rdtype).put(owner, rdtype, *new)


def zone(origin: str, records: Iterable[Rr]) -> Zone:
    """A zone with its records sorted."""
    return Zone(origin=origin, records=tuple(sorted(set(records))))


def txt(text: str) -> str:
    """TXT data in presentation form, split into strings of at most 255 octets (RFC 1035 3.3)."""
    parts = [text[start : start + MAX_STRING] for start in range(0, len(text), MAX_STRING)]
    quoted = (part.replace("\\", "\\\\").replace('"', '\\"') for part in parts or [""])
    return " ".join(f'"{part}"' for part in quoted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which questions a rule is for.

    names: exact owners; under: whole subtrees; types: record types. Empty means all.
    """

    names: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Datagrams are dropped and TCP connections cut."""

    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """An rcode instead of an answer: SERVFAIL, REFUSED, NXDOMAIN, FORMERR."""

    rcode: str
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncates:
    """TC over UDP for answers above so many octets."""

    above: int
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTcp:
    """TCP connections are cut at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Each answer comes so many milliseconds late."""

    milliseconds: int
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """A share of the datagrams, in parts per million, gets no answer; drawn from a seeded dice."""

    ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Each client gets so many answers per so many seconds, and REFUSED beyond them."""

    answers: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedCase:
    """Owner names and CNAME targets come back in mixed letter case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuffles:
    """The records of each set come in another order in every answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serves:
    """Other versions of some zones: always, only over one transport, or only to some clients.

    transport: `udp`, `tcp` or None for both. clients: networks that get it, empty for all.
    """

    zones: tuple[Zone, ...]
    transport: str | None = None
    clients: tuple[str, ...] = ()


Rule = Silent | Says | Truncates | NoTcp | Delays | Drops | Limits | MixedCase | Shuffles | Serves


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsServer:
    """One authoritative server: short name, host name, address, zones, and how it behaves."""

    name: str
    host: str
    address: str
    zones: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    def ruled(self, *rules: Rule) -> "DnsServer":
        """The server with rules added, in an order of their own so that equal is equal."""
        return replace(self, rules=tuple(sorted({*self.rules, *rules}, key=repr)))
