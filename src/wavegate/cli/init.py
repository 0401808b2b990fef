# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb init: write a commented estate file that loads."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate init
  wavegate init --estate acme.yaml
Exit codes: 0 written; 2 the file is there already.
"""


@click.command("init", epilog=EPILOG)
@click.option(
    "--estate",
    type=options.PATH,
    default=Path("estate.yaml"),
    show_default=True,
    help="Where to write it; an existing file is never overwritten.",
)
@options.as_json
def command(estate: Path, as_json: bool) -> Outcome:
    """Write a commented estate file that loads; every key is explained in it."""
    from wavegate.estate.template import template
    from wavegate.run.files import write_new

    write_new(estate, template().encode("utf-8"))
    then = f"wavegate plan --estate {estate} --wave WAVE --store store"
    text = f"wrote {estate}; fill it in, then: {then}"
    return finish(0, {"estate": str(estate)}, text, as_json=as_json)
