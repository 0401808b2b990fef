# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The effective DKIM key record (RFC 6376 3.6.1, RFC 8301, RFC 8463): numbers and flags, not text.

Two records are the same if they admit the same signatures: the same modulus and exponent (or 32
octets), hashes, services and flags. Wrapping, white space, SPKI against PKCS#1, notes and unknown
tags have no effect.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from wavegate.answer import Answer, Found, Unknown

MAX_RECORD = 65_535
MAX_STRING = 255
MAX_BITS = 16_384
MIN_BITS = 1_024
"""RSA keys below must not verify (RFC 8301 3.2)."""
GOOD_BITS = 2_048
_SPACE = re.compile(r"[ \t\r\n]+")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class _KeyFaultError(Exception):
    """Internal: what stands in p= is no key."""


class State(StrEnum):
    """What stands at a selector."""

    KEY = "key"
    REVOKED = "revoked"
    ABSENT = "absent"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An effective key record; equality is sameness of effect.

    kind: `rsa`, `ed25519` or empty. numbers: modulus and exponent, or the 32 octets as one number.
    sha256, email: whether the record admits them. testing, strict: the flags t=y and t=s.
    hashes, services: h= and s= as published. reason: of invalid and unknown, for a person.
    strings: the TXT strings as published.
    """

    state: State
    kind: str = ""
    numbers: tuple[int, ...] = ()
    sha256: bool = True
    email: bool = True
    testing: bool = False
    strict: bool = False
    hashes: str = field(default="", compare=False)
    services: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)
    strings: tuple[bytes, ...] = field(default=(), compare=False)

    @property
    def bits(self) -> int:
        """The length of the modulus; 256 for ed25519; 0 where there is no key."""
        if self.kind == "ed25519":
            return 256
        return self.numbers[0].bit_length() if self.numbers else 0

    @property
    def public(self) -> RSAPublicKey | Ed25519PublicKey | None:
        """The key to verify with, or None."""
        if self.state is not State.KEY:
            return None
        if self.kind == "ed25519":
            return Ed25519PublicKey.from_public_bytes(self.numbers[0].to_bytes(32, "big"))
        modulus, exponent = self.numbers
        return RSAPublicNumbers(exponent, modulus).public_key()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in its SPKI form, `sha256:` and hex; the state where there is none."""
        public = self.public
        if public is None:
            return self.state.value
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"sha256:{hashlib.sha256(spki).hexdigest()}"

    @property
    def cut(self) -> bool:
        """Whether the record is invalid and ends where one DNS string must end: it was cut."""
        return self.state is State.INVALID and sum(map(len, self.strings)) == MAX_STRING

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The tags that keep receivers from taking the signature as it is, as they are written."""
        found = (
            ("t=y", self.testing),
            ("t=s", self.strict),
            (f"h={self.hashes}", not self.sha256),
            (f"s={self.services}", not self.email),
        )
        return tuple(tag for tag, there in found if there)

    def describe(self) -> str:
        """The normalised state: kind, bits, fingerprint and flags, or the state and its reason."""
        if self.state is not State.KEY:
            cut = " (cut after 255 octets)" if self.cut else ""
            reason = f": {self.reason}" if self.reason else ""
            return f"{self.state.value}{reason}{cut}"
        return " ".join((self.kind, str(self.bits), self.fingerprint, *self.restrictions))


def effective_key(answer: Answer) -> Key:
    """The key that an answer to `<selector>._domainkey.<domain> TXT` publishes. Never raises."""
    if isinstance(answer, Unknown):
        return Key(state=State.UNKNOWN, reason=answer.reason)
    if not isinstance(answer, Found):
        return Key(state=State.ABSENT)
    found = [tuple(getattr(rdata, "strings", ())) for rdata in answer.rdatas]
    if len(found) != 1:
        return Key(state=State.INVALID, reason="several TXT records at the selector")
    return _read(found[0])


def _read(strings: tuple[bytes, ...]) -> Key:
    text = b"".join(strings)
    tags = parse_tags(text.decode("utf-8", "replace")) if len(text) <= MAX_RECORD else None
    if tags is None:
        return _invalid("no list of tags, or a tag twice", strings)
    version = tags.get("v")
    if version is not None and (version != "DKIM1" or next(iter(tags)) != "v"):
        return _invalid("v= is not DKIM1, or not first", strings)
    if "p" not in tags:
        return _invalid("no p=", strings)
    if not tags["p"]:
        return Key(state=State.REVOKED, strings=strings)
    try:
        kind, numbers = _numbers(tags.get("k", "rsa"), tags["p"])
    except _KeyFaultError as fault:
        return _invalid(str(fault), strings)
    flags = tags.get("t", "").split(":")
    return Key(
        state=State.KEY,
        kind=kind,
        numbers=numbers,
        sha256="h" not in tags or "sha256" in tags["h"].split(":"),
        email=bool({"*", "email"} & set(tags.get("s", "*").split(":"))),
        testing="y" in flags,
        strict="s" in flags,
        hashes=tags.get("h", ""),
        services=tags.get("s", ""),
        strings=strings,
    )


def _invalid(reason: str, strings: tuple[bytes, ...]) -> Key:
    return Key(state=State.INVALID, reason=reason, strings=strings)


def _numbers(kind: str, text: str) -> tuple[str, tuple[int, ...]]:
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _KeyFaultError("p= is no base64") from error
    if kind == "ed25519":
        if len(octets) != 32:
            raise _KeyFaultError("an ed25519 key has 32 octets")
        return kind, (int.from_bytes(octets, "big"),)
    if kind != "rsa":
        raise _KeyFaultError(f"unknown key type k={kind[:20]}")
    return kind, _rsa_numbers(octets)


def _rsa_numbers(octets: bytes) -> tuple[int, int]:
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _KeyFaultError("p= is no public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size > MAX_BITS:
        raise _KeyFaultError("no RSA key of a usable length")
    public = key.public_numbers()
    return public.n, public.e


def parse_tags(text: str) -> dict[str, str] | None:
    """A tag=value list (RFC 6376 3.2) in order, white space in values dropped; None if it is none.

    A duplicate tag makes the whole list invalid.
    """
    tags: dict[str, str] = {}
    parts = text.split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not _TAG.fullmatch(name) or name in tags:
            return None
        tags[name] = _SPACE.sub("", value)
    return tags or None
