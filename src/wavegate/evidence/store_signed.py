# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is signed in a store: each envelope in its place, each chain unbroken, each gate whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wavegate.canonical import digest
from wavegate.errors import MissingError, WavegateError
from wavegate.evidence.approvals import ApprovalPredicate, place_of
from wavegate.evidence.baseline import BaselinePredicate, baseline_name
from wavegate.evidence.decisions import DecisionPredicate
from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.envelope import UnknownKeyError, open_envelope, read_unverified
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate, SealPredicate
from wavegate.evidence.statement import Predicate, Statement, read
from wavegate.evidence.tombstone import ForgottenPredicate, tombstone_name
from wavegate.evidence.trust import Role, Trust
from wavegate.record.store import Store

_SUFFIX = ".dsse.json"
_FILED = ("verdicts.json", "night.json")
_RESTORE = "restore the file from a copy; what rests on it cannot be judged until then"
_KINDS: Mapping[str, type[Predicate]] = {
    "signed": RecordPredicate,
    "accepted": RecordPredicate,
    "queues": RecordPredicate,
    "checkpoints": RecordPredicate,
    "plans": PlanPredicate,
    "baselines": BaselinePredicate,
    "decisions": DecisionPredicate,
    "approvals": ApprovalPredicate,
    "gates": SealPredicate,
    "forgotten": ForgottenPredicate,
}

_ROLES: Mapping[str, tuple[Role, ...]] = {
    "gates": (Role.SEAL,),
    "decisions": (Role.APPROVE, Role.RECORD),
    "approvals": (Role.APPROVE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed statement that was read. record: the object it is about, None for other subjects.

    told: what it is, for a person. home: where it belongs, None where that is not told. chain:
    which it is a link of, with number, digest of its own and of the one before. subjects: digests
    by name.
    """

    name: str
    told: str
    record: str | None
    ended: datetime | None
    subjects: dict[str, str]
    home: str | None = None
    chain: tuple[str, int, str, str | None] | None = None


def read_signed(store: Store, trust: Trust | None) -> tuple[tuple[Signed, ...], list[Diagnosis]]:
    """All signed statements, and what is wrong with each by itself."""
    signed: list[Signed] = []
    troubles: list[Diagnosis] = []
    for folder, kind in _KINDS.items():
        for name in store.names(f"{folder}/"):
            if not name.endswith(_SUFFIX):
                continue
            try:
                roles = _ROLES.get(folder, (Role.RECORD,))
                payload, stranger = _payload(store.read(name), trust, roles)
                found = _signed(name, payload, read(payload, kind))
            except WavegateError as error:
                troubles.append(_damaged(name, error.message))
                continue
            signed.append(found)
            if stranger:
                troubles.append(_odd(found, stranger))
            if found.home not in {None, name}:
                text = f"it is {found.told}, in another's place"
                troubles.append(_damaged(name, text, about=found.told))
    return tuple(signed), troubles


def _payload(data: bytes, trust: Trust | None, roles: tuple[Role, ...]) -> tuple[bytes, str | None]:
    """The payload, and why its signer is not trusted in any of these roles.

    Raises InvalidError for a bad signature.
    """
    if trust is None:
        return read_unverified(data), None
    stranger = None
    for role in roles:
        try:
            return open_envelope(data, trust, role).payload, None
        except UnknownKeyError as error:
            stranger = error.message
    return read_unverified(data), stranger


def _signed(name: str, payload: bytes, statement: Statement[Predicate]) -> Signed:
    subjects = dict(statement.subjects)
    own = digest(payload)
    match statement.predicate:
        case RecordPredicate() as found:
            record = _record(subjects)
            return Signed(
                name=name,
                told=_told_record(found, name),
                record=record,
                ended=found.ended,
                subjects=subjects,
                home=_home(name, found),
                chain=_record_chain(name, found, record),
            )
        case PlanPredicate() as plan:
            chain = (f"plans/{plan.wave}", plan.version, own, plan.previous)
            told, ended = f"plan {plan.version} of wave {plan.wave}", plan.at
            home = f"plans/{plan.wave}/{plan.version:06d}{_SUFFIX}"
        case BaselinePredicate() as base:
            chain = ("baselines", base.version, own, base.previous)
            told, ended = f"version {base.version} of the baseline", base.at
            home = baseline_name(base.version)
        case ForgottenPredicate() as gone:
            chain = (f"forgotten/{gone.customer}", gone.sequence, own, gone.previous)
            told, ended = f"the word that records of {gone.customer} were {gone.told}", gone.at
            home = tombstone_name(gone.customer, gone.sequence)
        case DecisionPredicate() as decided:
            home = decided.place
            chain = (home.rpartition("/")[0], decided.sequence, own, decided.previous)
            about = decided.instance or f"wave {decided.wave}"
            told, ended = f"decision {decided.sequence} about {about}", decided.at
        case ApprovalPredicate() as given:
            return _approval(name, given, subjects)
        case _:
            told = f"the seal of run {name.split('/')[-2]}"
            return Signed(name=name, told=told, record=None, ended=None, subjects=subjects)
    return Signed(
        name=name,
        told=told,
        record=None,
        ended=ended,
        subjects=subjects,
        home=home,
        chain=chain,
    )


def _approval(name: str, given: ApprovalPredicate, subjects: dict[str, str]) -> Signed:
    keyid = name.rpartition("/")[2].removesuffix(_SUFFIX)
    return Signed(
        name=name,
        told=f"the approval of the {given.approved.what} by {given.by}",
        record=None,
        ended=given.at,
        subjects=subjects,
        home=place_of(given.wave, given.approved.digest, keyid),
    )


def _record(subjects: Mapping[str, str]) -> str | None:
    """The object that a statement is about; a checkpoint is about a journal's line instead."""
    if len(subjects) == 1:
        ((name, value),) = subjects.items()
        return value if name == f"objects/{value[:2]}/{value}" else None
    return None


def _told_record(found: RecordPredicate, name: str) -> str:
    if name.startswith("checkpoints/"):
        return f"a checkpoint of {found.kind} to line {found.sequence - 1}"
    phase = f" {found.phase}" if found.phase else ""
    return f"{found.kind}{phase} {found.sequence} of {found.instance} in wave {found.wave}"


def _record_chain(
    name: str, found: RecordPredicate, record: str | None
) -> tuple[str, int, str, str | None] | None:
    """Which chain it is a link of; accepted captures and checkpoints are copies, not links."""
    folder = name.rpartition("/")[0]
    if record is None or name.split("/", maxsplit=1)[0] not in {"signed", "queues"}:
        return None
    moment = f"/{found.phase}" if found.kind == "queue" else ""
    return f"{folder}{moment}", found.sequence, record, found.previous


def _home(name: str, found: RecordPredicate) -> str | None:
    """Where a record's statement belongs; None where its own place is not told by it."""
    place = f"{found.wave}/{found.instance}"
    match name.split("/", maxsplit=1)[0]:
        case "signed":
            return f"signed/{place}/{found.sequence:06d}{_SUFFIX}"
        case "queues":
            return f"queues/{place}/{found.phase}-{found.sequence:06d}{_SUFFIX}"
    return None


def chain_troubles(signed: tuple[Signed, ...]) -> list[Diagnosis]:
    """Links that are missing: numbers go up by one from 1, and each names the one before."""
    chains: dict[str, list[Signed]] = {}
    for one in signed:
        if one.chain:
            chains.setdefault(one.chain[0], []).append(one)
    troubles = []
    for links in chains.values():
        number, previous = 1, None
        for one in sorted(links, key=lambda link: link.chain[1] if link.chain else 0):
            _, found, own, before = one.chain or ("", 0, "", None)
            if (found, before) != (number, previous):
                text = "what comes before it is missing, or another than the one it names"
                troubles.append(_damaged(one.name, text, about=one.told))
            number, previous = found + 1, own
    return troubles


def gate_troubles(store: Store, signed: tuple[Signed, ...]) -> list[Diagnosis]:
    """Filed gates whose verdicts are gone or are not the sealed ones."""
    troubles = []
    for one in (one for one in signed if one.name.startswith("gates/")):
        folder = one.name.rpartition("/")[0]
        for name in _FILED:
            place = f"{folder}/{name}"
            try:
                same = digest(store.read(place)) == one.subjects.get(name)
            except MissingError:
                if name != _FILED[0] and name not in one.subjects:
                    continue
                troubles.append(_damaged(place, "it is not in the store", about=one.told))
            except WavegateError as error:
                troubles.append(_damaged(place, error.message, about=one.told))
            else:
                if not same:
                    troubles.append(_damaged(place, "it is not the sealed one", about=one.told))
    return troubles


def _odd(found: Signed, why: str) -> Diagnosis:
    return Diagnosis(
        grade=Grade.ODD,
        name=found.name,
        text=why,
        about=found.told,
        cure="give a trust file with the key that signs here (--trust)",
    )


def _damaged(name: str, text: str, *, about: str | None = None) -> Diagnosis:
    return Diagnosis(grade=Grade.DAMAGED, name=name, text=text, about=about, cure=_RESTORE)
