# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb doctor: whether this machine, its keys and a store are fit. It repairs nothing."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate doctor --estate estate.yaml
  wavegate doctor --store store
Without --store it looks at this machine: routes, resolvers, clock, extras, keys. With
it, at every byte of the store: what is damaged is named, and never repaired.
Exit codes: 0 fit; 2 usage or input; 3 something is missing or damaged.
"""


@click.command("doctor", epilog=EPILOG)
@click.option(
    "--store", type=options.PATH, help="Examine this store: a folder, or s3://BUCKET/PREFIX."
)
@click.option("--estate", type=options.PATH, help="Ask the resolvers of this estate file.")
@options.trust
@options.as_json
def command(store: Path | None, estate: Path | None, trust: Path | None, as_json: bool) -> Outcome:
    """Tell whether this machine, its keys or a store are fit for a wave; change nothing."""
    from wavegate.run.doctor import doctor

    found = doctor(store, estate, trust)
    return finish(found.exit_code, found.to_json(), found.text(), as_json=as_json)
