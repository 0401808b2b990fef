# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb decide: records what a person decided about a wave or an instance, signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from wavegate import clock
from wavegate.canonical import digest
from wavegate.errors import InputError, MissingError
from wavegate.evidence.decisions import (
    Course,
    DecisionPredicate,
    SignedAs,
    names_of,
    subjects,
)
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.shelf import Shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import Role, Trust
from wavegate.record.store import Store
from wavegate.run.spoken import check_names, check_spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody decided. instance: None for the whole wave."""

    course: Course
    instance: str | None
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A decision that was signed and filed. digest: of its payload. earlier: how many before it."""

    told: DecisionPredicate
    digest: str
    keyid: str
    signed_as: SignedAs

    @property
    def earlier(self) -> int:
        """How many were made about the same before it."""
        return self.told.sequence - 1

    def to_json(self) -> Mapping[str, object]:
        """The object of `decide --json`."""
        return {
            **self.told.to_json(),
            "digest": self.digest,
            "keyid": self.keyid,
            "signed_as": self.signed_as,
            "place": self.told.place,
        }

    def text(self) -> str:
        """The same for a person."""
        told = self.told
        about = told.instance or f"wave {told.wave}"
        lines = [
            f"{told.course}: decided about {about} by {told.by}, {clock.format_instant(told.at)}",
            f"  why: {told.why}",
            f"  {told.place}, signed by key {self.keyid}",
        ]
        if self.signed_as == "record":
            lines.append("  the key may not approve: that this person decided it is a claim")
        if self.earlier:
            lines.append(f"  number {told.sequence} about it: what was decided before stays filed")
        lines.append("  the gate's own decision is not changed; its next bundle shows both")
        return "\n".join(lines)


def decide(shelf: Shelf, request: Request, signer: Signer) -> Filed:
    """Sign and file a decision.

    Raises InputError (no such instance in the wave, an empty text, another customer's name in it,
    a key that may not sign it, two at the same moment) and MissingError (no plan of the wave).
    """
    check_spoken(by=request.by, why=request.why)
    _check_instance(shelf, request.instance)
    check_names(shelf.estate, request.instance, request.by, request.why)
    if shelf.plan is None:
        raise MissingError(
            f"there is no signed plan of wave {shelf.wave.name}: there is nothing to decide about",
            cure=f"wavegate plan --wave {shelf.wave.name}",
        )
    signed_as = role_of(shelf.trust, signer.keyid)
    told = _predicate(shelf, request)
    payload = write(subjects(shelf.plan.digest), told)
    try:
        shelf.store.create(told.place, sign(payload, signer))
    except FileExistsError as error:
        raise InputError(
            "another decision about the same was filed at this moment",
            where=told.place,
            cure="look at it, then decide again",
        ) from error
    return Filed(told=told, digest=digest(payload), keyid=signer.keyid, signed_as=signed_as)


def role_of(trust: Trust, keyid: str) -> SignedAs:
    """In which role a key signs what people decide. Raises InputError where in none."""
    found = trust.find(keyid)
    roles = found.roles if found else frozenset[Role]()
    if Role.APPROVE in roles:
        return "approve"
    if Role.RECORD in roles:
        return "record"
    raise InputError(
        f"key {keyid} is trusted neither to approve nor to record",
        cure="sign with another key (--key), or give it the role approve in the trust file",
    )


def _check_instance(shelf: Shelf, name: str | None) -> None:
    inside = shelf.wave.instances
    if name is not None and name not in inside:
        raise InputError(
            f"not in wave {shelf.wave.name}: {name}",
            where="--instance",
            cure=f"its instances are {', '.join(inside)}",
        )


def _predicate(shelf: Shelf, request: Request) -> DecisionPredicate:
    store, wave = shelf.store, shelf.wave.name
    chain = names_of(store.names("decisions/"), wave, request.instance)
    return DecisionPredicate(
        wave=wave,
        instance=request.instance,
        course=request.course,
        by=request.by,
        why=request.why,
        at=shelf.at,
        sequence=len(chain) + 1,
        previous=digest(read_unverified(store.read(chain[-1]))) if chain else None,
        run=_last_run(store, wave),
        tool=tool(),
    )


def _last_run(store: Store, wave: str) -> str | None:
    """The last gate of the wave that was filed; a run's name holds its instant."""
    runs = {name.split("/")[2] for name in store.names(f"gates/{wave}/")}
    return max(runs, default=None)
