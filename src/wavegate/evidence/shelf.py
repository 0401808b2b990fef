# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The shelf: reads the dossiers of a wave out of a store or a bundle's `records/`.

One dossier at a time is in memory; what is wrong with a record becomes a Flaw of the dossier and
never stops the reading of the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.decision import GridCell, Word, withdrawn_by
from wavegate.errors import DamagedError, InvalidError, MissingError, WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.grid import grid as lay_out
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.estate.nightly import NIGHTLY
from wavegate.evidence import reading
from wavegate.evidence.dossier import Dossier, EarlierWave, Flaw, FlawKind, Heard, PlanFacts
from wavegate.evidence.envelope import UnknownKeyError, check_valid, open_envelope
from wavegate.evidence.gate_part import check_vouched
from wavegate.evidence.mail_shelf import MailShelf, Spans
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate, SealPredicate
from wavegate.evidence.stamp_shelf import read_stamps
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.evidence.verdicts import parse as parse_verdicts
from wavegate.evidence.window_shelf import read_window
from wavegate.record.retake import Chosen, choose_after, choose_before
from wavegate.record.snapshot import Snapshot
from wavegate.record.store import Store


class Records(Protocol):
    """What judging, freezing and the sheet ask of a shelf: a wave's, or a night's."""

    @property
    def store(self) -> Store:
        """Where the records stand."""

    @property
    def estate(self) -> Estate:
        """What was agreed."""

    @property
    def wave(self) -> Wave:
        """The wave, or what stands for it in a night."""

    @property
    def window(self) -> Window | None:
        """The window; None in a night."""

    @property
    def trust(self) -> Trust:
        """Whose signatures count."""

    @property
    def at(self) -> datetime:
        """The run's instant."""

    @property
    def plan(self) -> PlanFacts | None:
        """What fixed the grid: the plan, or the baseline."""

    @property
    def earlier(self) -> tuple[EarlierWave, ...]:
        """The gates of other waves that verdicts rest on."""

    @property
    def grid_names(self) -> tuple[str, ...]:
        """What fixed the grid, by its names in the store."""

    @property
    def members(self) -> tuple[str, ...]:
        """The instances that a run must speak of."""

    def grid(self, promises: tuple[str, ...]) -> tuple[GridCell, ...]:
        """The signed grid, or what it would be."""

    def holds_of(self, name: str, *, after: bool) -> Iterator[str]:
        """What keeps an instance from GO beside its cells."""

    def chosen(self, name: str) -> tuple[Chosen | None, Chosen | None]:
        """What counts of an instance's captures before and after."""

    def dossier(self, name: str) -> Dossier:
        """Everything that one instance is judged on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A wave's records in a store, ready to be read instance by instance."""

    store: Store
    estate: Estate
    wave: Wave
    window: Window
    trust: Trust
    at: datetime
    plan: PlanFacts | None
    plan_flaws: tuple[Flaw, ...]
    earlier: tuple[EarlierWave, ...]
    mails: MailShelf
    _agreed: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def grid_names(self) -> tuple[str, ...]:
        """What fixed the grid, by its names in the store."""
        return self.store.names(f"plans/{self.wave.name}/")

    @property
    def members(self) -> tuple[str, ...]:
        """The instances of the wave, less those that the plan withdrew."""
        gone = withdrawn_by(self.plan.cells) if self.plan else {}
        return tuple(name for name in self.wave.instances if name not in gone)

    def holds_of(self, name: str, *, after: bool) -> Iterator[str]:
        """What keeps an instance from GO beside its cells. name: of any. after: there is one."""
        del name
        if self.at < self.window.end:
            yield f"the window has not ended; it ends {format_instant(self.window.end)}"
        if not after:
            yield "there is no snapshot `after`"

    def grid(self, promises: tuple[str, ...]) -> tuple[GridCell, ...]:
        """The signed grid; without a plan, what the plan would have laid out."""
        if self.plan is not None:
            return self.plan.cells
        return lay_out(self.estate, self.wave.name, promises)

    def dossier(self, name: str) -> Dossier:
        """Everything that one instance is judged on. Raises KeyError for an unknown instance."""
        instance = self.estate.instance(name)
        told = earlier_reading(self.store, self.trust, self.wave.name, name)
        known = told.flaws if told else ()
        found = read_snapshots(self.store, self.wave.name, name, self.trust, spoilt=bool(known))
        seen = read_window(self.store, self.trust, self.wave.name, name)
        stamped = read_stamps(self.store, self.wave.name, name)
        before, after = self._choose(found.snapshots)
        mail = self.mails.of(instance)
        listening = told.listening if told else mail.listening
        return Dossier(
            estate=self.estate,
            wave=self.wave,
            instance=instance,
            at=self.at,
            before=before,
            after=after,
            mail_before=mail.before,
            mail_after=mail.after,
            flaws=unique(
                known, self.plan_flaws, found.flaws, mail.flaws, seen.flaws, stamped.flaws
            ),
            plan=self.plan,
            earlier=self.earlier,
            agreed=self._agreed_with(instance.customer),
            mail_heard=mail.heard,
            mail_window=mail.window if self._listened(listening) else None,
            mail_during=mail.window,
            mail_records=mail.records,
            mail_looks=mail.looks,
            reports=mail.reports,
            listening=listening,
            timelines=seen.timelines,
            looks=seen.looks,
            stamps=stamped.stamps,
        )

    def chosen(self, name: str) -> tuple[Chosen | None, Chosen | None]:
        """What counts of an instance's captures before and after; cheaper than its dossier."""
        return self._choose(read_snapshots(self.store, self.wave.name, name, self.trust).snapshots)

    def _choose(self, snapshots: tuple[Snapshot, ...]) -> tuple[Chosen | None, Chosen | None]:
        age = self.estate.policy.before_max_age
        return (
            choose_before(snapshots, opening=self.window.start, max_age=age),
            choose_after(snapshots, close=self.window.end),
        )

    def _listened(self, spans: tuple[Heard, ...]) -> bool:
        """Whether the receiving side demonstrably listened through the whole window."""
        start, end = self.window.start, self.window.end
        return any(span.since <= start and end <= span.until for span in spans)

    def _agreed_with(self, customer: str) -> str:
        """The agreed digest of a customer, worked out once for all their instances."""
        if customer not in self._agreed:
            self._agreed[customer] = agreed_digest(self.estate, self.wave.name, customer)
        return self._agreed[customer]


def earlier_reading(store: Store, trust: Trust, wave: str, name: str) -> reading.Reading | None:
    """What the gate met when it froze this bundle; of a store, None."""
    place = reading.name(wave, name)
    try:
        sealed = store.read(place)
    except MissingError:
        return None
    try:
        opened = open_envelope(sealed, trust, Role.RECORD)
        record = read(opened.payload, RecordPredicate).only_digest()
        return reading.Reading.from_bytes(store.get(record), digest=record)
    except WavegateError as error:
        flaw = Flaw(kind="bad-signature", subject=place, detail=error.message)
        return reading.Reading(wave=wave, instance=name, mail_heard=False, flaws=(flaw,))


def unique(*groups: tuple[Flaw, ...]) -> tuple[Flaw, ...]:
    """All flaws, each once."""
    return tuple(dict.fromkeys(flaw for group in groups for flaw in group))


def open_shelf(store: Store, estate: Estate, wave: Wave, trust: Trust, at: datetime) -> Shelf:
    """Open a wave's records. The wave must have a window (ValueError otherwise)."""
    if wave.window is None:
        raise ValueError(f"wave {wave.name} has no window")
    plan, flaws = _read_plan(store, wave.name, trust)
    return Shelf(
        store=store,
        estate=estate,
        wave=wave,
        window=wave.window,
        trust=trust,
        at=at,
        plan=plan,
        plan_flaws=flaws,
        earlier=tuple(_earlier(store, wave.name, trust)),
        mails=MailShelf.open(store, estate, wave.name, trust, _spans(estate, wave.window, at)),
    )


def _spans(estate: Estate, window: Window, at: datetime) -> Callable[[Instance], Spans]:
    oldest = window.start - estate.policy.before_max_age
    spans = Spans(
        before=(oldest, window.start),
        window=(window.start, window.end),
        after=(window.end, at + timedelta.resolution),
        oldest=oldest,
    )
    return lambda _: spans


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReading:
    """The snapshots of an instance that could be read, in order, and what was wrong."""

    snapshots: tuple[Snapshot, ...]
    flaws: tuple[Flaw, ...]


def read_snapshots(
    store: Store, wave: str, instance: str, trust: Trust, *, spoilt: bool = False
) -> SnapshotReading:
    """All snapshots of an instance in a wave whose signature, place and digest hold.

    spoilt: some are known to be left out as unusable, so that gaps in the sequence are no news.
    """
    snapshots: list[Snapshot] = []
    flaws: list[Flaw] = []
    for name in store.names(f"signed/{wave}/{instance}/"):
        found = read_snapshot(store, name, wave, instance, trust)
        if isinstance(found, Flaw):
            flaws.append(found)
        else:
            snapshots.append(found)
    ordered = tuple(sorted(snapshots, key=lambda snapshot: snapshot.sequence))
    gaps = () if flaws or spoilt else tuple(_sequence_flaws(ordered))
    return SnapshotReading(snapshots=ordered, flaws=(*flaws, *gaps))


def read_snapshot(
    store: Store, name: str, wave: str, instance: str, trust: Trust
) -> Snapshot | Flaw:
    """The snapshot that a signed statement names, or what is wrong with it."""
    record = ""
    try:
        opened = open_envelope(store.read(name), trust, Role.RECORD)
        statement = read(opened.payload, RecordPredicate)
        record = statement.only_digest()
        snapshot = Snapshot.from_bytes(store.get(record), digest=record)
    except WavegateError as error:
        return Flaw(kind=flaw_kind(error), subject=name, detail=error.message, record=record)
    return _misplaced(snapshot, statement.predicate, wave, instance, name) or snapshot


def flaw_kind(error: WavegateError) -> FlawKind:
    """The kind of flaw that an error met in reading is."""
    if isinstance(error, UnknownKeyError):
        return "unknown-key"
    if isinstance(error, InvalidError):
        return "bad-signature"
    if isinstance(error, MissingError):
        return "missing-object"
    if isinstance(error, DamagedError) and error.cure and "version" in error.cure:
        return "schema"
    return "digest"


def _misplaced(
    snapshot: Snapshot, signed: RecordPredicate, wave: str, instance: str, name: str
) -> Flaw | None:
    claims = (snapshot.wave, snapshot.instance, snapshot.phase, snapshot.sequence)
    if (signed.wave, signed.instance, signed.phase, signed.sequence) != claims:
        detail = f"signed as {signed.instance} {signed.phase}, holds {snapshot.instance}"
    elif (snapshot.wave, snapshot.instance) != (wave, instance):
        detail = f"filed under {instance}, is a record of {snapshot.instance} in {snapshot.wave}"
    else:
        return None
    return Flaw(kind="wrong-instance", subject=name, detail=detail, record=snapshot.digest)


def _sequence_flaws(snapshots: tuple[Snapshot, ...]) -> Iterator[Flaw]:
    """Gaps in the chain of captures: a retake that was taken away would hide here."""
    previous: Snapshot | None = None
    for snapshot in snapshots:
        expected = previous.sequence + 1 if previous else 1
        linked = previous is None or snapshot.previous == previous.digest
        if snapshot.sequence != expected or not linked:
            yield Flaw(
                kind="sequence",
                subject=f"capture {snapshot.sequence} of {snapshot.instance}",
                detail="the capture before it is missing or another one",
                record=snapshot.digest,
            )
        previous = snapshot


def _read_plan(store: Store, wave: str, trust: Trust) -> tuple[PlanFacts | None, tuple[Flaw, ...]]:
    flaws: list[Flaw] = []
    for name in reversed(store.names(f"plans/{wave}/")):
        try:
            opened = open_envelope(store.read(name), trust, Role.RECORD)
            predicate = read(opened.payload, PlanPredicate).predicate
        except WavegateError as error:
            flaws.append(Flaw(kind="plan", subject=name, detail=error.message))
            continue
        facts = PlanFacts(
            version=predicate.version,
            at=predicate.at,
            digest=digest(opened.payload),
            agreed=predicate.agreed,
            cells=predicate.cells,
            suites=predicate.suites,
            seeds=predicate.seeds,
        )
        return facts, tuple(flaws)
    return None, tuple(flaws)


def _earlier(store: Store, wave: str, trust: Trust) -> Iterator[EarlierWave]:
    """The sealed gates of other waves whose signature and digest hold."""
    for name in store.names("gates/"):
        _, other, run, file = name.split("/", 3)
        if file != "seal.dsse.json" or other in (wave, NIGHTLY):
            continue  # a night closes no wave
        try:
            found = _earlier_wave(store, other, run, trust)
        except WavegateError:
            continue  # a gate that does not verify proves nothing
        yield found


def _earlier_wave(store: Store, wave: str, run: str, trust: Trust) -> EarlierWave:
    opened = open_envelope(store.read(f"gates/{wave}/{run}/seal.dsse.json"), trust, Role.SEAL)
    statement = read(opened.payload, SealPredicate)
    place = f"gates/{wave}/{run}/"
    raw = store.read(f"{place}verdicts.json")
    check_vouched(statement.subjects, raw, lambda name: _or_none(store, place + name), where=place)
    verdicts = parse_verdicts(raw)
    check_valid(opened.keyids, trust, verdicts.at, where=place)
    if (verdicts.wave, verdicts.run) != (wave, run) or statement.predicate.run != run:
        raise DamagedError("a gate of another run", where=f"gates/{wave}/{run}")
    return EarlierWave(
        wave=wave,
        run=run,
        at=verdicts.at,
        decision=verdicts.decision,
        closed=verdicts.closed,
        instance_decisions=dict(verdicts.instances),
        closed_instances=frozenset(_closed(verdicts)),
        withdrawn_instances=frozenset(c.instance for c in verdicts.cells if c.withdrawn),
    )


def _or_none(store: Store, name: str) -> bytes | None:
    try:
        return store.read(name)
    except MissingError:
        return None


def _closed(verdicts: Verdicts) -> Iterator[str]:
    """The instances that are closed in themselves, whatever is still open for others.

    One that was withdrawn has not moved: nothing of it is closed.
    """
    waiting = {cell.instance for cell in verdicts.cells if cell.open or cell.withdrawn}
    for name, word in verdicts.instances.items():
        if word is Word.GO and name not in waiting:
            yield name
