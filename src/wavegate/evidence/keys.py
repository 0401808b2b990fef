# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The default key: made once, on first use, however many processes come at the same time.

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
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Trust, dump, everything

RECIPIENTS_KEY_BYTES = 32


def default_signer(home: Path) -> FileSigner:
    """The default key under `home`, made with its companions if there is none.

    A key that is there is never replaced, nor are its companions. Raises InputError (a key that
    cannot be used) or InternalError (read-only, disk full).
    """
    folder = home / "keys"
    private = folder / "default.pem"
    with _disk_errors(private):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(private, _new_key, mode=0o600)
    signer = FileSigner.load(private)
    trust = Trust(keys=(everything(signer.public),))
    with _disk_errors(private):
        _create(private.with_suffix(".pub"), signer.public.pem.encode, mode=0o644)
        _create(home / "trust.json", partial(dump, trust), mode=0o644)
    return signer


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
            f"the default key cannot be made: {error.strerror}",
            where=str(place),
            cure="set WAVEGATE_HOME to a folder that can be written",
        ) from error


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create(path: Path, make: Callable[[], bytes], *, mode: int) -> None:
    """Put a whole, durable file there unless one is there already; the first one wins."""
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
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
