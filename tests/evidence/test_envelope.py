# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from tests.evidence.small_bundle import KEY, OTHER_KEY

from wavegate.canonical import dumps, loads
from wavegate.evidence.envelope import (
    PAYLOAD_TYPE,
    BadSignatureError,
    EnvelopeError,
    UnknownKeyError,
    open_envelope,
    pae,
    read_unverified,
    sign,
)
from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.trust import Role, Trust, TrustedKey, everything

TRUST = Trust(keys=(everything(KEY.public), everything(OTHER_KEY.public)))
N = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)


def envelope(payload: bytes, *signatures: tuple[str, bytes]) -> bytes:
    """An envelope with any signatures."""
    entries = [{"keyid": k, "sig": base64.b64encode(s).decode()} for k, s in signatures]
    text = base64.b64encode(payload).decode()
    return dumps({"payload": text, "payloadType": PAYLOAD_TYPE, "signatures": entries})


def test_pae_vector() -> None:
    """The pre-authentication encoding is that of the protocol's own example."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_pae_counts_bytes() -> None:
    """Lengths are of bytes, not of characters."""
    assert pae("\u00fc", "\u20ac".encode()) == b"DSSEv1 2 \xc3\xbc 3 \xe2\x82\xac"


@given(payload=st.binary(max_size=200))
def test_round_trip(payload: bytes) -> None:
    """What is signed is handed out as the very same bytes, with who signed."""
    opened = open_envelope(sign(payload, KEY), TRUST, Role.SEAL)
    assert (opened.payload, opened.keyids) == (payload, (KEY.keyid,))


def test_same_bytes_each_time() -> None:
    """Signing is deterministic, so that a golden bundle can be kept."""
    assert sign(b"x", KEY) == sign(b"x", KEY)


@given(payload=st.binary(max_size=100), data=st.data())
def test_any_change_is_refused(payload: bytes, data: st.DataObject) -> None:
    """An envelope with a changed byte is never opened as another payload."""
    whole = sign(payload, KEY)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytes([data.draw(st.integers(0, 255))])
    tampered = whole[:place] + changed + whole[place + 1 :]
    try:
        opened = open_envelope(tampered, TRUST, Role.SEAL)
    except (EnvelopeError, UnknownKeyError, BadSignatureError):
        return
    assert opened.payload == payload


def test_securesystemslib_verifies_ours() -> None:
    """An independent implementation accepts our envelope."""
    private = ec.derive_private_key(4711, ec.SECP256R1())
    known = SSlibKey.from_crypto(private.public_key(), keyid=KEY.keyid)
    found = Envelope.from_dict(json.loads(sign(b'{"a":1}', KEY)))
    assert list(found.verify([known], 1)) == [KEY.keyid]
    assert found.payload == b'{"a":1}'


def test_we_verify_securesystemslib() -> None:
    """We accept the envelope of an independent implementation."""
    private = ec.derive_private_key(4711, ec.SECP256R1())
    known = SSlibKey.from_crypto(private.public_key(), keyid=KEY.keyid)
    made = Envelope(b"payload", PAYLOAD_TYPE, {})
    made.sign(CryptoSigner(private, known))
    assert open_envelope(dumps(made.to_dict()), TRUST, Role.RECORD).payload == b"payload"


def test_openssl_verifies_ours(tmp_path: Path) -> None:
    """`openssl dgst` accepts our signature over the encoding."""
    found = loads(sign(b"payload", KEY))
    assert isinstance(found, dict)
    (tmp_path / "pub").write_text(KEY.public.pem)
    (tmp_path / "sig").write_bytes(base64.b64decode(found["signatures"][0]["sig"]))
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig"],  # noqa: S607 - the openssl of this machine is meant
        input=pae(PAYLOAD_TYPE, b"payload"),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"Verified OK\n")


def test_ed25519_only_if_listed() -> None:
    """An Ed25519 signature counts if the trust file lists the key, and not otherwise."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    public = PublicKey.of(private.public_key())
    made = envelope(b"x", (public.keyid, private.sign(pae(PAYLOAD_TYPE, b"x"))))
    listed = Trust(keys=(everything(public),))
    assert open_envelope(made, listed, Role.SEAL).keyids == (public.keyid,)
    with pytest.raises(UnknownKeyError, match="no trusted key"):
        open_envelope(made, TRUST, Role.SEAL)


def test_one_key_counts_once() -> None:
    """The same key twice, or the twin (r, n-s) of its signature, is one signer of two."""
    signature = KEY.sign(pae(PAYLOAD_TYPE, b"x"))
    r, s = utils.decode_dss_signature(signature)
    twin = utils.encode_dss_signature(r, N - s)
    made = envelope(b"x", (KEY.keyid, signature), (KEY.keyid, twin))
    assert open_envelope(made, TRUST, Role.SEAL).keyids == (KEY.keyid,)
    with pytest.raises(UnknownKeyError, match="1 of 2"):
        open_envelope(made, TRUST, Role.SEAL, threshold=2)


def test_two_keys_count_twice() -> None:
    """Two keys make a threshold of two."""
    message = pae(PAYLOAD_TYPE, b"x")
    made = envelope(b"x", *((k.keyid, k.sign(message)) for k in (KEY, OTHER_KEY)))
    opened = open_envelope(made, TRUST, Role.SEAL, threshold=2)
    assert set(opened.keyids) == {KEY.keyid, OTHER_KEY.keyid}


def test_threshold_of_nobody() -> None:
    """A threshold of zero would trust anybody: a fault of the caller."""
    with pytest.raises(ValueError, match="below one"):
        open_envelope(sign(b"x", KEY), TRUST, Role.SEAL, threshold=0)


def test_bad_signature_beside_a_good_one() -> None:
    """A trusted key id on a signature that is not its own spoils the envelope."""
    made = envelope(
        b"x", (KEY.keyid, KEY.sign(pae(PAYLOAD_TYPE, b"x"))), (OTHER_KEY.keyid, b"junk")
    )
    with pytest.raises(BadSignatureError, match=OTHER_KEY.keyid):
        open_envelope(made, TRUST, Role.SEAL)


def test_roles_and_bounds() -> None:
    """A key counts in its roles, and at a proven instant only within its bounds."""
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    key = TrustedKey(
        key=KEY.public, roles=frozenset({Role.RECORD}), valid_from=start, valid_until=end
    )
    trust, made = Trust(keys=(key,)), sign(b"x", KEY)
    assert open_envelope(made, trust, Role.RECORD, at=start).payload == b"x"
    assert open_envelope(made, trust, Role.RECORD).payload == b"x"
    with pytest.raises(UnknownKeyError, match="role seal"):
        open_envelope(made, trust, Role.SEAL)
    with pytest.raises(UnknownKeyError, match="not valid at 2024-02-01"):
        open_envelope(made, trust, Role.RECORD, at=end)
    revoked = Trust(keys=(replace(key, revoked_at=start),))
    with pytest.raises(UnknownKeyError, match="not valid"):
        open_envelope(made, revoked, Role.RECORD, at=start)


@pytest.mark.parametrize(
    ("told", "valid"),
    [
        (b'{"predicate":{"at":"2024-01-15T00:00:00Z"}}', True),
        (b'{"predicate":{"at":"2024-02-01T00:00:00Z"}}', False),
        (b'{"predicate":{"ended":"2024-02-02T00:00:00Z"}}', False),
        (b'{"predicate":{"at":"2023-12-31T00:00:00Z"}}', True),
        (b'{"predicate":{"at":"when it rained"}}', True),
        (b'{"predicate":{"at":7}}', True),
        (b'{"predicate":[]}', True),
        (b"no JSON", True),
    ],
)
def test_by_its_own_word(told: bytes, valid: bool) -> None:
    """Without a proven instant, what says itself that it came after a key's end does not count.

    What says that it came before its beginning may have been signed later, by a later key.
    """
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    key = replace(everything(KEY.public), valid_from=start, valid_until=end)
    trust, made = Trust(keys=(key,)), sign(told, KEY)
    assert told == open_envelope(made, trust, Role.SEAL, timed=False).payload
    if valid:
        assert told == open_envelope(made, trust, Role.SEAL).payload
    else:
        with pytest.raises(UnknownKeyError, match="it is valid from 2024-01-01T00:00:00Z"):
            open_envelope(made, trust, Role.SEAL)


def test_several_signers() -> None:
    """One envelope can carry the signatures of several keys; nobody signs none."""
    trust = Trust(keys=(everything(KEY.public), everything(OTHER_KEY.public)))
    opened = open_envelope(sign(b"x", KEY, OTHER_KEY), trust, Role.SEAL, threshold=2)
    assert {KEY.keyid, OTHER_KEY.keyid} == set(opened.keyids)
    with pytest.raises(ValueError, match="nobody signs"):
        sign(b"x")


@pytest.mark.parametrize(
    "text",
    ["QR==", "QQ", "QQ=", " QQ==", "QQ==\n", "Q-==", "QQ==QQ=="],
    ids=["bits", "unpadded", "short", "space", "newline", "url-safe", "joined"],
)
def test_base64_has_one_form(text: str) -> None:
    """Of the many texts that decode to the same bytes only the encoding's own is read."""
    signatures = [{"keyid": "k", "sig": "QQ=="}]
    made = dumps({"payload": text, "payloadType": PAYLOAD_TYPE, "signatures": signatures})
    with pytest.raises(EnvelopeError, match="base64"):
        read_unverified(made)


def test_too_many_signatures() -> None:
    """The work of a verifier is bounded."""
    made = envelope(b"x", *(("00" * 32, b"x") for _ in range(17)))
    with pytest.raises(EnvelopeError, match="17 signatures"):
        open_envelope(made, TRUST, Role.SEAL)
