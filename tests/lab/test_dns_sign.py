# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signed zones of the lab, checked by dnspython as a validating resolver would."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest

from wavegate.lab.dns_answer import respond
from wavegate.lab.dns_sign import LONG_PAST, ZoneKey, delegated, signed
from wavegate.lab.dns_state import Rr, Zone, zone

PARENT, CHILD = "example.", "news.example."
KEY = ZoneKey(name="news")
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def apex(origin: str) -> list[Rr]:
    """SOA and NS."""
    return [
        Rr(origin, "SOA", f"ns.{origin} h.{origin} 7 1 1 1 1"),
        Rr(origin, "NS", f"ns.{origin}"),
    ]


ABOVE = zone(
    PARENT, [*apex(PARENT), Rr(CHILD, "NS", f"ns.{CHILD}"), Rr(CHILD, "DS", delegated(CHILD, KEY))]
)
BARE = zone(
    CHILD, [*apex(CHILD), Rr(CHILD, "MX", "10 mx.example."), Rr(CHILD, "MX", "20 my.example.")]
)
SIGNED = signed(BARE, KEY)


def ask(name: str, rdtype: str, zones: Iterable[Zone], *, do: bool = True) -> dns.message.Message:
    """What a server of these zones answers."""
    return respond(dns.message.make_query(name, rdtype, want_dnssec=do), tuple(zones))


def found(message: dns.message.Message, rdtype: str) -> dns.rrset.RRset:
    """The set of a type in the answer."""
    (rrset,) = [r for r in message.answer if r.rdtype == dns.rdatatype.from_text(rdtype)]
    return rrset


@pytest.mark.parametrize("rdtype", ["SOA", "NS", "MX", "DNSKEY"])
def test_each_set_of_a_signed_zone_verifies(rdtype: str) -> None:
    """By the zone's own key, and not once it is past."""
    keys: dict[dns.name.Name, Any] = {
        dns.name.from_text(CHILD): found(ask(CHILD, "DNSKEY", [SIGNED]), "DNSKEY")
    }
    answer = ask(CHILD, rdtype, [SIGNED])
    dns.dnssec.validate(found(answer, rdtype), found(answer, "RRSIG"), keys, None, NOW)
    stale = ask(CHILD, rdtype, [signed(SIGNED, KEY, LONG_PAST)])
    with pytest.raises(dns.exception.ValidationFailure, match="no RRSIGs validated"):
        dns.dnssec.validate(found(stale, rdtype), found(stale, "RRSIG"), keys, None, NOW)


def test_the_ds_at_the_parent_is_of_the_key() -> None:
    """It is the parent that answers for it, with authority, though the child is served too."""
    answer = ask(CHILD, "DS", [ABOVE, SIGNED])
    assert answer.flags & dns.flags.AA
    expected = dns.dnssec.make_ds(CHILD, KEY.public, "SHA256")
    assert [expected] == list(found(answer, "DS"))


def test_without_a_ds_the_parent_says_so_with_authority() -> None:
    """NODATA with an SOA and no referral: that is how one tells that nobody vouches."""
    answer = ask(CHILD, "DS", [ABOVE.without(CHILD, "DS")])
    assert answer.flags & dns.flags.AA
    assert ([], [dns.rdatatype.SOA]) == (answer.answer, [r.rdtype for r in answer.authority])


def test_signatures_come_only_to_those_who_ask() -> None:
    """DO (RFC 3225)."""
    answer = ask(CHILD, "MX", [SIGNED], do=False)
    assert [dns.rdatatype.MX] == [rrset.rdtype for rrset in answer.answer]


def test_signing_twice_is_signing_once() -> None:
    """Worlds are compared as values; a key follows from its name."""
    assert SIGNED == signed(SIGNED, KEY)
    assert SIGNED != signed(BARE, ZoneKey(name="other"))
