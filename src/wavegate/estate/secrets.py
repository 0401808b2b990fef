# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Secrets behind references: env:NAME, file:PATH, keyring:SERVICE/USER.

No error ever holds a value, not even in its cause.
"""

import importlib
import os
import re
from pathlib import Path

from wavegate.errors import MissingError

MAX_BYTES = 64 * 1024


def resolve(reference: str, base: Path) -> str:
    """The secret that a reference names; file: paths are relative to base.

    Raises MissingError where it is not there, empty, not UTF-8 or larger than 64 KiB.
    """
    kind, _, rest = reference.partition(":")
    match kind:
        case "env":
            value = _from_environment(rest, reference)
        case "file":
            value = _from_file(base / rest, reference)
        case "keyring":
            value = _from_keyring(rest, reference)
        case _:
            raise MissingError(
                "not a reference to a secret", cure="write env:NAME, file:PATH or keyring:S/U"
            )
    if not value:
        raise MissingError("the secret is empty", where=reference, cure="put the secret there")
    return value


def _from_environment(name: str, reference: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise MissingError(
            "the environment has no such variable", where=reference, cure=f"export {name}=..."
        )
    return value


def _from_file(path: Path, reference: str) -> str:
    cure = f"put the secret into {path}, readable for this user"
    try:
        if not path.is_file():
            raise MissingError("no such file", where=reference, cure=cure)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        raise MissingError("the file cannot be read", where=reference, cure=cure) from None
    if len(data) > MAX_BYTES:
        raise MissingError("the file is larger than 64 KiB", where=reference, cure=cure)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MissingError("the file is not UTF-8", where=reference, cure=cure) from None
    return text.removesuffix("\n").removesuffix("\r")


def _from_keyring(rest: str, reference: str) -> str:
    service, _, user = re.sub("[:/]", "\n", rest, count=1).partition("\n")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise MissingError(
            "the package keyring is not installed",
            where=reference,
            cure="pip install 'wavegate[keyring]', or use env: or file:",
        ) from None
    cure = f"keyring set {service} {user}"
    try:
        value = keyring.get_password(service, user)
    except Exception:  # noqa: BLE001 - each backend raises its own errors, which may hold anything
        raise MissingError("the keyring cannot be opened", where=reference, cure=cure) from None
    if not isinstance(value, str):
        raise MissingError("the keyring has no such entry", where=reference, cure=cure)
    return value
