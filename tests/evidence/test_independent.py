# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bundle and its timestamps, verified by programs that nobody here wrote.

Sigstore's are in tests/real/test_sigstore.py, those for the PDF in tests/report/test_pdf_seal.py,
a whole bundle by openssl, jq and coreutils in test_instructions.py.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from in_toto.exceptions import SignatureVerificationError
from in_toto.models.metadata import Metadata
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa
from tests.evidence.small_bundle import KEY, NO_GO, OTHER_KEY, make

from wavegate.evidence.envelope import read_unverified


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest NO-GO."""
    return make(tmp_path_factory.mktemp("independent") / "bundle", NO_GO)


def envelopes(bundle: Path) -> list[Any]:
    """Every envelope of a bundle: seal, plan, records, and those of the extract."""
    found = [json.loads(path.read_bytes()) for path in sorted(bundle.rglob("*.dsse.json"))]
    assert 10 <= len(found)
    return found


def key_of(pem: str, keyid: str) -> SSlibKey:
    """A key as securesystemslib knows it, under our id."""
    public = serialization.load_pem_public_key(pem.encode())
    return SSlibKey.from_crypto(public, keyid=keyid)


def test_securesystemslib(bundle: Path) -> None:
    """Every envelope is that of the key, for the library that TUF and in-toto rest on."""
    known = key_of(KEY.public.pem, KEY.keyid)
    for found in envelopes(bundle):
        assert [KEY.keyid] == list(Envelope.from_dict(found).verify([known], 1))
    wrong = key_of(OTHER_KEY.public.pem, KEY.keyid)
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelopes(bundle)[0]).verify([wrong], 1)


def test_in_toto(bundle: Path) -> None:
    """Every envelope is one of in-toto's, and its signature the key's."""
    for key in (KEY, OTHER_KEY):
        public = key_of(key.public.pem, KEY.keyid)
        told = {"keyid": KEY.keyid, **public.to_dict()}
        for found in envelopes(bundle):
            metadata = Metadata.from_dict(found)
            if key is KEY:
                metadata.verify_signature(told)
            else:
                with pytest.raises(SignatureVerificationError):
                    metadata.verify_signature(told)


@WITH_OPENSSL
def test_openssl_ts(bundle: Path, tmp_path: Path) -> None:
    """The token over the seal's payload verifies with the bare command, and over nothing else."""
    tsa = Tsa.make(tmp_path / "tsa")
    payload = read_unverified((bundle / "seal.dsse.json").read_bytes())
    (tmp_path / "payload").write_bytes(payload)
    (tmp_path / "other").write_bytes(payload + b" ")
    (tmp_path / "seal.tsr").write_bytes(tsa.stamp(payload))
    for name, code in (("payload", 0), ("other", 1)):
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-data", name, "-in", "seal.tsr", "-CAfile", tsa.root],  # noqa: S607 - the openssl of this machine is meant
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert code == done.returncode


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum(bundle: Path) -> None:
    """MANIFEST is checked by the command whose format it has."""
    done = subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "MANIFEST"],  # noqa: S607 - as above
        cwd=bundle,
        capture_output=True,
        check=False,
    )
    assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
