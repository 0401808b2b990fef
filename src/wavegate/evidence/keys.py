# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Key files: made by exclusive create, so that none is ever written over.

The default key is made once, on first use, however many processes come at the same time.

Under $WAVEGATE_HOME: `keys/default.pem` (private, mode 0600), `keys/default.pub` (PEM, SPKI) and
`trust.json`, which trusts it in all roles; and per customer `keys/recipients-<customer>.key`.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wavegate.errors import InputError, InternalError
from wavegate.evidence.encrypted_key import encrypted_pem
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Trust, dump, everything

RECIPIENTS_KEY_BYTES = 32


def default_signer(home: Path, passphrase: Callable[[], str] | None = None) -> FileSigner:
    """The default key under `home`, made with its companions if there is none.

    passphrase: fetches that of an encrypted one, and lets one that is made here be encrypted. A key
    that is there is never replaced, nor are its companions. Raises InputError (a key that cannot be
    used) or InternalError (read-only, disk full).
    """
    folder = home / "keys"
    private = folder / "default.pem"
    with _disk_errors(private):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(private, lambda: _new_key(passphrase() if passphrase else None), mode=0o600)
    signer = FileSigner.load(private, passphrase)
    trust = Trust(keys=(everything(signer.public),))
    with _disk_errors(private):
        _create(private.with_suffix(".pub"), signer.public.pem.encode, mode=0o644)
        _create(home / "trust.json", partial(dump, trust), mode=0o644)
    return signer


def make_key(private: Path, passphrase: str | None) -> FileSigner:
    """Make a P-256 key: PKCS#8 PEM of mode 0600 at `private`, and its public half beside it.

    passphrase: with one, the key is encrypted under it. Raises InputError where something is there
    already, which is never written over, and InternalError (read-only, disk full).
    """
    made: list[bool] = []
    with _disk_errors(private):
        private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (private, private.with_suffix(".pub")):
            if path.exists() or path.is_symlink():
                raise _taken(path)
        made.append(_create(private, lambda: _new_key(passphrase), mode=0o600))
    if not made[0]:
        raise _taken(private)
    signer = FileSigner.load(private, None if passphrase is None else lambda: passphrase)
    with _disk_errors(private):
        _create(private.with_suffix(".pub"), signer.public.pem.encode, mode=0o644)
    return signer


def _taken(path: Path) -> InputError:
    cure = "give the new key another name; to put a new key in its place: wavegate keys rotate"
    return InputError("is there already, and no key is ever replaced", where=str(path), cure=cure)


def recipients_key(home: Path, customer: str) -> bytes:
    """The key under which a customer's recipients are kept as HMAC, made on first use.

    Raises InternalError (read-only, disk full) or InputError (a key that is no key).
    """
    path = home / "keys" / f"recipients-{customer}.key"
    with _disk_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, partial(secrets.token_bytes, RECIPIENTS_KEY_BYTES), mode=0o600)
        key = path.read_bytes()
    if len(key) != RECIPIENTS_KEY_BYTES:
        raise InputError(
            f"not {RECIPIENTS_KEY_BYTES} bytes", where=str(path), cure="restore it from a backup"
        )
    return key


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InternalError(
            f"the key cannot be made: {error.strerror}",
            where=str(place),
            cure="set WAVEGATE_HOME to a folder that can be written",
        ) from error


def _new_key(passphrase: str | None = None) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return encrypted_pem(der, passphrase)


def _create(path: Path, make: Callable[[], bytes], *, mode: int) -> bool:
    """Put a whole, durable file there unless one is there already; whether it was put there."""
    if path.exists():
        return False
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
