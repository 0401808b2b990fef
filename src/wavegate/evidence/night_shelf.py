# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The night shelf: reads the dossiers of a night out of a store or a bundle's `records/`.

Before is what was accepted, with its mails. After is the first look of the night; every further
look of the same night is judged too, and the worst counts (design, rule 14). Mail is what arrived
since the last look of an earlier night.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from wavegate.decision import GridCell
from wavegate.errors import WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.estate.nightly import NIGHTLY, night_of, nightly_grid
from wavegate.evidence.baseline import Accepted, Baseline, last_baseline
from wavegate.evidence.dossier import Dossier, EarlierWave, Flaw, PlanFacts
from wavegate.evidence.mail_shelf import MailShelf, Spans
from wavegate.evidence.shelf import (
    SnapshotReading,
    earlier_reading,
    flaw_kind,
    read_snapshot,
    unique,
)
from wavegate.evidence.trust import Trust
from wavegate.record.mails import MailsRecord
from wavegate.record.message import Received
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Snapshot
from wavegate.record.store import Store

ACCEPTED = "accepted"
"""The folder of the snapshots that were accepted."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightShelf:
    """A night's records in a store, ready to be read instance by instance.

    baseline: the last accepted one, None where nothing was accepted yet.
    """

    store: Store
    estate: Estate
    wave: Wave
    trust: Trust
    at: datetime
    baseline: Baseline | None
    mails: MailShelf
    _nights: dict[str, "NightReading"] = field(default_factory=dict, compare=False, repr=False)

    @property
    def window(self) -> Window | None:
        """A night has no window."""
        return None

    @property
    def earlier(self) -> tuple[EarlierWave, ...]:
        """A night rests on no other gate."""
        return ()

    @property
    def grid_names(self) -> tuple[str, ...]:
        """What fixes the grid, by its name in the store."""
        return (self.baseline.name,) if self.baseline else ()

    @property
    def plan(self) -> PlanFacts | None:
        """The baseline as what fixes the grid."""
        if self.baseline is None:
            return None
        signed = self.baseline.signed
        return PlanFacts(
            version=signed.version,
            at=signed.at,
            digest=self.baseline.digest,
            agreed=signed.agreed,
            cells=signed.cells,
            suites=signed.suites,
        )

    @property
    def members(self) -> tuple[str, ...]:
        """The instances that the night must speak of: of the estate, and of the signed grid."""
        signed = self.plan.cells if self.plan else ()
        return tuple(dict.fromkeys((*self.wave.instances, *(cell.instance for cell in signed))))

    def grid(self, promises: tuple[str, ...]) -> tuple[GridCell, ...]:
        """The signed grid; without a baseline, what accepting would sign."""
        del promises
        return self.plan.cells if self.plan else nightly_grid(self.estate)

    def holds_of(self, name: str, *, after: bool) -> Iterator[str]:
        """What keeps an instance from GO beside its cells."""
        if name not in self.wave.instances:
            yield (
                "it has left the estate and is still in the baseline: "
                f"wavegate nightly accept --instance {name} --by NAME --why TEXT drops it"
            )
            return
        if self.baseline is None or self.baseline.signed.of(name) is None:
            yield f"nothing of it was accepted yet: {_accept(name)}"
        if not after:
            yield "there is no look of this night: wavegate nightly"

    def chosen(self, name: str) -> tuple[Chosen | None, Chosen | None]:
        """What was accepted of an instance, and the looks of the night; the first one leads."""
        before, _, _ = self._accepted(name)
        looks = _looks(self.night(name).reading.snapshots)
        used = tuple(digest for look in looks for digest in look.used)
        return before, replace(looks[0], used=used) if looks else None

    def night(self, name: str) -> "NightReading":
        """The looks of this night at an instance."""
        if name not in self._nights:
            self._nights[name] = read_night(self.store, name, self.trust, self.at)
        return self._nights[name]

    def dossier(self, name: str) -> Dossier:
        """Everything that one instance is judged on. Raises KeyError for an unknown instance."""
        instance = self.estate.instance(name)
        told = earlier_reading(self.store, self.trust, NIGHTLY, name)
        known = told.flaws if told else ()
        found, mail = self.night(name), self.mails.of(instance)
        before, flaws, mail_before = self._accepted(name)
        looks = _looks(found.reading.snapshots)
        return Dossier(
            estate=self.estate,
            wave=self.wave,
            instance=instance,
            at=self.at,
            before=before,
            after=looks[0] if looks else None,
            further=looks[1:],
            mail_before=mail.before if self.mails.frozen else mail_before,
            mail_after=mail.after,
            flaws=unique(known, flaws, found.reading.flaws, mail.flaws),
            plan=self.plan,
            earlier=(),
            agreed=agreed_digest(self.estate, NIGHTLY, instance.customer),
            mail_heard=mail.heard,
            mail_records=mail.records,
            mail_looks=mail.looks,
            listening=told.listening if told else mail.listening,
        )

    def _accepted(self, name: str) -> tuple[Chosen | None, tuple[Flaw, ...], tuple[Received, ...]]:
        entry = self.baseline.signed.of(name) if self.baseline else None
        if entry is None:
            return None, (), ()
        taken = read_accepted(self.store, entry, self.trust)
        mails = () if self.mails.frozen else _accepted_mails(self.store, entry)
        flaws = [found for found in (taken, mails) if isinstance(found, Flaw)]
        before = None
        if isinstance(taken, Snapshot):
            before = Chosen(snapshot=taken, used=(taken.digest,), attempts=(taken,))
        return before, tuple(flaws), () if isinstance(mails, Flaw) else mails


def open_night(
    store: Store,
    estate: Estate,
    trust: Trust,
    at: datetime,
    *,
    given: Baseline | None = None,
    by_hand: bool = False,
) -> NightShelf:
    """Open a night's records. estate: of `with_nightly`.

    given: the baseline, or None, where it is told by hand; else it is the last in the store.
    Raises InvalidError where the last baseline does not hold.
    """
    nights: dict[str, NightReading] = {}
    return NightShelf(
        store=store,
        estate=estate,
        wave=estate.wave(NIGHTLY),
        trust=trust,
        at=at,
        baseline=given if by_hand else last_baseline(store, trust),
        mails=MailShelf.open(store, estate, NIGHTLY, trust, _spans(store, trust, at, nights)),
        _nights=nights,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReading:
    """The looks of one night at an instance.

    since: when the last look of an earlier night ended, None where there was none.
    """

    reading: SnapshotReading
    since: datetime | None


def read_night(store: Store, name: str, trust: Trust, at: datetime) -> NightReading:
    """The looks of the night of an instant at an instance, read from the newest back.

    A look that cannot be read is a flaw of this night; so is a gap between this night's looks.
    """
    looks: list[Snapshot] = []
    flaws: list[Flaw] = []
    since = None
    for place in reversed(store.names(f"signed/{NIGHTLY}/{name}/")):
        found = read_snapshot(store, place, NIGHTLY, name, trust)
        if isinstance(found, Flaw):
            flaws.append(found)
            continue
        if looks and found.digest != looks[0].previous and not flaws:
            flaws.append(_gap(looks[0]))
        if night_of(found.began) < night_of(at):
            since = found.ended
            break
        if found.began <= at:
            looks.insert(0, found)
    reading = SnapshotReading(snapshots=tuple(looks), flaws=tuple(flaws))
    return NightReading(reading=reading, since=since)


def _gap(look: Snapshot) -> Flaw:
    return Flaw(
        kind="sequence",
        subject=f"look {look.sequence} at {look.instance}",
        detail="the look before it is missing or another one",
        record=look.digest,
    )


def read_accepted(store: Store, entry: Accepted, trust: Trust) -> Snapshot | Flaw:
    """The accepted snapshot of an instance, or what is wrong with it."""
    name = accepted_name(entry.instance, entry.version)
    found = read_snapshot(store, name, NIGHTLY, entry.instance, trust)
    if isinstance(found, Snapshot) and found.digest != entry.record:
        detail = "it is not the record that the baseline names"
        return Flaw(kind="wrong-instance", subject=name, detail=detail, record=found.digest)
    return found


def accepted_name(instance: str, version: int) -> str:
    """Where the signed snapshot stands that a version of the baseline accepted."""
    return f"{ACCEPTED}/{NIGHTLY}/{instance}/{version:06d}.dsse.json"


def _accepted_mails(store: Store, entry: Accepted) -> tuple[Received, ...] | Flaw:
    try:
        data = store.get(entry.mails)
        return MailsRecord.from_bytes(data, digest=entry.mails).messages
    except WavegateError as error:
        subject = f"accepted mails of {entry.instance}"
        return Flaw(kind=flaw_kind(error), subject=subject, detail=error.message)


def _looks(snapshots: tuple[Snapshot, ...]) -> tuple[Chosen, ...]:
    """Each look by itself: a further one fills nothing and replaces nothing."""
    return tuple(
        Chosen(snapshot=taken, used=(taken.digest,), attempts=snapshots) for taken in snapshots
    )


def _spans(
    store: Store, trust: Trust, at: datetime, nights: dict[str, NightReading]
) -> Callable[[Instance], Spans]:
    """Mail of a night: what arrived after the last look of an earlier night."""

    def of(instance: Instance) -> Spans:
        if instance.name not in nights:
            nights[instance.name] = read_night(store, instance.name, trust, at)
        since = nights[instance.name].since or _LONG_AGO
        none = (since, since)
        after = (since, at + timedelta.resolution)
        return Spans(before=none, window=none, after=after, oldest=since)

    return of


def _accept(name: str) -> str:
    return f"wavegate nightly accept --instance {name} --by NAME --why TEXT"
