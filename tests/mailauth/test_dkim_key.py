# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.rdata
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.mailauth.zones import rdata

from wavegate.answer import Answer, Found, NoSuchName, Unknown
from wavegate.mailauth.dkim_key import State, effective_key, parse_tags

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
SPKI = base64.b64encode(RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
PKCS1 = base64.b64encode(RSA.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
TEXT = f"v=DKIM1; k=rsa; p={SPKI}"


def published(*records: Any) -> Answer:
    """The answer that publishes some TXT; none is NXDOMAIN."""
    return Found(tuple(rdata("TXT", record) for record in records)) if records else NoSuchName()


def test_corpus_of_key_records(corpora: Path, load_yaml: Callable[[Path], list[Any]]) -> None:
    """31 pairs of key records: the same effect or not, as given."""
    (pairs,) = load_yaml(corpora / "dkim" / "key-records.yml")
    wrong = []
    for pair in pairs:
        before, after = (effective_key(published(*pair[side])) for side in ("before", "after"))
        if (before == after) != (pair["expect"] == "equal"):
            wrong.append(pair["name"])
    assert (31, []) == (len(pairs), wrong)


@pytest.mark.parametrize(
    "text",
    [
        f"p={SPKI}",
        f"v=DKIM1; p={PKCS1}; n=note; x=1;",
        f" v = DKIM1 ;\tk=rsa; s=*; h=sha256:sha1; t=; p={SPKI[:90]} {SPKI[90:]}",
        [TEXT[:100], TEXT[100:]],
        f"v=DKIM1; s=email; p={SPKI}",
    ],
)
def test_wrapping_and_defaults_have_no_effect(text: Any) -> None:
    """The key is its numbers: another wrap, encoding or spelt-out default is the same."""
    assert effective_key(published(TEXT)) == effective_key(published(text))


@pytest.mark.parametrize(
    ("text", "restrictions"),
    [
        (f"v=DKIM1; t=y; p={SPKI}", ("t=y",)),
        (f"v=DKIM1; t=s; p={SPKI}", ("t=s",)),
        (f"v=DKIM1; t=y:s; p={SPKI}", ("t=y", "t=s")),
        (f"v=DKIM1; h=sha1; p={SPKI}", ("h=sha1",)),
        (f"v=DKIM1; s=tlsrpt; p={SPKI}", ("s=tlsrpt",)),
    ],
)
def test_flags_that_take_effect_are_named(text: str, restrictions: tuple[str, ...]) -> None:
    """A flag that keeps receivers from relying on the signature makes another key record."""
    key = effective_key(published(text))
    assert restrictions == key.restrictions
    assert key != effective_key(published(TEXT))


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ((), State.ABSENT),
        (("v=DKIM1; p=",), State.REVOKED),
        (("v=DKIM1; k=rsa",), State.INVALID),
        (("hello",), State.INVALID),
        ((f'v=DKIM1; p={SPKI[:50]}" "{SPKI[50:]}',), State.INVALID),
        ((TEXT, "hello"), State.INVALID),
        ((f"k=rsa; v=DKIM1; p={SPKI}",), State.INVALID),
        ((f"v=DKIM1; k=RSA; p={SPKI}",), State.INVALID),
        (("v=DKIM1; k=ed25519; p=AAAA",), State.INVALID),
    ],
)
def test_states(records: tuple[str, ...], state: State) -> None:
    """Revoked is not absent, and what cannot be a key is invalid."""
    assert state is effective_key(published(*records)).state


def test_a_silent_server_is_unknown() -> None:
    """An error to look is never an absence."""
    key = effective_key(Unknown("SERVFAIL"))
    assert (State.UNKNOWN, "unknown: SERVFAIL") == (key.state, key.describe())


def test_a_key_cut_at_255_octets_says_so() -> None:
    """DNS front ends cut long strings; the number tells a person where to look."""
    key = effective_key(published(TEXT[:255]))
    assert (State.INVALID, True) == (key.state, key.cut)
    assert "255" in key.describe()


def test_an_ed25519_key_is_its_octets() -> None:
    """RFC 8463: 32 raw octets."""
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = effective_key(published(f"k=ed25519; p={base64.b64encode(raw).decode()}"))
    assert ("ed25519", (int.from_bytes(raw, "big"),), 256) == (key.kind, key.numbers, key.bits)


@given(st.lists(st.binary(max_size=255), max_size=4))
def test_hostile_octets_have_a_state(strings: list[bytes]) -> None:
    """Nothing that can stand in a TXT makes reading it fail."""
    wire = b"".join(bytes([len(part)]) + part for part in strings) or b"\0"
    found = Found((dns.rdata.from_wire("IN", "TXT", wire, 0, len(wire)),))
    assert effective_key(found).state in State


@pytest.mark.parametrize("text", ["", ";", "a", "a=1; a=2", "=1", "a=1;; b=2"])
def test_what_is_no_list_of_tags(text: str) -> None:
    """A duplicate or nameless tag makes the list invalid (RFC 6376 3.2)."""
    assert parse_tags(text) is None
