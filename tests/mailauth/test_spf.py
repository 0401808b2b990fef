# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mailauth.pyspf_oracle import ask
from tests.mailauth.zones import Table, absolute

from wavegate.mailauth.address_set import UNIVERSE, AddressSet, Family
from wavegate.mailauth.names import name_of
from wavegate.mailauth.spf import evaluate, evaluate_client
from wavegate.mailauth.spf_explain import check_host
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result
from wavegate.mailauth.spf_result import Piece, Voids

D = absolute("d.example")


def results(zone: dict[str, Any], address: str, **more: Any) -> set[str]:
    """The results that an address can get from the policy of d.example."""
    client = ipaddress.ip_address(address)
    sender = Sender(domain=D, client=client, **more)
    return {piece.result.value for piece in evaluate_client(sender, Table(zone)).pieces}


def whole(zone: dict[str, Any], family: Family = Family.V4, **more: Any) -> tuple[Piece, ...]:
    """The pieces of the policy of d.example."""
    return evaluate(Sender(domain=D), Table(zone), family, **more).pieces


def test_conformance_suite(corpora: Path, load_yaml: Callable[[Path], list[Any]]) -> None:
    """All 203 cases of the RFC 7208 suite, explanations included, through the set evaluator."""
    bad, count = [], 0
    for document in load_yaml(corpora / "spf" / "rfc7208-tests.yml"):
        table = Table(document["zonedata"])
        for name, case in document["tests"].items():
            count += 1
            got, explanation = _case(table, case)
            allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
            explained = case.get("explanation", explanation)
            if got not in allowed or explained != explanation:
                bad.append((name, got, explanation))
    assert ([], 203) == (bad, count)


def _case(table: Table, case: dict[str, Any]) -> tuple[str, str]:
    local, _, domain = case["mailfrom"].partition("@")
    name = name_of(domain or case["helo"])
    if name is None:
        return "none", "DEFAULT"
    sender = Sender(
        domain=name,
        local=local or "postmaster",
        helo=case["helo"],
        client=ipaddress.ip_address(case["host"]),
    )
    found = check_host(sender, table)
    result = "temperror" if found.result is Result.UNKNOWN else found.result.value
    return result, found.explanation or "DEFAULT"


HOSTS = ("h0.example", "h1.example", "h2.example")
POLICIES = ("d.example", "p1.example", "p2.example", "p3.example")
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.130", "198.51.100.7"])
SIXES = st.sampled_from(["2001:db8::1", "2001:db8::2", "2001:db8:0:1::", "::ffff:192.0.2.1"])
TERMS = st.one_of(
    st.builds("ip4:{}/{}".format, ADDRESSES, st.sampled_from([0, 24, 25, 31, 32])),
    st.builds("ip6:{}/{}".format, SIXES, st.sampled_from([0, 63, 64, 127, 128])),
    st.builds("a:{}/{}//{}".format, st.sampled_from(HOSTS), st.just(30), st.just(126)),
    st.builds("mx:{}".format, st.sampled_from(HOSTS)),
    st.builds("include:{}".format, st.sampled_from((*POLICIES, "gone.example"))),
    st.builds("exists:{}".format, st.sampled_from(HOSTS)),
)
DIRECTIVES = st.builds("{}{}".format, st.sampled_from(["", "+", "-", "~", "?"]), TERMS)
ENDS = st.sampled_from(
    ["-all", "~all", "?all", "+all", "", "redirect=p3.example", "redirect=gone.example", "oops"]
)
RECORDS = st.builds("v=spf1 {} {}".format, st.lists(DIRECTIVES, max_size=5).map(" ".join), ENDS)
ROWS = st.lists(
    st.one_of(
        st.builds(lambda a: {"A": a}, ADDRESSES),
        st.builds(lambda a: {"AAAA": a}, SIXES),
        st.builds(lambda h: {"MX": [10, h]}, st.sampled_from(HOSTS)),
    ),
    max_size=3,
    unique_by=str,
)


@st.composite
def zones(draw: st.DrawFn) -> dict[str, list[Any]]:
    """A small tree of policies that include and redirect to each other, loops among them."""
    zone: dict[str, list[Any]] = {host: draw(ROWS) for host in HOSTS}
    for policy in POLICIES:
        text = draw(RECORDS).replace(f"include:{policy}", "include:gone.example")
        zone[policy] = [{"TXT": text}]  # pyspf refuses a record that includes itself unevaluated
    return zone


def _edges(pieces: tuple[Piece, ...], family: Family) -> list[int]:
    """The first and last address of every span, thinned out to 40."""
    found = sorted({edge for piece in pieces for span in piece.region.spans for edge in span})
    return [n for n in found[:: len(found) // 40 + 1] if n in UNIVERSE[family]]


@settings(max_examples=60)
@given(zones())
def test_every_edge_gets_what_another_evaluator_gives(zone: dict[str, list[Any]]) -> None:
    """The evaluation over sets agrees with pyspf, which is asked one address at a time."""
    table = Table(zone)
    for family in Family:
        pieces = whole(zone, family)
        for number in _edges(pieces, family):
            mine = {piece.result.value for piece in pieces if number in piece.region}
            address = str(family.address(number))
            assert {ask(table, address, "x@d.example", "h.example")} == mine, address


@settings(max_examples=60)
@given(zones(), st.sampled_from(list(Voids)))
def test_pieces_are_a_partition(zone: dict[str, list[Any]], voids: Voids) -> None:
    """Every address of the family is in exactly one piece."""
    for family in Family:
        regions = [piece.region for piece in whole(zone, family, voids=voids)]
        assert UNIVERSE[family] == AddressSet.of(span for r in regions for span in r.spans)
        assert UNIVERSE[family].count == sum(region.count for region in regions)


def test_counters_live_in_the_piece() -> None:
    """An address that matches early never meets the eleventh lookup behind it."""
    includes = " ".join(f"include:i{n}.example" for n in range(11))
    zone: dict[str, Any] = {"d.example": [{"TXT": f"v=spf1 ip4:192.0.2.1 {includes} -all"}]}
    zone |= {f"i{n}.example": [{"TXT": f"v=spf1 ip4:198.51.100.{n} -all"}] for n in range(11)}
    assert {"pass"} == results(zone, "192.0.2.1")
    assert {"pass"} == results(zone, "198.51.100.3")
    assert {"permerror"} == results(zone, "203.0.113.1")


def test_a_silent_server_is_unknown_only_where_it_is_reached() -> None:
    """A timeout behind a match does not touch the addresses that matched."""
    zone = {
        "d.example": [{"TXT": "v=spf1 ip4:192.0.2.1 include:slow.example -all"}],
        "slow.example": ["TIMEOUT"],
    }
    assert {"pass"} == results(zone, "192.0.2.1")
    assert {"unknown"} == results(zone, "192.0.2.2")
    unknown = [piece for piece in whole(zone) if piece.result is Result.UNKNOWN]
    assert [((absolute("slow.example"), "TXT"),)] == [piece.unknown for piece in unknown]


def test_what_depends_on_the_address_stays_a_symbol() -> None:
    """A macro of the client splits the region by assumption, and is filled in for one client."""
    zone: dict[str, Any] = {"d.example": [{"TXT": "v=spf1 exists:%{i}.ok.%{d} -all"}]}
    zone["192.0.2.1.ok.d.example"] = [{"A": "127.0.0.2"}]
    assumed = {piece.assumed for piece in whole(zone)}
    symbol = "exists:%{i}.ok.d.example/32//128"
    assert {frozenset({(symbol, value)}) for value in ("yes", "no", "void")} == assumed
    assert {"pass"} == results(zone, "192.0.2.1")
    assert {"fail"} == results(zone, "192.0.2.2")


@pytest.mark.parametrize(
    "term", ["ptr", "exists:%{l}.d.example", "a:%{h}", "include:%{i}.x.example"]
)
def test_nothing_uninterpreted_is_called_known(term: str) -> None:
    """Whatever depends on what is left open is an assumption or unknown, never a plain result."""
    zone = {"d.example": [{"TXT": f"v=spf1 {term} -all"}]}
    assert all(piece.assumed or piece.result is Result.UNKNOWN for piece in whole(zone))


def test_many_symbols_are_bounded() -> None:
    """Beyond six terms that depend on the address the piece is unknown, and stays small."""
    terms = " ".join(f"exists:%{{i}}.{n}.example" for n in range(10))
    pieces = whole({"d.example": [{"TXT": f"v=spf1 {terms} -all"}]})
    assert Result.UNKNOWN in {piece.result for piece in pieces}
    assert len(pieces) < 3**7


def test_hostile_records_are_bounded() -> None:
    """A loop, a thousand includes and a record of 60 kB each end in an honest result."""
    loop = {"d.example": [{"TXT": "v=spf1 include:d.example -all"}]}
    assert {"permerror"} == results(loop, "192.0.2.1")
    many = {"d.example": [{"TXT": "v=spf1 " + "include:e.example " * 1000 + "-all"}]}
    many["e.example"] = [{"TXT": "v=spf1 -all"}]
    assert {"permerror"} == results(many, "192.0.2.1")
    prefixes = " ".join(f"ip4:10.{n // 256}.{n % 256}.0/25" for n in range(3_000))
    long = {"d.example": [{"TXT": f"v=spf1 {prefixes} -all"}]}
    assert {"pass"} == results(long, "10.5.5.5")
    assert {"fail"} == results(long, "10.5.5.200")


def test_the_three_ways_of_counting_empty_answers() -> None:
    """`mx` over three hosts without AAAA is permerror only where every question counts."""
    hosts = [f"m{n}.example" for n in range(3)]
    zone: dict[str, Any] = {host: [{"A": "192.0.2.1"}] for host in hosts}
    zone["d.example"] = [{"TXT": "v=spf1 mx -all"}, *({"MX": [10, host]} for host in hosts)]
    found = {
        voids: {piece.result.value for piece in whole(zone, Family.V6, voids=voids)}
        for voids in Voids
    }
    assert {
        Voids.PER_QUESTION: {"permerror"},
        Voids.PER_TERM: {"fail"},
        Voids.UNLIMITED: {"fail"},
    } == found
