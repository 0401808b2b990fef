# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb export: a sealed run in the forms that others read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.evidence.signer_choice import KeyChoice

F = TypeVar("F", bound=Callable[..., Any])
EPILOG = """\b
Examples:
  wavegate export oscal reports/runs/RUN --out results.json --key wavegate.pub
  wavegate export cases reports/runs/RUN --customer acme --out cases
A bundle that is not valid is not exported. The bundle stays the proof: what is
exported is for a tool or a person, and can be made again, byte for byte.
Exit codes: 0 written; 1 the bundle is not valid; 2 usage or input; 3 nothing to
write, or a file is missing.
"""


@click.group("export", epilog=EPILOG)
def command() -> None:
    """Write a sealed run as OSCAL, in-toto or CSV, or as texts for support cases."""


def _shared(what: str) -> Callable[[F], F]:
    """The argument and options of every form."""

    def decorate(function: F) -> F:
        for option in (
            options.as_json,
            click.option("--trust", type=options.PATH, help="Trust file with roles and validity."),
            click.option(
                "--key", "keys", type=options.PATH, multiple=True, help="Public key (PEM)."
            ),
            click.option("--out", type=options.PATH, required=True, help=what),
            click.argument("bundle", type=options.PATH),
        ):
            function = option(function)
        return function

    return decorate


def _epilog(form: str, more: str) -> str:
    return (
        f"\b\nExamples:\n  wavegate export {form} reports/runs/RUN --out FILE\n"
        f"  wavegate export {form} reports/runs/RUN --out FILE --key wavegate.pub\n{more}\n"
        "Exit codes: 0 written; 1 the bundle is not valid; 2 usage or input."
    )


@command.command(
    "oscal", epilog=_epilog("oscal", "INCONCLUSIVE is not-satisfied, reason other, and so named.")
)
@_shared("The file to write; it must not exist yet.")
def oscal(**given: Any) -> Outcome:
    """Write NIST OSCAL assessment results: one result an instance, one finding a cell."""
    return _write("oscal", **given)


@command.command(
    "csv", epilog=_epilog("csv", "For an auditor's sample; nothing is left out of it.")
)
@_shared("The file to write; it must not exist yet.")
def population(**given: Any) -> Outcome:
    """Write the population: every instance and promise with verdict, due and decision."""
    return _write("csv", **given)


@command.command(
    "intoto", epilog=_epilog("intoto", "PASSED only for GO with nothing failed or untold.")
)
@_shared("The file to write; it must not exist yet.")
@options.signing("sign-with", help_text="Key to sign with, as --key of gate: an envelope then.")
def intoto(sign_with: KeyChoice, **given: Any) -> Outcome:
    """Write an in-toto statement with the predicate test-result v0.1."""
    from wavegate.evidence.trust import Role
    from wavegate.run.opening import signer_for

    signer = signer_for(sign_with, Role.SEAL) if sign_with.where else None
    return _write("intoto", signer=signer, **given)


@command.command("cases", epilog=EPILOG)
@_shared("The folder to make; a text file for each cause and customer.")
@click.option("--customer", help="Only the texts of this customer.")
@click.option("--cause", help="Only this cause; its first characters will do.")
def texts(
    bundle: Path,
    out: Path,
    keys: tuple[Path, ...],
    trust: Path | None,
    customer: str | None,
    cause: str | None,
    as_json: bool,
) -> Outcome:
    """Write a ready text for a support case for each cause: one customer's data in each."""
    from wavegate.run import export, verify

    given = verify.trust_of(keys, trust)
    found = export.export_cases(bundle, out, given, customer=customer, cause=cause)
    return _told(found, as_json=as_json)


def _write(
    form: str,
    bundle: Path,
    out: Path,
    keys: tuple[Path, ...],
    trust: Path | None,
    as_json: bool,
    signer: Any = None,
) -> Outcome:
    from wavegate.run import export, verify

    found = export.export(bundle, form, out, verify.trust_of(keys, trust), signer=signer)
    return _told(found, as_json=as_json)


def _told(found: Any, *, as_json: bool) -> Outcome:
    for problem in found.problems:
        say(f"not proven: {problem}")
    return finish(0, found.to_json(), found.text(), as_json=as_json)
