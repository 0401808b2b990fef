# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb receipt: give a customer a signed receipt of grid and `before`, before the window."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate receipt --estate estate.yaml --wave 2024-01-w1 --store store --customer acme
  wavegate receipt ... --customer acme --out acme.receipt   (what `verify --receipt` reads)
Exit codes: 0 given; 2 no such customer, or the window has opened; 3 no plan, or no capture yet.
"""


@click.command("receipt", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@click.option("--customer", required=True, help="For whom.")
@click.option("--out", type=options.PATH, help="Also write the signed receipt here.")
@options.key
@options.trust
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    customer: str,
    out: Path | None,
    key: KeyChoice,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Give a customer the grid, the dues and the digests of `before`, before the window opens.

    Whoever holds it can tell later that no capture was replaced and no cell dropped.
    """
    from wavegate.run import opening
    from wavegate.run.files import check_new, write_new
    from wavegate.run.receipt import receipt

    if out is not None:
        check_new(out)
    opened = opening.open_wave(estate, wave, store, create=False)
    signer = opening.signer_for(key)
    shelf = opening.shelf_of(opened, opening.trust_for(trust, signer))
    found = receipt(shelf, customer, signer, shelf.at)
    if out is not None:
        write_new(out, found.envelope)
    return finish(0, found.to_json(), found.text(), as_json=as_json)
