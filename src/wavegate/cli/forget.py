# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb forget: delete one customer's records from a store, and leave a signed word of it."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate forget --store store --customer acme --by "Ada Byron" --why "contract ended, CHG-9"
Statements over the deleted records stay, so that each of them is missed by name. Other
customers' records, mail journals, sealed gates and bundles are not touched.
Exit codes: 0 deleted, or nothing was left; 2 no such customer; 3 no store; 4 read-only.
"""


@click.command("forget", epilog=EPILOG)
@options.store
@click.option("--customer", required=True, help="Whose records are deleted.")
@click.option("--by", required=True, help="Who wants it; it is signed.")
@click.option("--why", required=True, help="Why; it is signed.")
@options.key
@options.as_json
def command(
    store: Path, customer: str, by: str, why: str, key: KeyChoice, as_json: bool
) -> Outcome:
    """Delete one customer's records from a store; what is deleted is never silently absent."""
    from wavegate.record.store_place import open_here
    from wavegate.run import opening
    from wavegate.run.forget import Request, forget

    request = Request(customer=customer, by=by, why=why)
    opened = open_here(store, "nothing is deleted from an object store", create=False)
    found = forget(opened, request, opening.signer_for(key))
    return finish(0, found.to_json(), found.text(), as_json=as_json)
