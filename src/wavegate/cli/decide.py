# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb decide: record what a person decided, beside the gate's decision."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish
from wavegate.evidence.signer_choice import KeyChoice

COURSES = ("keep", "roll-back", "extend")
EPILOG = """\b
Examples:
  wavegate decide roll-back --estate estate.yaml --wave 2024-01-w1 --store store
      --by "Ada Byron" --why "SPF is broken, and the move can be undone until 04:00"
  wavegate decide keep ... --instance acme-prod1 --by "Ada Byron" --why "CHG-123 fixes it"
  wavegate decide extend ... --key approver.pem   (a key that is trusted in the role approve)
Exit codes: 0 filed; 2 no such wave or instance, an empty text; 3 no store, or no plan of the wave.
"""


@click.command("decide", epilog=EPILOG)
@click.argument("course", type=click.Choice(COURSES))
@options.estate
@options.wave
@options.store
@click.option("--instance", help="About this instance alone. Default: the whole wave.")
@click.option("--by", required=True, help="Who decided; it is signed.")
@click.option("--why", required=True, help="Why; it is signed.")
@options.key
@options.trust
@options.as_json
def command(
    course: str,
    estate: Path,
    wave: str,
    store: Path,
    instance: str | None,
    by: str,
    why: str,
    key: KeyChoice,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Record that a person decided to keep the move, roll it back or extend the window.

    It is signed and filed in the store, changes nothing of what the gate decides, and stands in
    the next bundle beside that. Deciding again files another one; both are kept, in their order.
    """
    from wavegate.evidence.decisions import COURSES as WORDS
    from wavegate.run import opening
    from wavegate.run.decide import Request, decide

    opened = opening.open_wave(estate, wave, store, create=False)
    signer = opening.approver_for(key)
    shelf = opening.shelf_of(opened, opening.trust_for(trust, signer))
    (wanted,) = (word for word in WORDS if word == course)
    request = Request(course=wanted, instance=instance, by=by, why=why)
    filed = decide(shelf, request, signer)
    return finish(0, filed.to_json(), filed.text(), as_json=as_json)
