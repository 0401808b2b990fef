# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What every report says alike: bad cells grouped by cause, other reasons, counts, shared texts."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from wavegate.evidence.verdicts import (
    CellEntry,
    CellWithdrawal,
    FindingEntry,
    MissingEntry,
    PromiseEntry,
    SourceEntry,
    Verdicts,
)
from wavegate.promise import order
from wavegate.report.texts import ENGLISH, texts
from wavegate.verdict import On, Verdict

T = TypeVar("T", bound=Hashable)
BAD = frozenset({Verdict.FAILED, Verdict.INCONCLUSIVE})
_OF_THE_ESTATE = frozenset({"scope", "schedule", "notice"})


class Standing(StrEnum):
    """What a bad cell does to the decision, worst first."""

    STOPS = "stops"
    OPEN = "open"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A finding or gap at the cell where it was seen."""

    cell: CellEntry
    item: FindingEntry | MissingEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One cause at all instances where it stands alike. places: at least one, by instance.

    nightly: it is held against a baseline, and nothing moves.
    """

    promise: PromiseEntry
    verdict: Verdict
    standing: Standing
    places: tuple[Place, ...]
    decide_by: datetime | None
    nightly: bool = False

    @property
    def item(self) -> FindingEntry | MissingEntry:
        """The finding or gap as it reads at the first instance."""
        return self.places[0].item

    @property
    def finding(self) -> FindingEntry | None:
        """The finding, None for a gap."""
        return self.item if isinstance(self.item, FindingEntry) else None

    @property
    def gap(self) -> MissingEntry | None:
        """The gap, None for a finding."""
        return self.item if isinstance(self.item, MissingEntry) else None

    @property
    def headline(self) -> str:
        """The sentence that tells it: the explanation, or what is missing."""
        return self.finding.explanation if self.finding else self.item_what

    @property
    def item_what(self) -> str:
        """What is missing, with how many; empty for a finding."""
        if self.gap is None:
            return ""
        return f"{self.gap.what} ({self.gap.count})" if self.gap.count else self.gap.what

    @property
    def instances(self) -> tuple[str, ...]:
        """The names of the instances, sorted."""
        return tuple(place.cell.instance for place in self.places)

    @property
    def where(self) -> str:
        """`acme-prod1`, or `412 instances`."""
        names = self.instances
        return names[0] if len(names) == 1 else f"{len(names)} instances"

    @property
    def actor_key(self) -> str:
        """Who must act, by the key of the catalogues' section `actor`."""
        if self.gap:
            return str(self.gap.on)
        if self.promise.id in _OF_THE_ESTATE:
            return "estate"
        if self.promise.id == "sound_evidence":
            return str(On.US)
        return "nightly" if self.nightly else "mover"

    @property
    def actor(self) -> str:
        """Who must act, for a person who reads English."""
        return texts(ENGLISH)(f"actor.{self.actor_key}")

    @property
    def command(self) -> str | None:
        """The command that goes on from here, None where none helps."""
        if self.gap:
            return self.gap.command
        if self.promise.id in _OF_THE_ESTATE | {"sound_evidence"}:
            return None
        if self.nightly:
            return f"wavegate nightly accept --cause {self.item.cause} --by NAME --why TEXT"
        return "wavegate capture --phase after --because fix:CHANGE"

    @property
    def deadline(self) -> datetime | None:
        """By when: a gap's settling, else the last instant for rolling back, else the due."""
        if self.gap and self.gap.settles_by:
            return self.gap.settles_by
        if self.finding and self.decide_by:
            return self.decide_by
        return min((place.cell.due for place in self.places if place.cell.due), default=None)

    @property
    def off_track(self) -> str | None:
        """Why it cannot be left open, where that is so."""
        return next((p.cell.off_track for p in self.places if p.cell.off_track), None)

    @property
    def alike(self) -> bool:
        """Whether it reads the same at every instance, records aside."""
        texts = {
            item.model_copy(update={"records": ()})
            if isinstance(item := place.item, FindingEntry)
            else item
            for place in self.places
        }
        return len(texts) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason for the decision that is no cell's, and the instances it concerns (or none)."""

    text: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(Generic[T]):
    """The same thing said of one promise at several instances."""

    promise: str
    item: T
    instances: tuple[str, ...]


def standing(cell: CellEntry) -> Standing:
    """What a bad cell does to the decision."""
    if cell.waiver and cell.waiver.in_force and cell.judged:
        return Standing.WAIVED
    return Standing.OPEN if cell.open and not cell.off_track else Standing.STOPS


def problems(verdicts: Verdicts) -> tuple[Problem, ...]:
    """All causes of bad cells: what stops first, failed first, then by promise and width."""
    promises = {promise.id: promise for promise in verdicts.promises}
    found: dict[tuple[str, Standing, Verdict], list[Place]] = {}
    for cell in verdicts.cells:
        if cell.verdict in BAD:
            for finding in cell.findings:
                key = (finding.cause, standing(cell), Verdict.FAILED)
                found.setdefault(key, []).append(Place(cell=cell, item=finding))
            for gap in cell.missing:
                key = (gap.cause, standing(cell), Verdict.INCONCLUSIVE)
                found.setdefault(key, []).append(Place(cell=cell, item=gap))
    listed = [
        Problem(
            promise=promises.get(places[0].cell.promise) or _unknown(places[0].cell.promise),
            verdict=verdict,
            standing=stands,
            places=tuple(sorted(places, key=lambda place: place.cell.instance)),
            decide_by=verdicts.decide_by,
            nightly=verdicts.wave is None,
        )
        for (_, stands, verdict), places in found.items()
    ]
    return tuple(sorted(listed, key=_rank))


def _rank(problem: Problem) -> tuple[int, int, tuple[int, str], int, str]:
    return (
        list(Standing).index(problem.standing),
        -problem.verdict.badness,
        order(problem.promise.id),
        -len(problem.places),
        problem.item.cause,
    )


def _unknown(promise: str) -> PromiseEntry:
    source = SourceEntry(
        document="not told",
        section="-",
        edition="-",
        language="-",
        commit="-",
        withdrawn=None,
        in_force=True,
    )
    return PromiseEntry(id=promise, sentence="not told", source=source)


def other_reasons(verdicts: Verdicts) -> tuple[Reason, ...]:
    """The reasons in `why` that no problem tells, the same text once for all its instances."""
    bad = {(cell.instance, cell.promise) for cell in verdicts.cells if cell.verdict in BAD}
    found: dict[str, list[str]] = {}
    for line in verdicts.why:
        name, _, text = line.partition(": ")
        if name not in verdicts.instances:
            found.setdefault(line, [])
        elif (name, text.partition(" ")[0]) not in bad:
            found.setdefault(text, []).append(name)
    return tuple(Reason(text=text, instances=tuple(names)) for text, names in found.items())


def counts(cells: Iterable[CellEntry]) -> tuple[tuple[str, int], ...]:
    """How many cells of each verdict, with the not judged and the open ones told apart."""
    found: Counter[str] = Counter()
    for cell in cells:
        found[cell.verdict if cell.judged else "not judged"] += 1
        found["open"] += cell.open
    names = [*Verdict, "not judged", "open"]
    return tuple((str(name), found[name]) for name in names)


def shared(
    cells: Iterable[CellEntry], pick: Callable[[CellEntry], Iterable[T]]
) -> tuple[Shared[T], ...]:
    """What cells say, once for each promise and text, by promise and then the widest first."""
    found: dict[tuple[str, T], list[str]] = {}
    for cell in cells:
        for item in pick(cell):
            found.setdefault((cell.promise, item), []).append(cell.instance)
    listed = [
        Shared(promise=promise, item=item, instances=tuple(dict.fromkeys(sorted(names))))
        for (promise, item), names in found.items()
    ]
    return tuple(sorted(listed, key=lambda s: (order(s.promise), -len(s.instances), s.instances)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An instance that was taken out of the wave before its window opened."""

    instance: str
    customer: str
    how: CellWithdrawal


def withdrawals(verdicts: Verdicts) -> tuple[Gone, ...]:
    """Each withdrawn instance once, by name."""
    found = {
        cell.instance: Gone(instance=cell.instance, customer=cell.customer, how=cell.withdrawn)
        for cell in verdicts.cells
        if cell.withdrawn
    }
    return tuple(found[name] for name in sorted(found))


def title(verdicts: Verdicts) -> str:
    """`Wave 2024-01-w1`, or `Nightly`, in English."""
    return texts(ENGLISH).title(verdicts)


def kind(verdicts: Verdicts) -> str:
    """`Report` or `Interim report`, in English."""
    return texts(ENGLISH).kind(verdicts)
