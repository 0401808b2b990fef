# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signing a zone of the lab (RFC 4034, RFC 8080): DNSKEY, RRSIG of each set, and the parent's DS.

Keys follow from their names, so that a world with them can be compared. Denials are not signed.
"""

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256

import dns.dnssec
import dns.name
import dns.rrset
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from wavegate.lab.dns_state import Rr, Zone

ALGORITHM, FLAGS = "ED25519", 257
SINCE, UNTIL, LONG_PAST = "20200101000000", "20371231000000", "20231201000000"
EXPIRATION = 4
"""The place of the end of a signature in the text of an RRSIG (RFC 4034 3.2)."""
SIGNING_TYPES = frozenset({"DNSKEY", "RRSIG"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneKey:
    """A key that signs a zone. name: from which it follows."""

    name: str

    @property
    def private(self) -> Ed25519PrivateKey:
        """The private key."""
        return Ed25519PrivateKey.from_private_bytes(sha256(f"zone/{self.name}".encode()).digest())

    @property
    def public(self) -> DNSKEY:
        """The DNSKEY record."""
        return dns.dnssec.make_dnskey(self.private.public_key(), ALGORITHM, flags=FLAGS)


def signed(zone: Zone, key: ZoneKey, until: str = UNTIL) -> Zone:
    """The zone, signed anew with one key. until: the end of the signatures, YYYYMMDDHHMMSS."""
    bare = [rr for rr in zone.records if rr.type not in SIGNING_TYPES]
    published = key.public.to_text()
    _used[published] = key
    records = [*bare, Rr(zone.origin, "DNSKEY", published)]
    sets: dict[tuple[str, str], list[Rr]] = defaultdict(list)
    for rr in records:
        if rr.type != "NS" or rr.owner == zone.origin:  # a delegation is not the zone's own
            sets[rr.owner, rr.type].append(rr)
    signatures = [_signature(zone, key, found, until) for found in sets.values()]
    return Zone(origin=zone.origin, records=tuple(sorted({*records, *signatures})))


def _signature(zone: Zone, key: ZoneKey, found: list[Rr], until: str) -> Rr:
    origin, first = dns.name.from_text(zone.origin), found[0]
    rrset = dns.rrset.from_text(
        dns.name.from_text(first.owner), first.ttl, "IN", first.type, *(rr.data for rr in found)
    )
    made = dns.dnssec.sign(
        rrset, key.private, origin, key.public, inception=SINCE, expiration=until
    )
    return Rr(first.owner, "RRSIG", made.to_text(), first.ttl)


def delegated(origin: str, key: ZoneKey) -> str:
    """The DS record by which the parent vouches for a key."""
    found = dns.dnssec.make_ds(origin, key.public, "SHA256").to_text()
    _used[found] = key
    return found


_used: dict[str, ZoneKey] = {}
"""The keys of DNSKEY and DS records, by their data: both are bound to names that a copy changes."""


def signed_again(zone: Zone) -> Zone:
    """A zone whose names were exchanged, signed as it was; an unsigned one as it is."""
    keys = [rr.data for rr in zone.records if rr.type == "DNSKEY"]
    ends = [rr.data.split()[EXPIRATION] for rr in zone.records if rr.type == "RRSIG"]
    return signed(zone, _used[keys[0]], ends[0]) if keys and ends else zone


def delegated_again(origin: str, data: str) -> str:
    """The DS record of the same key for another name."""
    return delegated(origin, _used[data])
