# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether a zone's signatures hold, from what its servers and its parent said (RFC 4035 5). Pure.

No clock: a signature's time is held against the instant at which it was seen. Denials (NSEC,
NSEC3) and what stands above the parent are not looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataset import Rdataset
from dns.rrset import RRset

from wavegate.mailauth.names import text_of

MAX_KEYS = 16
MAX_SIGNATURES = 8
"""Bounds on what hostile zones may make us compute (CVE-2023-50387)."""
ZONE_KEY = 0x0100
UNSIGNED = "unsigned"
SECURE = "signed, and the parent vouches for it"
ISLAND = "signed, and the parent does not vouch for it"
SIGNED = "signed"
BOGUS = "bogus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A set of records as one server gave it, with its signatures; rrset None: there is none.

    at: the instant of asking.
    """

    name: Name
    rdtype: str
    rrset: RRset | None
    signatures: tuple[Rdata, ...]
    at: datetime

    @property
    def records(self) -> tuple[Rdata, ...]:
        """The records of the type asked for, the first sixteen; none where a CNAME stands."""
        wanted = dns.rdatatype.from_text(self.rdtype)
        if self.rrset is None or self.rrset.rdtype != wanted:
            return ()
        return tuple(self.rrset)[:MAX_KEYS]


def read_signed(wire: bytes, name: Name, rdtype: str, at: datetime) -> Signed:
    """The set that a response holds for a question, or the CNAME in its place.

    Raises ValueError for bytes that are no response to it.
    """
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except Exception as error:  # hostile bytes: whatever the parser meets
        raise ValueError(f"undecodable response ({type(error).__name__})") from error
    wanted = dns.rdatatype.from_text(rdtype)
    asked = message.question[0] if message.question else None
    if asked is None or asked.name != name or asked.rdtype != wanted:
        raise ValueError("the response is to another question")
    if rdtype == "DS" and not message.flags & dns.flags.AA:
        raise ValueError("a referral, which says nothing of DS")
    found = _set(message, name, wanted) or _set(message, name, dns.rdatatype.CNAME)
    covered = found.rdtype if found is not None else wanted
    return Signed(
        name=name,
        rdtype=rdtype,
        rrset=found,
        signatures=tuple(_signatures(message, name, covered)),
        at=at,
    )


def _set(message: dns.message.Message, name: Name, rdtype: int) -> RRset | None:
    for rrset in message.answer:
        if (rrset.name, rrset.rdtype, rrset.rdclass) == (name, rdtype, dns.rdataclass.IN):
            return rrset
    return None


def _signatures(message: dns.message.Message, name: Name, covered: int) -> Iterator[Rdata]:
    for rrset in message.answer:
        if rrset.name == name and rrset.rdtype == dns.rdatatype.RRSIG:
            yield from (r for r in rrset if r.type_covered == covered)


def key_labels(keys: Signed) -> tuple[str, ...]:
    """The keys of a zone in a few words each: flags, algorithm, key tag (RFC 4034 2, B)."""
    return tuple(sorted(_label(key) for key in keys.records))


def _label(key: Rdata) -> str:
    algorithm = getattr(key, "algorithm", 0)
    return f"{getattr(key, 'flags', 0)} algorithm {int(algorithm)} tag {_tag(key)}"


def _tag(key: Rdata) -> int:
    return dns.dnssec.key_id(key)  # type: ignore[arg-type] # a DNSKEY by its type


def judge_zone(
    zone: Name, keys: Signed, delegation: tuple[Rdata, ...] | None, answers: Iterable[Signed]
) -> tuple[str, ...]:
    """What the signatures of a zone at one server amount to: a state, and what is wrong.

    keys: its DNSKEY. delegation: the DS records of the parent, None where nobody asked it.
    answers: other sets of the zone at that server. `bogus` is only what a validating resolver
    would refuse: a zone that nobody vouches for is as good as unsigned to it.
    """
    usable = [key for key in keys.records if getattr(key, "flags", 0) & ZONE_KEY]
    if not usable:
        return (BOGUS, "DS at the parent, no DNSKEY") if delegation else (UNSIGNED,)
    faults = tuple(dict.fromkeys(_faults(zone, usable, keys, delegation, answers)))
    if delegation is not None and not delegation:
        return (ISLAND,)
    if faults:
        return (BOGUS, *faults)
    return (SECURE if delegation else SIGNED, *_algorithms(usable))


def _algorithms(keys: Iterable[Rdata]) -> tuple[str, ...]:
    return tuple(sorted({f"algorithm {int(getattr(key, 'algorithm', 0))}" for key in keys}))


def _faults(
    zone: Name,
    usable: list[Rdata],
    keys: Signed,
    delegation: tuple[Rdata, ...] | None,
    answers: Iterable[Signed],
) -> Iterator[str]:
    entry = usable if delegation is None else [k for k in usable if _vouched(zone, k, delegation)]
    if not entry:
        yield "no DNSKEY is the one that the DS at the parent names"
        return
    why = _unverified(zone, entry, keys)
    if why:
        yield why
    for answer in answers:
        why = _unverified(zone, usable, answer) if answer.rrset is not None else ""
        if why:
            yield why


def _vouched(zone: Name, key: Rdata, delegation: tuple[Rdata, ...]) -> bool:
    return any(_digest_of(zone, key, ds) == ds for ds in delegation[:MAX_KEYS])


def _digest_of(zone: Name, key: Rdata, ds: Rdata) -> Rdata | None:
    """The DS of a key in the digest type of another; None for a type that nobody may use."""
    try:
        return dns.dnssec.make_ds(zone, key, ds.digest_type, validating=True)  # type: ignore[attr-defined] # a DS has one
    except (dns.exception.DNSException, ValueError):
        return None


def _unverified(zone: Name, keys: list[Rdata], answer: Signed) -> str:
    """Why no signature over a set holds; empty where one does, or where it is another zone's."""
    what = f"RRSIG of {text_of(answer.name)} {answer.rdtype}"
    own = [
        sig for sig in answer.signatures[:MAX_SIGNATURES] if getattr(sig, "signer", None) == zone
    ]
    if not own:
        return "" if answer.signatures else f"{what}: missing"
    reasons = [_refused(zone, keys, answer, signature) for signature in own]
    return "" if "" in reasons else f"{what}: {reasons[0]}"


def _refused(zone: Name, keys: list[Rdata], answer: Signed, signature: Rdata) -> str:
    now = answer.at.timestamp()
    if getattr(signature, "expiration", 0) < now:
        return "expired"
    if getattr(signature, "inception", 0) > now:
        return "not yet valid"
    fitting = [key for key in keys if _tag(key) == getattr(signature, "key_tag", None)]
    if not fitting:
        return "by a key that the zone does not publish"
    keyring = {zone: Rdataset(dns.rdataclass.IN, dns.rdatatype.DNSKEY)}
    for key in fitting:
        keyring[zone].add(key, 0)
    try:
        dns.dnssec.validate_rrsig(answer.rrset, signature, keyring, None, now)  # type: ignore[arg-type] # an RRSIG by its type
    except Exception:  # noqa: BLE001 - hostile keys: whatever the arithmetic meets, nothing is proven
        return "not of the zone's key"
    return ""
