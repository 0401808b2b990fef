# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Changes to a trust file, which only ever take trust away from a key that is in it.

Bounds get narrower, a revocation stays, roles are never widened: whoever can bring a file to be
merged cannot give an old key back what it lost. New keys are what a person decides to trust.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.errors import InputError, MissingError
from wavegate.evidence.trust import Trust, TrustedKey

SHORTEST = 8
"""Characters of a key id that name a key, where only one begins with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The trust after a merge. told: a sentence for each change; none where nothing changed."""

    trust: Trust
    told: tuple[str, ...]


def key_named(trust: Trust, keyid: str) -> TrustedKey:
    """The key whose id begins so. Raises MissingError for none, InputError for several."""
    found = [one for one in trust.keys if one.key.keyid.startswith(keyid.lower())]
    if len(keyid) < SHORTEST or len(found) > 1:
        text = f"{keyid!r} does not name one key"
        raise InputError(text, cure=f"give {SHORTEST} characters of its id or more, or all 64")
    if not found:
        known = ", ".join(one.key.keyid[:12] for one in trust.keys) or "none"
        raise MissingError(f"no key {keyid} in the trust file", cure=f"there are: {known}")
    return found[0]


def with_changed(trust: Trust, changed: TrustedKey) -> Trust:
    """The trust with the entry of a key as it is now, or with the key at its end."""
    keyid = changed.key.keyid
    kept = tuple(changed if one.key.keyid == keyid else one for one in trust.keys)
    new = () if trust.find(keyid) else (changed,)
    return replace(trust, keys=(*kept, *new))


def revoked(trust: Trust, keyid: str, at: datetime) -> Merged:
    """The trust in which a key was revoked at an instant, at the latest.

    Raises as `key_named`. An earlier revocation stays.
    """
    found = key_named(trust, keyid)
    changed = replace(found, revoked_at=_earlier(found.revoked_at, at))
    return Merged(trust=with_changed(trust, changed), told=_told(found, changed))


def merged(mine: Trust, brought: Trust) -> Merged:
    """Mine, with the keys that were brought; of keys that are known, the narrower bounds.

    Raises InputError where a known key would get other roles.
    """
    trust = mine
    told: list[str] = []
    for key in brought.keys:
        known = trust.find(key.key.keyid)
        changed = key if known is None else _narrower(known, key)
        told += _told(known, changed)
        trust = with_changed(trust, changed)
    return Merged(trust=trust, told=tuple(told))


def _narrower(known: TrustedKey, brought: TrustedKey) -> TrustedKey:
    if known.roles != brought.roles:
        raise InputError(
            f"key {known.key.keyid} is trusted for {_roles(known)}, and would be for "
            f"{_roles(brought)}",
            cure="ask the signer which is meant; whoever keeps the trust file edits it by hand",
        )
    begins = [at for at in (known.valid_from, brought.valid_from) if at is not None]
    return replace(
        known,
        valid_from=max(begins, default=None),
        valid_until=_earlier(known.valid_until, brought.valid_until),
        revoked_at=_earlier(known.revoked_at, brought.revoked_at),
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _told(known: TrustedKey | None, changed: TrustedKey) -> tuple[str, ...]:
    keyid = changed.key.keyid
    if known is None:
        return (f"key {keyid} is trusted for {_roles(changed)}, {changed.bounds}",)
    if known == changed:
        return ()
    if known.revoked_at != changed.revoked_at and changed.revoked_at:
        return (f"key {keyid} was revoked at {format_instant(changed.revoked_at)}",)
    return (f"key {keyid} is now {changed.bounds}",)


def _roles(found: TrustedKey) -> str:
    return ", ".join(sorted(found.roles))
