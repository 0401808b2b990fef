# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signing with a private key that this process holds, or reaches; the test process holds none."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wavegate.errors import InputError, MissingError
from wavegate.evidence.public_key import PublicKey

_MAKE = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem"
_UNLOCK = "give a key without passphrase, readable by its owner only"


class Signer(Protocol):
    """Anything that signs: a file's key, later a token or a key service."""

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
            raise ValueError("not an ECDSA P-256 key")  # noqa: TRY004 - one error type for all bad input
        return cls(public=PublicKey.of(private.public_key()), private=private)

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Read a PKCS#8 PEM file. Raises MissingError or InputError; never shows the key."""
        try:
            return cls.of(load_pem_private_key(path.read_bytes(), password=None))
        except FileNotFoundError as error:
            raise MissingError("no such key", where=str(path), cure="give the .pem file") from error
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except TypeError as error:
            raise InputError("the key is encrypted", where=str(path), cure=_UNLOCK) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InputError(
                "not a private ECDSA P-256 key in PKCS#8 PEM", where=str(path), cure=_MAKE
            ) from error

    @property
    def keyid(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""
        return self.public.keyid

    def sign(self, data: bytes) -> bytes:
        """The signature in DER; the same bytes each time (RFC 6979)."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
