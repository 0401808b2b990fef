# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which key signs: named by option, environment or file, opened by reference, fit for its work."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
import pytest

from wavegate import clock
from wavegate.cli import options
from wavegate.errors import InputError, MissingError
from wavegate.evidence.keys import default_signer, make_key
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.signer_choice import KeyChoice
from wavegate.evidence.trust import Role, Trust, dump, everything
from wavegate.run import opening
from wavegate.run.keys import NewKey, new_key
from wavegate.run.signers import open_signer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_default_key(home: Path) -> None:
    """Without a name the default key signs, made on first use."""
    assert opening.signer_for(None).keyid == open_signer(KeyChoice(), home).keyid
    assert (home / "keys/default.pem").exists()


def test_passphrase_by_reference(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encrypted key is opened by what a reference names, and by nothing else."""
    path = home / "a.pem"
    made = make_key(path, "swordfish")
    monkeypatch.setenv("SECRET", "swordfish")
    choice = KeyChoice(where=str(path), passphrase="env:SECRET")
    assert made.keyid == opening.signer_for(choice).keyid
    with pytest.raises(MissingError, match="passphrase or PIN is needed"):
        open_signer(KeyChoice(where=str(path)), home)
    with pytest.raises(MissingError, match="not a reference") as caught:
        open_signer(KeyChoice(where=str(path), passphrase="swordfish"), home)
    assert "swordfish" not in str(caught.value)


def test_nothing_is_asked_without_a_terminal(home: Path) -> None:
    """`ask` needs a terminal; where there is none, it ends with a sentence and does not wait."""
    make_key(home / "a.pem", "swordfish")
    choice = KeyChoice(where=str(home / "a.pem"), passphrase="ask")
    with pytest.raises(MissingError, match="no terminal"):
        open_signer(choice, home)


def test_asked_on_a_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the passphrase is asked for without showing it; nothing typed is missing."""
    made = make_key(home / "a.pem", "swordfish")
    choice = KeyChoice(where=str(home / "a.pem"), passphrase="ask")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: "swordfish")
    assert made.keyid == open_signer(choice, home).keyid
    monkeypatch.setattr("getpass.getpass", lambda _: "")
    with pytest.raises(MissingError, match="no passphrase was given"):
        open_signer(choice, home)


def test_a_new_passphrase_is_typed_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the finger does not lock a key away for good: it is told, and no key is made."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = iter(["swordfish", "sworfdish", "swordfish", "swordfish"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    request = NewKey(name="a", passphrase="ask")
    with pytest.raises(InputError, match="do not agree"):
        new_key(home, request, home / "trust.json")
    assert not (home / "keys").exists()
    (row,) = new_key(home, request, home / "trust.json").keys
    assert row.key.keyid == FileSigner.load(home / "keys/a.pem", lambda: "swordfish").keyid


@pytest.mark.parametrize(
    ("where", "says"),
    [("hsm:x", "not the name of a key in a token"), ("awskms:", "names no key")],
)
def test_names_of_keys_apart(
    where: str, says: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token's or a service's key is never taken for a path."""
    monkeypatch.setenv("PYKCS11LIB", "/nowhere.so")
    with pytest.raises(InputError, match=says):
        open_signer(KeyChoice(where=where), home)


def test_key_that_may_not(home: Path) -> None:
    """A key that our own trust file keeps from this work, or from now on, does not start it."""
    found = everything(default_signer(home).public)
    for changed, says in (
        (replace(found, roles=frozenset({Role.SEAL})), "trusted for seal only"),
        (replace(found, valid_until=clock.now()), "is not valid now: it is valid until"),
        (replace(found, revoked_at=clock.now()), "is not valid now: it is revoked at"),
        (replace(found, valid_from=clock.now() + timedelta(days=1)), "is not valid now"),
    ):
        (home / "trust.json").write_bytes(dump(Trust(keys=(changed,))))
        with pytest.raises(InputError, match=says) as caught:
            opening.signer_for(None)
        assert "wavegate keys show" in str(caught.value.cure)
    (home / "trust.json").write_bytes(
        dump(Trust(keys=(replace(found, roles=frozenset({Role.RECORD})),)))
    )
    assert found.key.keyid == opening.signer_for(None).keyid
    with pytest.raises(InputError, match="not for the role seal"):
        opening.sealer_for(None)


@pytest.mark.parametrize("role", [Role.APPROVE, Role.RECORD])
def test_key_of_a_persons_word(role: Role, home: Path) -> None:
    """An approver's key need not sign records to sign what a person decided; a sealer's cannot."""
    found = everything(default_signer(home).public)
    trusted = replace(found, roles=frozenset({role}))
    (home / "trust.json").write_bytes(dump(Trust(keys=(trusted,))))
    assert found.key.keyid == opening.approver_for(None).keyid
    sealing = replace(found, roles=frozenset({Role.SEAL}))
    (home / "trust.json").write_bytes(dump(Trust(keys=(sealing,))))
    with pytest.raises(InputError, match="trusted for seal only"):
        opening.approver_for(None)


@click.command()
@options.key
def _verb(key: KeyChoice) -> KeyChoice:
    return key


def chosen(*words: str, **settings: str) -> object:
    """What a verb gets of a command line and of the settings of a file."""
    return _verb.main(list(words), standalone_mode=False, default_map=settings)


def test_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and passphrase come from flags, the environment or a file, in whatever order."""
    for name in ("WAVEGATE_KEY", "WAVEGATE_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    token = KeyChoice(where="hsm:1?label=a", passphrase="env:PIN")
    assert KeyChoice() == chosen()
    assert token == chosen("--key", "hsm:1?label=a", "--passphrase", "env:PIN")
    assert token == chosen("--passphrase", "env:PIN", "--key", "hsm:1?label=a")
    assert token == chosen(key="hsm:1?label=a", passphrase="env:PIN")
    assert KeyChoice(passphrase="ask") == chosen("--passphrase", "ask")
    monkeypatch.setenv("WAVEGATE_PASSPHRASE", "env:PIN")
    monkeypatch.setenv("WAVEGATE_KEY", "hsm:1?label=a")
    assert token == chosen()


def test_settings_of_a_file(tmp_path: Path) -> None:
    """Paths of a file are meant beside it; the name of a token's key is no path."""
    (tmp_path / "wavegate.toml").write_text('key = "a.pem"\n')
    assert {"key": str(tmp_path / "a.pem")} == options.settings(tmp_path)
    (tmp_path / "wavegate.toml").write_text('key = "hsm:1"\npassphrase = "env:PIN"\n')
    assert {"key": "hsm:1", "passphrase": "env:PIN"} == options.settings(tmp_path)
