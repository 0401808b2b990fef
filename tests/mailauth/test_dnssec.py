# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signatures of a zone: made with fresh keys here, and judged without any network."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from dns.rdata import Rdata
from hypothesis import given
from hypothesis import strategies as st

from wavegate.mailauth.dnssec import (
    BOGUS,
    ISLAND,
    SECURE,
    SIGNED,
    UNSIGNED,
    Signed,
    judge_zone,
    key_labels,
    read_signed,
)

ZONE = dns.name.from_text("news.acme.example")
NOW = datetime(2024, 1, 16, 23, tzinfo=UTC)
PRIVATE = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())


def dnskey(private: Any = PRIVATE) -> Any:
    """The DNSKEY of a private key, with the flags of a key that signs keys."""
    return dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)


KEY = dnskey()
DS = dns.dnssec.make_ds(ZONE, KEY, "SHA256")


def signed(
    rdtype: str,
    *records: str,
    begin: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=7),
    private: Any = PRIVATE,
    key: Any = None,
    sign: bool = True,
) -> Signed:
    """A set of the zone with its signature."""
    rrset = dns.rrset.from_text(ZONE, 300, "IN", rdtype, *records)
    made = dns.dnssec.sign(
        rrset, private, ZONE, key or dnskey(private), inception=NOW + begin, expiration=NOW + end
    )
    signatures = (made,) if sign else ()
    return Signed(name=ZONE, rdtype=rdtype, rrset=rrset, signatures=signatures, at=NOW)


def keys(**other: Any) -> Signed:
    """The zone's own keys."""
    return signed("DNSKEY", KEY.to_text(), **other)


NO_KEYS = Signed(name=ZONE, rdtype="DNSKEY", rrset=None, signatures=(), at=NOW)
MX = signed("MX", "10 inbound.acme.example.")


def state(
    found: Signed, delegation: tuple[Rdata, ...] | None = (DS,), answers: Iterable[Signed] = (MX,)
) -> tuple[str, ...]:
    """What the signatures amount to."""
    return judge_zone(ZONE, found, delegation, answers)


def test_a_zone_that_the_parent_vouches_for_is_secure() -> None:
    """Keys that the DS names, and signatures of theirs."""
    assert (SECURE, "algorithm 13") == state(keys())


def test_without_a_parent_that_was_asked_it_is_only_signed() -> None:
    """What nobody asked is not claimed."""
    assert (SIGNED, "algorithm 13") == state(keys(), None)


def test_no_keys_and_no_ds_is_unsigned() -> None:
    """The usual state of most zones."""
    assert (UNSIGNED,) == state(NO_KEYS, ())


def test_a_zone_that_nobody_vouches_for_is_an_island() -> None:
    """Its signatures, right or wrong, count for nobody (RFC 4035 4.3)."""
    assert (ISLAND,) == state(keys(), (), [signed("MX", "10 x.example.", sign=False)])


BOGUS_CASES = {
    "DS at the parent, no DNSKEY": (NO_KEYS, ()),
    "RRSIG of news.acme.example MX: expired": (
        keys(),
        [signed("MX", "10 x.", end=-timedelta(1) / 2)],
    ),
    "RRSIG of news.acme.example MX: not yet valid": (
        keys(),
        [signed("MX", "10 x.", begin=timedelta(hours=1))],
    ),
    "RRSIG of news.acme.example MX: missing": (keys(), [signed("MX", "10 x.", sign=False)]),
    "RRSIG of news.acme.example MX: by a key that the zone does not publish": (
        keys(),
        [signed("MX", "10 x.", private=OTHER)],
    ),
    "RRSIG of news.acme.example MX: not of the zone's key": (
        keys(),
        [signed("MX", "10 x.", private=OTHER, key=KEY)],
    ),
    "RRSIG of news.acme.example DNSKEY: missing": (keys(sign=False), ()),
    "no DNSKEY is the one that the DS at the parent names": (
        signed("DNSKEY", dnskey(OTHER).to_text(), private=OTHER),
        (),
    ),
}


@pytest.mark.parametrize("fault", BOGUS_CASES)
def test_what_a_validating_resolver_refuses_is_bogus(fault: str) -> None:
    """Each with the set and the reason, and no instant in it."""
    found, answers = BOGUS_CASES[fault]
    assert (BOGUS, fault) == state(found, answers=answers)


def test_one_good_signature_of_several_is_enough() -> None:
    """In a rollover old and new signatures stand side by side."""
    old = signed("MX", "10 inbound.acme.example.", end=-timedelta(hours=1))
    both = Signed(
        name=ZONE, rdtype="MX", rrset=MX.rrset, signatures=(*old.signatures, *MX.signatures), at=NOW
    )
    assert SECURE == state(keys(), answers=[both])[0]


def test_signatures_of_another_zone_are_not_judged_here() -> None:
    """A name below may be a zone of its own."""
    below = dns.name.from_text("sub.news.acme.example")
    assert MX.rrset is not None
    made = dns.dnssec.sign(
        MX.rrset, PRIVATE, ZONE, KEY, inception=NOW, expiration=NOW + timedelta(days=1)
    )
    other = made.replace(signer=below)
    foreign = Signed(name=ZONE, rdtype="MX", rrset=MX.rrset, signatures=(other,), at=NOW)
    assert SECURE == state(keys(), answers=[foreign])[0]


def test_keys_are_told_by_flags_algorithm_and_tag() -> None:
    """What a person compares with the parent's DS."""
    assert (f"257 algorithm 13 tag {dns.dnssec.key_id(KEY)}",) == key_labels(keys())


def response(rdtype: str, *, aa: bool = True) -> bytes:
    """A response that holds the MX and its signature."""
    message = dns.message.make_response(dns.message.make_query(ZONE, rdtype))
    message.flags |= dns.flags.AA if aa else 0
    assert MX.rrset is not None
    message.answer.append(MX.rrset)
    message.answer.append(dns.rrset.from_rdata(ZONE, 300, *MX.signatures))
    return message.to_wire()


def test_a_response_is_read_with_its_signatures() -> None:
    """The set and what covers it."""
    found = read_signed(response("MX"), ZONE, "MX", NOW)
    assert (MX.rrset, MX.signatures) == (found.rrset, found.signatures)


def test_a_referral_says_nothing_of_ds() -> None:
    """A parent's server that knows no DNSSEC refers: that is no denial."""
    with pytest.raises(ValueError, match="referral"):
        read_signed(response("DS", aa=False), ZONE, "DS", NOW)


@given(st.binary(max_size=80))
def test_hostile_bytes_are_a_value_error(data: bytes) -> None:
    """Nothing else is ever raised."""
    with pytest.raises(ValueError, match=r"undecodable|another question"):
        read_signed(data, ZONE, "MX", NOW)


def test_hundreds_of_keys_and_signatures_are_bounded() -> None:
    """Colliding keys times signatures is what CVE-2023-50387 made resolvers compute."""
    tag = dns.dnssec.key_id(KEY)
    forged = MX.signatures[0].replace(signature=b"\0" * 64, key_tag=tag)
    many = Signed(name=ZONE, rdtype="MX", rrset=MX.rrset, signatures=(forged,) * 3_000, at=NOW)
    crowd = signed(
        "DNSKEY",
        *(dnskey(generate_private_key(SECP256R1())).to_text() for _ in range(40)),
        KEY.to_text(),
    )
    began = time.process_time()
    assert BOGUS == state(crowd, answers=[many] * 20)[0]
    assert time.process_time() - began < 3
