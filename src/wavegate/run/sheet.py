# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sheet of a run: judgements and grid become cells, a decision, and verdicts.json."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wavegate.canonical import digest, dumps
from wavegate.decision import Cell, Decision, GridCell, decide
from wavegate.estate.agreed import agreed_digest
from wavegate.evidence.approvals import read_approvals, standing
from wavegate.evidence.baseline import last_baseline
from wavegate.evidence.decisions import Decisions, read_decisions
from wavegate.evidence.implementers import implementers_of
from wavegate.evidence.shelf import Records
from wavegate.evidence.tool import tool
from wavegate.evidence.verdicts import (
    ApprovalEntry,
    Attempt,
    Context,
    DecisionEntry,
    Digests,
    PlanUsed,
    Verdicts,
    approval_entry,
    baseline_entry,
    build,
    decision_entry,
)
from wavegate.lab.drill_score import score_line
from wavegate.plugin.night import night_cells
from wavegate.plugin.outcome import cells_of
from wavegate.plugin.wire import JudgedCell
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Snapshot
from wavegate.run.suites import Suite, suites_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Captures:
    """The captures of one instance. used: digests of those that the verdicts rest on."""

    snapshots: tuple[Snapshot, ...]
    used: frozenset[str]
    after: bool

    @classmethod
    def of(cls, before: Chosen | None, after: Chosen | None) -> "Captures":
        """The captures behind what was chosen for both phases."""
        chosen = [found for found in (before, after) if found is not None]
        snapshots = {s.digest: s for found in chosen for s in found.attempts}
        return cls(
            snapshots=tuple(sorted(snapshots.values(), key=lambda s: s.sequence)),
            used=frozenset(record for found in chosen for record in found.used),
            after=after is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that a run's verdicts are made from. judged: what the test process said.

    spent: of a night, the expected changes that were used before.
    """

    run: str
    shelf: Records
    suites: tuple[Suite, ...]
    judged: tuple[JudgedCell, ...]
    captures: Mapping[str, Captures]
    final: bool = False
    only: tuple[str, ...] = ()
    spent: frozenset[str] = frozenset()

    def verdicts(self) -> Verdicts:
        """The whole of verdicts.json."""
        cells = cells_of(self._grid(), self.judged, self.shelf.estate, self.shelf.at)
        if self.nightly:
            cells = night_cells(cells, self.shelf.estate, self.shelf.at, self.spent)
        decision = self._decide(cells)
        return build(cells, decision, self._context())

    @property
    def nightly(self) -> bool:
        """Whether it is a night's, without a wave."""
        return self.shelf.wave.open_ended

    def _grid(self) -> tuple[GridCell, ...]:
        return self.shelf.grid(tuple(suite.promise.id for suite in self.suites))

    def _decide(self, cells: tuple[Cell, ...]) -> Decision:
        return decide(
            cells,
            at=self.shelf.at,
            holds=self._holds(),
            final=self.final,
            partial=self._partial(),
        )

    def _holds(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(self._hold(name)) for name in self.shelf.members}

    def _hold(self, name: str) -> Iterator[str]:
        captures = self.captures.get(name)
        yield from self.shelf.holds_of(name, after=captures is not None and captures.after)

    def _partial(self) -> str | None:
        if self.shelf.plan is None:
            return "there is no signed plan: the grid was never fixed"
        if self.only:
            return f"only {', '.join(self.only)} was judged"
        return None

    def _context(self) -> Context:
        estate, wave = self.shelf.estate, self.shelf.wave
        known = {customer.name for customer in estate.customers}
        customers = sorted({grid.customer for grid in self._grid()} & known)
        decided = read_decisions(self.shelf.store, wave.name, self.shelf.trust)
        return Context(
            run=self.run,
            wave=None if self.nightly else wave.name,
            at=self.shelf.at,
            holds=self._holds(),
            promises=tuple(suite.promise for suite in self.suites),
            digests=Digests(
                estate={name: agreed_digest(estate, wave.name, name) for name in customers},
                policy=digest(dumps(estate.policy.model_dump(mode="json"))),
                suites=suites_digest(self.suites),
                tool=tool().source,
            ),
            tool=tool(),
            final=self.final,
            partial=self._partial(),
            window=self.shelf.window,
            decide_by=wave.decide_by,
            attempts={name: tuple(_attempts(found)) for name, found in self.captures.items()},
            plan=self._plan(),
            waivers=estate.waivers,
            not_checked=tuple(self._not_checked()),
            drill=score_line(),
            notes=decided.problems,
            decisions=self._decisions(decided),
            approvals=self._approvals(),
        )

    def _approvals(self) -> tuple[ApprovalEntry, ...]:
        """The signed approvals of waivers and limits, also of such as read otherwise now."""
        store, estate, wave = self.shelf.store, self.shelf.estate, self.shelf.wave.name
        if self.nightly:
            return self._baseline_approved()
        found = read_approvals(store, wave, self.shelf.trust).found
        if not found:
            return ()
        known, implementers = standing(estate, wave), implementers_of(store, wave)
        return tuple(approval_entry(one, known, implementers) for one in found)

    def _baseline_approved(self) -> tuple[ApprovalEntry, ...]:
        """The approval of the accepted baseline, where an approver signed it."""
        store, wave = self.shelf.store, self.shelf.wave.name
        baseline = last_baseline(store, self.shelf.trust)
        if baseline is None:
            return ()
        told = baseline_entry(baseline, implementers_of(store, wave))
        return (told,) if told else ()

    def _decisions(self, decided: Decisions) -> tuple[DecisionEntry, ...]:
        """What people decided; their own word, which nothing here rests on."""
        if not decided.found:
            return ()
        implementers = implementers_of(self.shelf.store, self.shelf.wave.name)
        return tuple(decision_entry(one, implementers) for one in decided.found)

    def _plan(self) -> PlanUsed | None:
        """What fixed the grid: of a wave its plan, of a night its baseline."""
        plan = self.shelf.plan
        return PlanUsed(version=plan.version, digest=plan.digest, at=plan.at) if plan else None

    def _not_checked(self) -> Iterator[str]:
        if self.nightly:
            return
        for name in self.shelf.members:
            if self.shelf.estate.instance(name).moved_when is None:
                yield f"{name}: the move itself, since the estate names no sign of it (moved_when)"


def _attempts(captures: Captures) -> Iterator[Attempt]:
    for snapshot in captures.snapshots:
        yield Attempt(
            phase=snapshot.phase,
            sequence=snapshot.sequence,
            digest=snapshot.digest,
            because=snapshot.because,
            began=snapshot.began,
            ended=snapshot.ended,
            used=snapshot.digest in captures.used,
            forced=snapshot.forced,
            complete=snapshot.complete,
        )
