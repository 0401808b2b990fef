# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Verifying a bundle offline: authentic or not, what is proven, by whom, and what is not.

Authenticity is judged, never the decision: an honest NO-GO bundle is valid. No key from outside
the bundle, or a timestamp that the seal says was required and that is not there, is inconclusive.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wavegate.clock import format_instant
from wavegate.evidence.authorities import Authorities
from wavegate.evidence.completeness import Claimant, check_completeness
from wavegate.evidence.receipt import check_receipt
from wavegate.evidence.run_list import RUN
from wavegate.evidence.sealed import Opener, Sealed, open_sealed
from wavegate.evidence.sealed_approvals import check_people
from wavegate.evidence.sealed_gates import read_gates
from wavegate.evidence.sealed_keys import (
    Signed,
    check_claimed,
    key_doubts,
    key_problems,
    not_proven,
)
from wavegate.evidence.sealed_records import Doubt, Records, read_records
from wavegate.evidence.sealed_time import SealedTime, read_time
from wavegate.evidence.sealed_verdicts import (
    PLAN,
    Plan,
    check_attempts,
    check_doubts,
    check_rests_on,
    doubts_of,
    read_estate,
    read_plan,
    read_verdicts,
)
from wavegate.evidence.tree import Budget, open_tree
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts

NOBODY = Claimant()
NO_ROOTS = Authorities()
_NOTHING = ("The bundle agrees with itself; so does any that somebody made up.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a bundle proves. It was not refused: then InvalidError is raised instead.

    ok: False where it cannot be told, with the reasons in `problems`. decision, decision_line: what
    the run decided. proven, not_proven: sentences for a person. time_proven: whether a trusted
    timestamp says by when it was sealed, `sealed_at`. keyids: who sealed it. customer: of an
    extract, None for a bundle. complete: whether nothing of the customer was left out, None where
    that is not proven. run_list: SHA-256 of RUN, which all customers of the run can compare.
    """

    ok: bool
    run: str
    wave: str | None
    decision: str
    decision_line: str
    closed: bool
    keyids: tuple[str, ...]
    proven: tuple[str, ...]
    not_proven: tuple[str, ...]
    time_proven: bool
    problems: tuple[str, ...]
    customer: str | None = None
    complete: bool | None = None
    run_list: str | None = None
    sealed_at: datetime | None = None

    @property
    def exit_code(self) -> int:
        """0 valid, 3 cannot tell."""
        return 0 if self.ok else 3

    def to_json(self) -> dict[str, object]:
        """The object of `verify --json`."""
        return {
            "valid": self.ok,
            "run": self.run,
            "wave": self.wave,
            "decision": self.decision,
            "decision_line": self.decision_line,
            "closed": self.closed,
            "keyids": list(self.keyids),
            "proven": list(self.proven),
            "not_proven": list(self.not_proven),
            "time_proven": self.time_proven,
            "sealed_at": format_instant(self.sealed_at) if self.sealed_at else None,
            "problems": list(self.problems),
            "kind": "extract" if self.customer else "bundle",
            "customer": self.customer,
            "complete": self.complete,
            "run_digest": self.run_list,
        }


def verify_bundle(
    folder: Path,
    trust: Trust | None,
    *,
    expect_run: str | None = None,
    expect_wave: str | None = None,
    budget: Budget | None = None,
    claimant: Claimant = NOBODY,
    authorities: Authorities = NO_ROOTS,
) -> Verification:
    """Verify a bundle, or an extract, with keys from outside it; each file is read once.

    trust: None or empty where no key was given. claimant: whose extract it must be. authorities:
    roots of timestamp authorities; without any, no time is proven. Raises InvalidError, which names
    the first thing that is wrong; InputError for what is no folder, missing or empty, and where a
    claimant was given a whole bundle.
    """
    usable = trust if trust is not None and trust.keys else None
    opener = Opener(trust=usable)
    with open_tree(folder, budget) as tree:
        sealed = open_sealed(tree, opener, expect_run=expect_run, expect_wave=expect_wave)
        verdicts = read_verdicts(sealed)
        plan = read_plan(sealed, opener, verdicts)
        estate = read_estate(sealed, verdicts)
        records = read_records(tree, sealed, opener)
    spoken = check_people(sealed, opener, verdicts, estate)
    inside = _inside((*(usable.sources if usable else ()), *authorities.sources), folder)
    known = NO_ROOTS if inside else authorities
    time = read_time(sealed, records, verdicts, estate, trust=usable, authorities=known)
    gates = read_gates(sealed, opener, time.at)
    signed = _signed(sealed, verdicts, plan, time)
    check_claimed(signed, usable)
    more = (*time.doubts, *key_doubts(signed, usable))
    doubts = _check_evidence(verdicts, plan, records, more)
    whole = check_completeness(sealed, verdicts, estate, claimant)
    received = _received(sealed, opener, claimant, plan, records)
    proven = (*_proven(sealed, verdicts, plan, records), *time.proven, *whole.proven, *received)
    unproven = (
        *time.unproven,
        *_not_proven(verdicts, plan, doubts),
        *not_proven(signed, usable),
        *whole.unproven,
        *gates.unproven,
        *spoken.unproven,
    )
    found = _Found(
        sealed=sealed,
        verdicts=verdicts,
        time=time,
        proven=(*proven, *gates.proven, *spoken.proven),
        unproven=unproven,
        problems=(*_problems(signed, usable, inside, time), *whole.problems),
        complete=whole.complete,
    )
    return found.told(vouched=usable is not None and not inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found in a bundle that is not refused."""

    sealed: Sealed
    verdicts: Verdicts
    time: SealedTime
    proven: tuple[str, ...]
    unproven: tuple[str, ...]
    problems: tuple[str, ...]
    complete: bool | None

    def told(self, *, vouched: bool) -> Verification:
        """The verification. vouched: whether a key from outside says who sealed it."""
        verdicts, customer = self.verdicts, self.sealed.customer
        at = self.time.at if vouched else None
        return Verification(
            ok=not self.problems,
            run=verdicts.run,
            wave=verdicts.wave,
            decision=str(verdicts.decision),
            decision_line=verdicts.decision_line,
            closed=verdicts.closed,
            keyids=self.sealed.keyids,
            proven=self.proven if vouched else _NOTHING,
            not_proven=self.unproven,
            time_proven=at is not None,
            problems=self.problems,
            customer=customer.customer if customer else None,
            complete=self.complete if vouched else None,
            run_list=self.sealed.statement.subjects.get(RUN),
            sealed_at=at,
        )


def _check_evidence(
    verdicts: Verdicts, plan: Plan | None, records: Records, more: tuple[Doubt, ...]
) -> tuple[Doubt, ...]:
    """Refuse verdicts that the records do not bear out; the doubts that the run owns up to."""
    known = records.known | ({plan.digest} if plan else set()) | _agreed(verdicts)
    check_rests_on(verdicts, frozenset(known))
    check_attempts(verdicts, records)
    doubts = (*records.doubts, *doubts_of(verdicts, plan, records), *more)
    check_doubts(verdicts, doubts)
    return doubts


def _received(
    sealed: Sealed, opener: Opener, claimant: Claimant, plan: Plan | None, records: Records
) -> tuple[str, ...]:
    """What the receipt of an extract's customer proves, where they brought it."""
    if claimant.receipt is None or sealed.customer is None:
        return ()
    return check_receipt(claimant.receipt, opener, plan, records, sealed.customer.customer)


def _agreed(verdicts: Verdicts) -> set[str]:
    return set(verdicts.digests.estate.values())


def _inside(sources: tuple[Path, ...], folder: Path) -> list[Path]:
    """The trusted files that lie in the bundle itself, and so prove nothing."""
    root = folder.resolve()
    return [path for path in sources if path.resolve().is_relative_to(root)]


def _signed(sealed: Sealed, verdicts: Verdicts, plan: Plan | None, time: SealedTime) -> Signed:
    """Who signed what. Of an extract, the plan was signed again when it was cut out."""
    return Signed(
        at=verdicts.at,
        planned=plan.predicate.at if plan and not sealed.customer else None,
        seen=time.at,
        sealers=sealed.keyids,
        planners=plan.keyids if plan else (),
        bare=time.bare,
    )


def _problems(
    signed: Signed, trust: Trust | None, inside: list[Path], time: SealedTime
) -> Iterator[str]:
    if trust is None:
        yield "no key from outside the bundle was given: who sealed it is not shown (--key)"
        return
    if inside:
        yield f"{inside[0]} lies in the bundle that it should prove: get it another way"
    yield from key_problems(signed, trust)
    yield from time.problems


def _proven(
    sealed: Sealed, verdicts: Verdicts, plan: Plan | None, records: Records
) -> Iterator[str]:
    wave = f" of wave {verdicts.wave}" if verdicts.wave else ""
    if sealed.keyids:
        yield f"Run {verdicts.run}{wave} was sealed by key {', '.join(sealed.keyids)}."
    yield f"All {len(sealed.files)} files are the sealed ones; none is missing or was added."
    yield (
        f"The decision {verdicts.decision_line} is what its {len(verdicts.cells)} cells force, "
        "and each rests on records in the bundle."
    )
    if plan:
        signed = f", signed by key {', '.join(plan.keyids)}" if plan.keyids else ""
        what = "plan" if verdicts.wave else "baseline"
        yield f"The cells are those of version {plan.predicate.version} of the {what}{signed}."
    if records.keyids:
        yield (
            f"{len(records.claims)} records were signed one by one, by key "
            f"{', '.join(sorted(records.keyids))}; each is unchanged and in its place."
        )


def _not_proven(verdicts: Verdicts, plan: Plan | None, doubts: tuple[Doubt, ...]) -> Iterator[str]:
    yield "That the verdicts follow from the records: --rejudge shows it."
    yield "That the reports say what verdicts.json says: that file counts, and can be read."
    yield "That the records show the world as it was: they rest on whoever held the record key."
    if verdicts.wave is None:
        yield "That no look of this night, or night before it, was left out: it is not in here."
    if plan is None:
        yield f"That no cell was left out: there is no {PLAN}, and the decision is not GO."
    elif plan.predicate.suites != verdicts.digests.suites:
        yield "That the suites are those the grid was signed for: their digest changed since."
    for doubt in doubts:
        yield f"{doubt.where}: {doubt.text}; the run says itself that its evidence is not sound."
