# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dkim as dkimpy  # type: ignore[import-untyped] # ships no types
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dns.name import Name
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mailauth.zones import Table

from wavegate.mailauth.dkim import MAX_FIELDS, Outcome, verify
from wavegate.mailauth.dkim_key import Key, effective_key

AT = datetime(2024, 1, 17, tzinfo=UTC)
OWNER = "acc1._domainkey.news.acme.example"
MAIL = (
    b"From: News <news@news.acme.example>\r\nTo: seed@seed.example\r\nSubject: Hello\r\n"
    b"List-Unsubscribe: <https://t.example/u>\r\n\r\nHello  there \r\nGoodbye\r\n\r\n\r\n"
)
NAMES = [b"from", b"to", b"subject", b"list-unsubscribe"]


@cache
def private() -> RSAPrivateKey:
    """The one key that signs in these tests."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def record(key: RSAPrivateKey, tags: str = "v=DKIM1; ") -> str:
    """The TXT that publishes a key."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}p={base64.b64encode(spki).decode()}"


def sign(message: bytes = MAIL, key: RSAPrivateKey | None = None, **more: Any) -> bytes:
    """Signed by dkimpy, which shares no code with our verification."""
    pem = (key or private()).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    more = {"include_headers": NAMES, **more}
    header: bytes = dkimpy.sign(message, b"acc1", b"news.acme.example", pem, **more)
    return header + message


def keys(*texts: str) -> Callable[[Name], Key]:
    """The keys that some TXT at the one selector publish."""
    table = Table({OWNER: [{"TXT": text} for text in texts]})
    return lambda name: effective_key(table(name, "TXT"))


def outcome(raw: bytes, *texts: str, at: datetime = AT) -> tuple[Outcome, str]:
    """What becomes of the one signature of a message."""
    (found,) = verify(raw, keys(*(texts or (record(private()),))), at)
    return found.outcome, found.reason


def test_corpus_of_messages(corpora: Path, load_yaml: Callable[[Path], list[Any]]) -> None:
    """11 cases on real messages: what passes passes, all else does not."""
    (cases,) = load_yaml(corpora / "dkim" / "messages.yml")
    wrong = []
    for case in cases:
        table = Table({name: [{"TXT": text}] for name, text in case["txt"].items()})
        raw = (corpora / "dkim" / case["message"]).read_bytes()
        found = verify(raw, lambda name, t=table: effective_key(t(name, "TXT")), AT)  # type: ignore[misc] # the default binds the loop's table
        chosen = found[case["signature"] : case["signature"] + 1]
        got = "unsigned" if not found else "fail"
        got = "pass" if chosen and chosen[0].outcome is Outcome.PASS else got
        if got != case["expect"]:
            wrong.append(case["name"])
    assert (11, []) == (len(cases), wrong)


@pytest.mark.parametrize("header", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", [b"simple", b"relaxed"])
def test_canonical_forms(header: bytes, body: bytes) -> None:
    """Both canonical forms of header and body, as an independent signer writes them."""
    raw = sign(canonicalize=(header, body))
    (found,) = verify(raw, keys(record(private())), AT)
    assert (Outcome.PASS, "news.acme.example", "acc1") == (
        found.outcome,
        found.domain,
        found.selector,
    )
    assert f"{header.decode()}/{body.decode()}" == found.canonicalisation
    assert ("from", "to", "subject", "list-unsubscribe") == found.headers


BODIES = st.text(alphabet="a b\t.=\r\n", max_size=60).map(
    lambda text: re.sub("\r(?!\n)|(?<!\r)\n", "\r\n", text).encode()
)


@settings(max_examples=60)
@given(BODIES, st.sampled_from([b"simple", b"relaxed"]))
def test_any_body_verifies_as_another_signer_signed_it(body: bytes, form: bytes) -> None:
    """Trailing lines, white space and empty bodies are hashed as dkimpy hashes them."""
    ended = body + b"\r\n" if body and not body.endswith(b"\r\n") else body
    raw = sign(b"From: a@news.acme.example\r\n\r\n" + ended, canonicalize=(form, form))
    assert Outcome.PASS is outcome(raw)[0]


def test_line_ends_of_a_mailbox_file_do_not_matter() -> None:
    """A message kept with LF line ends is hashed with CRLF."""
    assert Outcome.PASS is outcome(sign().replace(b"\r\n", b"\n"))[0]


def test_changed_body_or_header_fails() -> None:
    """Either change is a failure, and says which it was."""
    raw = sign(canonicalize=(b"relaxed", b"relaxed"))
    assert "body" in outcome(raw.replace(b"Goodbye", b"Goodbyf"))[1]
    assert (Outcome.FAIL, "the signature is not of this key") == outcome(
        raw.replace(b"Subject: Hello", b"Subject: Help")
    )


def test_another_key_fails() -> None:
    """The published key is not the one that signed."""
    other = generate_private_key(public_exponent=65537, key_size=2048)
    assert (Outcome.FAIL, "the signature is not of this key") == outcome(sign(), record(other))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("v=DKIM1; h=sha1; ", Outcome.PERMERROR),
        ("v=DKIM1; s=tlsrpt; ", Outcome.PERMERROR),
        ("v=DKIM1; s=other:email; ", Outcome.PASS),
        ("v=DKIM1; t=y; ", Outcome.POLICY),
        ("k=rsa; v=DKIM1; ", Outcome.PERMERROR),
        ("v=DKIM1; t=s; ", Outcome.PASS),
    ],
)
def test_what_the_key_record_admits(tags: str, expected: Outcome) -> None:
    """Tags of the key record take effect, where other verifiers let them pass."""
    assert expected is outcome(sign(), record(private(), tags))[0]


def test_strict_identity() -> None:
    """With t=s, an i= below d= is no valid signature (RFC 6376 3.6.1)."""
    raw = sign(identity=b"@mail.news.acme.example")
    assert Outcome.PASS is outcome(raw)[0]
    found = outcome(raw, record(private(), "v=DKIM1; t=s; "))
    assert (Outcome.PERMERROR, "the key record has t=s, and i= is not d=") == found


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (("v=DKIM1; p=",), "the key is revoked"),
        (("v=DKIM1; k=ed25519; p=" + "A" * 43 + "=",), "a ed25519 key for a rsa signature"),
    ],
)
def test_no_usable_key_is_permerror(texts: tuple[str, ...], reason: str) -> None:
    """A revoked or unfitting key is told apart from a signature that is wrong."""
    assert (Outcome.PERMERROR, reason) == outcome(sign(), *texts)


def test_a_key_that_nobody_answered_is_temperror() -> None:
    """Cannot tell is not a failure."""
    table = Table({OWNER: ["TIMEOUT"]})
    (found,) = verify(sign(), lambda name: effective_key(table(name, "TXT")), AT)
    assert (Outcome.TEMPERROR, "the key is not known: timeout") == (found.outcome, found.reason)


def test_sha1_signatures_are_refused() -> None:
    """RFC 8301: no sha1, right as the arithmetic may be."""
    forged = sign().replace(b"a=rsa-sha256", b"a=rsa-sha1")
    assert (Outcome.POLICY, "rsa-sha1 is refused (RFC 8301)") == outcome(forged)


def test_text_behind_l_is_told() -> None:
    """l= with text appended passes by design, so nobody should rely on it."""
    raw = sign(length=True)
    assert Outcome.PASS is outcome(raw)[0]
    assert (Outcome.POLICY, "l= leaves text at the end unsigned") == outcome(raw + b"Buy!\r\n")


def sign_by_hand(tags: str) -> bytes:
    """A signature of From and an empty body, with tags that the other signer cannot write."""
    head = b"from:news@news.acme.example\r\n"
    body_hash = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    text = (
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d=news.acme.example; s=acc1; {tags}"
        f"h=from; bh={body_hash}; b="
    ).encode()
    value = private().sign(head + b"dkim-signature:" + text, PKCS1v15(), SHA256())
    header = b"DKIM-Signature: " + text + base64.b64encode(value) + b"\r\n"
    return header + b"From: news@news.acme.example\r\n\r\n"


def test_expiry_is_held_against_the_instant_of_reception() -> None:
    """The same mail gives the same result on any later day: no clock is read."""
    until = int(AT.timestamp())
    raw = sign_by_hand(f"t={until - 60}; x={until}; ")
    assert Outcome.PASS is outcome(raw, at=AT)[0]
    assert (Outcome.EXPIRED, "received after x=") == outcome(raw, at=AT + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("t=20; x=10; ", "x= is not after t="),
        ("x=soon; ", "x= is no number"),
        ("l=5; ", "l= is longer than the body"),
        ("q=dns/other; ", "unknown q="),
        ("i=@acme.example; ", "i= is not below d="),
    ],
)
def test_tags_that_make_a_signature_invalid(tags: str, reason: str) -> None:
    """Each is a permerror with its reason, whatever the arithmetic says."""
    assert (Outcome.PERMERROR, reason) == outcome(sign_by_hand(tags))


def test_every_signature_is_looked_at() -> None:
    """A broken signature on top does not hide a good one below."""
    raw = sign()
    broken = sign(key=generate_private_key(public_exponent=65537, key_size=2048))
    double = broken[: -len(MAIL)] + raw
    found = verify(double, keys(record(private())), AT)
    assert [Outcome.FAIL, Outcome.PASS] == [one.outcome for one in found]


def test_an_unsigned_message_has_no_result() -> None:
    """Empty is for the caller to judge, and never a pass."""
    assert () == verify(MAIL, keys(), AT)


def test_bounds() -> None:
    """Too many header fields is `nobody looked`; a hundred signatures are cut at twenty."""
    many = b"X: y\r\n" * (MAX_FIELDS + 1) + MAIL
    (found,) = verify(many, keys(), AT)
    assert Outcome.TEMPERROR is found.outcome
    assert 20 == len(verify(b"DKIM-Signature: v=1\r\n" * 100 + MAIL, keys(), AT))


def test_a_message_of_a_hundred_megabytes_is_not_read() -> None:
    """Nobody looked, and that is said; it is neither a pass nor a failure."""
    began = time.process_time()
    (found,) = verify(MAIL + b"x" * 100_000_000, keys(), AT)
    assert (Outcome.TEMPERROR, "the message is larger than 32 MiB") == (found.outcome, found.reason)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("bits", "outcome"), [(16_384, Outcome.FAIL), (16_385, Outcome.PERMERROR)])
def test_the_longest_keys_are_bounded_in_time(bits: int, outcome: Outcome) -> None:
    """A key of 16,384 bits is tried, a longer one is none; neither takes noticeable time."""
    public = RSAPublicNumbers(65_537, (1 << bits - 1) | 1).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; p={base64.b64encode(spki).decode()}"
    began = time.process_time()
    (found,) = verify(sign(), keys(text), AT)
    assert outcome is found.outcome
    assert time.process_time() - began < 2


@given(st.binary(max_size=200))
def test_hostile_signatures_have_an_outcome(value: bytes) -> None:
    """Nothing that can stand in the header makes verification fail with an error."""
    raw = b"DKIM-Signature: v=1; a=rsa-sha256; " + value + b"\r\n" + MAIL
    assert all(one.outcome is not Outcome.PASS for one in verify(raw, keys(record(private())), AT))
