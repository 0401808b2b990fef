# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Received mails that are really signed, by dkimpy."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import dkim as dkimpy  # type: ignore[import-untyped] # ships no types
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.builders.estates import END, IPS, START
from tests.builders.mails import mail

from wavegate.canonical import digest
from wavegate.record.message import Received

OLD, NEW = "old", "new"


@cache
def private(which: str) -> RSAPrivateKey:
    """A key of its own for each word."""
    assert which
    return generate_private_key(public_exponent=65537, key_size=2048)


def key_text(which: str, tags: str = "v=DKIM1; k=rsa; ") -> str:
    """The TXT that publishes a key."""
    spki = private(which).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}p={base64.b64encode(spki).decode()}"


def signed(
    n: int = 0,
    *,
    after: bool = False,
    which: str | None = OLD,
    domain: str = "news.acme.example",
    d: str | None = None,
    selector: str = "acc1",
    identity: str | None = None,
    headers: Mapping[str, str] | None = None,
    form: bytes = b"relaxed",
    covers: Sequence[str] = ("from", "message-id"),
    **envelope: Any,
) -> Received:
    """One mail of a phase, signed with a key (None: unsigned)."""
    at = END if after else START.replace(hour=20)
    plain = mail(IPS[n % len(IPS)], n=n, at=at, domain=domain, headers=headers)
    if which is None:
        return replace(plain, **envelope)
    header = signature(plain.raw, which, d or domain, selector, identity, form, covers)
    raw = header + plain.raw
    return replace(plain, raw=raw, digest=digest(raw), **envelope)


def signature(
    raw: bytes,
    which: str = OLD,
    d: str = "news.acme.example",
    selector: str = "acc1",
    identity: str | None = None,
    form: bytes = b"relaxed",
    covers: Sequence[str] = ("from", "message-id"),
) -> bytes:
    """A DKIM-Signature field over a message, as dkimpy writes it."""
    pem = private(which).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    made: bytes = dkimpy.sign(
        raw,
        selector.encode(),
        d.encode(),
        pem,
        identity=identity.encode() if identity else None,
        canonicalize=(form, form),
        include_headers=[name.encode() for name in covers],
    )
    return made


def twice_signed(n: int, **other: Any) -> Received:
    """A mail that bears a second signature, by the mailer."""
    one = signed(n, **other)
    raw = signature(one.raw, NEW, "mailer.example", "m1") + one.raw
    return replace(one, raw=raw, digest=digest(raw))


def some(count: int = 4, **other: Any) -> tuple[Received, ...]:
    """A few mails."""
    return tuple(signed(n, **other) for n in range(count))
