# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb collect: read mailboxes and DMARC reports into the store."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate collect --estate estate.yaml --store store
Reads what `mail:` of the instances names besides the sink: imap, maildir, mbox, eml and
dmarc_reports. Nothing there is marked, moved or removed. What is known is not recorded
again, so repeat it as often as you like; `capture` does it too.
Exit codes: 0 all was read; 2 the estate cannot be read, or names no mailbox; 3 a place
could not be read wholly, what was read is kept; 4 disk full; 130 interrupted.
"""


@click.command("collect", epilog=EPILOG)
@options.estate
@options.store
@options.key
@options.as_json
def command(estate: Path, store: Path, key: KeyChoice, as_json: bool) -> Outcome:
    """Read mailboxes and DMARC reports into the store; changes nothing in them."""
    from wavegate.run import collect, opening

    brought = collect.collect(estate, store, opening.signer_for(key), say)
    code = 0 if brought.whole else 3
    return finish(code, brought.to_json(), brought.text(), as_json=as_json)
