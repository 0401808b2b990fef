# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb ready: whether the window may open."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate ready --estate estate.yaml --wave 2024-01-w1 --store store
  wavegate ready --estate estate.yaml --wave 2024-01-w1 --store store --json | jq .decision
Exit codes: 0 GO; 1 NO-GO; 2 usage or input; 3 HOLD: what is missing is printed, with its cure.
"""


@click.command("ready", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@options.trust
@options.as_json
def command(estate: Path, wave: str, store: Path, trust: Path | None, as_json: bool) -> Outcome:
    """Ask before the window opens whether the before side of every promise is in hand."""
    from wavegate.run import opening
    from wavegate.run.ready import ready

    opened = opening.open_wave(estate, wave, store, create=False)
    found = ready(opened, opening.trust_for(trust))
    return finish(found.exit_code, found.to_json(), found.text(), as_json=as_json)
