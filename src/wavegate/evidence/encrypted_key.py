# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A private key under a passphrase, slow to try: PBES2 with PBKDF2 and AES-256 (RFC 8018).

`cryptography` reads and openssl reads it; `cryptography` itself writes PKCS#8 with 2048 rounds
only, and lets nobody choose more, so the few fields of the structure are laid out here.
"""

import base64
import os
import textwrap

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509 import ObjectIdentifier

ROUNDS = 600_000
_BEGIN = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_PBES2 = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2 = ObjectIdentifier("1.2.840.113549.1.5.12")
_HMAC_SHA256 = ObjectIdentifier("1.2.840.113549.2.9")
_AES256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")


@asn1.sequence
class _Hash:
    algorithm: ObjectIdentifier
    parameters: asn1.Null


@asn1.sequence
class _Slowly:
    salt: bytes
    rounds: int
    by: _Hash


@asn1.sequence
class _Derivation:
    algorithm: ObjectIdentifier
    parameters: _Slowly


@asn1.sequence
class _Cipher:
    algorithm: ObjectIdentifier
    iv: bytes


@asn1.sequence
class _Parameters:
    derivation: _Derivation
    cipher: _Cipher


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    parameters: _Parameters


@asn1.sequence
class _EncryptedPrivateKeyInfo:
    algorithm: _Algorithm
    data: bytes


def encrypted_pem(private: bytes, passphrase: str) -> bytes:
    """The PEM of an encrypted key (RFC 5958 3). private: its PKCS#8 in DER, not encrypted."""
    salt, iv = os.urandom(16), os.urandom(16)
    slow = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=ROUNDS)
    cipher = Cipher(algorithms.AES(slow.derive(passphrase.encode("utf-8"))), modes.CBC(iv))
    padder, encryptor = PKCS7(128).padder(), cipher.encryptor()
    padded = padder.update(private) + padder.finalize()
    info = _EncryptedPrivateKeyInfo(
        algorithm=_algorithm(salt, iv), data=encryptor.update(padded) + encryptor.finalize()
    )
    return _pem(asn1.encode_der(info))


def rounds_of(pem: bytes) -> int | None:
    """How many rounds a guess at an encrypted key costs; None where it is not one of this form."""
    body = pem.partition(_BEGIN)[2].partition(b"-----")[0]
    try:
        info = asn1.decode_der(_EncryptedPrivateKeyInfo, base64.b64decode(body))
    except ValueError:
        return None
    return info.algorithm.parameters.derivation.parameters.rounds


def _algorithm(salt: bytes, iv: bytes) -> _Algorithm:
    by = _Hash(algorithm=_HMAC_SHA256, parameters=asn1.Null())
    slowly = _Slowly(salt=salt, rounds=ROUNDS, by=by)
    return _Algorithm(
        algorithm=_PBES2,
        parameters=_Parameters(
            derivation=_Derivation(algorithm=_PBKDF2, parameters=slowly),
            cipher=_Cipher(algorithm=_AES256_CBC, iv=iv),
        ),
    )


def _pem(der: bytes) -> bytes:
    """RFC 7468 11: lines of 64 characters."""
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    begin = _BEGIN.decode("ascii")
    return "\n".join([begin, *lines, begin.replace("BEGIN", "END"), ""]).encode("ascii")
