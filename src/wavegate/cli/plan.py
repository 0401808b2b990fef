# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb plan: check the estate, sign the grid of a wave, say what will be asked."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate plan --estate estate.yaml --wave 2024-01-w1 --store store --seeds seeds.json
  wavegate plan --estate estate.yaml --wave 2024-01-w1 --store store --json | jq .foreseen
Exit codes: 0 signed (also when cells will be FAILED: they are printed); 2 the estate
cannot be read, or the window has opened and there is a plan already.
"""


@click.command("plan", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@options.suites
@click.option(
    "--seeds", type=options.PATH, help="Write here which seed mails a person must schedule."
)
@options.key
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    suites: tuple[Path, ...],
    seeds: Path | None,
    key: Path | None,
    as_json: bool,
) -> Outcome:
    """Check the estate, sign the grid of a wave before anything is looked at.

    Can be repeated until the window opens; a later version names the earlier one.
    """
    from wavegate.run import opening, plan, plan_text
    from wavegate.run.files import write_new
    from wavegate.run.probes import probes
    from wavegate.run.seeds import seeds as order
    from wavegate.run.seeds import to_bytes
    from wavegate.run.suites import find_suites

    found = find_suites(suites)
    opened = opening.open_wave(estate, wave, store, create=True)
    signer = opening.signer_for(key)
    gates = opening.sealed_gates(opened, opening.trust_for(None, signer))
    planned = plan.plan(opened, found, probes(), signer, gates)
    if seeds is not None:
        write_new(seeds, to_bytes(wave, order(opened)))
    return finish(0, planned.to_json(), plan_text.render(planned), as_json=as_json)
