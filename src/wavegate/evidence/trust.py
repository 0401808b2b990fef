# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whom a verifier trusts: keys with roles and bounds in time, given from outside the evidence.

The trust file is a JSON list of `{keyid, key, algorithm, roles, valid_from, valid_until,
revoked_at}`; `key` is PEM text, instants are RFC 3339 or null.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError, InputError, MissingError
from wavegate.evidence.fields import Fields
from wavegate.evidence.public_key import PublicKey

MAX_FILE = 1_000_000
MAX_KEYS = 1_000
_FIELDS = ("keyid", "key", "algorithm", "roles", "valid_from", "valid_until", "revoked_at")


class Role(StrEnum):
    """What a key may sign: records and plans, seals, or approvals."""

    RECORD = "record"
    SEAL = "seal"
    APPROVE = "approve"


USUAL = (Role.RECORD, Role.SEAL)
"""The roles of a key of which nobody says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key, the roles it may act in, and when. None: no bound."""

    key: PublicKey
    roles: frozenset[Role]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    def valid_at(self, at: datetime) -> bool:
        """Whether a signature known to have existed at an instant counts."""
        return (
            (self.valid_from is None or self.valid_from <= at)
            and (self.valid_until is None or at < self.valid_until)
            and (self.revoked_at is None or at < self.revoked_at)
        )

    def ended_by(self, at: datetime) -> bool:
        """Whether it had expired or was revoked by then."""
        ends = (self.valid_until, self.revoked_at)
        return any(end is not None and end <= at for end in ends)

    @property
    def bounds(self) -> str:
        """Its bounds in words: `valid from 2024-01-01T00:00:00Z, revoked at ...`."""
        named = (
            ("valid from", self.valid_from),
            ("valid until", self.valid_until),
            ("revoked at", self.revoked_at),
        )
        told = [f"{word} {format_instant(at)}" for word, at in named if at]
        return ", ".join(told) or "valid without bounds"

    @property
    def bounded(self) -> bool:
        """Whether it matters when something was signed."""
        return any((self.valid_from, self.valid_until, self.revoked_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The trusted keys. sources: the files they came from, none of which may lie in a bundle."""

    keys: tuple[TrustedKey, ...]
    sources: tuple[Path, ...] = ()

    def find(self, keyid: str) -> TrustedKey | None:
        """The key of that id, or None."""
        return next((found for found in self.keys if found.key.keyid == keyid), None)


def check_usable(found: TrustedKey, roles: Iterable[Role], at: datetime) -> None:
    """Refuse to sign with a key that may not sign this, or not now, by our own trust file.

    Raises InputError: what it signed would be refused when nothing can be done any more.
    """
    lacking = sorted(set(roles) - found.roles)
    if lacking:
        raise InputError(
            f"key {found.key.keyid} is trusted for {', '.join(sorted(found.roles))} only, "
            f"not for the role {lacking[0]}",
            cure="sign with another key (--key), or see `wavegate keys show`",
        )
    if not found.valid_at(at):
        raise InputError(
            f"key {found.key.keyid} is not valid now: it is {found.bounds}",
            cure="sign with the key that took its place; see `wavegate keys show`",
        )


def everything(key: PublicKey) -> TrustedKey:
    """A key trusted in all roles and without bounds."""
    return TrustedKey(key=key, roles=frozenset(Role))


def of_public_keys(paths: Iterable[Path]) -> Trust:
    """Trust in the keys of PEM files, in all roles and without bounds (`--key`).

    Raises MissingError (no such file) or InputError (not a public key we know).
    """
    files = tuple(paths)
    found: dict[str, TrustedKey] = {}
    for path in files:
        try:
            key = PublicKey.from_pem(_read(path))
        except ValueError as error:
            raise _no_public_key(path, error) from error
        found[key.keyid] = everything(key)
    return Trust(keys=tuple(found.values()), sources=files)


def _no_public_key(path: Path, error: ValueError) -> InputError:
    cure = "give the .pub file: openssl pkey -in KEY.pem -pubout -out KEY.pub"
    text = "not a public key in PEM (ECDSA P-256 or Ed25519)"
    if b"PRIVATE KEY-----" in _read(path):
        text = "a private key, which verifying never needs: leave it where signing is done"
    elif str(error).startswith("not an ECDSA"):
        text, cure = str(error), "ask the signer for the key that they sign with"
    return InputError(text, where=str(path), cure=cure)


def load(path: Path) -> Trust:
    """Read a trust file. Raises MissingError (no such file) or InputError, which says what."""
    return parse(_read(path), path)


def parse(data: bytes, path: Path) -> Trust:
    """The trust that a trust file holds. Raises InputError, which says what is wrong."""
    try:
        keys = _entries(loads(data, where=str(path)))
    except (DamagedError, ValueError) as error:
        text = error.message if isinstance(error, DamagedError) else str(error)
        raise InputError(
            f"not a trust file: {text}",
            where=str(path),
            cure=f"it is a JSON list of objects with the fields {', '.join(_FIELDS)}",
        ) from error
    return Trust(keys=keys, sources=(path,))


def dump(trust: Trust) -> bytes:
    """The trust file that `load` reads back, with a final line end."""
    return dumps([key_to_json(found) for found in trust.keys]) + b"\n"


def key_to_json(found: TrustedKey) -> dict[str, object]:
    """The canonical JSON form of a trusted key."""

    def instant(value: datetime | None) -> str | None:
        return format_instant(value) if value else None

    return {
        "keyid": found.key.keyid,
        "key": found.key.pem,
        "algorithm": found.key.algorithm,
        "roles": sorted(found.roles),
        "valid_from": instant(found.valid_from),
        "valid_until": instant(found.valid_until),
        "revoked_at": instant(found.revoked_at),
    }


def _entries(value: object) -> tuple[TrustedKey, ...]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise ValueError(f"expected a list of at most {MAX_KEYS} keys")
    keys = tuple(key_from_json(entry) for entry in value)
    if len({found.key.keyid for found in keys}) != len(keys):
        raise ValueError("a key stands twice")
    return keys


def key_from_json(value: object) -> TrustedKey:
    """Read back a trusted key. Raises ValueError."""
    fields = Fields(value, *_FIELDS)
    key = PublicKey.from_pem(fields.text("key").encode("utf-8"))
    if fields.digest("keyid") != key.keyid:
        raise ValueError(f"keyid is not that of the key, which is {key.keyid}")
    if fields.text("algorithm") != key.algorithm:
        raise ValueError(f"algorithm is not that of the key, which is {key.algorithm}")
    roles = frozenset(Role(str(role)) for role in fields.items("roles"))
    if not roles:
        raise ValueError("a key without roles")
    return TrustedKey(
        key=key,
        roles=roles,
        valid_from=fields.instant_or_none("valid_from"),
        valid_until=fields.instant_or_none("valid_until"),
        revoked_at=fields.instant_or_none("revoked_at"),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise MissingError(
            "no such file", where=str(path), cure="ask the signer for their public key"
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > MAX_FILE:
        raise InputError(f"larger than {MAX_FILE} bytes", where=str(path))
    return data
