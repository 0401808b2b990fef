# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signed approvals as a sealed bundle holds them, and which approvers are claims of the estate."""

from collections.abc import Iterator

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.estate.model import Estate
from wavegate.evidence.approvals import FOLDER, Approval, open_approval, standing
from wavegate.evidence.baseline import BaselinePredicate
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.envelope import Opened, UnknownKeyError, read_unverified
from wavegate.evidence.implementers import claimed_keyids
from wavegate.evidence.sealed import Opener, Sealed
from wavegate.evidence.sealed_decisions import RECORDS, Spoken, check_decisions
from wavegate.evidence.sealed_verdicts import BASELINE
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role
from wavegate.evidence.verdicts import ApprovalEntry, Verdicts


def check_people(sealed: Sealed, opener: Opener, verdicts: Verdicts, estate: Estate) -> Spoken:
    """All that people signed: what they decided, and what they approved. Raises InvalidError."""
    decided = check_decisions(sealed, opener, verdicts)
    approved = check_approvals(sealed, opener, verdicts, estate)
    return Spoken(
        proven=(*decided.proven, *approved.proven),
        unproven=(*decided.unproven, *approved.unproven),
    )


def check_approvals(sealed: Sealed, opener: Opener, verdicts: Verdicts, estate: Estate) -> Spoken:
    """Hold each approval against its signature, its line in the verdicts, and the estate's words.

    A key that the verifier does not trust to approve proves nothing, and is said to. Raises
    InvalidError for one that was changed, is told otherwise than it was signed, or is told or kept
    alone.
    """
    proven: list[str] = []
    unproven: list[str] = []
    told = {entry.digest: entry for entry in verdicts.approvals}
    for entry in (entry for entry in verdicts.approvals if entry.kind == "baseline"):
        said, why = _baseline(sealed, opener, told.pop(entry.digest), verdicts)
        (unproven if why else proven).append(f"{said}{why}.")
    known = standing(estate, verdicts.wave) if verdicts.wave else frozenset[str]()
    approved: set[str] = set()
    for name in sealed.under(RECORDS + FOLDER):
        one, doubt = _open(sealed[name], opener, name)
        _check_told(one, told.pop(one.digest, None), verdicts, known, name)
        sentence = f"{_claim(one, stands=one.told.approved.digest in known)}"
        if doubt:
            unproven.append(f"That {sentence}: {doubt}.")
        else:
            proven.append(f"{sentence}, signed by key {one.keyid}.")
            approved.add(one.told.approved.digest)
    if told:
        entry = next(iter(told.values()))
        raise InvalidError(f"{entry.by} is said to have approved what is not here", where=VERDICTS)
    unproven += _claims(len(known - approved))
    return Spoken(proven=tuple(proven), unproven=tuple(unproven))


def _baseline(
    sealed: Sealed, opener: Opener, entry: ApprovalEntry, verdicts: Verdicts
) -> tuple[str, str]:
    """Who approved the accepted baseline, and why that is not proven, "" where it is."""
    data = sealed[BASELINE]
    payload = read_unverified(data)
    signed = read(payload, BaselinePredicate, where=BASELINE).predicate
    told = (entry.digest, entry.content, entry.by, entry.at, verdicts.wave)
    if told != (digest(payload), digest(payload), signed.by, signed.at, None):
        raise InvalidError("the verdicts tell otherwise who approved the baseline", where=VERDICTS)
    if entry.keyid not in claimed_keyids(data):
        raise InvalidError(f"it was not signed by key {entry.keyid[:64]!r}", where=BASELINE)
    said = f"{entry.by} approved version {signed.version} of the baseline"
    try:
        opened = opener.open(data, Role.APPROVE, where=BASELINE)
    except UnknownKeyError as error:
        return f"That {said}", f": {error.message}"
    if entry.keyid not in opened.keyids:
        return f"That {said}", f": key {entry.keyid} is not trusted here"
    return f"{said}, signed by key {entry.keyid}", ""


def _open(data: bytes, opener: Opener, name: str) -> tuple[Approval, str | None]:
    """An approval, and why it is not proven that this person gave it."""
    place = name.removeprefix(RECORDS)

    def trusted(envelope: bytes, where: str) -> Opened:
        return opener.open(envelope, Role.APPROVE, where=where)

    try:
        one = open_approval(data, trusted, place)
    except UnknownKeyError as error:
        return open_approval(data, _unverified, place), error.message
    return one, None if one.trusted else "no key was given"


def _unverified(data: bytes, where: str) -> Opened:
    del where
    return Opened(payload=read_unverified(data), keyids=())


def _check_told(
    one: Approval,
    entry: ApprovalEntry | None,
    verdicts: Verdicts,
    known: frozenset[str],
    name: str,
) -> None:
    if entry is None:
        raise InvalidError("the verdicts do not tell of this approval", where=name)
    approved, told = one.told.approved, one.told
    signed = (approved.kind, approved.promise, approved.instance, approved.cause, approved.digest)
    shown = (entry.kind, entry.promise, entry.instance, entry.cause, entry.content)
    if (*signed, told.by, told.at, one.keyid) != (*shown, entry.by, entry.at, entry.keyid):
        raise InvalidError("the verdicts tell it otherwise than it was signed", where=name)
    if entry.stands != (approved.digest in known):
        raise InvalidError("the verdicts do not say if the estate still words it so", where=name)
    if told.wave != verdicts.wave:
        raise InvalidError(f"it is about wave {told.wave!r}", where=name)


def _claim(one: Approval, *, stands: bool) -> str:
    told = one.told
    changed = "" if stands else " as it was worded then, which the estate does not say any more"
    return f"{told.by} approved the {told.approved.what} at {format_instant(told.at)}{changed}"


def _claims(count: int) -> Iterator[str]:
    if count:
        noun = "waiver or limit" if count == 1 else "waivers and limits"
        yield f"Who approved {count} {noun}: a claim of the estate file, which nobody signed."
