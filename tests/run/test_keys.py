# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb keys, as a person gives it: new, show and trust."""

import json
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.small_bundle import GOOD, KEY, OTHER_KEY, make

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.clock import format_instant
from wavegate.errors import WavegateError
from wavegate.evidence.keys import default_signer
from wavegate.evidence.rotation import rotation, sign_rotation
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Role, Trust, dump, everything, load
from wavegate.run.trust_file import merge_trust

PEM = KEY.public.pem.encode()
SIGNED = sign_rotation(
    rotation(everything(KEY.public), everything(OTHER_KEY.public), clock.now()), KEY, OTHER_KEY
)
needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "openssl", "sha256sum", "jq"))), reason="stock tools missing"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a folder without settings."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def keys(capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a command line of the verb, and read what it says as JSON: (code, object)."""

    def give(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run(["keys", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return give


def trusted(home: Path) -> dict[str, frozenset[Role]]:
    """The roles by key id in the home's trust file."""
    return {found.key.keyid: found.roles for found in load(home / "trust.json").keys}


def test_new(keys: Any, home: Path) -> None:
    """A key for its owner only, trusted from now on in the roles that were asked for."""
    before = clock.now().replace(microsecond=0)
    code, found = keys("new", "looks", "--role", "record")
    (row,) = found["keys"]
    private = home / "keys/looks.pem"
    assert (0, "looks", str(private), ["record"]) == (
        code,
        row["name"],
        row["place"],
        row["roles"],
    )
    assert FileSigner.load(private).keyid == row["keyid"]
    assert 0o600 == stat.S_IMODE(private.stat().st_mode)
    assert {row["keyid"]: frozenset({Role.RECORD})} == trusted(home)
    entry = load(home / "trust.json").keys[0]
    assert entry.valid_from is not None
    assert before <= entry.valid_from <= clock.now()
    assert any("--passphrase" in hint for hint in found["hints"])


def test_new_under_a_passphrase(keys: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase comes by reference, is nowhere in what is said, and opens the key."""
    monkeypatch.setenv("SECRET", "swordfish")
    code, found = keys("new", "seal", "--passphrase", "env:SECRET", "--valid-until", "2199-01-01")
    assert (0, "a file, encrypted, 600,000 rounds") == (code, found["keys"][0]["signer"])
    assert "swordfish" not in json.dumps(found)
    assert not any("--passphrase" in hint for hint in found["hints"])
    assert (
        found["keys"][0]["keyid"]
        == FileSigner.load(home / "keys/seal.pem", lambda: "swordfish").keyid
    )
    assert "2199-01-01T00:00:00Z" == found["keys"][0]["valid_until"]
    assert {frozenset({Role.RECORD, Role.SEAL})} == set(trusted(home).values())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("new", "a"), 2, "no key is ever replaced"),
        (("new", "../x"), 2, "not a plain name"),
        (("new", "x", "--role", "king"), 2, "king"),
        (("new", "x", "--valid-until", "2001-01-01"), 2, "before it begins"),
        (("new", "x", "--valid-until", "soon"), 2, "is no instant such as"),
        (("new", "x", "--passphrase", "env:NOT_THERE"), 3, "no such variable"),
        (("new", "x", "--passphrase", "swordfish"), 3, "not a reference"),
        (("new", "x", "--passphrase", "ask"), 3, "no terminal"),
        (("show", "x"), 3, "no key 'x'"),
        (("show", "x.pub"), 3, "no such file"),
        (("trust", "--trust", "nowhere.json"), 3, "no such file"),
        (("trust", "revoke", "00000000", "--at", "2024-01-01"), 3, "no key 00000000"),
        (("trust", "revoke", "0", "--at", "2024-01-01"), 2, "does not name one key"),
        (("trust", "merge", "nowhere"), 3, "no such file"),
        (("trust", "merge", "."), 2, "cannot be read"),
    ],
)
def test_what_cannot_be(
    words: tuple[str, ...], code: int, says: str, keys: Any, home: Path
) -> None:
    """Each is one sentence with its code; no secret in it, and nothing that was there changes."""
    keys("new", "a")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    got, found = keys(*words)
    assert (code, True, False) == (
        got,
        says in found["error"]["message"],
        "swordfish" in json.dumps(found),
    )
    assert before == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_damaged_trust_file_stops_before_a_key_is_made(keys: Any, home: Path) -> None:
    """No key is left behind that no trust file knows."""
    home.mkdir()
    (home / "trust.json").write_text("{}")
    assert 2 == keys("new", "a")[0]
    assert not (home / "keys").exists()


@needs_shell
def test_show_and_openssl_say_the_same(keys: Any, home: Path) -> None:
    """The command printed beside each key id works out the same id: a file's, a trust file's."""
    keys("new", "a b".replace(" ", "-"))
    default_signer(home)
    (home / "keys/default.pub").unlink()
    (home / "keys/default.pem").unlink()
    (home / "trust.json").write_bytes(
        dump(Trust(keys=(*load(home / "trust.json").keys, everything(OTHER_KEY.public))))
    )
    _, found = keys("show")
    rows = {row["keyid"]: row for row in found["keys"]}
    for keyid, row in rows.items():
        command = ["/bin/sh", "-c", row["check"]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert keyid == done.stdout.split()[0]
        assert keyid == row["fingerprint"].replace(" ", "")
    assert ("only the public half is here", None) == (
        rows[OTHER_KEY.keyid]["signer"],
        rows[OTHER_KEY.keyid]["place"],
    )


def test_show_by_name_and_by_path(
    keys: Any, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key by its name, or anybody's public key by its path; whether it is trusted is told."""
    keys("new", "a")
    (tmp_path / "theirs.pub").write_text(OTHER_KEY.public.pem)
    _, found = keys("show", "a", "theirs.pub")
    own, theirs = found["keys"]
    assert (True, False, [], OTHER_KEY.keyid) == (
        own["valid"],
        theirs["valid"],
        theirs["roles"],
        theirs["keyid"],
    )
    assert 0 == run(["keys", "show", "theirs.pub"])
    assert "none: the trust file does not know it" in capsys.readouterr().out
    assert home.exists()


def test_show_what_is_wrong(keys: Any, home: Path) -> None:
    """A key that has ended, and one with few rounds, are shown to be so."""
    keys("new", "a")
    (entry,) = load(home / "trust.json").keys
    (home / "trust.json").write_bytes(
        dump(Trust(keys=(replace(entry, valid_from=None, valid_until=clock.now()),)))
    )
    weak = ["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:x"]
    done = subprocess.run([*weak, "-in", str(home / "keys/a.pem")], capture_output=True, check=True)
    (home / "keys/a.pem").write_bytes(done.stdout)
    _, found = keys("show", "a")
    (row,) = found["keys"]
    assert (False, "a file, encrypted, 2,048 rounds: few, 600,000 are usual now") == (
        row["valid"],
        row["signer"],
    )


def test_no_key_yet(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any key nothing is made, and it says so."""
    assert 0 == run(["keys", "show"])
    assert "no key yet" in capsys.readouterr().out


def test_hand_out_and_merge(keys: Any, home: Path, tmp_path: Path) -> None:
    """What is exported makes a verifier's trust file, by which a bundle verifies."""
    home.mkdir()
    (home / "trust.json").write_bytes(dump(Trust(keys=(everything(KEY.public),))))
    assert 0 == keys("trust", "export", "--out", "out.json", "--keyid", KEY.keyid[:8])[0]
    assert 2 == keys("trust", "export", "--out", "out.json")[0]
    code, found = keys("trust", "merge", "out.json", "--trust", "theirs.json")
    assert (0, f"key {KEY.keyid} is trusted") == (code, found["changed"][0][:79])
    assert (home / "trust.json").read_bytes() == (tmp_path / "theirs.json").read_bytes()
    bundle = make(tmp_path / "bundle", GOOD)
    assert 0 == run(["verify", str(bundle), "--trust", "theirs.json"])
    assert (
        "nothing changed"
        in keys("trust", "merge", "out.json", "--trust", "theirs.json")[1]["changed"][0]
    )


def test_merge_a_public_key(keys: Any, tmp_path: Path) -> None:
    """A first public key is trusted in the roles that are said; a private one is refused."""
    (tmp_path / "a.pub").write_text(KEY.public.pem)
    code, found = keys("trust", "merge", "a.pub", "--role", "seal", "--trust", "mine.json")
    assert (0, ["seal"]) == (code, found["keys"][0]["roles"])
    assert 2 == keys("trust", "merge", "a.pub", "--role", "record", "--trust", "mine.json")[0]
    assert 2 == keys("trust", "merge", "mine.json", "--role", "record", "--trust", "b.json")[0]
    default_signer(tmp_path / "other")
    code, found = keys("trust", "merge", "other/keys/default.pem", "--trust", "mine.json")
    assert (2, True) == (code, "a private key" in found["error"]["message"])
    (tmp_path / "junk").write_text("junk")
    code, found = keys("trust", "merge", "junk", "--trust", "mine.json")
    assert (2, True) == (code, "not a trust file" in found["error"]["message"])


def merged(folder: Path) -> int:
    """Merge what was brought; the exit code that it would have."""
    try:
        merge_trust(folder / "trust.json", folder / "brought")
    except WavegateError as error:
        return error.exit_code
    return 0


STARTS = (b"", b"{", b"[", b"-----BEGIN ", b"-----BEGIN PUBLIC KEY-----\n", PEM, SIGNED)


@settings(max_examples=150)
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=99), cut=st.integers(0, 400))
def test_nothing_that_is_merged_crashes(
    start: bytes, rest: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a file holds, it is merged or refused in a sentence, and never with a trace."""
    folder = tmp_path_factory.mktemp("merge")
    (folder / "brought").write_bytes(start[: cut or None] + rest)
    code = merged(folder)
    assert code in {0, 1, 2}
    assert (folder / "trust.json").exists() == (code == 0)


def test_revoke(keys: Any, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A revocation is kept, told, and stops the key from signing here."""
    keyid = default_signer(home).keyid
    at = format_instant(clock.now() - timedelta(hours=1))
    code, found = keys("trust", "revoke", keyid[:8], "--at", at)
    assert (0, at) == (code, found["keys"][0]["revoked_at"])
    assert 0 == run(["keys", "trust"])
    assert f"revoked at {at}" in capsys.readouterr().out
    assert 0 == run(["keys", "show"])
    assert "NOT NOW" in capsys.readouterr().out


def test_defaults_of_a_settings_file(keys: Any, tmp_path: Path) -> None:
    """`trust` in wavegate.toml is the file for each form of the verb, and hides none."""
    (tmp_path / "wavegate.toml").write_text('trust = "mine.json"\nkey = "elsewhere.pem"\n')
    keys("new", "a")
    assert (tmp_path / "mine.json").exists()
    assert 1 == len(keys("trust")[1]["keys"])
    assert 0 == keys("trust", "export", "--out", "out.json")[0]
    assert 0 == keys("rotate", "a")[0]
    assert 2 == len(keys("trust")[1]["keys"])
