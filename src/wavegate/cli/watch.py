# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb watch: probe every function through the window."""

from datetime import datetime
from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.errors import InputError
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate watch --estate estate.yaml --wave 2024-01-w1 --store store
  wavegate watch --estate estate.yaml --wave 2024-01-w1 --store store --json-lines > events &
Start it well before the window opens: what a function does by itself is learned then.
Ends by itself; Ctrl-C once: what is under way is finished and sealed. Started again
after a crash it goes on in the same timeline, and the span between is shown as a gap.
Exit codes: 0 ended by itself; 2 the window is over, or its timeline is finished;
3 a certificate file is missing; 4 the store cannot be written; 130 interrupted.
"""


@click.command("watch", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@click.option("--until", metavar="INSTANT", help="End then, not when the close has settled.")
@click.option("--vantage", help="Name of the place we look from.  [default: host name]")
@click.option("--instance", "instances", multiple=True, help="Only this one (repeatable).")
@options.key
@click.option("--json-lines", is_flag=True, help="Print one JSON object per event on stdout.")
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    until: str | None,
    vantage: str | None,
    instances: tuple[str, ...],
    key: KeyChoice,
    json_lines: bool,
    as_json: bool,
) -> Outcome:
    """Probe each Campaign function by itself through the window, and sign the timeline."""
    from wavegate.cli.watch_view import view
    from wavegate.run import opening, watch
    from wavegate.run.queue import Looker

    if json_lines and as_json:
        raise InputError("--json and --json-lines at once", cure="give one of them")
    request = watch.Request(until=_instant(until), vantage=opening.vantage(vantage), only=instances)
    opened = opening.open_wave(estate, wave, store, create=True)
    signer = opening.signer_for(key)
    with view(opened, json_lines=json_lines, quiet=as_json) as tell:
        looker = Looker(opened=opened, signer=signer, vantage=request.vantage, say=lambda _: None)
        looks = (looker.at_moment,)
        found = watch.follow(opened, request, signer, tell=tell, say=say, at_moments=looks)
    code = 130 if found.ended.interrupted else 0
    text = "" if json_lines else found.text()
    return finish(code, found.to_json(), text, as_json=as_json)


def _instant(text: str | None) -> datetime | None:
    from wavegate.clock import parse_instant

    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise InputError(
            f"--until {text}: {error}", cure="write it like 2024-01-16T23:30:00Z"
        ) from error
