# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb plan: check what was agreed, sign the grid of a wave, say what will be asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wavegate import clock
from wavegate.canonical import digest, dumps
from wavegate.decision import GridCell
from wavegate.errors import InputError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.grid import grid, without
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.foreign import Foreign
from wavegate.evidence.predicates import PlanPredicate, SeedRuns
from wavegate.evidence.shelf import Shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import grid_subject, read, write
from wavegate.evidence.tool import tool
from wavegate.observe.probe import Probe, Task
from wavegate.record.store import Store
from wavegate.run.agreed_secrets import agreed_secrets
from wavegate.run.blind_spots import BlindSpot, blind_spots
from wavegate.run.foresight import Foreseen, foresee
from wavegate.run.opening import Opened, gates_of
from wavegate.run.seeds import Seeds, seed_runs
from wavegate.run.suites import Suite, suites_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A signed plan, and what a person should know of it.

    questions: per instance, how many questions a capture will ask at least. foreseen: verdicts
    that the estate alone decides already. cannot_show: what the evidence will not be able to show.
    warnings: what needs a person before the window.
    """

    wave: str
    version: int
    digest: str
    at: datetime
    cells: tuple[GridCell, ...]
    policy: Mapping[str, object]
    questions: Mapping[str, int]
    foreseen: tuple[Foreseen, ...]
    cannot_show: tuple[BlindSpot, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `plan --json`."""
        return {
            "wave": self.wave,
            "version": self.version,
            "digest": self.digest,
            "at": clock.format_instant(self.at),
            "cells": [cell_to_json(cell) for cell in self.cells],
            "policy": dict(self.policy),
            "questions": dict(self.questions),
            "foreseen": [row.to_json() for row in self.foreseen],
            "cannot_show": [row.to_json() for row in self.cannot_show],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """The version of the plan before this one."""

    version: int
    digest: str
    agreed: Mapping[str, str]
    seeds: Mapping[str, SeedRuns]


def cell_to_json(cell: GridCell) -> dict[str, object]:
    """A grid cell for `--json`."""
    return {
        "instance": cell.instance,
        "customer": cell.customer,
        "promise": cell.promise,
        "due": clock.format_instant(cell.due) if cell.due else None,
        "not_applicable": cell.not_applicable,
        "outside": cell.outside,
        "withdrawn_by": cell.withdrawn.by if cell.withdrawn else None,
    }


def plan(
    opened: Opened,
    suites: Sequence[Suite],
    probes: Sequence[Probe],
    signer: Signer,
    shelf: Shelf,
    orders: Sequence[Seeds] | None = None,
    by: str | None = None,
) -> Planned:
    """Sign the grid; a later version names the one before it.

    opened: with whom is withdrawn from the wave. shelf: the store as it is, with the gates of
    earlier waves and captures that there are already. orders: the seed plan that is handed out with
    it; None keeps the bursts of the version before. by: who plans, where they said so.

    Raises InputError when the window has opened and there is a plan already: then it stands.
    """
    at = clock.now()
    before = _last(opened.store, opened.wave.name)
    version = before.version if before else 0
    if version and at >= opened.window.start:
        raise InputError(
            f"the window opened at {clock.format_instant(opened.window.start)}: "
            f"version {version} of the plan stands",
            cure="judge by it, or plan another wave",
        )
    ordered = seed_runs(orders) if orders is not None else before.seeds if before else {}
    predicate = _predicate(opened, suites, before, at, ordered, by)
    payload = write(grid_subject(predicate), predicate)
    _create(opened.store, opened.wave.name, version + 1, sign(payload, signer))
    return Planned(
        wave=opened.wave.name,
        version=version + 1,
        digest=digest(payload),
        at=at,
        cells=predicate.cells,
        policy=opened.estate.policy.model_dump(mode="json"),
        questions=_questions(opened, probes),
        foreseen=foresee(opened, predicate.cells, gates_of(shelf), at),
        cannot_show=blind_spots(opened, predicate.cells, shelf, ordered),
        warnings=(
            *_warnings(opened, predicate, before.agreed if before else {}, at),
            *_past_slots(orders or (), at),
        ),
    )


def _create(store: Store, wave: str, version: int, envelope: bytes) -> None:
    try:
        store.create(f"plans/{wave}/{version:06d}.dsse.json", envelope)
    except FileExistsError as error:
        raise InputError(
            "another plan was signed at the same time", cure="look at it, then plan again"
        ) from error


def _predicate(
    opened: Opened,
    suites: Sequence[Suite],
    before: _Before | None,
    at: datetime,
    seeds: Mapping[str, SeedRuns],
    by: str | None,
) -> PlanPredicate:
    wave = opened.wave.name
    whole = grid(opened.estate, wave, [suite.promise.id for suite in suites])
    cells = without(whole, opened.withdrawn)
    customers = sorted({cell.customer for cell in cells})
    return PlanPredicate(
        wave=wave,
        version=before.version + 1 if before else 1,
        previous=before.digest if before else None,
        at=at,
        agreed={name: agreed_digest(opened.estate, wave, name) for name in customers},
        cells=cells,
        policy=dumps(opened.estate.policy.model_dump(mode="json")).decode(),
        tool=tool(),
        suites=suites_digest(suites),
        late=at >= opened.window.start,
        seeds=seeds,
        by=by,
    )


def _last(store: Store, wave: str) -> _Before | None:
    names = store.names(f"plans/{wave}/")
    if not names:
        return None
    payload = read_unverified(store.read(names[-1]))
    found = read(payload, PlanPredicate).predicate
    return _Before(
        version=found.version, digest=digest(payload), agreed=found.agreed, seeds=found.seeds
    )


def _questions(opened: Opened, probes: Sequence[Probe]) -> dict[str, int]:
    base = opened.loaded.path.resolve().parent
    tasks = [
        Task(estate=opened.estate, instance=instance, vantage="plan", base=base)
        for instance in opened.instances
    ]
    return {t.instance.name: sum(len(p.questions(t)) for p in probes) for t in tasks}


def _warnings(
    opened: Opened, predicate: PlanPredicate, before: Mapping[str, str], at: datetime
) -> list[str]:
    found = []
    if at >= opened.window.start:
        opening = clock.format_instant(opened.window.start)
        over = ", and it is over" if at >= opened.window.end else ""
        found.append(
            f"signed after the window opened at {opening}{over}: sound_evidence will be FAILED, "
            "and what cannot be shown cannot be cured any more"
        )
    if not opened.instances:
        found.append("no instance is left in the wave: it will be HOLD, whatever is seen")
    changed = [name for name, now in predicate.agreed.items() if before.get(name, now) != now]
    if changed:
        found.append(f"the agreed estate of {', '.join(changed)} changed: capture before again")
    unmoved = [i.name for i in opened.instances if i.moved_when is None]
    if unmoved:
        found.append(f"no moved_when for {', '.join(unmoved)}: the move itself is not checked")
    deaf = [i.name for i in opened.instances if not i.mail]
    if deaf:
        found.append(f"no mail source for {', '.join(deaf)}: add one, or an approved limit")
    found += _about_extracts(opened, sorted({i.customer for i in opened.instances}))
    policy, environments = opened.estate.policy, {i.environment for i in opened.instances}
    stamped = [name for name in sorted(environments) if policy.timestamps_for(name) == "required"]
    if stamped and not policy.tsa:
        found.append(
            f"timestamps are required for {', '.join(stamped)}, and the policy names no tsa: "
            "sound_evidence will be INCONCLUSIVE; name one, `policy: {tsa: [URL]}`"
        )
    return found


def _about_extracts(opened: Opened, customers: Sequence[str]) -> list[str]:
    """What would keep an extract from being handed out, or from being provably whole."""
    found: list[str] = []
    agreed_secrets(opened.estate, opened.loaded.path.resolve().parent, customers, found.append)
    named = sorted(Foreign.of(customers, ()).part_of(opened.wave.name))
    if named and len(customers) > 1:
        found.append(
            f"the wave's name holds {', '.join(named)}, and stands in every customer's extract: "
            "name the wave otherwise"
        )
    return found


def _past_slots(orders: Sequence[Seeds], at: datetime) -> Iterator[str]:
    """Slots of the seed plan that nobody can keep."""
    slots = [slot for order in orders for slot in order.slots]
    past = [slot for slot in slots if slot < at]
    if past:
        first = clock.format_instant(min(past))
        yield (
            f"{len(past)} of {len(slots)} slots of the seed plan lie in the past, from {first} on: "
            "send their seeds in the slots that are left"
        )
