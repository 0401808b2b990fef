# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wavegate.errors import InputError
from wavegate.evidence.encrypted_key import ROUNDS, encrypted_pem
from wavegate.evidence.signer import FileSigner

KEY = ec.derive_private_key(4711, ec.SECP256R1())
PASSPHRASE = "correct horse, Batterie & ☂"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the key, encrypted."""
    der = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    place = tmp_path_factory.mktemp("key") / "key.pem"
    place.write_bytes(encrypted_pem(der, PASSPHRASE))
    return place


def openssl(*words: str) -> subprocess.CompletedProcess[str]:
    """What the openssl of this machine says."""
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)  # noqa: S607 - the one of this machine is meant


def test_read_back(path: Path) -> None:
    """The library that signs opens the key with its passphrase, in any script."""
    found = load_pem_private_key(path.read_bytes(), PASSPHRASE.encode())
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    assert KEY.private_numbers() == found.private_numbers()
    assert FileSigner.of(KEY).keyid == FileSigner.load(path, lambda: PASSPHRASE).keyid


def test_openssl_reads_it(path: Path) -> None:
    """Whoever has openssl and the passphrase needs no Wavegate to use the key."""
    done = openssl("pkey", "-in", str(path), "-passin", f"pass:{PASSPHRASE}", "-pubout")
    assert FileSigner.of(KEY).public.pem == done.stdout
    assert 0 != openssl("pkey", "-in", str(path), "-passin", "pass:wrong").returncode


def test_it_is_slow_to_try(path: Path) -> None:
    """A stolen file costs 600,000 rounds for each guess, as openssl shows, and holds AES-256."""
    told = openssl("asn1parse", "-in", str(path)).stdout
    assert ROUNDS >= 600_000
    assert f":{ROUNDS:X}" in told.replace(":0", ":")
    assert [True] * 3 == [word in told for word in ("PBES2", "hmacWithSHA256", "aes-256-cbc")]


def test_never_the_same_twice() -> None:
    """Salt and first block are drawn anew, so that equal passphrases do not show."""
    assert encrypted_pem(b"x" * 99, "a") != encrypted_pem(b"x" * 99, "a")


def test_wrong_passphrase(path: Path) -> None:
    """A wrong passphrase is one sentence without it, and no cause holds it either."""
    with pytest.raises(InputError, match="does not open the key") as caught:
        FileSigner.load(path, lambda: "swordfish")
    assert (2, None, False) == (
        caught.value.exit_code,
        caught.value.__cause__,
        "swordfish" in str(caught.value),
    )


def test_passphrase_is_fetched_only_where_needed(tmp_path: Path) -> None:
    """A key that is not encrypted asks nobody for a passphrase."""

    def nobody() -> str:
        raise AssertionError("asked")

    plain = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(plain)
    assert FileSigner.of(KEY).keyid == FileSigner.load(tmp_path / "key.pem", nobody).keyid
