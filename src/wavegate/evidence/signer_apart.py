# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signing with a key that never leaves its token (PKCS#11) or key service (AWS KMS).

Both through securesystemslib, whose signers hash here and have only the digest signed there. Each
signature is checked with the public key before it is used: a service that signs something else, or
the wrong way, must not be found out by the verifier years later.
"""

import functools
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from wavegate.errors import InputError, InternalError, MissingError, WavegateError
from wavegate.evidence.public_key import ECDSA_P256, PublicKey
from wavegate.evidence.signer_choice import SERVICE, TOKEN

_LIBRARY = "PYKCS11LIB"
_PIN = "look at what --passphrase names, and start again; a token locks after a few tries"
_REFUSED = ("PinIncorrect", "PinInvalid", "PinLenRange")
_MAKE = "make an ECDSA P-256 key there (AWS: ECC_NIST_P256, SIGN_VERIFY)"
_FORM = f"write {TOKEN}ID?label=TOKEN, with the id as a number"


class _Pin:
    """A PIN: fetched once, and never offered again when the token has refused it.

    A token locks itself after a few wrong ones, and a sink would sign again every minute.
    """

    def __init__(self, place: str, fetch: Callable[[], str]) -> None:
        self.place = place
        self.refused = False
        self._fetch = functools.cache(fetch)

    def __call__(self, _: str) -> str:
        """The PIN. Raises MissingError where it was refused before."""
        if self.refused:
            raise MissingError("the token refused the PIN before", where=self.place, cure=_PIN)
        return self._fetch()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerApart:
    """A signer whose private key lies elsewhere. place: as it was named."""

    public: PublicKey
    place: str
    inner: Any = field(repr=False)
    pin: _Pin | None = field(default=None, repr=False)

    @property
    def keyid(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""
        return self.public.keyid

    def sign(self, data: bytes) -> bytes:
        """The signature in DER. Raises MissingError, InputError or InternalError."""
        with _problems_of(self.place, self.pin):
            signature = bytes.fromhex(self.inner.sign(data).signature)
        if not self.public.verifies(signature, data):
            raise InternalError(
                "the signature that was given is not its key's",
                where=self.place,
                cure="look at what signs there: it must sign the digest that it is sent",
            )
        return signature


def token_signer(place: str, pin: Callable[[], str]) -> SignerApart:
    """The signer of a key in a token. pin: fetches it, when it is needed.

    Raises MissingError (no such extra, library, token, key), InputError (another form or kind).
    """
    library = os.environ.get(_LIBRARY)
    if not library:
        cure = f"export {_LIBRARY}=/usr/lib/softhsm/libsofthsm2.so, or your token's"
        raise MissingError(f"{_LIBRARY} names no PKCS#11 library", where=place, cure=cure)
    keyid, label = _parse(place)
    signers = _securesystemslib("hsm", "_hsm_signer", "pkcs11", place)
    once = _Pin(place, pin)
    with _problems_of(place, once):
        _, key = signers.HSMSigner.import_(keyid, label, once)
        inner = signers.HSMSigner(keyid, key, once, label)
        return SignerApart(public=_public(key, place), place=place, inner=inner, pin=once)


def service_signer(place: str) -> SignerApart:
    """The signer of a key in AWS KMS, with the credentials that this machine has.

    Raises MissingError (no such extra, key, credentials, right), InputError (another kind of key).
    """
    name = place.removeprefix(SERVICE)
    if not name:
        raise InputError("names no key", where=place, cure=f"write {SERVICE}ID, an alias or an ARN")
    signers = _securesystemslib("kms", "_aws_signer", "boto3", place)
    with _problems_of(place):
        _, key = signers.AWSSigner.import_(name)
        return SignerApart(
            public=_public(key, place), place=place, inner=signers.AWSSigner(name, key)
        )


def _parse(place: str) -> tuple[int, str | None]:
    number, _, query = place.removeprefix(TOKEN).partition("?")
    given = dict(parse_qsl(query))
    if not number.isdigit() or set(given) - {"label"}:
        raise InputError("not the name of a key in a token", where=place, cure=_FORM)
    return int(number), given.get("label")


def _securesystemslib(extra: str, module: str, needs: str, place: str) -> Any:
    try:
        importlib.import_module(needs)
        return importlib.import_module(f"securesystemslib.signer.{module}")
    except ImportError as error:
        raise MissingError(
            f"the package {error.name} is not installed",
            where=place,
            cure=f"pip install 'wavegate[{extra}]'",
        ) from error


def _public(key: Any, place: str) -> PublicKey:
    try:
        found = PublicKey.from_pem(key.keyval["public"].encode("ascii"))
    except ValueError as error:
        raise InputError(str(error), where=place, cure=_MAKE) from error
    if found.algorithm != ECDSA_P256:
        raise InputError(f"not an ECDSA P-256 key: {found.algorithm}", where=place, cure=_MAKE)
    return found


@contextmanager
def _problems_of(place: str, pin: _Pin | None = None) -> Iterator[None]:
    """What goes wrong there, in one sentence."""
    try:
        yield
    except WavegateError:
        raise
    except Exception as error:
        if pin is not None and type(error).__name__ in _REFUSED:
            pin.refused = True
        text, cure = _told(error)
        raise MissingError(text, where=place, cure=cure) from error


def _told(error: Exception) -> tuple[str, str]:
    name, text = type(error).__name__, str(error)
    if name in _REFUSED:
        return "the token refused the PIN", _PIN
    match name:
        case "PinLocked":
            return "the token is locked", "unlock it with the security officer's PIN"
        case "NoCredentialsError" | "NoRegionError" | "PartialCredentialsError":
            return f"the key service was not asked: {text}", "set the credentials and AWS_REGION"
        case "UnsupportedAlgorithmError":
            return text, _MAKE
        case "ValueError":
            return text, "see that id and label are right, and that the key is one for ECDSA P-256"
    told = f": {text}" if text else ""
    return f"cannot sign there: {name}{told}", "see that the token or service can be used from here"
