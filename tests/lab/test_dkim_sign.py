# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's signer, judged by dkimpy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped]  # it ships no types
import pytest

from wavegate.lab.dkim_sign import signature
from wavegate.lab.keys import public_key
from wavegate.lab.letters import Letter, compose
from wavegate.lab.reference import NEW_SITE
from wavegate.lab.world import Route, Sender, Signing

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SIGNING = Signing(domain="news.acme.example", selector="acc1", key="test")
HEADERS = [
    ("From", " News <news@news.acme.example>"),
    ("Subject", " a  folded\r\n\tsubject "),
    ("Date", " Fri, 02 Jan 2026 03:04:05 +0000"),
    ("To", " <s@seed.example>"),
    ("Message-ID", " <1@news.acme.example>"),
]


def _published(key: str) -> Callable[..., bytes]:
    return lambda _, **__: f"v=DKIM1; k=rsa; p={public_key(key)}".encode()


def _message(canon: str, body: bytes, key: str = "test") -> bytes:
    signed = signature(HEADERS, body, replace(SIGNING, canon=canon, key=key), 1)
    lines = [f"{name}:{value}\r\n" for name, value in [signed, *HEADERS]]
    return "".join(lines).encode() + b"\r\n" + body


@pytest.mark.parametrize("canon", ["simple/simple", "relaxed/relaxed", "relaxed/simple"])
@pytest.mark.parametrize(
    "body", [b"", b"\r\n\r\n", b"one\r\n", b"one  two \t\r\n .\r\n\r\n\r\n", b"no end"]
)
def test_dkimpy_verifies_every_canonicalisation(canon: str, body: bytes) -> None:
    """A signer that only its author can verify would make every comparison worthless."""
    assert dkim.verify(_message(canon, body), dnsfunc=_published("test"))


def test_another_key_does_not_verify() -> None:
    """The fault of a wrong private key must be one."""
    message = _message("relaxed/relaxed", b"x\r\n", key="other")
    assert not dkim.verify(message, dnsfunc=_published("test"))


def _letter() -> Letter:
    return Letter(
        instance="acme-prod1",
        sender=Sender(
            domain="news.acme.example", mail_from="bounce@news.acme.example", signing=SIGNING
        ),
        route=Route(ip="127.10.3.11", helo="r11.news.acme.example", domains=("news.acme.example",)),
        mta=NEW_SITE[0],
        x_mailer="nlserver, Build 8.5.1",
        recipient="s-1@seed.example",
        number=0x1234,
        delivery=4005,
        at=AT,
    )


def test_a_whole_letter_verifies() -> None:
    """The headers above the signature are not part of it."""
    assert dkim.verify(compose(_letter()), dnsfunc=_published("test"))


def test_a_host_may_sign_with_a_key_of_its_own() -> None:
    """One host of two with a wrong key is a fault of the catalogue."""
    letter = replace(_letter(), mta=replace(NEW_SITE[0], key="other"))
    assert dkim.verify(compose(letter), dnsfunc=_published("other"))
    assert not dkim.verify(compose(letter), dnsfunc=_published("test"))


def test_a_large_letter_is_unsigned() -> None:
    """Larger than 150 kB, and without a signature."""
    raw = compose(replace(_letter(), large=True))
    assert (b"DKIM-Signature" in raw, len(raw) > 150_000) == (False, True)
