# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the HTML page shows and where each cell's deep link leads; bounded for big estates."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from wavegate.canonical import digest
from wavegate.decision import Word
from wavegate.evidence.verdicts import CellEntry, Verdicts
from wavegate.promise import order
from wavegate.report.model import BAD, Problem, Shared, problems, shared
from wavegate.verdict import Verdict

MATRIX_ROWS = 500
"""Rows of the matrix; further instances are counted, and stand in verdicts.json."""
MATRIX_BYTES = 740_000
"""About how large the matrix may become; fewer rows where names are long."""
CELL_BYTES = 56
"""About how long a cell of the matrix is without its instance's name."""
CARDS = 100
"""Causes told in full."""
LINES = 1000
"""Further causes told in one line each."""
CHIPS = 500
"""Instances that a cause lists by name."""
NAMED = 24
"""Instances of one customer that are named."""
NAMED_ABOVE = 100
"""In a wave of more instances, those that are GO are only counted per customer."""
PASSED_TEXTS = 800
"""Different texts of PASSED cells that are told; a big estate says the most frequent ones."""

SECTIONS = (
    "settle",
    "open",
    "matrix",
    "passed",
    "not-applicable",
    "cleared",
    "not-compared",
    "remarks",
    "limits",
    "withdrawn",
    "waivers",
    "decisions",
    "retakes",
    "promises",
    "produced",
    "verify",
)
"""The anchors of the sections; their names are in the catalogues, under `section`."""
_RESERVED = frozenset(
    {
        "decision",
        "customers",
        "matrix-title",
        "remedied",
        "resend",
        "resend-title",
        *SECTIONS,
    }
)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One cell of the matrix: its own anchor if it bears it, and where it leads."""

    cell: CellEntry
    anchor: str | None
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instance of the matrix. decision: None for one outside the wave, or withdrawn from it."""

    anchor: str
    instance: str
    customer: str
    decision: Word | None
    spots: tuple[Spot | None, ...]

    @property
    def withdrawn(self) -> bool:
        """Whether it was taken out of the wave before the window."""
        return any(spot is not None and spot.cell.withdrawn for spot in self.spots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """An instance under a cause. anchor: the cell's deep link where this is its place."""

    instance: str
    anchor: str | None
    row: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A cause with its anchor and the instances that share it."""

    anchor: str
    problem: Problem
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What PASSED or NOT_APPLICABLE cells of one promise say.

    could_hide: where all say the same. left_out: texts not told here.
    """

    anchor: str
    promise: str
    items: tuple[tuple[str, Shared[tuple[str, str]]], ...]
    could_hide: str | None
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An instance by name, with its decision and its row of the matrix, if it has one."""

    name: str
    decision: Word
    row: str | None
    outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """One customer: decision, how many instances of each word, and instances, the worst first.

    outside: none of them is in the wave. left_out: instances that are only counted.
    """

    customer: str
    decision: Word
    instances: tuple[Named, ...]
    left_out: int
    outside: bool
    words: tuple[tuple[Word, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything of the page that is computed."""

    promises: tuple[str, ...]
    cards: tuple[Card, ...]
    rows: tuple[Row, ...]
    rows_left_out: int
    passed: tuple[Texts, ...]
    not_applicable: tuple[Texts, ...]
    customers: tuple[CustomerLine, ...]
    promise_anchors: Mapping[str, str]
    inside: int
    outside: int


class Anchors:
    """Unique ids for the page, readable where the names allow it."""

    def __init__(self) -> None:
        self._taken: set[str] = set(_RESERVED)

    def take(self, *parts: str) -> str:
        """An id such as `spf-acme-prod1`; names beyond A-Z a-z 0-9 . _ - get a digest."""
        raw = "-".join(parts)
        anchor = re.sub(r"[^A-Za-z0-9._-]", "_", raw)[:120]
        if anchor != raw or anchor in self._taken:
            anchor = f"{anchor}~{digest(repr(parts).encode())[:12]}"
        while anchor in self._taken:
            anchor += "~"
        self._taken.add(anchor)
        return anchor


def build_page(verdicts: Verdicts) -> Page:
    """Lay the page out."""
    anchors, outside = Anchors(), _outside(verdicts)
    ids = {(c.instance, c.promise): anchors.take(c.promise, c.instance) for c in verdicts.cells}
    shown, left_out = _shown_instances(verdicts, outside)
    rows = {name: anchors.take("row", name) for name in shown}
    cards, homes = _cards(problems(verdicts), ids, rows, anchors)
    passed, passed_at = _texts(verdicts.cells, Verdict.PASSED, "passed")
    not_applicable, not_applicable_at = _texts(
        verdicts.cells, Verdict.NOT_APPLICABLE, "not-applicable"
    )
    leads = homes | passed_at | not_applicable_at
    promises = tuple(sorted({cell.promise for cell in verdicts.cells}, key=order))
    at_home = frozenset(key for key in homes if homes[key] == ids[key])
    return Page(
        promises=promises,
        cards=cards,
        rows=_rows(verdicts, rows, promises, ids, leads, at_home, outside),
        rows_left_out=left_out,
        passed=passed,
        not_applicable=not_applicable,
        customers=_customers(verdicts, rows),
        inside=len(verdicts.instances.keys() - outside),
        outside=len(outside),
        promise_anchors={p.id: anchors.take("promise", p.id) for p in verdicts.promises},
    )


def _outside(verdicts: Verdicts) -> frozenset[str]:
    """Instances that are looked at for `scope` only, and hold nothing against the wave."""
    good = {name for name, word in verdicts.instances.items() if word is Word.GO}
    inside = {cell.instance for cell in verdicts.cells if not cell.outside}
    return frozenset((good & {cell.instance for cell in verdicts.cells}) - inside)


def _shown_instances(verdicts: Verdicts, outside: frozenset[str]) -> tuple[tuple[str, ...], int]:
    """Instances in the matrix's order, those with bad cells first, and how many are left out."""
    bad = dict.fromkeys(verdicts.instances, 0)
    size = dict.fromkeys(verdicts.instances, 200)
    for cell in verdicts.cells:
        bad[cell.instance] = bad.get(cell.instance, 0) + (cell.verdict in BAD)
        size[cell.instance] = size.get(cell.instance, 200) + len(cell.instance) + CELL_BYTES
    rank = list(Word)
    words = verdicts.instances
    names = sorted(
        bad, key=lambda n: (bad[n] == 0, n in outside, rank.index(words.get(n, Word.GO)), n)
    )
    room = sum(1 for total in accumulate(size[name] for name in names) if total <= MATRIX_BYTES)
    return tuple(names[: min(room, MATRIX_ROWS)]), max(0, len(names) - min(room, MATRIX_ROWS))


def _cards(
    found: tuple[Problem, ...], ids: Mapping[Key, str], rows: Mapping[str, str], anchors: Anchors
) -> tuple[tuple[Card, ...], dict[Key, str]]:
    """The cards, and where each bad cell is told (its own anchor, or that of its cause)."""
    cards, homes = [], dict[Key, str]()
    for number, problem in enumerate(found):
        anchor = anchors.take("cause", problem.item.cause[:16], problem.standing)
        chips = []
        for place in problem.places[: CHIPS if number < CARDS else 0]:
            key = (place.cell.instance, place.cell.promise)
            own = ids[key] if key not in homes else None
            homes.setdefault(key, ids[key])
            chips.append(
                Chip(instance=place.cell.instance, anchor=own, row=rows.get(place.cell.instance))
            )
        for place in problem.places:
            told = anchor if number < CARDS + LINES else "settle"
            homes.setdefault((place.cell.instance, place.cell.promise), told)
        cards.append(Card(anchor=anchor, problem=problem, chips=tuple(chips)))
    return tuple(cards), homes


def _rows(
    verdicts: Verdicts,
    rows: Mapping[str, str],
    promises: tuple[str, ...],
    ids: Mapping[Key, str],
    leads: Mapping[Key, str],
    at_home: frozenset[Key],
    outside: frozenset[str],
) -> tuple[Row, ...]:
    cells = {(cell.instance, cell.promise): cell for cell in verdicts.cells}
    customers = {cell.instance: cell.customer for cell in verdicts.cells}
    return tuple(
        Row(
            anchor=anchor,
            instance=name,
            customer=customers.get(name, "?"),
            decision=None if name in outside else verdicts.instances.get(name),
            spots=tuple(
                _spot(cells.get((name, promise)), ids, leads, at_home) for promise in promises
            ),
        )
        for name, anchor in rows.items()
    )


def _spot(
    cell: CellEntry | None,
    ids: Mapping[Key, str],
    leads: Mapping[Key, str],
    at_home: frozenset[Key],
) -> Spot | None:
    if cell is None:
        return None
    key = (cell.instance, cell.promise)
    return Spot(cell=cell, anchor=None if key in at_home else ids[key], href=leads[key])


def _texts(
    cells: Iterable[CellEntry], verdict: Verdict, section: str
) -> tuple[tuple[Texts, ...], dict[Key, str]]:
    """What cells of a verdict say, grouped, and where each of them is told."""
    found = shared(
        (cell for cell in cells if cell.verdict is verdict),
        lambda cell: [(cell.shown or cell.reason, cell.could_hide or "")],
    )
    by_promise: dict[str, list[Shared[tuple[str, str]]]] = {}
    for group in found:
        by_promise.setdefault(group.promise, []).append(group)
    limit = max(1, PASSED_TEXTS // max(1, len(by_promise)))
    limit = limit if len(found) > PASSED_TEXTS else len(found)
    texts, leads = [], dict[Key, str]()
    for number, (promise, groups) in enumerate(by_promise.items()):
        anchor = f"{section}.{re.sub(r'[^A-Za-z0-9_-]', '_', promise)}"
        items = tuple(
            (f"{section[0]}{number}.{n}", group) for n, group in enumerate(groups[:limit])
        )
        for place, group in items:
            leads |= {(name, promise): place for name in group.instances}
        for group in groups[limit:]:
            leads |= {(name, promise): anchor for name in group.instances}
        hides = {group.item[1] for group in groups}
        texts.append(
            Texts(
                anchor=anchor,
                promise=promise,
                items=items,
                could_hide=hides.pop() if len(hides) == 1 else None,
                left_out=len(groups) - len(items),
            )
        )
    return tuple(texts), leads


def _customers(verdicts: Verdicts, rows: Mapping[str, str]) -> tuple[CustomerLine, ...]:
    outside, words = _outside(verdicts), verdicts.instances
    owner = {cell.instance: cell.customer for cell in verdicts.cells}
    rank = list(Word)
    theirs: dict[str, list[Named]] = {}
    for name in sorted(words, key=lambda name: (rank.index(words[name]), name)):
        found = Named(name=name, decision=words[name], row=rows.get(name), outside=name in outside)
        theirs.setdefault(owner.get(name, "?"), []).append(found)
    lines = [
        _customer(customer, word, theirs.get(customer, []), big=len(words) > NAMED_ABOVE)
        for customer, word in verdicts.customers.items()
    ]
    return tuple(sorted(lines, key=lambda line: (rank.index(line.decision), line.customer)))


def _customer(customer: str, word: Word, theirs: list[Named], *, big: bool) -> CustomerLine:
    told = [named for named in theirs if not big or named.decision is not Word.GO][:NAMED]
    words = [named.decision for named in theirs]
    return CustomerLine(
        customer=customer,
        decision=word,
        instances=tuple(told),
        left_out=len(theirs) - len(told),
        outside=all(named.outside for named in theirs),
        words=tuple((found, words.count(found)) for found in Word if found in words),
    )
