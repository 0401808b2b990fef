# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb capture: look at every instance of a wave, and sign what was seen."""

from pathlib import Path
from typing import Literal

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate capture --estate estate.yaml --wave 2024-01-w1 --store store --phase before
  wavegate capture --estate estate.yaml --wave 2024-01-w1 --store store --phase after \\
      --because fix:CHG-123
Exit codes: 0 every question has an outcome (unreachable is one); 2 wrong side of the
window, or the estate cannot be read; 3 nothing could be asked, or a required timestamp is
missing (the records are kept); 130 interrupted.
"""


@click.command("capture", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@click.option(
    "--phase", required=True, type=click.Choice(["before", "after"]), help="Which side it is."
)
@click.option("--because", help="Why again: fix:TICKET makes a later `after` count.")
@click.option("--force", is_flag=True, help="Record on the wrong side; it will be unsound.")
@click.option("--instance", "instances", multiple=True, help="Only this one (repeatable).")
@click.option("--vantage", help="Name of the place we look from.  [default: host name]")
@options.tsa_root
@options.key
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    phase: Literal["before", "after"],
    because: str | None,
    force: bool,
    instances: tuple[str, ...],
    vantage: str | None,
    tsa_root: tuple[Path, ...],
    key: KeyChoice,
    as_json: bool,
) -> Outcome:
    """Ask every question of a phase and store one signed snapshot per instance."""
    from wavegate.evidence.authorities import load_roots
    from wavegate.run import capture, opening
    from wavegate.run.probes import probes

    request = capture.Request(
        phase=phase,
        because=because,
        force=force,
        vantage=opening.vantage(vantage),
        only=instances,
        known=load_roots(tsa_root),
    )
    opened = opening.open_wave(estate, wave, store, create=True)
    taken = capture.take(opened, request, probes(), opening.signer_for(key), say)
    data = {"wave": wave, "phase": phase, "snapshots": [row.to_json() for row in taken]}
    code = 3 if any(row.unstamped for row in taken) else 0
    return finish(code, data, capture.summary(taken, phase), as_json=as_json)
