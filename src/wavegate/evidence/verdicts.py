# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""verdicts.json: what a run decided and why, as the bundle keeps it and the reports read it.

`python -m wavegate.evidence.verdicts > reports/schema/verdicts.schema.json` writes its schema.
"""

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant, parse_instant
from wavegate.decision import (
    AppliedWaiver,
    Cell,
    Decision,
    GridCell,
    Withdrawal,
    Word,
    decide,
)
from wavegate.errors import DamagedError
from wavegate.estate.model import Waiver, Window
from wavegate.evidence.approvals import Approval, Kind
from wavegate.evidence.baseline import Baseline
from wavegate.evidence.decisions import Course, Decided, SignedAs
from wavegate.evidence.implementers import Implementers, Way
from wavegate.promise import Promise, order
from wavegate.record.snapshot import Tool
from wavegate.verdict import Cleared, Finding, Judgement, Missing, NotCompared, On, Verdict

SCHEMA: Final = "wavegate/verdicts/v1"
NOT_DRILLED = "not drilled"
_INSTANT_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?Z$"


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return parse_instant(format_instant(value))
    if not isinstance(value, str) or format_instant(parse_instant(value)) != value:
        raise ValueError("expected an instant such as 2024-01-16T22:00:00Z")
    return parse_instant(value)


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _INSTANT_PATTERN}),
]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    """The base of every part of verdicts.json: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class FindingEntry(_Entry):
    """One judged difference."""

    rule: str
    subject: str
    """The smallest thing that differs and can be shared, or `instance:<name>`."""
    expected: str
    observed: str
    witness: tuple[str, ...]
    """The smallest facts that show the difference, normalised."""
    explanation: str
    before: str | None
    """Normalised state before; null where there was none."""
    after: str | None
    """Normalised state after; null where there is none."""
    cause: Hex
    """SHA-256 of the canonical `["wavegate-cause-v1", promise, rule, subject, before, after]`."""
    records: tuple[str, ...]
    """Digests of the records it rests on."""


class MissingEntry(_Entry):
    """What would settle an INCONCLUSIVE."""

    rule: str
    subject: str
    what: str
    count: int | None
    on: On
    """Who or what can settle it."""
    settles_by: Instant | None
    command: str | None
    before: str | None
    after: str | None
    cause: Hex


class ClearedEntry(_Entry):
    """A difference that a named rule explains."""

    rule: str
    subject: str
    before: str
    after: str
    explanation: str


class NotComparedEntry(_Entry):
    """Something that was not compared, and why."""

    what: str
    reason: str


class CellWaiver(_Entry):
    """The waiver that stands beside a cell; it never changes the verdict."""

    reason: str
    approved_by: str
    """A claim of the estate file."""
    until: Instant
    cause: Hex | None
    """The one cause it names; null where it names several or none."""
    covers: tuple[Hex, ...] | None
    """Every cause it names; null where it covers the whole cell."""
    in_force: bool
    """Whether it is in time and changes what the gate does with this cell."""


class CellLimit(_Entry):
    """Why the signed grid itself decides a cell."""

    reason: str
    approved_by: str | None
    """Who approved the limit; null where no person was needed ("no url")."""


class CellWithdrawal(_Entry):
    """How the instance of a cell was withdrawn from the wave, before the window opened."""

    by: str
    why: str
    at: Instant


class CellEntry(_Entry):
    """One cell of the grid with its verdict."""

    instance: str
    customer: str
    promise: str
    verdict: Verdict
    reason: str
    due: Instant | None
    shown: str | None
    could_hide: str | None
    findings: tuple[FindingEntry, ...]
    missing: tuple[MissingEntry, ...]
    waiver: CellWaiver | None
    judged: bool
    """False where the run has no judgement for a cell of the grid."""
    open: bool
    """INCONCLUSIVE before its due and not waived."""
    off_track: str | None
    outside: bool
    """A `scope` cell of an affected instance that is not in this wave, or was withdrawn."""
    remedied: str | None
    limit: CellLimit | None
    cleared: tuple[ClearedEntry, ...]
    not_compared: tuple[NotComparedEntry, ...]
    remarks: tuple[str, ...]
    records: tuple[str, ...]
    withdrawn: CellWithdrawal | None = None


class SourceEntry(_Entry):
    """Where a promise was made, and whether it is still in force."""

    document: str
    section: str
    edition: str
    language: str
    commit: str
    withdrawn: str | None
    in_force: bool


class PromiseEntry(_Entry):
    """One promise of the run."""

    id: str
    sentence: str
    source: SourceEntry


class CauseEntry(_Entry):
    """One cause over all instances that share it."""

    cause: Hex
    promise: str
    rule: str
    subject: str
    before: str | None
    after: str | None
    verdict: Verdict
    instances: tuple[str, ...]
    on: On | None
    """Who can settle what is missing; null for a finding."""


class Attempt(_Entry):
    """One capture of an instance, used or not."""

    phase: Literal["before", "after"]
    sequence: int
    digest: str
    because: str | None
    began: Instant
    ended: Instant
    used: bool
    forced: bool
    complete: bool


class Digests(_Entry):
    """What the run was made with: digests of the agreed estate per customer and the rest."""

    estate: dict[str, str]
    policy: str
    suites: str
    tool: str


class PlanUsed(_Entry):
    """The signed plan that fixed the grid."""

    version: int
    digest: str
    at: Instant


class ToolEntry(_Entry):
    """The tool: its version and the digest of its source files."""

    version: str
    source: str


class WindowEntry(_Entry):
    """The announced window."""

    start: Instant
    end: Instant


class LimitEntry(_Entry):
    """A cell that the signed grid decides."""

    instance: str
    promise: str
    reason: str
    approved_by: str | None


class WaiverEntry(_Entry):
    """A waiver of the estate, and to how many cells of this run it applied."""

    cause: str | None
    promise: str | None
    instance: str | None
    reason: str
    approved_by: str
    until: Instant
    applied: int


class DecisionEntry(_Entry):
    """What a person decided, beside the gate's decision; it changes nothing of that."""

    decision: Course
    instance: str | None
    """Null where it is about the whole wave."""
    by: str
    why: str
    at: Instant
    run: str | None
    """The last gate that was filed when it was decided."""
    sequence: int
    """Its number among the decisions about the same wave or instance."""
    keyid: str
    signed_as: SignedAs
    """`approve`: the key is trusted for approvals; `record`: it stands for nobody's approval."""
    implementer: tuple[Way, ...]
    """In which ways whoever decided also did the work: by the key, or by the name."""
    digest: Hex
    """SHA-256 of the signed payload."""


class ApprovalEntry(_Entry):
    """A signed approval of a waiver, of a limit for one instance, or of a night's baseline."""

    kind: Kind | Literal["baseline"]
    promise: str | None
    instance: str | None
    cause: Hex | None
    by: str
    at: Instant
    keyid: str
    stands: bool
    """False where the estate words it otherwise now: then it approves of nothing here."""
    implementer: tuple[Way, ...]
    """In which ways whoever approved also did the work."""
    content: Hex
    """SHA-256 of what was approved, word for word."""
    digest: Hex
    """SHA-256 of the signed payload."""


class Verdicts(_Entry):
    """The whole of verdicts.json."""

    schema_id: Literal["wavegate/verdicts/v1"] = Field(alias="schema")
    run: str
    wave: str | None
    """Null for the nightly."""
    at: Instant
    """The run's instant."""
    decision: Word
    decision_line: str
    closed: bool
    open: int
    next_due: Instant | None
    why: tuple[str, ...]
    final: bool
    partial: str | None
    """Why the run covers only a part of the grid."""
    holds: dict[str, tuple[str, ...]]
    """Per instance of the wave, reasons outside its cells to HOLD."""
    window: WindowEntry | None
    decide_by: Instant | None
    """Until when a person can still roll back."""
    instances: dict[str, Word]
    customers: dict[str, Word]
    cells: tuple[CellEntry, ...]
    causes: tuple[CauseEntry, ...]
    promises: tuple[PromiseEntry, ...]
    attempts: dict[str, tuple[Attempt, ...]]
    digests: Digests
    plan: PlanUsed | None
    tool: ToolEntry
    limits: tuple[LimitEntry, ...]
    waivers: tuple[WaiverEntry, ...]
    not_checked: tuple[str, ...]
    drill: str
    notes: tuple[str, ...]
    decisions: tuple[DecisionEntry, ...] = ()
    """What people decided, by instant; never merged with `decision`."""
    approvals: tuple[ApprovalEntry, ...] = ()
    """What was approved with a signature; all else that names an approver is a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What `build` needs beside cells and decision.

    run, wave: names; wave None for the nightly. at: the run's instant. holds, final, partial: what
    `decide` was given. promises: those of the run. attempts: per instance, all captures in order.
    waivers: all of the estate, unused ones too. not_checked: what this run cannot say ("the move
    itself was not checked"). drill: the drill's score. notes: other things a reader must know.
    decisions: of people. approvals: signed ones.
    """

    run: str
    wave: str | None
    at: datetime
    holds: Mapping[str, tuple[str, ...]]
    promises: tuple[Promise, ...]
    digests: Digests
    tool: Tool
    final: bool = False
    partial: str | None = None
    window: Window | None = None
    decide_by: datetime | None = None
    attempts: Mapping[str, tuple[Attempt, ...]]
    plan: PlanUsed | None = None
    waivers: tuple[Waiver, ...] = ()
    not_checked: tuple[str, ...] = ()
    drill: str = NOT_DRILLED
    notes: tuple[str, ...] = ()
    decisions: tuple[DecisionEntry, ...] = ()
    approvals: tuple[ApprovalEntry, ...] = ()


def build(cells: Iterable[Cell], decision: Decision, context: Context) -> Verdicts:
    """The verdicts.json of a run; its reasons are ordered as the cells are.

    Raises ValueError where the decision is not that of these cells in this context.
    """
    rows = tuple(sorted(cells, key=_place))
    decision = _same(decision, rows, context)
    entries = tuple(_cell_entry(cell, context.at, final=context.final) for cell in rows)
    window = context.window
    return Verdicts(
        schema_id=SCHEMA,
        run=context.run,
        wave=context.wave,
        at=context.at,
        decision=decision.word,
        decision_line=decision.line,
        closed=decision.closed,
        open=decision.open,
        next_due=decision.next_due,
        why=decision.why,
        final=context.final,
        partial=context.partial,
        holds=dict(sorted(context.holds.items())),
        window=WindowEntry(start=window.start, end=window.end) if window else None,
        decide_by=context.decide_by,
        instances=dict(decision.instances),
        customers=dict(decision.customers),
        cells=entries,
        causes=_causes(entries),
        promises=tuple(map(_promise_entry, sorted(context.promises, key=lambda p: order(p.id)))),
        attempts=dict(context.attempts),
        digests=context.digests,
        plan=context.plan,
        tool=ToolEntry(version=context.tool.version, source=context.tool.source),
        limits=tuple(_limits(rows)),
        waivers=tuple(_waiver_entry(waiver, rows, context.at) for waiver in context.waivers),
        not_checked=context.not_checked,
        drill=context.drill,
        notes=context.notes,
        decisions=context.decisions,
        approvals=context.approvals,
    )


def approval_entry(
    found: Approval, standing: Collection[str], implementers: Implementers
) -> ApprovalEntry:
    """An approval as verdicts.json tells it. standing: digests of what the estate words so now."""
    told, approved = found.told, found.told.approved
    return ApprovalEntry(
        kind=approved.kind,
        promise=approved.promise,
        instance=approved.instance,
        cause=approved.cause,
        by=told.by,
        at=told.at,
        keyid=found.keyid,
        stands=approved.digest in standing,
        implementer=implementers.ways((found.keyid,), told.by),
        content=approved.digest,
        digest=found.digest,
    )


def baseline_entry(found: Baseline, implementers: Implementers) -> ApprovalEntry | None:
    """The approval of the baseline that a night is held against; None where it is a claim.

    Of several approvers, one who did not do the work is told.
    """
    if not found.approved:
        return None
    others = [keyid for keyid in found.approved if keyid not in implementers.keyids]
    keyid = (*others, *found.approved)[0]
    return ApprovalEntry(
        kind="baseline",
        promise=None,
        instance=None,
        cause=None,
        by=found.signed.by,
        at=found.signed.at,
        keyid=keyid,
        stands=True,
        implementer=implementers.ways((keyid,), found.signed.by),
        content=found.digest,
        digest=found.digest,
    )


def decision_entry(found: Decided, implementers: Implementers) -> DecisionEntry:
    """A decision as verdicts.json tells it. implementers: who did the work of the wave."""
    told = found.told
    return DecisionEntry(
        decision=told.course,
        instance=told.instance,
        by=told.by,
        why=told.why,
        at=told.at,
        run=told.run,
        sequence=told.sequence,
        keyid=found.keyids[0],
        signed_as=found.signed_as,
        implementer=implementers.ways(found.keyids, told.by),
        digest=found.digest,
    )


def dump(verdicts: Verdicts) -> bytes:
    """The canonical bytes of verdicts.json."""
    return dumps(verdicts.model_dump(mode="json"))


def parse(data: bytes, *, where: str = "verdicts.json") -> Verdicts:
    """The verdicts in some bytes.

    Raises DamagedError, with `where`, for bytes that are not strict JSON or not of this schema.
    """
    loads(data, where=where)
    try:
        return Verdicts.model_validate_json(data, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        raise DamagedError(
            f"not of the schema {SCHEMA}: {place}: {first['msg']} ({error.error_count()} in all)",
            where=where,
            cure="read it with the Wavegate version that wrote it, or fetch the bundle again",
        ) from error


def cells_of(verdicts: Verdicts) -> tuple[Cell, ...]:
    """The cells that the decision was made from.

    Raises DamagedError where a cell contradicts itself, or a cause is not what the formula gives.
    """
    return tuple(_cell(entry) for entry in verdicts.cells)


def grid_of(verdicts: Verdicts) -> tuple[GridCell, ...]:
    """The cells of the grid that was judged, without their judgements."""
    return tuple(_grid_cell(entry) for entry in verdicts.cells)


def decision_of(verdicts: Verdicts) -> Decision:
    """The decision that the cells force, computed anew. Raises DamagedError as `cells_of` does."""
    return _decided(verdicts, cells_of(verdicts))


def _decided(verdicts: Verdicts, cells: tuple[Cell, ...]) -> Decision:
    return decide(
        cells,
        at=verdicts.at,
        holds=verdicts.holds,
        final=verdicts.final,
        partial=verdicts.partial,
    )


def contradictions(verdicts: Verdicts) -> tuple[str, ...]:
    """The derived fields that the cells do not bear out, by name; empty when all agree.

    Raises DamagedError as `cells_of` does.
    """
    found = derived(verdicts)
    return tuple(name for name, value in found.items() if getattr(verdicts, name) != value)


def derived(verdicts: Verdicts) -> dict[str, object]:
    """The fields that the cells force, by name. Raises DamagedError as `cells_of` does."""
    cells = cells_of(verdicts)
    decision = _decided(verdicts, cells)
    return {
        "decision": decision.word,
        "decision_line": decision.line,
        "closed": decision.closed,
        "open": decision.open,
        "next_due": decision.next_due,
        "why": decision.why,
        "instances": dict(decision.instances),
        "customers": dict(decision.customers),
        "cells": tuple(_cell_entry(cell, verdicts.at, final=verdicts.final) for cell in cells),
        "causes": _causes(verdicts.cells),
        "limits": tuple(_limits(cells)),
    }


def applications(verdicts: Verdicts) -> tuple[WaiverEntry, ...]:
    """The waivers of the verdicts, each with the number of cells that it applied to."""
    cells, at = cells_of(verdicts), verdicts.at
    return tuple(
        waiver.model_copy(update={"applied": sum(_applies(waiver, cell, at) for cell in cells)})
        for waiver in verdicts.waivers
    )


def json_schema() -> dict[str, object]:
    """The JSON Schema of verdicts.json."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return head | Verdicts.model_json_schema(mode="serialization")


def schema_text() -> str:
    """The checked-in text of the schema."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


def _same(decision: Decision, rows: tuple[Cell, ...], context: Context) -> Decision:
    """The decision made again over the cells in file order, whatever order it was made in."""
    again = decide(
        rows,
        at=context.at,
        holds=dict(sorted(context.holds.items())),
        final=context.final,
        partial=context.partial,
    )
    if replace(decision, why=()) != replace(again, why=()) or {*decision.why} != {*again.why}:
        raise ValueError("the decision is not that of these cells in this context")
    return again


def _place(cell: Cell) -> tuple[bool, str, tuple[int, str]]:
    return (cell.grid.outside, cell.grid.instance, order(cell.grid.promise))


def _not_judged(grid: GridCell) -> Judgement:
    gap = Missing(
        what=f"the run has no verdict of {grid.promise} for {grid.instance}",
        on=On.US,
        rule="not-judged",
        subject=f"instance:{grid.instance}",
        command="wavegate gate",
    )
    return Judgement(verdict=Verdict.INCONCLUSIVE, reason=gap.what, missing=(gap,))


def _cell_entry(cell: Cell, at: datetime, *, final: bool) -> CellEntry:
    grid, found = cell.grid, cell.judgement or _not_judged(cell.grid)
    return CellEntry(
        instance=grid.instance,
        customer=grid.customer,
        promise=grid.promise,
        verdict=found.verdict,
        reason=found.reason,
        due=grid.due,
        shown=found.shown,
        could_hide=found.could_hide,
        findings=tuple(_finding_entry(item, grid.promise) for item in found.findings),
        missing=tuple(_missing_entry(item, grid.promise) for item in found.missing),
        waiver=_cell_waiver(cell, at),
        judged=cell.judgement is not None,
        open=cell.open(at, final=final),
        off_track=found.off_track,
        outside=grid.outside,
        remedied=cell.remedied,
        limit=_cell_limit(grid),
        cleared=tuple(_cleared_entry(item) for item in found.cleared),
        not_compared=tuple(
            NotComparedEntry(what=item.what, reason=item.reason) for item in found.not_compared
        ),
        remarks=found.remarks,
        records=found.records,
        withdrawn=_cell_withdrawal(grid),
    )


def _cell_withdrawal(grid: GridCell) -> CellWithdrawal | None:
    found = grid.withdrawn
    return CellWithdrawal(by=found.by, why=found.why, at=found.at) if found else None


def _finding_entry(item: Finding, promise: str) -> FindingEntry:
    return FindingEntry(
        rule=item.rule,
        subject=item.subject,
        expected=item.expected,
        observed=item.observed,
        witness=item.witness,
        explanation=item.explanation,
        before=item.before,
        after=item.after,
        cause=item.cause(promise),
        records=item.records,
    )


def _missing_entry(item: Missing, promise: str) -> MissingEntry:
    return MissingEntry(
        rule=item.rule,
        subject=item.subject,
        what=item.what,
        count=item.count,
        on=item.on,
        settles_by=item.settles_by,
        command=item.command,
        before=item.before,
        after=item.after,
        cause=item.cause(promise),
    )


def _cleared_entry(item: Cleared) -> ClearedEntry:
    return ClearedEntry(
        rule=item.rule,
        subject=item.subject,
        before=item.before,
        after=item.after,
        explanation=item.explanation,
    )


def _cell_waiver(cell: Cell, at: datetime) -> CellWaiver | None:
    waiver = cell.waiver
    if waiver is None:
        return None
    covers = None if waiver.covers is None else tuple(sorted(waiver.covers))
    return CellWaiver(
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        until=waiver.until,
        cause=covers[0] if covers and len(covers) == 1 else None,
        covers=covers,
        in_force=cell.waived(at),
    )


def _cell_limit(grid: GridCell) -> CellLimit | None:
    if grid.not_applicable is None:
        return None
    return CellLimit(reason=grid.not_applicable, approved_by=grid.limit_by)


def _promise_entry(promise: Promise) -> PromiseEntry:
    source = promise.source
    return PromiseEntry(
        id=promise.id,
        sentence=promise.sentence,
        source=SourceEntry(
            document=source.document,
            section=source.section,
            edition=source.edition,
            language=source.language,
            commit=source.commit,
            withdrawn=source.withdrawn,
            in_force=source.in_force,
        ),
    )


def _limits(rows: Iterable[Cell]) -> Iterator[LimitEntry]:
    for grid in (cell.grid for cell in rows):
        if grid.not_applicable is not None and not grid.outside:
            yield LimitEntry(
                instance=grid.instance,
                promise=grid.promise,
                reason=grid.not_applicable,
                approved_by=grid.limit_by,
            )


def _waiver_entry(waiver: Waiver, rows: Iterable[Cell], at: datetime) -> WaiverEntry:
    return WaiverEntry(
        cause=waiver.cause,
        promise=waiver.promise,
        instance=waiver.instance,
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        until=waiver.until,
        applied=sum(_applies(waiver, cell, at) for cell in rows),
    )


def _applies(waiver: Waiver | WaiverEntry, cell: Cell, at: datetime) -> bool:
    bad = cell.verdict in {Verdict.FAILED, Verdict.INCONCLUSIVE}
    if not bad or cell.judgement is None or at > waiver.until or not cell.waived(at):
        return False
    if waiver.promise not in (None, cell.grid.promise):
        return False
    if waiver.instance not in (None, cell.grid.instance):
        return False
    if waiver.cause is None:
        return True
    items = cell.judgement.findings or cell.judgement.missing
    return any(item.cause(cell.grid.promise) == waiver.cause for item in items)


def _causes(cells: Iterable[CellEntry]) -> tuple[CauseEntry, ...]:
    """One entry per cause: failed ones first, then by promise, then the widest first."""
    found: dict[tuple[str, Verdict], list[tuple[CellEntry, FindingEntry | MissingEntry]]] = {}
    for cell in cells:
        for finding in cell.findings:
            found.setdefault((finding.cause, Verdict.FAILED), []).append((cell, finding))
        for gap in cell.missing:
            found.setdefault((gap.cause, Verdict.INCONCLUSIVE), []).append((cell, gap))
    entries = [_cause_entry(verdict, seen) for (_, verdict), seen in found.items()]
    return tuple(sorted(entries, key=_cause_place))


def _cause_entry(
    verdict: Verdict, seen: list[tuple[CellEntry, FindingEntry | MissingEntry]]
) -> CauseEntry:
    cell, item = seen[0]
    return CauseEntry(
        cause=item.cause,
        promise=cell.promise,
        rule=item.rule,
        subject=item.subject,
        before=item.before,
        after=item.after,
        verdict=verdict,
        instances=tuple(sorted({where.instance for where, _ in seen})),
        on=item.on if isinstance(item, MissingEntry) else None,
    )


def _cause_place(entry: CauseEntry) -> tuple[int, tuple[int, str], int, str]:
    return (
        -entry.verdict.badness,
        order(entry.promise),
        -len(entry.instances),
        entry.cause,
    )


def _cell(entry: CellEntry) -> Cell:
    place = f"verdicts.json: {entry.instance}: {entry.promise}"
    try:
        judgement = _judgement(entry)
    except ValueError as error:
        raise DamagedError(f"the cell contradicts itself: {error}", where=place) from error
    cell = Cell(
        grid=_grid_cell(entry),
        judgement=judgement if entry.judged else None,
        waiver=_applied_waiver(entry.waiver),
        remedied=entry.remedied,
    )
    told = [item.cause for item in entry.findings] + [item.cause for item in entry.missing]
    found = [item.cause(entry.promise) for item in judgement.findings]
    gaps = [item.cause(entry.promise) for item in judgement.missing]
    if told != found + gaps:
        raise DamagedError("a cause is not what its formula gives", where=place)
    return cell


def _grid_cell(entry: CellEntry) -> GridCell:
    return GridCell(
        instance=entry.instance,
        customer=entry.customer,
        promise=entry.promise,
        due=entry.due,
        not_applicable=entry.limit.reason if entry.limit else None,
        limit_by=entry.limit.approved_by if entry.limit else None,
        outside=entry.outside,
        withdrawn=_withdrawal(entry.withdrawn),
    )


def _withdrawal(entry: CellWithdrawal | None) -> Withdrawal | None:
    return Withdrawal(by=entry.by, why=entry.why, at=entry.at) if entry else None


def _applied_waiver(entry: CellWaiver | None) -> AppliedWaiver | None:
    if entry is None:
        return None
    return AppliedWaiver(
        reason=entry.reason,
        approved_by=entry.approved_by,
        until=entry.until,
        covers=None if entry.covers is None else frozenset(entry.covers),
    )


def _judgement(entry: CellEntry) -> Judgement:
    return Judgement(
        verdict=entry.verdict,
        reason=entry.reason,
        findings=tuple(map(_finding, entry.findings)),
        missing=tuple(map(_missing, entry.missing)),
        cleared=tuple(Cleared(**item.model_dump()) for item in entry.cleared),
        not_compared=tuple(NotCompared(**item.model_dump()) for item in entry.not_compared),
        shown=entry.shown,
        could_hide=entry.could_hide,
        off_track=entry.off_track,
        records=entry.records,
        remarks=entry.remarks,
    )


def _finding(entry: FindingEntry) -> Finding:
    return Finding(**entry.model_dump(exclude={"cause"}))


def _missing(entry: MissingEntry) -> Missing:
    values = entry.model_dump(exclude={"cause", "settles_by"})
    return Missing(**values, settles_by=entry.settles_by)


if __name__ == "__main__":
    sys.stdout.write(schema_text())
