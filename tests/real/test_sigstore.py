# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What we sign and have stamped, verified by Sigstore's libraries for node."""

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.builders.npm import installed
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa
from tests.evidence.small_bundle import AT, GOOD, KEY, OTHER_KEY, make

HERE = Path(__file__).parent / "sigstore"
GOOD_SIGNATURE = {"core": True, "verify": True}


@pytest.fixture(scope="module")
def program(request: pytest.FixtureRequest) -> Path:
    """A folder with the script and the installed libraries."""
    return installed(request.config, HERE, "check.cjs")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good bundle."""
    return make(tmp_path_factory.mktemp("sigstore") / "bundle", GOOD)


def pem(path: Path, text: bytes | str) -> str:
    """A file with a public key."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def judged(
    program: Path, folder: Path, asked: list[Any], key: str | None = None, tsa: str | None = None
) -> list[Any]:
    """What the libraries say of envelopes, and of tokens over their payloads."""
    signer = key or pem(folder / "signer.pub", KEY.public.pem)
    done = subprocess.run(
        ["node", "check.cjs", signer, tsa or signer],  # noqa: S607 - found by which before
        cwd=program,
        input="\n".join(map(json.dumps, asked)),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_envelope_of_a_bundle(program: Path, bundle: Path, tmp_path: Path) -> None:
    """Seal, plan and every record's statement verify in both libraries."""
    paths = sorted(bundle.rglob("*.dsse.json"))
    asked = [{"envelope": json.loads(path.read_bytes()), "token": None} for path in paths]
    assert 10 <= len(asked)
    assert [GOOD_SIGNATURE | {"at": None}] * len(asked) == judged(program, tmp_path, asked)


def test_what_was_changed(program: Path, bundle: Path, tmp_path: Path) -> None:
    """Another payload, another type and another key are refused by both."""
    envelope = json.loads((bundle / "seal.dsse.json").read_bytes())
    other = {**envelope, "payload": base64.b64encode(b"{}").decode()}
    typed = {**envelope, "payloadType": "text/plain"}
    asked = [{"envelope": one, "token": None} for one in (other, typed)]
    stranger = pem(tmp_path / "other.pub", OTHER_KEY.public.pem)
    told = judged(program, tmp_path, asked)
    told += judged(program, tmp_path, [{"envelope": envelope, "token": None}], stranger)
    assert [False] * 3 == [one["core"] for one in told]
    assert all(str(one["verify"]).startswith("refused") for one in told)


@WITH_OPENSSL
def test_timestamps(program: Path, bundle: Path, tmp_path: Path) -> None:
    """A token over the seal's payload verifies, and says the instant; over another it does not."""
    tsa = Tsa.make(tmp_path / "tsa")
    public = tsa.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    envelope = json.loads((bundle / "seal.dsse.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    tokens = [tsa.stamp_at(payload, AT), tsa.stamp(payload), tsa.stamp_at(payload + b"x", AT)]
    asked = [{"envelope": envelope, "token": base64.b64encode(t).decode()} for t in tokens]
    told = judged(program, tmp_path, asked, tsa=pem(tmp_path / "tsa.pub", public))
    first, second, other = (one["at"] for one in told)
    assert AT == datetime.fromisoformat(first)
    assert datetime.fromisoformat(second) > datetime(2024, 1, 1, tzinfo=UTC)
    assert str(other).startswith("refused")
