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
from tests.mailauth.test_spf import whole, zones
from tests.mailauth.zones import Table, absolute

from wavegate.mailauth.address_set import Address, Family
from wavegate.mailauth.spf_compare import (
    Comparison,
    Different,
    Equal,
    Undecided,
    compare,
    policy,
)
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result
from wavegate.mailauth.spf_result import Voids

Load = Callable[[Path], list[Any]]
D = Sender(domain=absolute("d.example"))


def held(before: Any, after: Any, *preferred: Address) -> Comparison:
    """The comparison of two zones for d.example."""
    return compare(policy(D, Table(before)), policy(D, Table(after)), preferred)


def test_corpus_of_pairs(corpora: Path, load_yaml: Load) -> None:
    """36 pairs: verdict, lowest witness and both results as given; the witness holds for pyspf."""
    (pairs,) = load_yaml(corpora / "spf" / "equivalence-pairs.yml")
    wrong = [pair["name"] for pair in pairs if not _as_given(pair)]
    assert (36, []) == (len(pairs), wrong)


def _as_given(pair: dict[str, Any]) -> bool:
    found = held(pair["before"], pair["after"])
    if pair["expect"] == "equal":
        return found == Equal()
    if pair["before_result"] == "temperror":  # nobody answered: for us not known, never equal
        return isinstance(found, Undecided) and found.questions == (
            (absolute("slow.example"), "TXT"),
        )
    if not isinstance(found, Different) or str(found.lowest) != str(pair["witness"]):
        return False
    expected = (pair["before_result"], pair["after_result"])
    changes = {(one.before.result.value, one.after.result.value) for one in found.differences}
    return expected in changes and expected == _oracle(pair, str(found.lowest))


def _oracle(pair: dict[str, Any], witness: str) -> tuple[str, str]:
    before, after = Table(pair["before"]), Table(pair["after"])
    who = "x@d.example", "h.example"
    return ask(before, witness, *who), ask(after, witness, *who)


def test_our_own_pairs(cases: Path, load_yaml: Load) -> None:
    """The mistakes and harmless rewrites that a migration makes, each with its witnesses."""
    (pairs,) = load_yaml(cases / "spf-pairs.yaml")
    for pair in pairs:
        found = held(pair["before"], pair["after"])
        seen = {}
        if isinstance(found, Different):
            seen = {
                str(one.witness): [one.before.result.value, one.after.result.value]
                for one in found.differences
            }
        expected = {str(key): value for key, value in pair["differences"].items()}
        assert expected == seen, pair["name"]
        assert bool(expected) == (found != Equal()), pair["name"]


@settings(max_examples=40)
@given(zones(), zones())
def test_never_equal_when_an_edge_address_differs(one: Any, other: Any) -> None:
    """Equal and different are what the pieces say at every edge of both policies."""
    found = held(one, other)
    assert isinstance(found, Different) == _some_edge_differs(one, other)
    if isinstance(found, Different):
        first = found.differences[0]
        before, after = (_result(zone, first.witness, found.under[0]) for zone in (one, other))
        assert (first.before.result, first.after.result) == (before, after)
        assert before is not after
        assert first.count > 0


def _some_edge_differs(one: Any, other: Any) -> bool:
    for family in Family:
        for voids in Voids:
            mine, theirs = (whole(zone, family, voids=voids) for zone in (one, other))
            starts = {s[0] for piece in (*mine, *theirs) for s in piece.region.spans}
            for number in starts:
                left, right = (
                    next(p.result for p in pieces if number in p.region)
                    for pieces in (mine, theirs)
                )
                if left is not right:
                    return True
    return False


def _result(zone: Any, address: Address, voids: Voids) -> Result:
    return policy(D, Table(zone)).piece(address, voids).result


@settings(max_examples=40)
@given(zones(), zones())
def test_equality_is_an_equivalence(one: Any, other: Any) -> None:
    """A policy equals itself, and a difference is one in either direction, of as many addresses."""
    assert Equal() == held(one, one)
    there, back = held(one, other), held(other, one)
    assert type(there) is type(back)
    if isinstance(there, Different) and isinstance(back, Different):
        assert there.lowest == back.lowest
        assert sum(d.count for d in there.differences) == sum(d.count for d in back.differences)


PREFIXES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(24, 31)), min_size=1, max_size=6
).map(lambda found: [f"ip4:192.0.{n}.0/{prefix}" for n, prefix in found])


@given(PREFIXES, st.randoms(use_true_random=False))
def test_harmless_rewrites_stay_equal(terms: list[str], random: Any) -> None:
    """Reordering terms of one qualifier, splitting a prefix or including it changes nothing."""
    plain = {"d.example": [{"TXT": f"v=spf1 {' '.join(terms)} -all"}]}
    mixed = random.sample(terms, len(terms))
    halves = [str(half) for term in mixed for half in _halves(term)]
    split = [f"ip4:{half}" for half in halves]
    nested = {
        "d.example": [{"TXT": f"v=spf1 {split[0]} include:p.example -all"}],
        "p.example": [{"TXT": f"v=spf1 {' '.join(split)} ~all"}],
    }
    for rewritten in ({"d.example": [{"TXT": f"v=spf1 {' '.join(split)} -all"}]}, nested):
        assert Equal() == held(plain, rewritten)


def _halves(term: str) -> list[Any]:
    return list(ipaddress.IPv4Network(term.removeprefix("ip4:")).subnets())


@given(PREFIXES, st.data())
def test_each_mutation_of_one_address_is_found(terms: list[str], data: st.DataObject) -> None:
    """Taking any one address out is found, with that address as the only witness."""
    term = data.draw(st.sampled_from(terms))
    network = ipaddress.IPv4Network(term.removeprefix("ip4:"))
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    before = {"d.example": [{"TXT": f"v=spf1 {' '.join(terms)} -all"}]}
    after = {"d.example": [{"TXT": f"v=spf1 -ip4:{address} {' '.join(terms)} -all"}]}
    found = held(before, after)
    assert isinstance(found, Different)
    (one,) = found.differences
    assert (address, 1, "pass", "fail") == (
        one.witness,
        one.count,
        one.before.result.value,
        one.after.result.value,
    )


def test_the_witness_is_a_sending_ip_where_one_differs() -> None:
    """A person looks for their own address first; the others are counted."""
    before = {"d.example": [{"TXT": "v=spf1 ip4:192.0.2.0/24 -all"}]}
    after = {"d.example": [{"TXT": "v=spf1 ip4:192.0.2.0/26 -all"}]}
    mine = ipaddress.ip_address("192.0.2.200")
    found = held(before, after, ipaddress.ip_address("192.0.2.1"), mine)
    assert isinstance(found, Different)
    first = found.differences[0]
    assert (mine, (mine,), 192) == (first.witness, first.preferred, first.count)
    assert ("ip4:192.0.2.0/24", "-all") == (first.before.term, first.after.term)


def test_the_way_to_the_term_is_told() -> None:
    """The responsible term comes with the records and terms that lead to it."""
    before = {
        "d.example": [{"TXT": "v=spf1 redirect=p.example"}],
        "p.example": [{"TXT": "v=spf1 include:q.example -all"}],
        "q.example": [{"TXT": "v=spf1 ip4:192.0.2.1 -all"}],
    }
    found = held(before, {**before, "p.example": [{"TXT": "v=spf1 -all"}]})
    assert isinstance(found, Different)
    side = found.differences[0].before
    assert ("redirect=p.example", "include:q.example") == side.because.through
    assert "ip4:192.0.2.1" == side.term
    assert ["d.example.", "p.example.", "q.example."] == [n.to_text() for n in side.because.path]


def test_a_difference_for_some_receivers_says_so() -> None:
    """Three hosts without AAAA matter only to receivers that count every empty answer."""
    before: dict[str, Any] = {
        "d.example": [{"TXT": "v=spf1 a:h.example a:k.example a:l.example -all"}]
    }
    before |= {f"{host}.example": [{"A": f"192.0.2.{n}"}] for n, host in enumerate("hkl")}
    after = {"d.example": [{"TXT": "v=spf1 ip4:192.0.2.0/31 ip4:192.0.2.2 -all"}]}
    found = held(before, after)
    assert isinstance(found, Different)
    assert (Voids.PER_QUESTION, Voids.PER_TERM) == found.under
    assert not found.for_all_receivers


@pytest.mark.parametrize(
    ("after", "differs"),
    [("exists:%{i}.x.example -all", False), ("exists:%{i}.x.example ~all", True)],
)
def test_symbols_are_never_called_equal(after: str, differs: bool) -> None:
    """The same macro on both sides is not equality: nobody can enumerate what is behind it."""
    before = {"d.example": [{"TXT": "v=spf1 exists:%{i}.x.example -all"}]}
    found = held(before, {"d.example": [{"TXT": f"v=spf1 {after}"}]})
    assert isinstance(found, Undecided)
    assert (("exists:%{i}.x.example/32//128",), differs) == (found.symbols, found.differs)


def test_what_needs_no_symbol_convicts_all_the_same() -> None:
    """A known difference in front of a macro is a difference."""
    before = {"d.example": [{"TXT": "v=spf1 ip4:192.0.2.1 exists:%{i}.x.example -all"}]}
    after = {"d.example": [{"TXT": "v=spf1 -ip4:192.0.2.1 exists:%{i}.x.example -all"}]}
    found = held(before, after)
    assert isinstance(found, Different)
    assert "192.0.2.1" == str(found.lowest)
