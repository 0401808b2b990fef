# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.evidence.small_bundle import KEY, OTHER_KEY

from wavegate.canonical import dumps, loads
from wavegate.errors import InputError, MissingError
from wavegate.evidence.trust import Role, Trust, dump, everything, load, of_public_keys

AT = datetime(2024, 1, 1, tzinfo=UTC)
BOUNDED = replace(
    everything(KEY.public), roles=frozenset({Role.SEAL}), valid_from=AT, revoked_at=AT
)


def test_round_trip(tmp_path: Path) -> None:
    """A trust file reads back with roles and bounds, and knows where it came from."""
    path = tmp_path / "trust.json"
    keys = (BOUNDED, everything(OTHER_KEY.public))
    path.write_bytes(dump(Trust(keys=keys)))
    assert load(path) == Trust(keys=keys, sources=(path,))


def test_public_keys(tmp_path: Path) -> None:
    """Bare keys are trusted in all roles, without bounds, each once."""
    paths = [tmp_path / "a.pub", tmp_path / "b.pub"]
    for path in paths:
        path.write_text(KEY.public.pem)
    found = of_public_keys(paths)
    assert (found.keys, found.sources) == ((everything(KEY.public),), tuple(paths))


def test_no_key_file(tmp_path: Path) -> None:
    """A missing key file is missing, anything else that is no key is an input error."""
    with pytest.raises(MissingError, match="no such file"):
        of_public_keys([tmp_path / "none"])
    (tmp_path / "text").write_text("no key")
    for path in (tmp_path / "text", tmp_path):
        with pytest.raises(InputError) as caught:
            of_public_keys([path])
        assert caught.value.exit_code == 2


def test_other_kinds_of_keys_are_named(tmp_path: Path) -> None:
    """A key that we cannot use is told by its kind, so that nobody takes it for a broken file."""
    path = tmp_path / "key.pub"
    keys: tuple[tuple[PublicKeyTypes, str], ...] = (
        (rsa.generate_private_key(65537, 2048).public_key(), "an RSA key of 2048 bits"),
        (ec.derive_private_key(9, ec.SECP384R1()).public_key(), "on the curve secp384r1"),
        (x25519.X25519PrivateKey.generate().public_key(), "of the kind X25519"),
    )
    for key, says in keys:
        path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        with pytest.raises(InputError, match=says) as caught:
            of_public_keys([path])
        assert "ask the signer" in str(caught.value.cure)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"keyid": "00" * 32}, "keyid is not that of the key"),
        ({"algorithm": "ed25519"}, "algorithm is not that of the key"),
        ({"algorithm": "none"}, "algorithm is not that of the key"),
        ({"roles": []}, "without roles"),
        ({"roles": ["king"]}, "king"),
        ({"valid_from": "2024-01-01T00:00:00"}, "no zone"),
        ({"key": "junk"}, "not a trust file"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_refused(change: dict[str, object], says: str, tmp_path: Path) -> None:
    """A trust file that is not exactly what it should be is refused with its cure."""
    found = loads(dump(Trust(keys=(BOUNDED,))))
    assert isinstance(found, list)
    path = tmp_path / "trust.json"
    path.write_bytes(dumps([found[0] | change]))
    with pytest.raises(InputError, match=says):
        load(path)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"[NaN]", b"\xff", b"[" * 99])
def test_junk(data: bytes, tmp_path: Path) -> None:
    """Junk is one input error, never a traceback."""
    path = tmp_path / "trust.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a trust file"):
        load(path)


def test_key_twice(tmp_path: Path) -> None:
    """A key that stands twice would have two sets of bounds: refused."""
    path = tmp_path / "trust.json"
    path.write_bytes(dump(Trust(keys=(BOUNDED, everything(KEY.public)))))
    with pytest.raises(InputError, match="twice"):
        load(path)


def test_too_large(tmp_path: Path) -> None:
    """What is read of a trust file is bounded."""
    path = tmp_path / "trust.json"
    path.write_bytes(b" " * 1_000_001)
    with pytest.raises(InputError, match="larger than"):
        load(path)
