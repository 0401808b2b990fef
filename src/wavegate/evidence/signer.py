# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signing with a private key that this process holds, or reaches; the test process holds none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wavegate.errors import InputError, MissingError
from wavegate.evidence.public_key import PublicKey, kind_of

_MAKE = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem"
_UNLOCK = "give its passphrase by a reference: --passphrase env:NAME, file:PATH or keyring:S/U"
_LOCKED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


class Signer(Protocol):
    """Anything that signs: a key in a file, in a token, in a key service."""

    @property
    def keyid(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""

    @property
    def public(self) -> PublicKey:
        """The public key, for the certificate of a PDF's signature."""

    def sign(self, data: bytes) -> bytes:
        """The ECDSA P-256 / SHA-256 signature over the data, in DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSigner:
    """A signer whose P-256 private key was read from a file."""

    public: PublicKey
    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def of(cls, private: object) -> "FileSigner":
        """The signer of a loaded key. Raises ValueError where it is not P-256."""
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            text = f"not an ECDSA P-256 key: it is {kind_of(private)}"
            raise ValueError(text)  # noqa: TRY004 - one error type for all bad input
        return cls(public=PublicKey.of(private.public_key()), private=private)

    @classmethod
    def load(cls, path: Path, passphrase: Callable[[], str] | None = None) -> "FileSigner":
        """Read a PKCS#8 PEM file. passphrase: fetches it, only if the key is encrypted.

        Raises MissingError or InputError; never shows the key or the passphrase.
        """
        data = _read(path)
        if not is_encrypted(data):
            return _private(data, None, path)
        if passphrase is None:
            raise InputError("the key is encrypted", where=str(path), cure=_UNLOCK)
        return _private(data, passphrase(), path)

    @property
    def keyid(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""
        return self.public.keyid

    def sign(self, data: bytes) -> bytes:
        """The signature in DER; the same bytes each time (RFC 6979)."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def is_encrypted(data: bytes) -> bool:
    """Whether the PEM of a private key is that of an encrypted one (RFC 7468 11)."""
    return _LOCKED in data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MissingError("no such key", where=str(path), cure="give the .pem file") from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _private(data: bytes, passphrase: str | None, path: Path) -> FileSigner:
    """The signer, or in one sentence why there is none; no cause holds the passphrase."""
    secret = None if passphrase is None else passphrase.encode("utf-8")
    try:
        return FileSigner.of(load_pem_private_key(data, password=secret))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        text, cure = "not a private ECDSA P-256 key in PKCS#8 PEM", _MAKE
        if b"-----BEGIN PUBLIC KEY-----" in data:
            text, cure = "a public key, which cannot sign", "give the .pem file beside it"
        elif str(error).startswith("not an ECDSA"):
            text = str(error)
        elif passphrase is not None:
            text, cure = "the passphrase does not open the key", "see what --passphrase names"
        raise InputError(text, where=str(path), cure=cure) from None
