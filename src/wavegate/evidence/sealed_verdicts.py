# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verdicts of a sealed bundle against all else in it: grid, estate, records, decision.

Raises InvalidError for what no honest run seals. What is wrong with the evidence itself is a
Doubt, which a run may hold if it says so under `sound_evidence`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.decision import Cell, Word
from wavegate.errors import DamagedError, InputError, InvalidError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import loads as load_estate
from wavegate.estate.lookup import instances_of
from wavegate.estate.model import Estate, Waiver
from wavegate.estate.nightly import NIGHTLY, nightly_instances, with_nightly
from wavegate.evidence.baseline import BaselinePredicate, baseline_name
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.fields import NAME
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.sealed import Opener, Sealed
from wavegate.evidence.sealed_records import Doubt, Records
from wavegate.evidence.statement import grid_subject, read
from wavegate.evidence.trust import Role
from wavegate.evidence.verdicts import (
    CellEntry,
    Verdicts,
    cells_of,
    contradictions,
    grid_of,
    parse,
)
from wavegate.verdict import Verdict

ESTATE = "estate.json"
PLAN = "plan.dsse.json"
BASELINE = "baseline.dsse.json"
SOUND = "sound_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What fixed the grid: a wave's plan, a night's baseline. digest: of its payload.

    keyids: who signed it.
    """

    predicate: PlanPredicate | BaselinePredicate
    digest: str
    keyids: tuple[str, ...]


def read_verdicts(sealed: Sealed) -> Verdicts:
    """The verdicts, whose decision is the one that their own cells force."""
    try:
        verdicts = parse(sealed[VERDICTS])
        _check_names(verdicts)
        wrong = contradictions(verdicts)
    except DamagedError as error:
        raise InvalidError(error.message, where=error.where, cure=error.cure) from error
    if wrong:
        raise InvalidError(f"{wrong[0]} is not what the cells force", where=VERDICTS)
    if not verdicts.cells:
        raise InvalidError("there is no cell: nothing was judged", where=VERDICTS)
    seal = sealed.statement.predicate
    for what, told, found in (
        ("run", seal.run, verdicts.run),
        ("wave", seal.wave, verdicts.wave),
        ("suites", seal.suites, verdicts.digests.suites),
        ("tool", seal.tool.source, verdicts.tool.source),
    ):
        if told != found:
            raise InvalidError(f"{what} {found!r} in a seal of {told!r}", where=VERDICTS)
    return verdicts


def read_plan(sealed: Sealed, opener: Opener, verdicts: Verdicts) -> Plan | None:
    """The plan that fixed the grid; its cells are those of the verdicts, no more and no less."""
    if verdicts.wave is None:
        return _read_baseline(sealed, opener, verdicts)
    if PLAN not in sealed.files:
        if verdicts.plan is not None or verdicts.decision is Word.GO:
            raise InvalidError("the plan is missing", where=PLAN)
        return None
    opened = opener.open(sealed[PLAN], Role.RECORD, where=PLAN)
    statement = read(opened.payload, PlanPredicate, where=PLAN)
    signed = statement.predicate
    plan = Plan(predicate=signed, digest=digest(opened.payload), keyids=opened.keyids)
    if dict(statement.subjects) != grid_subject(signed):
        raise InvalidError("the plan is not about its own grid", where=PLAN)
    if signed.wave != verdicts.wave:
        raise InvalidError(f"it is the plan of wave {signed.wave!r}", where=PLAN)
    _check_plan(plan, verdicts, PLAN)
    kept = f"records/plans/{signed.wave}/{signed.version:06d}.dsse.json"
    _check_kept(sealed, opener, kept, PLAN)
    return plan


def _read_baseline(sealed: Sealed, opener: Opener, verdicts: Verdicts) -> Plan:
    """The baseline that a night was held against: its cells, and its accepted captures."""
    opened = opener.open(sealed[BASELINE], Role.RECORD, where=BASELINE)
    statement = read(opened.payload, BaselinePredicate, where=BASELINE)
    signed = statement.predicate
    plan = Plan(predicate=signed, digest=digest(opened.payload), keyids=opened.keyids)
    if dict(statement.subjects) != {"grid": signed.grid_digest}:
        raise InvalidError("the baseline is not about its own grid", where=BASELINE)
    _check_plan(plan, verdicts, BASELINE)
    _check_kept(sealed, opener, f"records/{baseline_name(signed.version)}", BASELINE)
    for name, attempts in verdicts.attempts.items():
        entry = signed.of(name)
        used = {attempt.digest for attempt in attempts if attempt.phase == "before"}
        if used - ({entry.record} if entry else set()):
            raise InvalidError(f"{name} is held against what was not accepted", where=BASELINE)
    return plan


def read_estate(sealed: Sealed, verdicts: Verdicts) -> Estate:
    """What was agreed; the verdicts are about its wave, its instances and its waivers."""
    try:
        estate = load_estate(sealed[ESTATE], ESTATE)
        found = {name: _agreed(estate, verdicts, name) for name in verdicts.digests.estate}
    except InputError as error:
        raise InvalidError(error.message, where=ESTATE) from error
    if found != dict(verdicts.digests.estate):
        raise InvalidError("the verdicts are about another estate", where=ESTATE)
    _check_wave(estate, verdicts)
    for cell, entry in zip(cells_of(verdicts), verdicts.cells, strict=True):
        _check_waiver(cell, entry, estate.waivers, _expected(estate, verdicts, cell))
        _check_told(cell, entry, verdicts)
    return estate


def doubts_of(verdicts: Verdicts, plan: Plan | None, records: Records) -> Iterator[Doubt]:
    """Where plan, records and gate do not carry the same agreed estate, or the plan came late."""
    if plan is None or isinstance(plan.predicate, BaselinePredicate):
        return  # the agreed estate of waves does not bind a night (design, "Nightly")
    agreed = plan.predicate.agreed
    customers = {cell.instance: cell.customer for cell in verdicts.cells if not cell.outside}
    for instance, customer in customers.items():
        if agreed.get(customer) != verdicts.digests.estate.get(customer):
            text = f"the estate agreed with {customer} is not the one of the plan"
            yield Doubt(instance=instance, where=PLAN, text=text)
        if plan.predicate.late:
            text = "the plan was made after the window had opened"
            yield Doubt(instance=instance, where=PLAN, text=text)
    unused = {a.digest for found in verdicts.attempts.values() for a in found if not a.used}
    for claim in records.claims:
        same = agreed.get(claim.signed.customer or "") == claim.signed.estate
        if not same and claim.record not in unused:
            text = "taken under another agreed estate than the plan's"
            yield Doubt(instance=claim.signed.instance or "", where=claim.where, text=text)


def check_rests_on(verdicts: Verdicts, known: frozenset[str]) -> None:
    """Every verdict but of unsound evidence rests on records that are in the bundle."""
    for cell in verdicts.cells:
        if cell.promise == SOUND and cell.verdict is not Verdict.PASSED:
            continue
        named = {*cell.records, *(record for item in cell.findings for record in item.records)}
        absent = sorted(named - known)
        if absent:
            raise InvalidError(
                f"{cell.instance}: {cell.promise} rests on {absent[0][:12]}, which is not here",
                where=VERDICTS,
            )


def check_attempts(verdicts: Verdicts, records: Records) -> None:
    """The captures that the verdicts list are those in the bundle: no attempt is hidden."""
    told = {attempt.digest for found in verdicts.attempts.values() for attempt in found}
    outside = {cell.instance for cell in verdicts.cells if cell.outside}
    taken = {
        claim.record
        for claim in records.claims
        if claim.signed.kind == "snapshot" and claim.signed.instance not in outside
    }
    for what, odd in (("not here", told - taken), ("not listed", taken - told)):
        if odd:
            raise InvalidError(f"the capture {min(odd)[:12]} is {what}", where=VERDICTS)


def check_doubts(verdicts: Verdicts, doubts: tuple[Doubt, ...]) -> None:
    """A doubt that the run does not own up to makes it invalid.

    Instances outside the wave have no cell in which it could; there it is told, not refused.
    """
    admitted = {
        cell.instance
        for cell in verdicts.cells
        if cell.outside
        or (cell.promise == SOUND and cell.verdict in {Verdict.FAILED, Verdict.INCONCLUSIVE})
    }
    hidden = [doubt for doubt in doubts if doubt.instance not in admitted]
    if hidden:
        more = f" ({len(hidden)} such in all)" if len(hidden) > 1 else ""
        raise InvalidError(
            f"{hidden[0].text}, and {SOUND} of {hidden[0].instance or 'the run'} does not say so"
            + more,
            where=hidden[0].where,
        )


def _check_names(verdicts: Verdicts) -> None:
    for cell in verdicts.cells:
        for name in (cell.instance, cell.customer, cell.promise):
            if not NAME.fullmatch(name):
                raise InvalidError(f"{name!r} is not a plain name", where=VERDICTS)


def _check_plan(plan: Plan, verdicts: Verdicts, where: str) -> None:
    used, signed = verdicts.plan, plan.predicate
    if used is None or (used.digest, used.version, used.at) != (
        plan.digest,
        signed.version,
        signed.at,
    ):
        raise InvalidError("it is not the one that the verdicts name", where=where)
    judged, planned = grid_of(verdicts), frozenset(signed.cells)
    told = frozenset(judged)
    missing = [cell for cell in signed.cells if cell not in told]
    extra = [cell for cell in judged if cell not in planned]
    for what, cells in (("planned, but not in the verdicts", missing), ("not planned", extra)):
        if cells:
            cell = cells[0]
            raise InvalidError(f"{what}: {cell.promise} of {cell.instance}", where=VERDICTS)
    if len(judged) != len(signed.cells):
        raise InvalidError("a cell stands twice", where=VERDICTS)


def _check_kept(sealed: Sealed, opener: Opener, kept: str, where: str) -> None:
    """Among the versions that judging again reads, the one that counts is the bundle's."""
    noun = where.partition(".")[0]
    if sealed[kept] != sealed[where]:
        raise InvalidError(f"it is not the {noun} in the bundle's records", where=where)
    for name in sealed.under(kept.rpartition("/")[0] + "/"):
        if name > kept and _opens(opener, sealed[name], name):
            raise InvalidError(f"a later version of the {noun} was signed", where=name)


def _opens(opener: Opener, data: bytes, name: str) -> bool:
    try:
        opener.open(data, Role.RECORD, where=name)
    except InvalidError:
        return False
    return True


def _agreed(estate: Estate, verdicts: Verdicts, customer: str) -> str:
    if verdicts.wave is None:
        return agreed_digest(with_nightly(estate), NIGHTLY, customer)
    return agreed_digest(estate, verdicts.wave, customer)


def _check_wave(estate: Estate, verdicts: Verdicts) -> None:
    name = verdicts.wave
    if name is None:
        _check_night(estate, verdicts)
        return
    gone = {cell.instance for cell in verdicts.cells if cell.withdrawn}
    members = {instance.name for instance in instances_of(estate, name)} - gone
    if members != set(verdicts.holds):
        odd = min(members ^ set(verdicts.holds))
        raise InvalidError(f"{odd} is not in both the wave and the verdicts", where=VERDICTS)
    window, told = estate.wave(name).window, verdicts.window
    if window is None or told is None or (window.start, window.end) != (told.start, told.end):
        raise InvalidError("the window is not the agreed one", where=VERDICTS)
    if verdicts.decision is Word.GO and verdicts.at < window.end:
        raise InvalidError("GO before the window had ended", where=VERDICTS)


def _check_night(estate: Estate, verdicts: Verdicts) -> None:
    inside = {instance.name for instance in nightly_instances(estate)}
    members = inside | {cell.instance for cell in verdicts.cells}
    if members != set(verdicts.holds):
        odd = min(members ^ set(verdicts.holds))
        raise InvalidError(f"{odd} is not in both the estate and the verdicts", where=VERDICTS)
    if verdicts.window is not None or any(cell.due for cell in verdicts.cells):
        raise InvalidError("a night has neither a window nor a due", where=VERDICTS)


def _expected(estate: Estate, verdicts: Verdicts, cell: Cell) -> frozenset[str]:
    """The causes of a night's cell that are expected changes of the estate."""
    if verdicts.wave is not None or cell.judgement is None:
        return frozenset()
    promise, name, at = cell.grid.promise, cell.grid.instance, verdicts.at
    wanted = {
        (change.before, change.after)
        for change in estate.expected_changes
        if change.promise == promise
        and name in change.instances
        and change.between.start <= at <= change.between.end
    }
    found = [f for f in cell.judgement.findings if (f.before, f.after) in wanted]
    return frozenset(finding.cause(promise) for finding in found)


def _check_waiver(
    cell: Cell, entry: CellEntry, waivers: tuple[Waiver, ...], expected: frozenset[str]
) -> None:
    """A waiver beside a cell covers no more, and no longer, than the estate says."""
    if cell.waiver is None:
        return
    until = cell.waiver.until
    mine = [
        waiver
        for waiver in waivers
        if waiver.promise in {None, entry.promise}
        and waiver.instance in {None, entry.instance}
        and waiver.until >= until
    ]
    whole = any(waiver.cause is None for waiver in mine)
    causes = {waiver.cause for waiver in mine} | expected
    covers = cell.waiver.covers
    if not (whole or (covers is not None and covers <= causes)):
        raise InvalidError(
            f"{entry.instance}: {entry.promise} is waived, which the estate does not say",
            where=VERDICTS,
        )


def _check_told(cell: Cell, entry: CellEntry, verdicts: Verdicts) -> None:
    waived = entry.waiver is not None and entry.waiver.in_force
    still_open = cell.open(verdicts.at, final=verdicts.final)
    if (entry.open, waived) != (still_open, cell.waived(verdicts.at)):
        raise InvalidError(
            f"{entry.instance}: {entry.promise} is told to be open or waived and is not",
            where=VERDICTS,
        )
