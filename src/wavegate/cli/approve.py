# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb approve: sign waivers and limits of the estate with an approver's key."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate approve --estate estate.yaml --wave 2024-01-w1 --store store    (lists; signs nothing)
  wavegate approve ... --promise throughput --by "C. Approver" --key approver.pem
  wavegate approve ... --all --by "C. Approver" --key approver.pem
Exit codes: 0 listed, or signed; 2 nothing fits, nobody is named, a key that may not approve;
3 no store.
"""


@click.command("approve", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@click.option("--promise", help="Waivers and limits of this promise.")
@click.option("--instance", help="Waivers and limits for this instance.")
@click.option("--cause", help="Waivers of this cause, or of one that begins so.")
@click.option("--all", "everything", is_flag=True, help="All waivers and limits of the wave.")
@click.option("--by", help="Who approves; it is signed.")
@options.key
@options.trust
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    promise: str | None,
    instance: str | None,
    cause: str | None,
    everything: bool,
    by: str | None,
    key: KeyChoice,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Approve waivers and limits of the estate, each word for word, with a signature.

    Without it, who approved is a claim of the estate file, and every report says so. When the
    wording changes afterwards, the approval does not match any more, and that is said too.
    """
    from wavegate.run import opening
    from wavegate.run.approve import Selection, approve

    opened = opening.open_wave(estate, wave, store, create=False)
    signer = opening.approver_for(key)
    shelf = opening.shelf_of(opened, opening.trust_for(trust, signer))
    selection = Selection(promise=promise, instance=instance, cause=cause, everything=everything)
    found = approve(shelf, selection, by, signer)
    return finish(0, found.to_json(), found.text(), as_json=as_json)
