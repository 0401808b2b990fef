# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Opening the key that a person named: a file, a token's key, a key service's; its secret too.

Secrets come from references. Only the reference `ask` asks a person, and only on a terminal.
"""

import functools
import getpass
import sys
from pathlib import Path

from wavegate.errors import InputError, MissingError
from wavegate.estate.secrets import resolve
from wavegate.evidence.keys import default_signer
from wavegate.evidence.signer import FileSigner, Signer
from wavegate.evidence.signer_apart import service_signer, token_signer
from wavegate.evidence.signer_choice import TOKEN, KeyChoice

ASK = "ask"


def open_signer(choice: KeyChoice, home: Path) -> Signer:
    """The signer that was named; without a name the default key, made on first use.

    Raises MissingError or InputError, which never show a secret.
    """
    if choice.where is None:
        given = choice.passphrase
        once = None if given is None else functools.cache(lambda: secret(given, home))
        return default_signer(home, once)
    if not choice.apart:
        return FileSigner.load(Path(choice.where), lambda: _needed(choice))
    if choice.where.startswith(TOKEN):
        return token_signer(choice.where, lambda: _needed(choice))
    return service_signer(choice.where)


def secret(reference: str, what: Path | str, *, new: bool = False) -> str:
    """What a reference names; `ask` asks on the terminal, twice for a new one.

    Raises MissingError, and InputError where the second one is not the first.
    """
    if reference != ASK:
        return resolve(reference, Path())
    if not sys.stdin.isatty():
        raise MissingError(
            "there is no terminal to ask for the passphrase on",
            where=str(what),
            cure="give a reference: --passphrase env:NAME, file:PATH or keyring:S/U",
        )
    given = getpass.getpass(f"passphrase or PIN of {what}: ")
    if not given:
        raise MissingError(
            "no passphrase was given", where=str(what), cure="give the command again"
        )
    if new and getpass.getpass("the same again: ") != given:
        raise InputError("the two do not agree", where=str(what), cure="give the command again")
    return given


def _needed(choice: KeyChoice) -> str:
    if choice.passphrase is None:
        raise MissingError(
            "its passphrase or PIN is needed",
            where=choice.where,
            cure="give a reference: --passphrase env:NAME, file:PATH, keyring:S/U, or ask",
        )
    return secret(choice.passphrase, choice.where or "the default key")
