# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The default key: made once, on first use, however many processes come at the same time.

Under $WAVEGATE_HOME: `keys/default.pem` (private, mode 0600), `keys/default.pub` (PEM, SPKI) and
`trust.json`, which trusts it in all roles.
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wavegate.errors import InternalError
from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.trust import Trust, dump, everything


def ensure_default_key(home: Path) -> Path:
    """The path of the default private key, which is made with its companions if there is none.

    A key that is there is never replaced, nor are its companions. Raises InternalError (read-only,
    disk full).
    """
    folder = home / "keys"
    private = folder / "default.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not private.exists():
            _create(private, _new_key(), mode=0o600)
        _ensure_companions(home, private)
    except OSError as error:
        raise InternalError(
            f"the default key cannot be made: {error.strerror}",
            where=str(private),
            cure="set WAVEGATE_HOME to a folder that can be written, or give --sign-key",
        ) from error
    return private


def _ensure_companions(home: Path, private: Path) -> None:
    public = private.with_suffix(".pub")
    trust = home / "trust.json"
    if public.exists() and trust.exists():
        return
    try:
        key = PublicKey.of(load_pem_private_key(private.read_bytes(), password=None).public_key())
    except (TypeError, ValueError):
        return  # whoever loads the key says what is wrong with it
    _create(public, key.pem.encode("ascii"), mode=0o644)
    _create(trust, dump(Trust(keys=(everything(key),))), mode=0o644)


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create(path: Path, data: bytes, *, mode: int) -> None:
    """Put a whole, durable file there unless one is there already; the first one wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
