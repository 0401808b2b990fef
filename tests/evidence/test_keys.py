# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from wavegate.canonical import digest
from wavegate.errors import InputError, InternalError, MissingError
from wavegate.evidence.keys import default_signer, make_key, recipients_key
from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Role, load

P256 = ec.derive_private_key(99, ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes = b"") -> bytes:
    """PKCS#8 PEM of a key."""
    guard = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard)


def test_first_use(tmp_path: Path) -> None:
    """On first use a key is made that only its owner reads, with its public half and its trust."""
    signer = default_signer(tmp_path / "home")
    keys = tmp_path / "home/keys"
    assert sorted(p.name for p in keys.iterdir()) == ["default.pem", "default.pub"]
    assert stat.S_IMODE((keys / "default.pem").stat().st_mode) == 0o600
    assert PublicKey.from_pem((keys / "default.pub").read_bytes()) == signer.public
    trusted = load(tmp_path / "home/trust.json")
    assert [(k.key, k.roles) for k in trusted.keys] == [(signer.public, frozenset(Role))]


def test_second_use(tmp_path: Path) -> None:
    """The key is made once, and what a person changed beside it is left alone."""
    first = default_signer(tmp_path)
    (tmp_path / "trust.json").write_bytes(b"[]\n")
    assert default_signer(tmp_path).keyid == first.keyid
    assert (tmp_path / "trust.json").read_bytes() == b"[]\n"


def test_companions_come_back(tmp_path: Path) -> None:
    """A crash between key and companions is mended by the next use."""
    first = default_signer(tmp_path)
    (tmp_path / "keys/default.pub").unlink()
    (tmp_path / "trust.json").unlink()
    assert default_signer(tmp_path).keyid == first.keyid
    assert load(tmp_path / "trust.json").find(first.keyid) is not None


def test_race_between_processes(tmp_path: Path) -> None:
    """Processes that come at the same time all get the one key that won."""
    code = (
        "import sys; from pathlib import Path; sys.stdin.read(1)\n"
        "from wavegate.evidence.keys import default_signer\n"
        "print(default_signer(Path(sys.argv[1])).keyid)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "home")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    keyids = {process.communicate()[0].strip() for process in started}
    assert keyids == {default_signer(tmp_path / "home").keyid}
    assert sorted(p.name for p in (tmp_path / "home/keys").iterdir()) == [
        "default.pem",
        "default.pub",
    ]


def test_keyid_is_openssls(tmp_path: Path) -> None:
    """Anybody gets the key id with openssl and sha256sum."""
    signer = default_signer(tmp_path)
    done = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "keys/default.pub", "-outform", "DER"],  # noqa: S607 - the openssl of this machine is meant
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert digest(done.stdout) == signer.keyid


def test_unwritable_home(tmp_path: Path) -> None:
    """A home that cannot be written gives one error with its cure."""
    (tmp_path / "home").write_bytes(b"a file")
    with pytest.raises(InternalError, match="the key cannot be made") as caught:
        default_signer(tmp_path / "home")
    assert "WAVEGATE_HOME" in str(caught.value.cure)


def test_bad_keys(tmp_path: Path) -> None:
    """A missing, foreign, broken or encrypted key is one sentence with a cure, and never shown."""
    path = tmp_path / "key.pem"
    with pytest.raises(MissingError, match="no such key"):
        FileSigner.load(path)
    rsa_key = rsa.generate_private_key(65537, 2048)
    other_curve = ec.derive_private_key(99, ec.SECP384R1())
    for data, says in (
        (b"junk", "not a private ECDSA P-256 key"),
        (pem(rsa_key), "it is an RSA key of 2048 bits"),
        (pem(other_curve), "it is an ECDSA key on the curve secp384r1"),
        (pem(P256, b"secret"), "the key is encrypted"),
        (FileSigner.of(P256).public.pem.encode(), "a public key, which cannot sign"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=says) as caught:
            FileSigner.load(path)
        assert (bool(caught.value.cure), "BEGIN" in str(caught.value)) == (True, False)
    with pytest.raises(InputError, match="cannot be read"):
        FileSigner.load(tmp_path)


def test_make_key(tmp_path: Path) -> None:
    """A key is made for its owner only, under a passphrase where there is one."""
    plain = make_key(tmp_path / "keys/a.pem", None)
    locked = make_key(tmp_path / "keys/b.pem", "swordfish")
    assert plain.keyid == FileSigner.load(tmp_path / "keys/a.pem").keyid
    assert locked.keyid == FileSigner.load(tmp_path / "keys/b.pem", lambda: "swordfish").keyid
    assert locked.public.pem == (tmp_path / "keys/b.pub").read_text()
    modes = [stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) for name in ("a.pem", "b.pem")]
    assert [0o600, 0o600] == modes
    assert [False, True] == [
        b"ENCRYPTED" in (tmp_path / "keys" / name).read_bytes() for name in ("a.pem", "b.pem")
    ]


@pytest.mark.parametrize("there", ["a.pem", "a.pub"])
def test_no_key_is_replaced(there: str, tmp_path: Path) -> None:
    """Where a key, or half of one, is already, nothing is made or written over."""
    (tmp_path / there).write_text("something")
    with pytest.raises(InputError, match="no key is ever replaced"):
        make_key(tmp_path / "a.pem", None)
    assert [there] == [path.name for path in tmp_path.iterdir()]
    assert "something" == (tmp_path / there).read_text()


def test_first_use_under_a_passphrase(tmp_path: Path) -> None:
    """Whoever gives a passphrase on first use gets a key under it, and opens it with it again."""
    first = default_signer(tmp_path, lambda: "swordfish")
    assert first.keyid == default_signer(tmp_path, lambda: "swordfish").keyid
    with pytest.raises(InputError, match="the key is encrypted"):
        default_signer(tmp_path)


def test_key_is_not_shown() -> None:
    """The private key is not in the signer's text."""
    assert "private" not in repr(FileSigner.of(P256))


def test_a_deleted_recipients_key_is_gone(tmp_path: Path) -> None:
    """Deleting one customer's key leaves theirs unknowable, and the others' as they were."""
    acme, zebra = recipients_key(tmp_path, "acme"), recipients_key(tmp_path, "zebra")
    (tmp_path / "keys" / "recipients-zebra.key").unlink()
    assert (True, False) == (
        acme == recipients_key(tmp_path, "acme"),
        zebra == recipients_key(tmp_path, "zebra"),
    )
