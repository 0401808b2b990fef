# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The options that several verbs share; each also reads WAVEGATE_* and `wavegate.toml`."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wavegate.errors import InputError
from wavegate.evidence.signer_choice import KeyChoice, is_apart

F = TypeVar("F", bound=Callable[..., Any])
FILE = "wavegate.toml"
PATHS = frozenset({"certificate", "estate", "store", "key", "trust", "tsa_root", "suites", "out"})


def _setting(name: str, *, required: bool, help_text: str, **extra: Any) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        required=required,
        help=help_text,
        envvar=f"WAVEGATE_{name.upper().replace('-', '_')}",
        show_envvar=True,
        **extra,
    )


PATH = click.Path(path_type=Path)

estate = _setting("estate", required=True, help_text="The estate file.", type=PATH)
_STORE = "The store: a folder, or s3://BUCKET/PREFIX."
store = _setting("store", required=True, help_text=_STORE, type=PATH)
nightly_estate = _setting("estate", required=False, help_text="The estate file.", type=PATH)
nightly_store = _setting("store", required=False, help_text=_STORE, type=PATH)
wave = _setting("wave", required=True, help_text="The name of the wave.")
_GIVEN = "wavegate.passphrase-reference"


def _keep_passphrase(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.meta[_GIVEN] = value


def _choose(context: click.Context, _: click.Parameter, value: str | None) -> KeyChoice:
    return KeyChoice(where=value, passphrase=context.meta.get(_GIVEN))


def signing(name: str, *, help_text: str) -> Callable[[F], F]:
    """An option that names a key to sign with, and `--passphrase` beside it: a KeyChoice."""

    def decorate(function: F) -> F:
        function = passphrase(function)
        return _setting(name, required=False, help_text=help_text, callback=_choose)(function)

    return decorate


passphrase = _setting(
    "passphrase",
    required=False,
    help_text="Passphrase of the key or PIN of its token, by reference: env:, file:, keyring: or "
    "ask.",
    metavar="REF",
    is_eager=True,
    expose_value=False,
    callback=_keep_passphrase,
)
key = signing(
    "key",
    help_text="Key to sign with: a file (PEM), hsm:ID?label=TOKEN or awskms:ID. Default: one made "
    "on first use.",
)
trust = _setting(
    "trust", required=False, help_text="Trust file. Default: that of the own keys.", type=PATH
)
local_trust = _setting(
    "trust", required=False, help_text="The trust file.  [default: that of the own keys]", type=PATH
)


def passphrase_reference(name: str, help_text: str) -> Callable[[F], F]:
    """An option that takes a reference to a passphrase, and never the passphrase."""
    return click.option(name, metavar="REF", help=f"{help_text} keyring: or ask.")


tsa_root = _setting(
    "tsa-root",
    required=False,
    help_text="Root certificates (PEM) of timestamp authorities (repeatable).",
    type=PATH,
    multiple=True,
)
suites = _setting(
    "suites",
    required=False,
    help_text="A folder with suites of your own (repeatable).",
    type=PATH,
    multiple=True,
)
language = _setting(
    "language",
    required=False,
    help_text="Language of the reports, en or de; both where repeated.  [default: en]",
    multiple=True,
)
by = _setting(
    "by", required=False, help_text="Who asked for it, for the reports.  [default: the account]"
)
certificate = _setting(
    "certificate",
    required=False,
    help_text="Certificate of the key and its chain (PEM), for the PDF. Default: self-signed.",
    type=PATH,
)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout."
)


def settings(start: Path) -> dict[str, object]:
    """The keys of the nearest `wavegate.toml` at or above a folder; its paths made absolute.

    Raises InputError for a file that is no TOML.
    """
    for folder in (start, *start.parents):
        path = folder / FILE
        if path.is_file():
            return _read(path)
    return {}


def _read(path: Path) -> dict[str, object]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not TOML: {error}", where=str(path), cure="mend or remove it") from error
    return {name: _absolute(name, value, path.parent) for name, value in found.items()}


def _absolute(name: str, value: object, folder: Path) -> object:
    if name not in PATHS or (isinstance(value, str) and (is_apart(value) or "://" in value)):
        return value
    if isinstance(value, list):
        return [str(folder / str(item)) for item in value]
    return str(folder / str(value))
