# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb sink: receive mail and record each message with its peer address."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate sink --estate estate.yaml --store store --listen 127.0.0.1:2525
  wavegate sink --estate estate.yaml --store store --listen 0.0.0.0:25 --proxy-from 10.0.0.0/8
Ends on SIGTERM or Ctrl-C; nothing acknowledged is lost.
Exit codes: 0 ended when told to; 2 port in use, estate unreadable; 4 disk full.
"""


@click.command("sink", epilog=EPILOG)
@options.estate
@options.store
@click.option("--listen", multiple=True, help="HOST:PORT to listen on (repeatable).")
@click.option("--proxy-from", multiple=True, help="Network to believe PROXY from (repeatable).")
@options.key
@options.as_json
def command(
    estate: Path,
    store: Path,
    listen: tuple[str, ...],
    proxy_from: tuple[str, ...],
    key: KeyChoice,
    as_json: bool,
) -> Outcome:
    """Receive mail for the estate's sinks; keep of it what the policy says; send nothing."""
    from wavegate.run import opening, sink

    signer = opening.signer_for(key)
    received = sink.receive(estate, store, listen, proxy_from, signer, say)
    return finish(0, received.to_json(), received.text(), as_json=as_json)
