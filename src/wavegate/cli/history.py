# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb history: verdicts through time."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate history --store store
  wavegate history --store store --instance acme-dev1 --promise spf --json | jq .cells
Exit codes: 0 shown; 2 usage or input; 3 no store there. Its index, .history.sqlite in the store,
can be deleted at any time: it is made again from the sealed runs.
"""


@click.command("history", epilog=EPILOG)
@options.store
@click.option("--instance", help="Only this instance.")
@click.option("--promise", help="Only this promise.")
@click.option("--customer", help="Only the instances of this customer.")
@click.option("--rebuild", "anew", is_flag=True, help="Make the index again first.")
@options.trust
@options.as_json
def command(
    store: Path,
    instance: str | None,
    promise: str | None,
    customer: str | None,
    anew: bool,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Show verdicts through time, flips, and the baselines with who accepted them."""
    from wavegate.report.history import told
    from wavegate.run.history import Request, history
    from wavegate.run.opening import trust_for

    request = Request(instance=instance, promise=promise, customer=customer, anew=anew)
    found = history(store, request, trust_for(trust)).to_json()
    return finish(0, found, told(found), as_json=as_json)
