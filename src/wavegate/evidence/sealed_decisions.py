# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What people decided, as a sealed bundle holds it: each signed, and told as it was signed."""

from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.decisions import FOLDER, Decided, Open, gaps, open_decision
from wavegate.evidence.envelope import Opened, UnknownKeyError, read_unverified
from wavegate.evidence.implementers import claimed_keyids
from wavegate.evidence.sealed import Opener, Sealed
from wavegate.evidence.trust import Role
from wavegate.evidence.verdicts import DecisionEntry, Verdicts

RECORDS = "records/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Sentences about what people signed: by keys that are trusted, and by others."""

    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


def check_decisions(sealed: Sealed, opener: Opener, verdicts: Verdicts) -> Spoken:
    """Hold each decision against its signature and its line in the verdicts.

    A key that the verifier does not trust to approve proves nothing, and is said to. Raises
    InvalidError for a decision that was changed, is told otherwise than it was signed, or is told
    or kept alone.
    """
    proven: list[str] = []
    unproven: list[str] = []
    told = {entry.digest: entry for entry in verdicts.decisions}
    found: list[Decided] = []
    for name in sealed.under(RECORDS + FOLDER):
        one, doubt = _open(sealed[name], opener, name)
        _check_told(one, told.pop(one.digest, None), verdicts, name)
        _check_signer(sealed[name], verdicts, one, name)
        _check_plan(sealed, one, name)
        found.append(one)
        (unproven if doubt else proven).append(f"{_claim(one, doubt)}.")
    if told:
        entry = next(iter(told.values()))
        text = f"{entry.by} is said to have decided {entry.decision}, which is not here"
        raise InvalidError(text, where=VERDICTS)
    unproven += [f"That all is here that was decided: {text}." for text in gaps(found)]
    return Spoken(proven=tuple(proven), unproven=tuple(unproven))


def _open(data: bytes, opener: Opener, name: str) -> tuple[Decided, str | None]:
    """A decision, and why it is not proven that this person made it."""
    place = name.removeprefix(RECORDS)
    try:
        one = open_decision(data, _by(opener), place)
    except UnknownKeyError as error:
        return open_decision(data, _unverified, place), error.message
    if not one.keyids:
        return one, "no key was given"
    if one.signed_as == "record":
        return one, f"key {one.keyids[0]} is trusted to record, not to approve"
    return one, None


def _by(opener: Opener) -> Open:
    def opened(data: bytes, role: Role, where: str) -> Opened:
        return opener.open(data, role, where=where)

    return opened


def _unverified(data: bytes, role: Role, where: str) -> Opened:
    del role, where
    return Opened(payload=read_unverified(data), keyids=())


def _check_told(one: Decided, entry: DecisionEntry | None, verdicts: Verdicts, name: str) -> None:
    told = one.told
    if entry is None:
        raise InvalidError("the verdicts do not tell of this decision", where=name)
    signed = (told.course, told.instance, told.by, told.why, told.at, told.run, told.sequence)
    shown = (entry.decision, entry.instance, entry.by, entry.why, entry.at, entry.run)
    if signed != (*shown, entry.sequence):
        raise InvalidError("the verdicts tell it otherwise than it was signed", where=name)
    if told.wave != verdicts.wave:
        raise InvalidError(f"it is about wave {told.wave!r}", where=name)
    if told.instance is not None and told.instance not in verdicts.instances:
        raise InvalidError(f"it is about {told.instance}, which is not in the wave", where=name)


def _check_signer(data: bytes, verdicts: Verdicts, one: Decided, name: str) -> None:
    (entry,) = (entry for entry in verdicts.decisions if entry.digest == one.digest)
    if entry.keyid not in claimed_keyids(data):
        raise InvalidError(f"it was not signed by key {entry.keyid[:64]!r}", where=name)


def _check_plan(sealed: Sealed, one: Decided, name: str) -> None:
    """It names a plan of the wave; in an extract that is not the customer's part of it."""
    if sealed.customer is not None:
        return
    plans = sealed.under(f"{RECORDS}plans/{one.told.wave}/")
    if one.plan not in {digest(read_unverified(sealed[plan])) for plan in plans}:
        raise InvalidError("it is about no plan that is here", where=name)


def _claim(one: Decided, doubt: str | None) -> str:
    told = one.told
    about = told.instance or f"wave {told.wave}"
    said = f"{told.by} decided {told.course} about {about} at {format_instant(told.at)}"
    if doubt:
        return f"That {said}: {doubt}"
    return f"{said}, signed by key {', '.join(one.keyids)}"
