# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Decoding recorded DNS responses: per server, CNAMEs chased, hostile bytes unknown."""

from collections.abc import Iterable
from pathlib import Path

import dns.message
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import NS, answered, dns_seen, no_name, response, snapshot
from tests.builders.tiny_dns import reply

from wavegate.answer import Answer, Found, NoData, NoSuchName, Unknown
from wavegate.record.dns_view import DnsView, Leads, decode
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable

DOMAIN = "news.acme.example"
NAME = dns.name.from_text(DOMAIN)
ONE, TWO = NS
WIRE = Path(__file__).parents[2] / "fixtures" / "wire"


def view(*observations: Observation) -> DnsView:
    """The view of a snapshot of these."""
    return DnsView(snapshot("before", observations))


def texts(answer: Answer) -> tuple[str, ...]:
    """The records as text."""
    assert isinstance(answer, Found), answer
    return tuple(rdata.to_text() for rdata in answer.rdatas)


def name(text: str) -> dns.name.Name:
    """An absolute name."""
    return dns.name.from_text(text)


def test_each_server_has_its_own_answer() -> None:
    """Answers are kept apart by server, so that the odd one can be named."""
    found = view(
        dns_seen(DOMAIN, "TXT", answered(DOMAIN, "TXT", '"a"'), server=ONE),
        dns_seen(DOMAIN, "TXT", no_name(DOMAIN, "TXT"), server=TWO),
    ).answers(NAME, "TXT")
    assert (texts(found[ONE]), found[TWO]) == (('"a"',), NoSuchName())


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Unreachable("SERVFAIL"), Unknown("SERVFAIL")),
        (Unreachable("timeout"), Unknown("timeout")),
        (Absent("NODATA"), NoData()),
        (Absent("NXDOMAIN"), NoSuchName()),
        (answered(DOMAIN, "TXT"), NoData()),
        (no_name(DOMAIN, "TXT"), NoSuchName()),
        (Seen(response(DOMAIN, "TXT", rcode="SERVFAIL")), Unknown("SERVFAIL")),
        (Seen(response(DOMAIN, "A")), Unknown("the response is to another question")),
        (Seen(b""), Unknown("undecodable response (ShortHeader)")),
    ],
)
def test_outcomes_decode(outcome: Outcome, expected: Answer) -> None:
    """An error to look is Unknown with its reason; both absences stay apart."""
    assert decode(outcome, NAME, "TXT") == expected


@given(st.binary(max_size=400))
def test_hostile_bytes_are_unknown(data: bytes) -> None:
    """Whatever stands in a record, decoding it raises nothing and finds nothing."""
    for outcome in (Seen(data), Absent("NODATA", data)):
        found = decode(outcome, NAME, "TXT")
        assert isinstance(found, Unknown) or not data


@given(st.data())
def test_damaged_responses_never_raise(data: st.DataObject) -> None:
    """A true response with octets changed decodes to something, and raises nothing."""
    wire = bytearray(response(DOMAIN, "TXT", '"v=spf1 -all"', f"@x.{DOMAIN} A 192.0.2.1"))
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(
        decode(Seen(bytes(wire)), NAME, "TXT"), Found | NoData | NoSuchName | Unknown | Leads
    )


def test_the_message_id_does_not_matter() -> None:
    """Two answers that differ in the id alone are the same answer."""
    wire = response(DOMAIN, "TXT", '"a"')
    other = bytes([wire[0] ^ 1]) + wire[1:]
    assert decode(Seen(wire), NAME, "TXT") == decode(Seen(other), NAME, "TXT")


def test_order_and_case_do_not_matter() -> None:
    """Shuffled records and other letters are equal answers."""
    one = response(DOMAIN, "MX", "10 A.example.", "20 b.example.")
    two = response(DOMAIN, "MX", "20 B.example.", "10 a.example.")
    assert decode(Seen(one), NAME, "MX") == decode(Seen(two), NAME, "MX")


# CNAMEs


def chain(
    *links: str, last: str = "", servers: Iterable[str] = NS, rcode: str = "NOERROR"
) -> tuple[Observation, ...]:
    """T CNAME first link, recorded with what the answer holds beyond it."""
    owners = [f"t.{DOMAIN}", *links]
    records = [f"@{a} CNAME {b}." for a, b in zip(owners, links, strict=False)]
    wire = response(owners[0], "A", *records, *([last] if last else []), rcode=rcode)
    return tuple(dns_seen(owners[0], "A", Seen(wire), server=s) for s in servers)


T = name(f"t.{DOMAIN}")


def test_a_chain_in_one_answer_is_followed() -> None:
    """The targets are told in order."""
    found = view(*chain("a.example", "b.example", last="@b.example A 192.0.2.1")).answers(T, "A")
    assert found[ONE] == Found(found[ONE].rdatas, (name("a.example"), name("b.example")))  # type: ignore[union-attr] # asserted by equality
    assert texts(found[ONE]) == ("192.0.2.1",)


def test_a_chain_goes_on_over_what_was_recorded() -> None:
    """The target is looked up at the servers asked about it: the same one first, else the most."""
    other = "192.0.2.99:53"
    target = "a.example"
    own = dns_seen(target, "A", answered(target, "A", "192.0.2.1"), server=ONE)
    rest = dns_seen(target, "A", answered(target, "A", "192.0.2.2"), server=other)
    found = view(
        *chain(target), own, rest, dns_seen(target, "A", rest.outcome, server="192.0.2.98:53")
    ).answers(T, "A")
    assert (texts(found[ONE]), texts(found[TWO])) == (("192.0.2.1",), ("192.0.2.2",))


def test_a_target_nobody_asked_is_unknown() -> None:
    """A CNAME alone is no absence."""
    found = view(*chain("a.example")).answers(T, "A")
    assert found[ONE] == Unknown("CNAME to a.example., which was not asked")


def test_a_missing_target_is_told_with_its_chain() -> None:
    """RFC 6604: NXDOMAIN behind a CNAME speaks of the target."""
    found = view(*chain("a.example", rcode="NXDOMAIN")).answers(T, "A")
    assert found[ONE] == NoSuchName((name("a.example"),))


def test_an_empty_target_in_the_same_zone_is_no_data() -> None:
    """The SOA of the target's zone in the answer settles it."""
    asked = dns.message.make_query(T, "AAAA")
    wire = reply(asked, f"{T} CNAME x.{DOMAIN}.", authority=[f"{DOMAIN}. SOA a. b. 1 2 3 4 5"])
    found = view(dns_seen(f"t.{DOMAIN}", "AAAA", Seen(wire))).answers(T, "AAAA")
    assert found[ONE] == NoData((name(f"x.{DOMAIN}"),))


def test_loops_end() -> None:
    """A loop over several recorded answers is unknown, whatever the number of servers."""
    servers = [f"192.0.2.{n}:53" for n in range(30)]
    there = chain("a.example", servers=servers)
    back = [
        dns_seen(
            "a.example",
            "A",
            Seen(response("a.example", "A", f"@a.example CNAME t.{DOMAIN}.")),
            server=f"198.51.100.{n}:53",
        )
        for n in range(30)
    ]
    found = view(*there, *back).answers(T, "A")
    assert {type(answer) for answer in found.values()} == {Unknown}


def test_a_loop_in_one_answer_ends() -> None:
    """So is a loop inside one message."""
    wire = response(
        f"t.{DOMAIN}", "A", "@a.example CNAME t.news.acme.example.", f"@t.{DOMAIN} CNAME a.example."
    )
    assert decode(Seen(wire), T, "A") == Unknown("CNAME loop or chain too long")


def test_a_long_chain_ends() -> None:
    """A hostile chain over hundreds of answers is bounded."""
    links = [f"n{i}.example" for i in range(300)]
    seen = [
        dns_seen(a, "A", Seen(response(a, "A", f"@{a} CNAME {b}.")))
        for a, b in zip([f"t.{DOMAIN}", *links], links, strict=False)
    ]
    assert view(*seen).answers(T, "A")[ONE] == Unknown("CNAME chain too long")


# lookup


def test_lookup_prefers_the_server_and_falls_back_on_the_most_frequent() -> None:
    """A server's own word counts for it, even silence; for others the majority, ties the first."""
    third = "192.0.2.55:53"
    found = view(
        dns_seen(DOMAIN, "TXT", Unreachable("timeout"), server=ONE),
        dns_seen(DOMAIN, "TXT", answered(DOMAIN, "TXT", '"b"'), server=TWO),
        dns_seen(DOMAIN, "TXT", answered(DOMAIN, "TXT", '"a"'), server=third),
    )
    assert found.lookup(ONE)(NAME, "TXT") == Unknown("timeout")
    assert texts(found.lookup(third)(NAME, "TXT")) == ('"a"',)
    assert texts(found.lookup()(NAME, "TXT")) == ('"b"',)
    assert texts(found.lookup("192.0.2.77:53")(NAME, "TXT")) == ('"b"',)


def test_lookup_of_what_was_never_asked_is_unknown() -> None:
    """Never asked is not absent."""
    assert view().lookup()(NAME, "TXT") == Unknown("not asked")


def test_silence_everywhere_is_unknown() -> None:
    """Where nobody gave a definite answer the reason of the first server stands."""
    found = view(
        *(
            dns_seen(DOMAIN, "A", Unreachable(r), server=s)
            for s, r in ((ONE, "lame"), (TWO, "timeout"))
        )
    )
    assert found.lookup()(NAME, "A") == Unknown("lame")


# servers and roles


def test_resolvers_count_only_where_no_server_was_asked() -> None:
    """What a cache says never stands beside what the zone's own servers say."""
    cache = "192.0.2.1:53"
    stale = dns_seen(DOMAIN, "TXT", answered(DOMAIN, "TXT", '"old"'), server=cache, role="resolver")
    own = dns_seen(DOMAIN, "TXT", answered(DOMAIN, "TXT", '"new"'), server=ONE)
    alone = dns_seen("x.example", "TXT", no_name("x.example", "TXT"), server=cache, role="resolver")
    found = view(stale, own, alone)
    assert found.servers == (ONE,)
    assert (found.servers_of(NAME), found.servers_of(name("x.example"))) == ((ONE,), (cache,))
    assert texts(found.lookup()(NAME, "TXT")) == ('"new"',)
    assert found.answers(name("x.example"), "TXT") == {cache: NoSuchName()}
    assert found.questions() == ((NAME, "TXT"), (name("x.example"), "TXT"))
    assert found.observation(ONE, NAME, "TXT") == own


def test_the_parents_delegation_is_apart() -> None:
    """A referral is what the parent says of the zone, and no answer of the zone."""
    asked = dns.message.make_query(NAME, "NS")
    wire = reply(
        asked,
        flags="",
        authority=[f"{DOMAIN}. NS NS1.acme.example.", f"{DOMAIN}. NS ns2.acme.example."],
    )
    found = view(
        dns_seen(DOMAIN, "NS", Seen(wire), server=ONE, role="parent"),
        dns_seen(DOMAIN, "NS", Unreachable("timeout"), server=TWO, role="parent"),
        dns_seen(DOMAIN, "NS", Seen(b"x"), server="192.0.2.9:53", role="parent"),
    )
    assert found.delegated_zones() == (NAME,)
    assert dict(found.delegation(NAME)) == {
        ONE: frozenset({name("ns1.acme.example"), name("ns2.acme.example")}),
        TWO: Unknown("timeout"),
        "192.0.2.9:53": Unknown("undecodable response (ShortHeader)"),
    }
    assert found.answers(NAME, "NS") == {}


def test_an_observation_without_a_name_is_skipped() -> None:
    """A record that names no question answers none, and hides no other."""
    nameless = Observation(
        kind="dns", subject="?", asked={"server": ONE, "name": "a..b", "type": "A", "role": "x"},
        outcome=Absent("NODATA"), at=snapshot("before").began, took_us=0, vantage="",
    )  # fmt: skip
    assert view(nameless).questions() == ()


@pytest.mark.parametrize("file", sorted(WIRE.glob("dns-*.hex")), ids=lambda file: str(file.stem))
def test_wire_that_our_library_did_not_write_decodes(file: Path) -> None:
    """Hand-assembled responses read as they say: compression, cut strings, case, RFC 2317."""
    lines = [line for line in file.read_text("ascii").splitlines() if not line.startswith("#")]
    (asked,) = [line.split()[1:] for line in lines if line.startswith("asked")]
    expected = [line.removeprefix("expect ") for line in lines if line.startswith("expect")]
    wire = bytes.fromhex("".join(lines[1 + len(expected) :]))
    found = decode(Seen(wire), name(asked[0]), asked[1])
    assert isinstance(found, Found)
    assert sorted(texts(found)) == sorted(expected)


def test_there_is_recorded_wire() -> None:
    """The test above never passes for lack of files."""
    assert len(sorted(WIRE.glob("dns-*.hex"))) >= 5
