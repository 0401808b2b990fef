# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What every verb opens first: the estate, its wave, the store, the keys."""

import difflib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.compare.schedule import SealedGate
from wavegate.decision import Withdrawal, withdrawn_by
from wavegate.errors import InputError, WavegateError
from wavegate.estate.load import Loaded, load
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.estate.nightly import NIGHTLY, with_nightly
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.night_shelf import open_night
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.shelf import Records, Shelf, open_shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.signer_choice import KeyChoice
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust, TrustedKey, check_usable, everything
from wavegate.evidence.trust import load as load_trust
from wavegate.record.store import Store
from wavegate.record.store_place import AnyStore, at_one_instant, open_store
from wavegate.run.signers import open_signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a capture and a gate are about, opened for a verb: a wave, or the nightly.

    withdrawn: whom the plan took out of the wave, and how.
    """

    loaded: Loaded
    wave: Wave
    store: AnyStore
    withdrawn: Mapping[str, Withdrawal] = field(default_factory=dict)

    @property
    def estate(self) -> Estate:
        """The estate in hand."""
        return self.loaded.estate

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances of the wave, less the withdrawn, in the order of the estate file."""
        names = set(self.wave.instances) - set(self.withdrawn)
        return tuple(found for found in self.estate.instances if found.name in names)

    def choose(self, only: tuple[str, ...]) -> tuple[Instance, ...]:
        """The instances to look at: those named, or all. Raises InputError."""
        found = {instance.name: instance for instance in self.instances}
        gone = [name for name in only if name in self.withdrawn]
        if not only and not found:
            gone = list(self.withdrawn)
        if gone:
            name, how = gone[0], self.withdrawn[gone[0]]
            raise InputError(
                f"{name} was withdrawn from wave {self.wave.name} by {how.by}: {how.why}",
                cure="look at the others; `wavegate plan --restore` takes it back, before the "
                "window opens",
            )
        unknown = sorted(set(only) - set(found))
        if unknown:
            raise InputError(
                f"not in wave {self.wave.name}: {', '.join(unknown)}",
                cure=f"its instances are {', '.join(sorted(found))}",
            )
        return tuple(i for i in self.instances if not only or i.name in only)

    def records(self, store: Store, trust: Trust, at: datetime) -> Records:
        """The records of the round in a store, or in a bundle's `records/`."""
        return open_records(at_one_instant(store), self.estate, self.wave, trust, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Round):
    """A wave opened for a verb. window: the wave's, which a closed wave may lack."""

    window: Window


def open_records(store: Store, estate: Estate, wave: Wave, trust: Trust, at: datetime) -> Records:
    """The records of a wave, or of the night. Raises InvalidError for a broken baseline."""
    if wave.open_ended:
        return open_night(store, estate, trust, at)
    return open_shelf(store, estate, wave, trust, at)


def open_nightly(estate: Path, store: Path, *, create: bool) -> Round:
    """Load the estate and open the store for the nightly.

    Raises as `open_wave`, and InputError where the estate has no dev or stage instance.
    """
    loaded = load(estate)
    whole = Loaded(with_nightly(loaded.estate), loaded.path)
    opened = open_store(store, create=create)
    return Round(loaded=whole, wave=whole.estate.wave(NIGHTLY), store=opened)


def open_wave(estate: Path, wave: str, store: Path, *, create: bool) -> Opened:
    """Load the estate, find the wave, open the store.

    Raises InputError (estate, unknown wave, a wave that only claims to be closed), MissingError
    (no store and create is False), DamagedError (newer store).
    """
    loaded = load(estate)
    found = find_wave(loaded.estate, wave, where=str(estate))
    if found.window is None:
        raise InputError(
            f"wave {wave} has no window: it is a claim that it was closed before",
            where=str(estate),
            cure="name a wave with a window",
        )
    opened = open_store(store, create=create)
    return Opened(
        loaded=loaded,
        wave=found,
        window=found.window,
        store=opened,
        withdrawn=_withdrawn(opened, wave),
    )


def _withdrawn(store: Store, wave: str) -> Mapping[str, Withdrawal]:
    """Whom the last plan withdrew; nobody checked who signed it, and no verdict rests on this."""
    for name in reversed(store.names(f"plans/{wave}/")):
        try:
            plan = read(read_unverified(store.read(name)), PlanPredicate).predicate
        except WavegateError:
            continue  # the shelf says what is wrong with it
        return withdrawn_by(plan.cells)
    return {}


def find_wave(estate: Estate, name: str, *, where: str) -> Wave:
    """The wave of that name. Raises InputError that names those there are."""
    names = [found.name for found in estate.waves]
    if name in names:
        return estate.wave(name)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
    raise InputError(f"unknown wave {name!r}", where=where, cure=hint)


def home() -> Path:
    """$WAVEGATE_HOME, or `wavegate` in the user's configuration folder."""
    given = os.environ.get("WAVEGATE_HOME")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "wavegate"


def trust_path(given: Path | None) -> Path:
    """The trust file given, or the one beside the default key."""
    return given or home() / "trust.json"


def signer_for(key: KeyChoice | Path | None, *roles: Role) -> Signer:
    """The key given, or the default key, made on first use.

    roles: what it is to sign. Raises InputError where our own trust file says that it may not sign
    that, or not now: what it signed would be refused later, when nothing can be done any more.
    """
    signer, found = _signer(key)
    if found is not None:
        check_usable(found, roles or (Role.RECORD,), clock.now())
    return signer


def approver_for(key: KeyChoice | Path | None) -> Signer:
    """The key of a person's word: one for approvals, or for records, and then it is no approval.

    Raises as `signer_for`.
    """
    signer, found = _signer(key)
    if found is not None:
        role = Role.APPROVE if Role.APPROVE in found.roles else Role.RECORD
        check_usable(found, (role,), clock.now())
    return signer


def _signer(key: KeyChoice | Path | None) -> tuple[Signer, TrustedKey | None]:
    """The key, and its entry in our own trust file."""
    choice = key if isinstance(key, KeyChoice) else KeyChoice(where=str(key) if key else None)
    signer, path = open_signer(choice, home()), trust_path(None)
    return signer, load_trust(path).find(signer.keyid) if path.exists() else None


def sealer_for(key: KeyChoice | Path | None) -> Signer:
    """The key of a gate or a night, which signs records and seals them. Raises as `signer_for`."""
    return signer_for(key, Role.RECORD, Role.SEAL)


def trust_for(trust: Path | None, signer: Signer | None = None) -> Trust:
    """The trust file given, or the one beside the default key; a key in hand is trusted too.

    Raises MissingError if there is neither.
    """
    path = trust_path(trust)
    if signer is None:
        return load_trust(path)
    known = load_trust(path) if path.exists() else Trust(keys=())
    if known.find(signer.keyid):
        return known
    return Trust(keys=(*known.keys, everything(signer.public)), sources=known.sources)


def shelf_of(opened: Opened, trust: Trust) -> Shelf:
    """The wave's records as they are now."""
    store = at_one_instant(opened.store)
    return open_shelf(store, opened.estate, opened.wave, trust, clock.now())


def gates_of(shelf: Shelf) -> tuple[SealedGate, ...]:
    """The verified gates of other waves on a shelf."""
    return tuple(
        SealedGate(
            wave=earlier.wave,
            run=earlier.run,
            at=earlier.at,
            decision=earlier.instance_decisions,
            closed=earlier.closed_instances,
            withdrawn=earlier.withdrawn_instances,
        )
        for earlier in shelf.earlier
    )


def vantage(given: str | None) -> str:
    """The name of the place we look from: as given, or this machine's name."""
    return given or socket.gethostname() or "here"
