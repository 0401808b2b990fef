# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from wavegate.mailauth.address_set import (
    UNIVERSE,
    AddressSet,
    Family,
    family_of,
    first_claims,
    only,
    plain,
    span_of,
)

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda s: (s[0], sum(s))))


def numbers(found: AddressSet) -> set[int]:
    """The set written out."""
    return {number for first, last in found.spans for number in range(first, last + 1)}


@given(SPANS, SPANS)
def test_sweeps_are_set_algebra(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Union, intersection and difference are those of plain sets of numbers."""
    left, right = AddressSet.of(one), AddressSet.of(other)
    mine, theirs = numbers(left), numbers(right)
    expected = (mine | theirs, mine & theirs, mine - theirs)
    assert expected == (numbers(left | right), numbers(left & right), numbers(left - right))
    assert len(mine) == left.count
    assert all((n in left) == (n in mine) for n in range(50))


@given(SPANS, SPANS)
def test_a_set_has_one_spelling(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Equal sets are equal values, however they came about."""
    left, right = AddressSet.of(one), AddressSet.of(other)
    assert AddressSet.of((n, n) for n in numbers(left)) == left
    assert (left | right) - right == left - right
    assert (left - right) | (left & right) == left


@given(st.lists(st.tuples(SPANS.filter(bool).map(lambda s: s[0]), st.integers(0, 3))))
def test_the_first_claim_counts(claims: list[tuple[tuple[int, int], int]]) -> None:
    """Each number belongs to the label of the first span that holds it."""
    expected: dict[int, set[int]] = {}
    for number in range(60):
        label = next((name for (a, b), name in claims if a <= number <= b), None)
        if label is not None:
            expected.setdefault(label, set()).add(number)
    assert expected == {label: numbers(region) for label, region in first_claims(claims).items()}


def test_a_mapped_client_is_an_ipv4_client() -> None:
    """No IPv6 client has an address in ::ffff:0:0/96 (RFC 7208 5)."""
    mapped = ipaddress.ip_address("::ffff:192.0.2.1")
    assert Family.V4 is family_of(mapped)
    assert ipaddress.ip_address("192.0.2.1") == plain(mapped)
    assert only(ipaddress.ip_address("192.0.2.1")) == only(mapped)
    assert int(mapped) not in UNIVERSE[Family.V6]
    assert 2**128 - 2**32 == UNIVERSE[Family.V6].count


def test_host_bits_are_masked_off() -> None:
    """A prefix with host bits means its network."""
    number = int(ipaddress.ip_address("192.0.2.77"))
    first, last = span_of(number, 24, Family.V4)
    assert ("192.0.2.0", "192.0.2.255") == (
        str(Family.V4.address(first)),
        str(Family.V4.address(last)),
    )
