# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What an SPF evaluation gives: regions of addresses with one result each, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from dns.name import Name

from wavegate.mailauth.address_set import AddressSet, Family
from wavegate.mailauth.spf_record import Directive, Result, term_for

Question = tuple[Name, str]
"""A name and a record type."""
Assumptions = frozenset[tuple[str, str]]
"""Symbol -> `yes`, `no` or `void`, for terms whose answer depends on the address."""


class Voids(StrEnum):
    """How a receiver counts empty answers; RFC 7208 4.6.4 leaves it open."""

    PER_QUESTION = "every empty DNS answer counts"
    PER_TERM = "a term with an empty answer counts once"
    UNLIMITED = "empty answers are not limited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why a region got its result.

    path: owners of the TXT from the sender's domain to the one that decided. through: the
    include and redirect terms on the way. terms: the run of terms that decided, empty for the
    record's end. note: what else there is to say. voids: names without an answer so far.
    """

    path: tuple[Name, ...]
    through: tuple[str, ...] = ()
    terms: tuple[Directive, ...] = ()
    text: str = ""
    note: str = ""
    voids: tuple[Name, ...] = ()

    def term(self, number: int, family: Family) -> str:
        """The one term that decided about an address, as written; empty at a record's end."""
        if self.text:
            return self.text
        return term_for(self.terms, number, family).text if self.terms else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A region of addresses that all get one result with one count of lookups."""

    region: AddressSet
    result: Result
    lookups: int
    voids: int
    because: Because
    assumed: Assumptions = frozenset()
    unknown: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A region that no term has matched so far, with its own counters."""

    region: AddressSet
    lookups: int = 0
    voids: int = 0
    void_names: tuple[Name, ...] = ()
    assumed: Assumptions = frozenset()

    def within(self, region: AddressSet) -> "Live":
        """The same counters over another region."""
        return replace(self, region=region)

    def ends(self, result: Result, because: Because, unknown: tuple[Question, ...] = ()) -> Piece:
        """The piece that it becomes once the result is known."""
        return Piece(
            region=self.region,
            result=result,
            lookups=self.lookups,
            voids=self.voids,
            because=replace(because, voids=self.void_names),
            assumed=self.assumed,
            unknown=unknown,
        )


def merge(live: Iterable[Live]) -> tuple[Live, ...]:
    """Join the regions that have the same counters; empty ones are dropped."""
    joined: dict[tuple[int, int, Assumptions], Live] = {}
    for one in live:
        if not one.region:
            continue
        key = (one.lookups, one.voids, one.assumed)
        joined[key] = one.within(joined[key].region | one.region) if key in joined else one
    return tuple(joined.values())
