# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether the keys that signed a bundle were valid when they did, as far as time is proven.

A trusted timestamp over what a key signed outranks everything else and is looked at with the
tokens. Without one the signer's own clock can only speak against the signer: outside the key's
bounds nothing counts, and inside them it proves nothing, which matters for a key that was revoked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.evidence.envelope import SEE_BOUNDS, not_valid
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.sealed_claims import Claim
from wavegate.evidence.sealed_records import ACCEPTED, Doubt
from wavegate.evidence.sealed_verdicts import PLAN
from wavegate.evidence.trust import Trust, TrustedKey

_NEWER = f"{SEE_BOUNDS}; a newer one from the signer may know more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who signed what in a bundle. at: when the run says that it was sealed.

    planned: when the plan says that it was made; None where that does not bind its signer.
    seen: when an authority saw the seal, and so all that is under it; None where no one did.
    sealers, planners: key ids. bare: the records that no authority saw by themselves.
    """

    at: datetime
    planned: datetime | None
    seen: datetime | None
    sealers: tuple[str, ...]
    planners: tuple[str, ...]
    bare: tuple[Claim, ...]


def check_claimed(signed: Signed, trust: Trust | None) -> None:
    """Refuse a seal or a plan that by its own clock lies outside its key's bounds.

    A timestamp over the seal outranks the run's clock, and was looked at.
    """
    sealed = None if signed.seen else signed.at
    for where, at, keyids, did in (
        (SEAL, sealed, signed.sealers, "the run says that it was sealed"),
        (PLAN, signed.planned, signed.planners, "the plan says that it was made"),
    ):
        for found in _of(keyids, trust):
            if at is not None and not found.valid_at(at):
                text = f"{not_valid(found, at)}; {did} then"
                raise InvalidError(text, where=where, cure=_NEWER)


def key_doubts(signed: Signed, trust: Trust | None) -> Iterator[Doubt]:
    """Records that by their own word were signed when the key had ended, or had not begun.

    A record is signed when it ends, except for an accepted one: that is an earlier capture.
    """
    for claim in signed.bare:
        later = claim.where.startswith(ACCEPTED)
        for found in _of(claim.keyids, trust):
            if found.ended_by(claim.signed.ended) or not (
                later or found.valid_at(claim.signed.ended)
            ):
                text = not_valid(found, claim.signed.ended)
                yield Doubt(instance=claim.signed.instance or "", where=claim.where, text=text)


def key_problems(signed: Signed, trust: Trust | None) -> Iterator[str]:
    """What a revoked key leaves open: whoever stole it can set back their clock."""
    records = {keyid for claim in signed.bare for keyid in claim.keyids}
    signers = (
        ("the sealing key", "it sealed", set(signed.sealers)),
        ("a key of the plan", "it signed the plan", set(signed.planners) - set(signed.sealers)),
        ("a key of records", "it signed them", records - {*signed.sealers, *signed.planners}),
    )
    for whose, did, keyids in signers:
        for found in _of(tuple(keyids), trust):
            if found.revoked_at and not (signed.seen and signed.seen < found.revoked_at):
                yield (
                    f"{whose} was revoked at {format_instant(found.revoked_at)}, and no trusted "
                    f"timestamp shows that {did} before"
                )


def why_not(
    keyids: tuple[str, ...], trust: Trust | None, at: datetime, seen: datetime | None
) -> str | None:
    """Why a seal that came along does not count: its key had ended, or was revoked since.

    at: when it was sealed, by its own word. seen: when an authority saw what it came along in.
    """
    for found in _of(keyids, trust):
        if not found.valid_at(at):
            return not_valid(found, at)
        if found.revoked_at and not (seen and seen < found.revoked_at):
            return f"key {found.key.keyid} was revoked at {format_instant(found.revoked_at)}"
    return None


def not_proven(signed: Signed, trust: Trust | None) -> Iterator[str]:
    """What only the signer's own clock says of keys that have bounds."""
    if signed.seen is None and any(found.bounded for found in _of(signed.sealers, trust)):
        yield "That the key was valid when it sealed: only the signer's own clock says so."


def _of(keyids: tuple[str, ...], trust: Trust | None) -> list[TrustedKey]:
    return [found for found in trust.keys if found.key.keyid in keyids] if trust else []
