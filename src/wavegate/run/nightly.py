# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb nightly: look at dev and stage, judge against what was accepted, seal, tell what turned.

A night is gated as a wave is. What differs: its grid and its before are the accepted baseline's,
it has no window, and what it says of the nights before it stands in night.json.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from wavegate import clock
from wavegate.canonical import digest
from wavegate.compare.trend import falling
from wavegate.errors import InputError
from wavegate.estate.nightly import NIGHTLY, night_of
from wavegate.evidence.baseline import Baseline, last_baseline
from wavegate.evidence.bundle import NIGHT
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.night_file import (
    ChangeEntry,
    Night,
    dump_night,
    night_to_json,
    read_night,
)
from wavegate.evidence.night_shelf import NightShelf, open_night
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.record.local_store import LocalStore, write_error
from wavegate.record.rates import read_history
from wavegate.record.store import Store
from wavegate.report.night import remarks
from wavegate.run import gate
from wavegate.run.capture import Taken
from wavegate.run.nights import Known, known_nights, missed, rates
from wavegate.run.notify_text import Transition
from wavegate.run.opening import Round, home
from wavegate.run.papers import Paper
from wavegate.run.suites import nightly_suites
from wavegate.run.transitions import Step, Turned, turn
from wavegate.run.watch_lock import locked

TREND = timedelta(days=120)
Look = Callable[[], tuple[Taken, ...]]
"""Looks at every instance and files what was seen; the verb's is a capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How to run a night. out: the bundle, None for reports/runs/<run>. paper: of its reports.

    now: gives the instant, None for the clock; a month is played by moving it.
    """

    out: Path | None = None
    paper: Paper = Paper()  # noqa: RUF009 - frozen
    now: Callable[[], datetime] | None = None

    def instant(self) -> datetime:
        """The present instant."""
        return self.now() if self.now else clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """What a night came to. gated, night: None where nothing was accepted yet.

    told: what is to be told of it; a further look in one night tells nothing twice.
    """

    at: datetime
    taken: tuple[Taken, ...]
    gated: gate.Gated | None = None
    night: Night | None = None
    told: tuple[ChangeEntry, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 3 HOLD, or nothing was accepted yet."""
        return self.gated.exit_code if self.gated else 3

    @property
    def decision(self) -> str:
        """The word."""
        return str(self.gated.verdicts.decision) if self.gated else "HOLD"

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """What notifications are made of."""
        return tuple(map(transition, self.told))

    def to_json(self) -> Mapping[str, object]:
        """The object of `nightly --json`: verdicts.json, and beside it what turned."""
        if self.gated is None or self.night is None:
            return {
                "decision": "HOLD",
                "changed": False,
                "run": None,
                "wave": None,
                "at": clock.format_instant(self.at),
                "baseline": None,
                "captured": [row.to_json() for row in self.taken],
                "accept": ACCEPT,
            }
        more = {**night_to_json(self.night), "bundle": str(self.gated.bundle)}
        return {**self.gated.to_json(), **more}


ACCEPT = "wavegate nightly accept --by NAME --why TEXT"


def nightly(
    opened: Round,
    request: Request,
    look: Look,
    signer: Signer,
    trust: Trust,
    say: Callable[[str], None],
) -> Nightly:
    """Run one night: look, judge against the baseline, seal, and say what turned.

    Without a baseline the look is kept and nothing is judged. Raises InputError (another night is
    running, a store of another estate, a clock that went back), InvalidError (a baseline that does
    not hold); then nothing is written.
    """
    with alone(opened):
        check(opened, trust, request.instant())
        taken = look()
        at = request.instant()
        if last_baseline(opened.store, trust) is None:
            return Nightly(at=at, taken=taken)
        shelf = open_night(opened.store, opened.estate, trust, at)
        known = known_nights(opened.store, trust, night_of(at))
        told = _Teller(opened=opened, shelf=shelf, known=known, trust=trust)
        gated = gate.gate(
            opened,
            gate.Request(
                suites=nightly_suites(),
                out=request.out,
                paper=request.paper,
                spent=known.before.spent if known.before else frozenset(),
                more=told.write,
            ),
            signer,
            trust,
            say,
            at=at,
        )
        night = read_night(gated.bundle)
        return Nightly(at=at, taken=taken, gated=gated, night=night, told=_news(night, known))


def alone(opened: Round) -> AbstractContextManager[None]:
    """Only one night, or act of accepting, at a time in a store."""
    store = opened.store
    folder = store.folder(NIGHTLY) if isinstance(store, LocalStore) else _locks(store.place)
    busy = InputError(
        "another nightly is running on this store",
        where=opened.store.place,
        cure="let it end; it holds no lock any more once its process has ended",
    )
    return locked(folder / ".lock", busy)


def _locks(place: str) -> Path:
    """Where this machine's nights on a store elsewhere hold each other off.

    Those of other machines cannot be held off; they cannot take a number twice either.
    """
    folder = home() / "locks" / digest(place.encode("utf-8"))[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, str(folder)) from error
    return folder


def check(opened: Round, trust: Trust, at: datetime) -> Baseline | None:
    """Refuse what a night must not be run on. Raises InputError, InvalidError."""
    _check_owner(opened)
    baseline = last_baseline(opened.store, trust)
    if baseline is not None:
        _check_baseline(opened, baseline)
    latest = max(_instants(opened, baseline), default=None)
    if latest is not None and at < latest:
        raise InputError(
            f"the clock went back: the store knows of {clock.format_instant(latest)}, "
            f"and now it is {clock.format_instant(at)}",
            where=opened.store.place,
            cure="set the clock of this machine, then run again; nothing was written",
        )
    return baseline


def _check_owner(opened: Round) -> None:
    """Looks of instances, none of which the estate has, are another estate's."""
    seen = {name.split("/")[2] for name in opened.store.names(f"signed/{NIGHTLY}/")}
    known = {instance.name for instance in opened.estate.instances}
    if seen and not seen & known:
        raise _foreign(opened, sorted(seen))


def _check_baseline(opened: Round, baseline: Baseline) -> None:
    owners = {instance.name: instance.customer for instance in opened.estate.instances}
    cells = baseline.signed.cells
    wrong = sorted({c.instance for c in cells if owners.get(c.instance, c.customer) != c.customer})
    if wrong or (cells and not any(cell.instance in owners for cell in cells)):
        raise _foreign(opened, wrong or sorted({cell.instance for cell in cells}))


def _foreign(opened: Round, names: Sequence[str]) -> InputError:
    return InputError(
        f"the store is of another estate: it knows {', '.join(names[:5])}",
        where=opened.store.place,
        cure="give the store of this estate (--store), or the estate of this store (--estate)",
    )


def _instants(opened: Round, baseline: Baseline | None) -> Sequence[datetime]:
    """When the store was last written by a night: its looks, and its baseline."""
    found = [baseline.signed.at] if baseline else []
    for instance in opened.instances:
        names = opened.store.names(f"signed/{NIGHTLY}/{instance.name}/")
        found += [_ended(opened.store, name) for name in names[-1:]]
    return found


def _ended(store: Store, name: str) -> datetime:
    return read(read_unverified(store.read(name)), RecordPredicate).predicate.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    """Makes night.json of a night's verdicts and of what is known of earlier nights."""

    opened: Round
    shelf: NightShelf
    known: Known
    trust: Trust

    def write(self, folder: Path, verdicts: Verdicts) -> Verdicts:
        """Write night.json into a bundle that is being built; the report tells of it in notes."""
        night = self.night(verdicts)
        (folder / NIGHT).write_bytes(dump_night(night))
        return verdicts.model_copy(update={"notes": (*verdicts.notes, *remarks(night))})

    def night(self, verdicts: Verdicts) -> Night:
        """What the night says beside its verdicts."""
        night, before = night_of(verdicts.at), self.known.before
        step = Step(
            estate=self.opened.estate,
            verdicts=verdicts,
            night=night,
            before=before,
            accepted=self._accepted(before),
        )
        found = turn(step)
        sent = self._rates()
        return Night(
            run=verdicts.run,
            night=night.isoformat(),
            at=verdicts.at,
            looks=max((len(self._looks(name)) for name in self.shelf.wave.instances), default=0),
            previous=before.run if before else None,
            previous_at=before.at if before else None,
            missed=missed(before, night),
            changed=found.changed,
            transitions=found.transitions,
            expected_changes=found.expected,
            standing=found.standing,
            bad=found.bad,
            flips=found.flips,
            unstable=found.unstable,
            trend=tuple(self._trend(sent, night)),
            rates=sent,
            notes=tuple(self._notes(found)),
            baseline=self._version,
        )

    @property
    def _version(self) -> int:
        return self.shelf.baseline.signed.version if self.shelf.baseline else 0

    def _looks(self, name: str) -> Sequence[object]:
        return self.shelf.night(name).reading.snapshots

    def _accepted(self, before: Night | None) -> frozenset[str]:
        """The instances whose baseline is newer than the night before."""
        if self.shelf.baseline is None or before is None:
            return frozenset()
        signed = self.shelf.baseline.signed
        newer = {e.instance for e in signed.accepted if e.version > before.baseline}
        gone = {e.instance for e in before.bad if signed.of(e.instance) is None}
        return frozenset(newer | (gone - set(self.shelf.wave.instances)))

    def _notes(self, found: Turned) -> Sequence[str]:
        known = (
            {e.key: e.state for e in self.known.before.expected_changes}
            if (self.known.before)
            else {}
        )
        late = [
            f"expected change {e.ticket} of {e.promise} never came: it has expired"
            for e in found.expected
            if e.state == "expired" and known.get(e.key) != "expired"
        ]
        nights = missed(self.known.before, night_of(self.shelf.at))
        quiet = [f"no nightly ran in the night of {', '.join(nights)}"] if nights else []
        return (*self.known.broken, *quiet, *late)

    def _rates(self) -> dict[str, str]:
        """Messages a minute under load since the night before, of each instance that told it."""
        found = {}
        for name in self.shelf.wave.instances:
            night = self.shelf.night(name)
            history = read_history(night.reading.snapshots, close=self.shelf.at)
            since = night.since or self.shelf.at - timedelta(days=1)
            loaded = [b for b in history.buckets if b.loaded and b.start >= since]
            minutes = sum(b.length.total_seconds() for b in loaded) / 60
            if minutes and any(b.sent for b in loaded):
                found[name] = f"{sum(b.sent for b in loaded) / minutes:.1f}"
        return found

    def _trend(self, sent: Mapping[str, str], night: date) -> Iterator[str]:
        known = rates(self.opened.store, self.trust, since=night - TREND) if sent else {}
        for name, rate in sorted(sent.items()):
            series = sorted({**known.get(name, {}), night: float(rate)}.items())
            drop = falling([value for _, value in series])
            if drop is not None:
                yield (
                    f"{name}: sending is slower since {series[drop.began][0].isoformat()} "
                    f"±2 nights: {drop.after:.0f} messages a minute, {drop.before:.0f} before "
                    "(a note, no verdict)"
                )


def _news(night: Night, known: Known) -> tuple[ChangeEntry, ...]:
    """The transitions that an earlier run of the same night has not told yet."""
    told = {
        (entry.kind, entry.cause, entry.customer, entry.owner)
        for run in known.same
        for entry in run.transitions
    }
    return tuple(
        entry
        for entry in night.transitions
        if (entry.kind, entry.cause, entry.customer, entry.owner) not in told
    )


def transition(entry: ChangeEntry) -> Transition:
    """A transition as notifications take it."""
    began = entry.broken_since
    return Transition(
        kind=entry.kind,
        cause=entry.cause,
        promise=entry.promise,
        instances=entry.instances,
        customer=entry.customer,
        owner=entry.owner,
        text_lines=entry.lines,
        since=entry.since,
        lasted=entry.since - began if began else None,
    )
