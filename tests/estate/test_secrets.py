# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Secrets by reference: found where they are, and never in an error."""

import os
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest

from wavegate.errors import MissingError
from wavegate.estate.secrets import MAX_BYTES, resolve

CANARY = "canary-7f3a"


def refused(reference: str, base: Path) -> MissingError:
    """The error of a reference that cannot be resolved; the canary is nowhere in it."""
    with pytest.raises(MissingError) as caught:
        resolve(reference, base)
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_json())
    assert CANARY not in told
    assert caught.value.cure
    assert 3 == caught.value.exit_code
    return caught.value


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """env: reads the variable."""
    monkeypatch.setenv("OPERATOR_PASSWORD", CANARY)

    assert CANARY == resolve("env:OPERATOR_PASSWORD", tmp_path)


def test_environment_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset or empty variable is missing."""
    monkeypatch.delenv("OPERATOR_PASSWORD", raising=False)
    assert "no such variable" in refused("env:OPERATOR_PASSWORD", tmp_path).message

    monkeypatch.setenv("OPERATOR_PASSWORD", "")
    assert "empty" in refused("env:OPERATOR_PASSWORD", tmp_path).message


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"a b", "a b"), (b"x\n", "x"), (b"x\r\n", "x"), (b"x\n\n", "x\n"), ("ä".encode(), "ä")],
)
def test_file(content: bytes, value: str, tmp_path: Path) -> None:
    """file: is relative to the estate's folder and loses one final newline."""
    (tmp_path / "secret").write_bytes(content)

    assert value == resolve("file:secret", tmp_path)
    assert value == resolve(f"file:{tmp_path / 'secret'}", Path("/nowhere"))


def test_file_that_cannot_be_used(tmp_path: Path) -> None:
    """No file, a folder, a pipe, too large, not UTF-8, empty: each missing, none shown."""
    (tmp_path / "large").write_bytes(CANARY.encode() * MAX_BYTES)
    (tmp_path / "latin").write_bytes(CANARY.encode() + b"\xff")
    (tmp_path / "empty").write_bytes(b"\n")
    os.mkfifo(tmp_path / "pipe")

    assert {
        "none": "no such file",
        ".": "no such file",
        "pipe": "no such file",
        "large": "the file is larger than 64 KiB",
        "latin": "the file is not UTF-8",
        "empty": "the secret is empty",
        "x" * 300: "the file cannot be read",
    } == {
        name: refused(f"file:{name}", tmp_path).message
        for name in ("none", ".", "pipe", "large", "latin", "empty", "x" * 300)
    }


@pytest.mark.parametrize("reference", ["keyring:wavegate/op", "keyring:wavegate:op"])
def test_keyring(reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """keyring: asks for the service and the user."""
    asked = SimpleNamespace(get_password=lambda *who: CANARY if who == ("wavegate", "op") else "")
    monkeypatch.setitem(sys.modules, "keyring", asked)

    assert CANARY == resolve(reference, tmp_path)


def test_keyring_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional package the cure names it."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    assert "wavegate[keyring]" in str(refused("keyring:wavegate/op", tmp_path).cure)


def test_keyring_that_is_locked_or_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend's own error is told without its words; no entry is missing."""

    def locked(*_: str) -> str:
        raise RuntimeError(CANARY)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=locked))
    assert "cannot be opened" in refused("keyring:wavegate/op", tmp_path).message

    nothing = SimpleNamespace(get_password=lambda *_: None)
    monkeypatch.setitem(sys.modules, "keyring", nothing)
    assert "no such entry" in refused("keyring:wavegate/op", tmp_path).message


def test_not_a_reference(tmp_path: Path) -> None:
    """Text that is no reference may be the secret itself, so it is not repeated."""
    assert "not a reference" in refused(CANARY, tmp_path).message
