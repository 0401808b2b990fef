# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb plan: check what was agreed, sign the grid of a wave, say what will be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wavegate import clock
from wavegate.canonical import digest, dumps
from wavegate.compare.schedule import SealedGate
from wavegate.decision import GridCell
from wavegate.errors import InputError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.grid import grid
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import grid_subject, read, write
from wavegate.evidence.tool import tool
from wavegate.observe.probe import Probe, Task
from wavegate.record.store import Store
from wavegate.run.foresight import Foreseen, foresee
from wavegate.run.opening import Opened
from wavegate.run.suites import Suite, suites_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A signed plan, and what a person should know of it.

    questions: per instance, how many questions a capture will ask at least. foreseen: verdicts
    that the estate alone decides already. warnings: what needs a person before the window.
    """

    wave: str
    version: int
    digest: str
    at: datetime
    cells: tuple[GridCell, ...]
    policy: Mapping[str, object]
    questions: Mapping[str, int]
    foreseen: tuple[Foreseen, ...]
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
            "warnings": list(self.warnings),
        }


def cell_to_json(cell: GridCell) -> dict[str, object]:
    """A grid cell for `--json`."""
    return {
        "instance": cell.instance,
        "customer": cell.customer,
        "promise": cell.promise,
        "due": clock.format_instant(cell.due) if cell.due else None,
        "not_applicable": cell.not_applicable,
        "outside": cell.outside,
    }


def plan(
    opened: Opened,
    suites: Sequence[Suite],
    probes: Sequence[Probe],
    signer: Signer,
    gates: tuple[SealedGate, ...],
) -> Planned:
    """Sign the grid; a later version names the one before it. gates: of earlier waves.

    Raises InputError when the window has opened and there is a plan already: then it stands.
    """
    at = clock.now()
    version, previous, agreed_before = _last(opened.store, opened.wave.name)
    if version and at >= opened.window.start:
        raise InputError(
            f"the window opened at {clock.format_instant(opened.window.start)}: "
            f"version {version} of the plan stands",
            cure="judge by it, or plan another wave",
        )
    predicate = _predicate(opened, suites, version + 1, previous, at)
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
        foreseen=foresee(opened, predicate.cells, gates, at),
        warnings=tuple(_warnings(opened, predicate, agreed_before, at)),
    )


def _create(store: Store, wave: str, version: int, envelope: bytes) -> None:
    try:
        store.create(f"plans/{wave}/{version:06d}.dsse.json", envelope)
    except FileExistsError as error:
        raise InputError(
            "another plan was signed at the same time", cure="look at it, then plan again"
        ) from error


def _predicate(
    opened: Opened, suites: Sequence[Suite], version: int, previous: str | None, at: datetime
) -> PlanPredicate:
    wave = opened.wave.name
    cells = grid(opened.estate, wave, [suite.promise.id for suite in suites])
    customers = sorted({cell.customer for cell in cells})
    return PlanPredicate(
        wave=wave,
        version=version,
        previous=previous,
        at=at,
        agreed={name: agreed_digest(opened.estate, wave, name) for name in customers},
        cells=cells,
        policy=dumps(opened.estate.policy.model_dump(mode="json")).decode(),
        tool=tool(),
        suites=suites_digest(suites),
        late=at >= opened.window.start,
    )


def _last(store: Store, wave: str) -> tuple[int, str | None, Mapping[str, str]]:
    names = store.names(f"plans/{wave}/")
    if not names:
        return 0, None, {}
    payload = read_unverified(store.read(names[-1]))
    found = read(payload, PlanPredicate).predicate
    return found.version, digest(payload), found.agreed


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
        found.append(f"signed after the window opened at {opening}: sound_evidence will be FAILED")
    changed = [name for name, now in predicate.agreed.items() if before.get(name, now) != now]
    if changed:
        found.append(f"the agreed estate of {', '.join(changed)} changed: capture before again")
    unmoved = [i.name for i in opened.instances if i.moved_when is None]
    if unmoved:
        found.append(f"no moved_when for {', '.join(unmoved)}: the move itself is not checked")
    deaf = [i.name for i in opened.instances if not i.mail]
    if deaf:
        found.append(f"no mail source for {', '.join(deaf)}: add one, or an approved limit")
    policy, environments = opened.estate.policy, {i.environment for i in opened.instances}
    stamped = [name for name in sorted(environments) if policy.timestamps_for(name) == "required"]
    if stamped:
        found.append(f"timestamps are required for {', '.join(stamped)}; none can be taken yet")
    return found
