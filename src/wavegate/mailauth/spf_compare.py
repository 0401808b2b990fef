# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Two SPF policies are equal if and only if every address gets the same result from both.

A difference comes with a witness: a preferred address (a sending IP) where one differs, else one
that passed before, else the lowest. What nobody answered, or what depends on the address, is never
called equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wavegate.answer import Lookup
from wavegate.mailauth.address_set import EMPTY, Address, AddressSet, Family, family_of
from wavegate.mailauth.spf import MAX_VOIDS, evaluate
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result
from wavegate.mailauth.spf_result import Because, Piece, Question, Voids

MAX_PAIRS = 20_000
View = tuple[Family, Voids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy evaluated over everything: per family and way of counting empty answers.

    asked: every question of the closure. lookups: the most that any address costs.
    """

    sender: Sender
    views: Mapping[View, tuple[Piece, ...]]
    asked: tuple[Question, ...]
    lookups: int

    def piece(self, address: Address, voids: Voids = Voids.PER_QUESTION) -> Piece:
        """The piece of an address; of those under assumptions, the first."""
        found = self.views[(family_of(address), voids)]
        return next(piece for piece in found if int(address) in piece.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one policy says of a witness: the result, the term as written, and why."""

    result: Result
    term: str
    because: Because


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Addresses whose result changed from one value to another, with one of them as witness.

    preferred: the preferred addresses among them. count: how many addresses.
    """

    witness: Address
    preferred: tuple[Address, ...]
    before: Side
    after: Side
    count: int
    voids: Voids


@dataclass(frozen=True, slots=True)
class Equal:
    """Every address gets the same result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Different:
    """Some addresses do not; the first difference is the one to show.

    lowest: the lowest differing address, IPv4 first. under: the ways of counting empty answers
    under which it shows; all of them, unless empty answers are what differs.
    """

    differences: tuple[Difference, ...]
    lowest: Address
    under: tuple[Voids, ...]

    @property
    def for_all_receivers(self) -> bool:
        """Whether it shows however a receiver counts empty answers."""
        return len(self.under) == len(Voids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """No known difference, but something is not known.

    questions: to ask again. symbols: terms whose answers depend on the address. why: the notes
    of the pieces that are unknown. differs: under some assumption about the symbols the results
    part.
    """

    questions: tuple[Question, ...]
    symbols: tuple[str, ...]
    why: tuple[str, ...]
    differs: bool


Comparison = Equal | Different | Undecided


def policy(sender: Sender, lookup: Lookup) -> Policy:
    """Evaluate the policy of a sender over every address."""
    views: dict[View, tuple[Piece, ...]] = {}
    asked: dict[Question, None] = {}
    for family in Family:
        first = evaluate(sender, lookup, family)
        asked.update(dict.fromkeys(first.asked))
        matters = any(piece.voids > MAX_VOIDS for piece in first.pieces)
        for voids in Voids:
            again = matters and voids is not Voids.PER_QUESTION
            found = evaluate(sender, lookup, family, voids=voids) if again else first
            asked.update(dict.fromkeys(found.asked))
            views[(family, voids)] = found.pieces
    most = max((piece.lookups for found in views.values() for piece in found), default=0)
    return Policy(sender=sender, views=views, asked=tuple(asked), lookups=most)


def compare(before: Policy, after: Policy, preferred: Iterable[Address] = ()) -> Comparison:
    """Hold two policies against each other over every address and way of counting."""
    wanted = tuple(preferred)
    found: dict[Voids, tuple[Difference, ...]] = {}
    for voids in Voids:
        found[voids] = tuple(
            difference
            for family in Family
            for difference in _differences(
                before.views[(family, voids)], after.views[(family, voids)], family, voids, wanted
            )
        )
    under = tuple(voids for voids in Voids if found[voids])
    if under:
        return _different(found[under[0]], under, before, after, wanted)
    return _undecided(before, after)


def _different(
    found: tuple[Difference, ...],
    under: tuple[Voids, ...],
    before: Policy,
    after: Policy,
    wanted: tuple[Address, ...],
) -> Different:
    def rank(difference: Difference) -> tuple[bool, bool, int, int]:
        witness = difference.witness
        passed = difference.before.result is Result.PASS
        return witness not in wanted, not passed, witness.version, int(witness)

    voids = under[0]
    lowest = min(
        (
            (family, region.lowest)
            for family in Family
            for _, _, region in _regions(
                before.views[(family, voids)], after.views[(family, voids)]
            )
        ),
    )
    return Different(
        differences=tuple(sorted(found, key=rank)),
        lowest=lowest[0].address(lowest[1]),
        under=under,
    )


def _regions(
    before: Iterable[Piece], after: Iterable[Piece]
) -> list[tuple[Result, Result, AddressSet]]:
    """The regions whose results are known and differ."""
    mine, theirs = _by_result(before), _by_result(after)
    pairs = [
        (was, now, mine[was] & theirs[now]) for was in mine for now in theirs if was is not now
    ]
    return [(was, now, region) for was, now, region in pairs if region]


def _by_result(pieces: Iterable[Piece]) -> dict[Result, AddressSet]:
    spans: dict[Result, list[tuple[int, int]]] = {}
    for piece in pieces:
        if not piece.assumed and piece.result is not Result.UNKNOWN:
            spans.setdefault(piece.result, []).extend(piece.region.spans)
    return {result: AddressSet.of(found) for result, found in spans.items()}


def _differences(
    before: tuple[Piece, ...],
    after: tuple[Piece, ...],
    family: Family,
    voids: Voids,
    wanted: tuple[Address, ...],
) -> list[Difference]:
    return [
        _difference(before, after, region, family, voids, wanted)
        for _, _, region in _regions(before, after)
    ]


def _difference(
    before: tuple[Piece, ...],
    after: tuple[Piece, ...],
    region: AddressSet,
    family: Family,
    voids: Voids,
    wanted: tuple[Address, ...],
) -> Difference:
    inside = tuple(ip for ip in wanted if family_of(ip) is family and int(ip) in region)
    number = int(inside[0]) if inside else region.lowest
    return Difference(
        witness=family.address(number),
        preferred=inside,
        before=_side(before, number, family),
        after=_side(after, number, family),
        count=region.count,
        voids=voids,
    )


def _side(pieces: tuple[Piece, ...], number: int, family: Family) -> Side:
    piece = next(one for one in pieces if not one.assumed and number in one.region)
    term = piece.because.term(number, family)
    return Side(result=piece.result, term=term, because=piece.because)


def _undecided(before: Policy, after: Policy) -> Equal | Undecided:
    pieces = [piece for side in (before, after) for found in side.views.values() for piece in found]
    unknown = [piece for piece in pieces if piece.result is Result.UNKNOWN]
    symbols = sorted({symbol for piece in pieces for symbol, _ in piece.assumed})
    if not unknown and not symbols:
        return Equal()
    return Undecided(
        questions=tuple(dict.fromkeys(asked for piece in unknown for asked in piece.unknown)),
        symbols=tuple(symbols),
        why=tuple(dict.fromkeys(piece.because.note for piece in unknown)),
        differs=bool(symbols) and _parts_under_assumptions(before, after),
    )


def _parts_under_assumptions(before: Policy, after: Policy) -> bool:
    for view, mine in before.views.items():
        theirs = after.views[view]
        if len(mine) * len(theirs) > MAX_PAIRS:
            return True
        if any(_conflict(one, other) for one in mine for other in theirs):
            return True
    return False


def _conflict(one: Piece, other: Piece) -> bool:
    if one.result is other.result or Result.UNKNOWN in (one.result, other.result):
        return False
    assumed = dict(one.assumed)
    compatible = all(assumed.get(symbol, value) == value for symbol, value in other.assumed)
    return compatible and (one.region & other.region) != EMPTY
