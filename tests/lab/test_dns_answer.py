# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The authoritative answers of the lab, case by case."""

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from wavegate.lab.dns_answer import respond, wire
from wavegate.lab.dns_state import Rr, Zone, txt, zone

ORIGIN = "lab.example."


def _zone() -> Zone:
    return zone(
        ORIGIN,
        [
            Rr(ORIGIN, "SOA", f"ns1.{ORIGIN} host.{ORIGIN} 7 1 1 1 1"),
            Rr(ORIGIN, "NS", f"ns1.{ORIGIN}"),
            Rr(ORIGIN, "MX", f"10 mx.{ORIGIN}"),
            Rr(f"mx.{ORIGIN}", "A", "192.0.2.1"),
            Rr(f"a.b.c.{ORIGIN}", "A", "192.0.2.2"),
            Rr(f"*.w.{ORIGIN}", "TXT", txt("wild")),
            Rr(f"kept.w.{ORIGIN}", "A", "192.0.2.3"),
            Rr(f"alias.{ORIGIN}", "CNAME", f"mx.{ORIGIN}"),
            Rr(f"out.{ORIGIN}", "CNAME", "elsewhere.example."),
            Rr(f"one.{ORIGIN}", "CNAME", f"two.{ORIGIN}"),
            Rr(f"two.{ORIGIN}", "CNAME", f"one.{ORIGIN}"),
            Rr(f"child.{ORIGIN}", "NS", f"ns.child.{ORIGIN}"),
            Rr(f"ns.child.{ORIGIN}", "A", "192.0.2.53"),
            Rr(f"long.{ORIGIN}", "TXT", txt("x" * 900)),
        ],
    )


def _ask(name: str, rdtype: str) -> dns.message.Message:
    response = respond(dns.message.make_query(name, rdtype), (_zone(),))
    return dns.message.from_wire(wire(response, 65535))


def _found(response: dns.message.Message) -> list[str]:
    return [str(rdata) for rrset in response.answer for rdata in rrset]


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "data"),
    [
        (f"mx.{ORIGIN}", "A", "NOERROR", ["192.0.2.1"]),
        (f"mx.{ORIGIN}", "AAAA", "NOERROR", []),
        (f"no.{ORIGIN}", "A", "NXDOMAIN", []),
        (f"b.c.{ORIGIN}", "A", "NOERROR", []),
        (f"c.{ORIGIN}", "TXT", "NOERROR", []),
        (f"x.b.c.{ORIGIN}", "A", "NXDOMAIN", []),
        (f"x.w.{ORIGIN}", "TXT", "NOERROR", ['"wild"']),
        (f"y.x.w.{ORIGIN}", "TXT", "NOERROR", ['"wild"']),
        (f"x.w.{ORIGIN}", "A", "NOERROR", []),
        (f"kept.w.{ORIGIN}", "TXT", "NOERROR", []),
        (f"x.kept.w.{ORIGIN}", "TXT", "NXDOMAIN", []),
        (f"alias.{ORIGIN}", "A", "NOERROR", [f"mx.{ORIGIN}", "192.0.2.1"]),
        (f"alias.{ORIGIN}", "CNAME", "NOERROR", [f"mx.{ORIGIN}"]),
        (f"out.{ORIGIN}", "A", "NOERROR", ["elsewhere.example."]),
        ("other.example.", "A", "REFUSED", []),
    ],
)
def test_each_kind_of_answer(name: str, rdtype: str, rcode: str, data: list[str]) -> None:
    """NODATA, NXDOMAIN, empty non-terminals, wildcards, aliases and foreign names differ."""
    response = _ask(name, rdtype)
    assert (dns.rcode.to_text(response.rcode()), _found(response)) == (rcode, data)
    assert bool(response.flags & dns.flags.AA) == (rcode != "REFUSED")


@pytest.mark.parametrize("name", [f"mx.{ORIGIN}", f"no.{ORIGIN}", f"b.c.{ORIGIN}"])
def test_a_denial_carries_the_soa(name: str) -> None:
    """Without an SOA a denial cannot be told from a lame answer."""
    response = _ask(name, "TXT")
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]


def test_below_a_delegation_comes_a_referral_with_glue() -> None:
    """Following NS works only if the parent does not answer for its child."""
    response = _ask(f"www.child.{ORIGIN}", "A")
    assert not response.flags & dns.flags.AA
    assert [str(rrset[0]) for rrset in response.authority] == [f"ns.child.{ORIGIN}"]
    assert [str(rrset[0]) for rrset in response.additional] == ["192.0.2.53"]


def test_an_alias_loop_ends() -> None:
    """A loop in a zone must not become a loop in the server."""
    assert len(_ask(f"one.{ORIGIN}", "A").answer) <= 10


def test_the_case_of_the_question_is_kept() -> None:
    """Names compare without case, and the answer is written as the question was."""
    response = _ask("MX.Lab.Example.", "A")
    assert str(response.answer[0].name) == "MX.Lab.Example."


@pytest.mark.parametrize(("limit", "cut"), [(512, True), (1232, False)])
def test_what_does_not_fit_is_truncated(limit: int, cut: bool) -> None:
    """TC is set and the sections are empty, so that the client asks over TCP."""
    response = respond(dns.message.make_query(f"long.{ORIGIN}", "TXT"), (_zone(),))
    seen = dns.message.from_wire(wire(response, limit))
    assert (bool(seen.flags & dns.flags.TC), seen.answer == []) == (cut, cut)
