# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb plan: check the estate, sign the grid of a wave, say what will be asked."""

from dataclasses import replace
from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish
from wavegate.errors import InputError
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate plan --estate estate.yaml --wave 2024-01-w1 --store store --seeds seeds.json
  wavegate plan --estate estate.yaml --wave 2024-01-w1 --store store --json | jq .cannot_show
  wavegate plan ... --withdraw acme-dev1 --by "Ada Byron" --why "moves with wave 2024-02-w1"
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
@click.option(
    "--seed-runs",
    type=click.IntRange(0, 200),
    default=0,
    show_default=True,
    help="With --seeds: also order so many bursts of 20 a side; from 20 on, seed delay is judged.",
)
@click.option(
    "--withdraw",
    multiple=True,
    metavar="INSTANCE",
    help="Take it out of the wave, with --by and --why; its row stays visible (repeatable).",
)
@click.option(
    "--restore", multiple=True, metavar="INSTANCE", help="Take a withdrawal back (repeatable)."
)
@click.option("--by", help="Who plans, or withdraws; it is signed.")
@click.option("--why", help="Why something is withdrawn; it is signed.")
@options.key
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    suites: tuple[Path, ...],
    seeds: Path | None,
    seed_runs: int,
    withdraw: tuple[str, ...],
    restore: tuple[str, ...],
    by: str | None,
    why: str | None,
    key: KeyChoice,
    as_json: bool,
) -> Outcome:
    """Check the estate, sign the grid of a wave before anything is looked at.

    Can be repeated until the window opens; a later version names the earlier one and keeps what
    was withdrawn, unless it is restored.
    """
    from wavegate.run import opening, plan, plan_text
    from wavegate.run import seeds as seeding
    from wavegate.run.files import check_new, write_new
    from wavegate.run.probes import probes
    from wavegate.run.suites import find_suites
    from wavegate.run.withdraw import Change, withdrawals

    if seed_runs and seeds is None:
        raise InputError("--seed-runs without --seeds", cure="say where to write the seed plan")
    if seeds is not None:
        check_new(seeds)
    found = find_suites(suites)
    opened = opening.open_wave(estate, wave, store, create=True)
    signer = opening.signer_for(key)
    shelf = opening.shelf_of(opened, opening.trust_for(None, signer))
    change = Change(withdraw=withdraw, restore=restore, by=by or "", why=why or "")
    opened = replace(opened, withdrawn=withdrawals(opened, shelf, change))
    orders = None if seeds is None else seeding.seeds(opened, seed_runs)
    planned = plan.plan(opened, found, probes(), signer, shelf, orders, by)
    if seeds is not None and orders is not None:
        write_new(seeds, seeding.to_bytes(wave, orders))
    return finish(0, planned.to_json(), plan_text.render(planned), as_json=as_json)
