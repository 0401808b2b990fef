# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A public key as evidence knows it: its id, its algorithm, and whether a signature is its own.

The key id is the SHA-256 of the SubjectPublicKeyInfo in DER (RFC 5280 4.1.2.7), which anybody gets
from `openssl pkey -pubin -in k.pub -outform DER | sha256sum`.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from wavegate.canonical import digest

ECDSA_P256 = "ecdsa-p256-sha256"
ED25519 = "ed25519"

_Loaded = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def kind_of(key: object) -> str:
    """What a loaded key is, private or public, in words: `an RSA key of 2048 bits`."""
    match key:
        case rsa.RSAPublicKey() | rsa.RSAPrivateKey():
            return f"an RSA key of {key.key_size} bits"
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey():
            return f"an ECDSA key on the curve {key.curve.name}"
        case ed25519.Ed25519PublicKey() | ed25519.Ed25519PrivateKey():
            return "an Ed25519 key"
    name = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")
    return f"a key of the kind {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A P-256 or Ed25519 public key. spki: its SubjectPublicKeyInfo in DER."""

    keyid: str
    algorithm: str
    spki: bytes

    @classmethod
    def of(cls, key: object) -> "PublicKey":
        """The key of a loaded `cryptography` key. Raises ValueError for other kinds and curves."""
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            return cls._build(ECDSA_P256, key)
        if isinstance(key, ed25519.Ed25519PublicKey):
            return cls._build(ED25519, key)
        raise ValueError(f"not an ECDSA P-256 or Ed25519 key: it is {kind_of(key)}")

    @classmethod
    def _build(cls, algorithm: str, key: _Loaded) -> "PublicKey":
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(keyid=digest(spki), algorithm=algorithm, spki=spki)

    @classmethod
    def from_pem(cls, data: bytes) -> "PublicKey":
        """The key of a PEM SubjectPublicKeyInfo. Raises ValueError for anything else."""
        try:
            return cls.of(load_pem_public_key(data))
        except UnsupportedAlgorithm as error:
            text = "not an ECDSA P-256 or Ed25519 key: it is of a kind unknown here"
            raise ValueError(text) from error

    @property
    def pem(self) -> str:
        """The key as PEM text, as openssl writes it."""
        pem = _load(self.spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem.decode("ascii")

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature over the data is this key's. Never raises."""
        key = _load(self.spki)
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, data)
            else:
                key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=256)
def _load(spki: bytes) -> _Loaded:
    key = load_der_public_key(spki)
    if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key
    raise ValueError("not an ECDSA P-256 or Ed25519 key")
