# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb report: hand out one customer's extract of a bundle."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate report reports/runs/RUN --customer acme --out acme-extract
  wavegate report reports/runs/RUN --customer acme --out acme-extract --json | jq -r .run_digest
Exit codes: 0 handed out; 1 it is not the sealed one, or names another customer;
2 no bundle, no such customer, --out is taken; 3 a bundle older than extracts.
"""


@click.command("report", epilog=EPILOG)
@click.argument("bundle", type=options.PATH)
@click.option("--customer", required=True, help="Whose extract.")
@click.option("--out", required=True, type=options.PATH, help="The folder to make.")
@options.as_json
def command(bundle: Path, customer: str, out: Path, as_json: bool) -> Outcome:
    """Hand out a customer's extract: their instances alone, provably whole.

    The customer checks it with the public key and the secret that was agreed before the wave.
    """
    from wavegate.run.hand_out import hand_out

    found = hand_out(bundle, customer, out)
    return finish(0, found.to_json(), found.text(), as_json=as_json)
