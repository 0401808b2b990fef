# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb keys trust: whom we trust, handed out, added to, taken away.

A trust file is replaced as a whole, by one process at a time.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509

from wavegate.errors import InputError, InternalError, MissingError
from wavegate.evidence.authorities import load_roots
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.rotation import follow, open_rotation
from wavegate.evidence.timestamp import verify_token
from wavegate.evidence.trust import (
    MAX_FILE,
    USUAL,
    Role,
    Trust,
    TrustedKey,
    dump,
    key_to_json,
    load,
    of_public_keys,
    parse,
)
from wavegate.evidence.trust_changes import Merged, key_named, merged, revoked
from wavegate.run.files import write_new
from wavegate.run.watch_lock import locked


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFile:
    """A trust file as it is now. told: what was changed, a sentence each."""

    path: Path
    trust: Trust
    told: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The object of `keys trust --json`."""
        keys = [key_to_json(found) for found in self.trust.keys]
        return {"trust": str(self.path), "keys": keys, "changed": list(self.told)}

    def text(self) -> str:
        """The keys with their check, or what was changed, for a person."""
        if self.told:
            return "\n".join([f"{self.path}", *(f"  {text}" for text in self.told)])
        keys = [line for found in self.trust.keys for line in _lines(found, self.path)]
        return "\n".join(keys) or f"{self.path} trusts no key"


def show_trust(path: Path) -> TrustFile:
    """The trust file. Raises MissingError or InputError."""
    return TrustFile(path=path, trust=load(path))


def export_trust(path: Path, out: Path, keyids: tuple[str, ...]) -> TrustFile:
    """Write the keys, or those named, to a new file for verifiers; it holds nothing secret.

    Raises InputError where something is there already, or a key is not named by its id.
    """
    trust = load(path)
    chosen = tuple(key_named(trust, keyid) for keyid in keyids) or trust.keys
    made = Trust(keys=chosen, sources=(out,))
    write_new(out, dump(made))
    told = [f"key {found.key.keyid}, {found.bounds}" for found in chosen]
    hint = f"their verifier checks with: wavegate verify BUNDLE --trust {shlex.quote(str(out))}"
    return TrustFile(path=out, trust=made, told=(*told, hint))


def revoke_key(path: Path, keyid: str, at: datetime) -> TrustFile:
    """Note that a key was revoked: what it signed from then on does not count. As `key_named`."""
    with changing(path):
        return _keep(path, revoked(load(path), keyid, at))


def merge_trust(
    path: Path, brought: Path, roles: tuple[Role, ...] = (), tsa_roots: tuple[Path, ...] = ()
) -> TrustFile:
    """Add what a file brings: a public key, a trust file, or a rotation signed by old and new key.

    roles: of a public key. tsa_roots: of the authority that stamped a rotation, whose token lies
    beside it as FILE.tsr. Raises InputError, MissingError, and InvalidError for a rotation that
    does not hold here.
    """
    roots = load_roots(tsa_roots).roots
    data = _read(brought)
    with changing(path):
        mine = load(path) if path.exists() else Trust(keys=(), sources=(path,))
        if data.startswith(b"-----BEGIN"):
            return _keep(path, merged(mine, _public(brought, roles or USUAL)))
        if roles:
            raise InputError("--role is for a public key", cure="a trust file tells its own roles")
        if data.lstrip().startswith(b"{"):
            told = open_rotation(data, mine, seen=_seen(brought, data, roots), where=str(brought))
            return _keep(path, follow(told, mine))
        return _keep(path, merged(mine, parse(data, brought)))


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Let nobody else change the trust file meanwhile. Raises InputError where somebody does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    busy = InputError("somebody else is changing it", where=str(path), cure="try again")
    with locked(path.with_name(f".{path.name}.lock"), busy):
        yield


def _keep(path: Path, found: Merged) -> TrustFile:
    save_trust(path, found.trust)
    told = found.told or ("nothing changed: it is all known",)
    return TrustFile(path=path, trust=found.trust, told=told)


def save_trust(path: Path, trust: Trust) -> None:
    """Put a trust file in the place of the one that is there, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(dump(trust))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        text = f"the trust file cannot be written: {error.strerror}"
        raise InternalError(text, where=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _public(path: Path, roles: tuple[Role, ...]) -> Trust:
    found = of_public_keys([path])
    keys = tuple(replace(key, roles=frozenset(roles)) for key in found.keys)
    return replace(found, keys=keys)


def _seen(rotation: Path, data: bytes, roots: tuple[x509.Certificate, ...]) -> datetime | None:
    """When an authority under one of the roots saw a rotation. Raises TimestampError."""
    token = token_of(rotation)
    if not roots or not token.exists():
        return None
    return verify_token(_read(token), read_unverified(data), roots, where=str(token)).at


def token_of(rotation: Path) -> Path:
    """Where the token over a rotation lies: beside it."""
    return rotation.with_name(f"{rotation.name}.tsr")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise MissingError("no such file", where=str(path), cure="see the path") from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > MAX_FILE:
        raise InputError(f"larger than {MAX_FILE} bytes", where=str(path), cure="give another file")
    return data


def _lines(found: TrustedKey, path: Path) -> Iterator[str]:
    yield f"key {found.key.keyid}"
    yield f"  roles   {', '.join(sorted(found.roles))}"
    yield f"  valid   {found.bounds.removeprefix('valid ')}"
    yield f"  check   {check_in(path, found.key.keyid)}"


def check_in(path: Path, keyid: str) -> str:
    """The command that works the id of a key in a trust file out with stock tools."""
    pick = f'.[] | select(.keyid == "{keyid}").key'
    told = f"jq -r '{pick}' {shlex.quote(str(path))}"
    return f"{told} | openssl pkey -pubin -outform DER | sha256sum"
