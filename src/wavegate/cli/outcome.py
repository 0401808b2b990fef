# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a verb leaves behind: one JSON object or text for a person, and an exit code."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import click

from wavegate.errors import WavegateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a verb. code: the exit code; data: the object of `--json`."""

    code: int
    data: Mapping[str, object]


def finish(code: int, data: Mapping[str, object], text: str, *, as_json: bool) -> Outcome:
    """Print the result on stdout, as exactly one JSON object or as text."""
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, sort_keys=True))
    elif text:
        click.echo(text)
    return Outcome(code=code, data=data)


def show_error(error: WavegateError, *, as_json: bool) -> int:
    """Print an error with its place and cure, and give its exit code."""
    if as_json:
        click.echo(json.dumps({"error": error.as_json()}, ensure_ascii=False, sort_keys=True))
    else:
        word = click.style("error", fg="red", bold=True) if colour_wanted(sys.stderr) else "error"
        click.echo(f"{word}: {error}", err=True)
    return error.exit_code


def say(text: str) -> None:
    """Tell a person something on stderr; stdout belongs to the result."""
    click.echo(text, err=True)


def show(what: object) -> None:
    """Print something that rich can draw on stdout; without colours where there is no terminal."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(what)


def colour_wanted(stream: object) -> bool:
    """Whether to colour: a terminal, and neither NO_COLOR nor TERM=dumb (clig.dev)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(getattr(stream, "isatty", lambda: False)())
