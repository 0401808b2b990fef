# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb push: copy what one store holds into another, and overwrite nothing there."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  wavegate push --store store --to s3://bucket/prefix    (again and again, while it grows)
  wavegate push --store s3://bucket/prefix --to folder
Exit codes: 0 all is there; 1 something else stands in a place, and was left; 2 usage or input;
3 no store, bucket or credentials, or a damaged record; 4 network gone, disk full.
"""


@click.command("push", epilog=EPILOG)
@options.store
@click.option("--to", required=True, type=options.PATH, help="The other store.")
@options.as_json
def command(store: Path, to: Path, as_json: bool) -> Outcome:
    """Copy records, journals and statements that the other store does not have."""
    from wavegate.record.store_place import open_store
    from wavegate.run.push import push

    source = open_store(store, create=False)
    found = push(source, open_store(to, create=True))
    return finish(found.exit_code, found.to_json(), found.text(), as_json=as_json)
