# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The nights that a store knows: each sealed night.json, newest first, as far as its seal holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from wavegate.canonical import digest
from wavegate.errors import DamagedError, WavegateError
from wavegate.estate.nightly import NIGHTLY
from wavegate.evidence.bundle import NIGHT
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.night_file import Night, parse_night
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.store import Store

FOLDER = f"gates/{NIGHTLY}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The nights that were needed. before: the last run of an earlier night. same: of this night.

    broken: sentences about nights whose seal does not hold.
    """

    before: Night | None
    same: tuple[Night, ...]
    broken: tuple[str, ...]


def known_nights(store: Store, trust: Trust, night: date) -> Known:
    """What the store knows of this night and of the last one before it."""
    same: list[Night] = []
    broken: list[str] = []
    for run in runs(store):
        try:
            found = sealed_night(store, run, trust)
        except WavegateError as error:
            broken.append(f"run {run} is left out: {error.message}")
            continue
        if found.date < night:
            return Known(before=found, same=tuple(same), broken=tuple(broken))
        if found.date == night:
            same.append(found)
    return Known(before=None, same=tuple(same), broken=tuple(broken))


def runs(store: Store) -> Iterator[str]:
    """The runs of the nightly, newest first: their names hold their instants."""
    names = store.names(FOLDER)
    found = {name.split("/")[2] for name in names if name.endswith(f"/{SEAL}")}
    yield from sorted(found, reverse=True)


def sealed_night(store: Store, run: str, trust: Trust) -> Night:
    """The night.json of a run. Raises InvalidError or DamagedError where its seal does not hold."""
    place = f"{FOLDER}{run}/"
    opened = open_envelope(store.read(place + SEAL), trust, Role.SEAL, where=place + SEAL)
    statement = read(opened.payload, SealPredicate, where=place + SEAL)
    data = store.read(place + NIGHT)
    if statement.subjects.get(NIGHT) != digest(data) or statement.predicate.run != run:
        raise DamagedError("it is not what its seal vouches for", where=place + NIGHT)
    return parse_night(data, where=place + NIGHT)


def rates(store: Store, trust: Trust, *, since: date) -> Mapping[str, Mapping[date, float]]:
    """The rates that nights since then noted, by instance and night."""
    found: dict[str, dict[date, float]] = {}
    for run in runs(store):
        try:
            night = sealed_night(store, run, trust)
        except WavegateError:
            continue  # a note rests on what can be read
        if night.date < since:
            break
        for name, rate in night.rates.items():
            found.setdefault(name, {}).setdefault(night.date, float(rate))
    return found


def missed(before: Night | None, night: date) -> tuple[str, ...]:
    """The nights between the last one and this one, at most thirty."""
    if before is None:
        return ()
    gap = (night - before.date).days - 1
    nights = (before.date + timedelta(days=n + 1) for n in range(min(gap, 30)))
    return tuple(found.isoformat() for found in nights)
