# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rotation of a key: old and new both sign that one ends where the other begins.

Whoever trusts the old key can so come to trust the new one, and nobody else can make them. A
trusted timestamp over it shows that it is older than a later theft of the old key.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.evidence.envelope import (
    SEE_BOUNDS,
    UnknownKeyError,
    not_valid,
    open_envelope,
    read_unverified,
    sign,
)
from wavegate.evidence.fields import Fields
from wavegate.evidence.predicates import BASE
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read, write
from wavegate.evidence.trust import Trust, TrustedKey, dump, key_from_json, key_to_json
from wavegate.evidence.trust_changes import Merged, merged

SUBJECT = "trust.json"
_AGAIN = "ask whoever signs for their rotation, and for the fingerprint of the new key another way"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPredicate:
    """What a rotation says. old: valid until `at`. new: valid from then, in roles of the old one.

    The statement's one subject is the trust file of just these two keys.
    """

    TYPE: ClassVar[str] = f"{BASE}/rotation/v1"

    at: datetime
    old: TrustedKey
    new: TrustedKey

    @property
    def trust(self) -> Trust:
        """The two keys, as a trust file lists them."""
        return Trust(keys=(self.old, self.new))

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        at = format_instant(self.at)
        return {"at": at, "old": key_to_json(self.old), "new": key_to_json(self.new)}

    @classmethod
    def from_json(cls, value: object) -> "RotationPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, "at", "old", "new")
        found = cls(
            at=fields.instant("at"),
            old=key_from_json(fields.raw("old")),
            new=key_from_json(fields.raw("new")),
        )
        if found != rotation(found.old, found.new, found.at) or not found.new.roles:
            raise ValueError("one key does not end where the other begins")
        if not found.new.roles <= found.old.roles or found.new.key == found.old.key:
            raise ValueError("the new key is not another one for roles of the old one")
        return found


def rotation(old: TrustedKey, new: TrustedKey, at: datetime) -> RotationPredicate:
    """What is signed where a key takes another one's place at an instant."""
    return RotationPredicate(
        at=at,
        old=replace(old, valid_until=at),
        new=replace(new, valid_from=at, valid_until=None, revoked_at=None),
    )


def sign_rotation(told: RotationPredicate, old: Signer, new: Signer) -> bytes:
    """The envelope of a rotation, signed by both."""
    return sign(write({SUBJECT: digest(dump(told.trust))}, told), old, new)


def open_rotation(
    data: bytes, trust: Trust, *, seen: datetime | None = None, where: str
) -> RotationPredicate:
    """A rotation that a key of the trust in hand, and its successor, have signed.

    seen: when a timestamp authority saw it. Raises InvalidError: by an unknown key, not signed by
    both, by a key that had ended, or by one revoked since where nothing shows that it came before.
    """
    statement = read(read_unverified(data), RotationPredicate, where=where)
    told = statement.predicate
    if dict(statement.subjects) != {SUBJECT: digest(dump(told.trust))}:
        raise InvalidError("it is not about its own two keys", where=where, cure=_AGAIN)
    old = trust.find(told.old.key.keyid)
    if old is None:
        text = f"it replaces key {told.old.key.keyid}, which is not trusted here"
        raise UnknownKeyError(text, where=where, cure=_AGAIN)
    roles = told.new.roles & old.roles
    if not roles:
        text = (
            f"the old key is trusted for {', '.join(sorted(old.roles))} only, the new is for none"
        )
        raise InvalidError(text, where=where, cure=_AGAIN)
    pair = Trust(keys=(old, told.new))
    open_envelope(data, pair, min(roles), threshold=2, where=where, timed=False)
    if not _is_known(told, trust):
        _check_old(old, seen or told.at, proven=seen is not None, where=where)
    return told


def follow(told: RotationPredicate, trust: Trust) -> Merged:
    """The trust after an opened rotation; the new key gets only roles that the old has here."""
    mine = trust.find(told.old.key.keyid)
    roles = mine.roles if mine else told.old.roles
    pair = (replace(told.old, roles=roles), replace(told.new, roles=told.new.roles & roles))
    return merged(trust, Trust(keys=pair))


def _is_known(told: RotationPredicate, trust: Trust) -> bool:
    """Whether the trust in hand has it already: nothing can be gained by it any more."""
    new = trust.find(told.new.key.keyid)
    return new is not None and new.valid_from == told.at


def _check_old(old: TrustedKey, at: datetime, *, proven: bool, where: str) -> None:
    if not old.valid_at(at):
        raise InvalidError(not_valid(old, at), where=where, cure=SEE_BOUNDS)
    if old.revoked_at and not proven:
        raise InvalidError(
            f"key {old.key.keyid} was revoked, and no trusted timestamp shows that the rotation "
            "came before",
            where=where,
            cure="give the authority's root (--tsa-root) with its token beside the file; or "
            + _AGAIN,
        )
