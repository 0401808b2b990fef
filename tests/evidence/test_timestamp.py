# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa

from wavegate.errors import InputError, InvalidError, MissingError
from wavegate.evidence.authorities import load_roots
from wavegate.evidence.timestamp import (
    MAX_TOKEN,
    TimestampError,
    ask_for,
    check_nonce,
    read_token,
    verify_token,
)

pytestmark = WITH_OPENSSL
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
AT = datetime(2024, 1, 16, 21, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """An authority."""
    return Tsa.make(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    """Its token over the payload."""
    return tsa.stamp_at(PAYLOAD, AT)


def test_token_says_when_and_by_whom(tsa: Tsa, token: bytes) -> None:
    """Instant, accuracy, policy and name are read; the chain to the root holds at that instant."""
    found = verify_token(token, PAYLOAD, load_roots([tsa.root]).roots)
    assert (AT, timedelta(seconds=1), "tsa") == (found.at, found.accuracy, found.authority)
    assert "1.3.6.1.4.1.99999.1" == found.policy
    assert "2024-01-16T21:00:00Z (within 1 s), says tsa" == str(found)
    assert found == read_token(token, PAYLOAD)


def test_what_openssl_answers_is_read(tsa: Tsa) -> None:
    """A request of ours is answered by `openssl ts`; its nonce is held against the answer."""
    question = ask_for(PAYLOAD)
    raw = tsa.reply(question.raw)
    verify_token(raw, PAYLOAD, load_roots([tsa.root]).roots, nonce=question.nonce)
    with pytest.raises(TimestampError, match="another request"):
        check_nonce(raw, (question.nonce or 0) + 1)


def test_openssl_agrees(tsa: Tsa, token: bytes, tmp_path: Path) -> None:
    """An independent verifier accepts what we accept."""
    (tmp_path / "data").write_bytes(PAYLOAD)
    (tmp_path / "token").write_bytes(token)
    command = ["openssl", "ts", "-verify", "-data", "data", "-in", "token"]
    command += ["-CAfile", str(tsa.root), "-attime", str(int(AT.timestamp()))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, True) == (done.returncode, "Verification: OK" in done.stdout), done.stderr


def test_token_of_something_else(tsa: Tsa, token: bytes) -> None:
    """A token proves its own payload and no other (attack 28)."""
    roots = load_roots([tsa.root]).roots
    with pytest.raises(TimestampError, match="of something else"):
        verify_token(token, PAYLOAD + b" ", roots)


def test_other_root(token: bytes, tmp_path: Path) -> None:
    """An authority that the verifier does not know proves nothing (attack 29)."""
    other = Tsa.make(tmp_path / "other")
    with pytest.raises(TimestampError, match="no valid timestamp"):
        verify_token(token, PAYLOAD, load_roots([other.root]).roots)


def test_expired_when_it_stamped(tsa: Tsa) -> None:
    """A certificate that had expired at genTime, or was not yet valid, does not stamp."""
    for since, until in ((datetime(2020, 1, 1, tzinfo=UTC), AT), (AT, AT + timedelta(days=1))):
        short = tsa.certificate(since=since, until=until)
        at = AT + timedelta(days=2) if until == AT else AT - timedelta(days=2)
        with pytest.raises(TimestampError, match="had expired, or was not yet valid"):
            read_token(tsa.stamp_at(PAYLOAD, at, short), PAYLOAD)


def test_token_outlives_its_certificate(tsa: Tsa) -> None:
    """A certificate that expired since stamped well: what counts is the token's own instant."""
    short = tsa.certificate(until=AT + timedelta(days=1))
    raw = tsa.stamp_at(PAYLOAD, AT, short)
    assert AT == verify_token(raw, PAYLOAD, load_roots([tsa.root]).roots).at


def test_certificate_for_other_purposes(tsa: Tsa) -> None:
    """The purpose must be timestamps alone, and critical (RFC 3161 2.3)."""
    both = (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)
    for certificate in (tsa.certificate(critical=False), tsa.certificate(usage=both)):
        with pytest.raises(TimestampError, match="for timestamps alone"):
            read_token(tsa.stamp_at(PAYLOAD, AT, certificate), PAYLOAD)


@pytest.mark.parametrize("weak", ["-sha1", "-sha512"])
def test_another_hash(weak: str, tsa: Tsa) -> None:
    """Only SHA-256 imprints count: it is what we ask for."""
    with pytest.raises(TimestampError, match="not SHA-256"):
        read_token(tsa.stamp(PAYLOAD, weak, "-cert"), PAYLOAD)


def test_weak_signature(tmp_path: Path) -> None:
    """A token that is signed over SHA-1 is refused, whatever its imprint."""
    weak = Tsa.make(tmp_path / "weak", digest="sha1")
    with pytest.raises(TimestampError, match="weak hash"):
        read_token(weak.stamp(PAYLOAD), PAYLOAD)


def test_without_certificate(tsa: Tsa) -> None:
    """A token must bring its certificate, so that it can be verified for ever."""
    with pytest.raises(TimestampError, match="does not hold the certificate"):
        read_token(tsa.stamp(PAYLOAD, "-sha256"), PAYLOAD)


def test_rejection(tsa: Tsa) -> None:
    """`openssl ts` ends with 0 on a rejection too: the status is read."""
    with pytest.raises(TimestampError, match="the authority refused"):
        read_token(tsa.stamp(PAYLOAD, "-md5", "-cert"), PAYLOAD)


@pytest.mark.parametrize("raw", [b"", b"garbage", b"<html>", b"0" * (MAX_TOKEN + 1), b"\x30\x80"])
def test_garbage(raw: bytes) -> None:
    """What is no token is one sentence."""
    with pytest.raises(TimestampError) as caught:
        read_token(raw, PAYLOAD, where="seal.tsr")
    assert (1, "seal.tsr") == (caught.value.exit_code, caught.value.where)
    assert "\n" not in caught.value.message


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_changed_token(data: st.DataObject, tsa: Tsa, token: bytes) -> None:
    """Flipped bits never crash, and never prove another instant."""
    raw = bytearray(token)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = verify_token(bytes(raw), PAYLOAD, load_roots([tsa.root]).roots)
    except InvalidError:
        return
    assert AT == found.at


def test_roots(tsa: Tsa, tmp_path: Path) -> None:
    """A root that is no certificate, or not there, is said; one file may hold several."""
    with pytest.raises(MissingError, match="no such file"):
        load_roots([tmp_path / "none.pem"])
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(InputError, match="no certificate"):
        load_roots([tmp_path / "text"])
    other = Tsa.make(tmp_path / "other")
    (tmp_path / "both.pem").write_bytes(tsa.root.read_bytes() + other.root.read_bytes())
    assert 2 == len(load_roots([tmp_path / "both.pem", tsa.root]).roots)
