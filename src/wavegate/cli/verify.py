# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb verify: check a bundle offline, with a key from outside it."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say

EPILOG = """\b
Examples:
  wavegate verify reports/runs/RUN --key wavegate.pub
  wavegate verify reports/runs/RUN --key wavegate.pub --rejudge
  wavegate verify reports/runs/RUN --key wavegate.pub --sample 25 --seed 2024-02-01 --rejudge
  wavegate verify acme-extract --key wavegate.pub --customer acme --secret env:SECRET
Judges authenticity, not the decision: an honest NO-GO bundle is valid.
Exit codes: 0 valid; 1 invalid; 2 not a bundle; 3 no key from outside it, or a token missing.
"""


@click.command("verify", epilog=EPILOG)
@click.argument("bundle", type=options.PATH)
@click.option("--key", "keys", type=options.PATH, multiple=True, help="Public key (PEM).")
@click.option("--trust", type=options.PATH, help="Trust file with roles and validity.")
@options.tsa_root
@click.option("--rejudge", is_flag=True, help="Run the installed suites again on the records.")
@options.suites
@click.option("--sample", type=click.IntRange(1), help="Draw so many cells for an auditor.")
@click.option("--seed", help="Of a sample: any word, chosen once the bundle is there.")
@click.option("--expect-run", help="The run it must be.")
@click.option("--expect-wave", help="The wave it must be of.")
@click.option("--customer", help="Of an extract: whose it must be.")
@click.option(
    "--secret",
    metavar="REF",
    help="Of an extract: the agreed secret, as env:NAME, file:PATH or keyring:S/U.",
)
@click.option("--receipt", type=options.PATH, help="Of an extract: the receipt given before.")
@options.as_json
def command(
    bundle: Path,
    keys: tuple[Path, ...],
    trust: Path | None,
    tsa_root: tuple[Path, ...],
    rejudge: bool,
    suites: tuple[Path, ...],
    sample: int | None,
    seed: str | None,
    expect_run: str | None,
    expect_wave: str | None,
    customer: str | None,
    secret: str | None,
    receipt: Path | None,
    as_json: bool,
) -> Outcome:
    """Say in a person's words what a bundle proves, by whom, and what it does not."""
    from wavegate.run import verify

    request = verify.Request(
        bundle=bundle,
        keys=keys,
        trust=trust,
        tsa_roots=tsa_root,
        rejudge=rejudge,
        suites=suites,
        sample=sample,
        seed=seed,
        expect_run=expect_run,
        expect_wave=expect_wave,
        customer=customer,
        secret=secret,
        receipt=receipt,
    )
    found = verify.verify(request, say)
    return finish(found.exit_code, found.to_json(), found.text(), as_json=as_json)
