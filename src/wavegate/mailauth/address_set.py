# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Sets of IP addresses of one family: sorted, disjoint, non-touching integer intervals.

All operations are sweeps, linear in the number of intervals once they are sorted.
"""

import heapq
import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Span = tuple[int, int]


class Family(IntEnum):
    """An address family; the value is its IP version."""

    V4 = 4
    V6 = 6

    @property
    def bits(self) -> int:
        """The length of an address in bits."""
        return 32 if self is Family.V4 else 128

    def address(self, number: int) -> Address:
        """The address that a number stands for."""
        if self is Family.V4:
            return ipaddress.IPv4Address(number)
        return ipaddress.IPv6Address(number)


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses of one family as (first, last) pairs, both included. Build it with `of`."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "AddressSet":
        """The union of any spans, in any order, overlapping or not."""
        merged: list[Span] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                if last > merged[-1][1]:
                    merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @property
    def count(self) -> int:
        """How many addresses."""
        return sum(last - first + 1 for first, last in self.spans)

    @property
    def lowest(self) -> int:
        """The lowest address. Raises IndexError for the empty set."""
        return self.spans[0][0]

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.spans, number, key=lambda span: span[0]) - 1
        return at >= 0 and number <= self.spans[at][1]

    def __or__(self, other: "AddressSet") -> "AddressSet":
        return AddressSet.of(self.spans + other.spans)

    def __and__(self, other: "AddressSet") -> "AddressSet":
        found, i, j, mine, theirs = [], 0, 0, self.spans, other.spans
        while i < len(mine) and j < len(theirs):
            first, last = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if first <= last:
                found.append((first, last))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return AddressSet(tuple(found))

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        found, j, gone = [], 0, other.spans
        for first, last in self.spans:
            start = first
            while j < len(gone) and gone[j][1] < start:
                j += 1
            k = j
            while k < len(gone) and gone[k][0] <= last:
                if gone[k][0] > start:
                    found.append((start, gone[k][0] - 1))
                start = gone[k][1] + 1
                k += 1
            j = max(j, k - 1)
            if start <= last:
                found.append((start, last))
        return AddressSet(tuple(found))


EMPTY = AddressSet()
MAPPED: Span = (0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1)
"""::ffff:0:0/96: a mapped client is an IPv4 client (RFC 7208 5), so no IPv6 client is in it."""
UNIVERSE = {
    Family.V4: AddressSet(((0, 2**32 - 1),)),
    Family.V6: AddressSet(((0, MAPPED[0] - 1), (MAPPED[1] + 1, 2**128 - 1))),
}


def family_of(address: Address) -> Family:
    """The family under which a client address is judged; a mapped address counts as IPv4."""
    return Family.V4 if plain(address).version == 4 else Family.V6


def plain(address: Address) -> Address:
    """The address itself, or the IPv4 address that it maps."""
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else ipaddress.IPv4Address(int(mapped))


def only(address: Address) -> AddressSet:
    """The set of this one address."""
    number = int(plain(address))
    return AddressSet(((number, number),))


def span_of(number: int, prefix: int, family: Family) -> Span:
    """The span of a prefix; host bits are masked off (RFC 7208 5.6)."""
    size = 1 << (family.bits - prefix)
    first = number & ~(size - 1)
    return first, first + size - 1


def first_claims(claims: Iterable[tuple[Span, int]]) -> dict[int, AddressSet]:
    """For each label, the addresses whose first claim in the given order bears it.

    One sweep over the edges with a heap of the claims that are open: n log n.
    """
    ordered = list(claims)
    opening = sorted(range(len(ordered)), key=lambda index: ordered[index][0][0])
    edges = sorted({edge for (first, last), _ in ordered for edge in (first, last + 1)})
    taken: dict[int, list[Span]] = {}
    heap: list[int] = []
    upcoming = 0
    for start, stop in pairwise(edges):
        while upcoming < len(opening) and ordered[opening[upcoming]][0][0] <= start:
            heapq.heappush(heap, opening[upcoming])
            upcoming += 1
        while heap and ordered[heap[0]][0][1] < start:
            heapq.heappop(heap)
        if heap:
            taken.setdefault(ordered[heap[0]][1], []).append((start, stop - 1))
    return {label: AddressSet.of(spans) for label, spans in taken.items()}
