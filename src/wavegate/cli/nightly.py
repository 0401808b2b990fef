# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb nightly: one night of dev and stage against the accepted baseline; and accepting one."""

from pathlib import Path
from typing import Any

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say, show
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate nightly --estate estate.yaml --store store
  wavegate nightly --estate estate.yaml --store store --json | jq '.decision, .changed'
  wavegate nightly accept --estate estate.yaml --store store --by ann --why "new build"
Exit codes: 0 GO: all is as accepted; 1 NO-GO; 2 usage or input; 3 HOLD, or nothing was
accepted yet; 4 no decision could be made. An alert by change reads `changed` of --json.
"""
ACCEPT_EPILOG = """\b
Examples:
  wavegate nightly accept --estate E --store S --by ann --why "reviewed in CHG-12"
  wavegate nightly accept --estate E --store S --by ann --why "new key" --cause 5feceb...
Exit codes: 0 signed; 1 the last baseline does not hold; 2 usage or input; 3 nothing to accept.
"""


@click.group("nightly", invoke_without_command=True, epilog=EPILOG)
@options.nightly_estate
@options.nightly_store
@click.option("--out", type=options.PATH, help="The bundle.  [default: reports/runs/<run>]")
@click.option("--vantage", help="The name of this place.  [default: this machine's]")
@click.option(
    "--notify",
    "notify_to",
    multiple=True,
    metavar="REFERENCE",
    help="Tell what turned: env:, file: or keyring: with URLs of apprise (repeatable).",
)
@click.option("--metrics", type=options.PATH, help="Write numbers for Prometheus here (*.prom).")
@options.language
@options.by
@options.certificate
@options.key
@options.trust
@options.as_json
@click.pass_context
def command(context: click.Context, /, **given: Any) -> Outcome | None:
    """Look at dev and stage, judge against what was accepted, seal, and tell what turned."""
    if context.invoked_subcommand is not None:
        return None
    for name in ("estate", "store"):
        if given[name] is None:
            raise click.MissingParameter(ctx=context, param_hint=f"--{name}", param_type="option")
    return _run(**given)


def _run(
    estate: Path,
    store: Path,
    out: Path | None,
    vantage: str | None,
    notify_to: tuple[str, ...],
    metrics: Path | None,
    language: tuple[str, ...],
    by: str | None,
    certificate: Path | None,
    key: KeyChoice,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    from wavegate import clock
    from wavegate.run import capture, nightly, opening, tell
    from wavegate.run.papers import paper_for
    from wavegate.run.probes import nightly_probes

    began = clock.monotonic()
    urls = tell.addresses(notify_to, estate, metrics)
    opened = opening.open_nightly(estate, store, create=True)
    signer = opening.sealer_for(key)
    paper = paper_for(language, signer, by, certificate, "wavegate nightly")
    asked = capture.Request(
        phase="after", because=None, force=False, vantage=opening.vantage(vantage)
    )
    found = nightly.nightly(
        opened,
        nightly.Request(out=out, paper=paper),
        lambda: capture.take(opened, asked, nightly_probes(), signer, say),
        signer,
        opening.trust_for(trust, signer),
        say,
    )
    sent = tell.tell(opened.estate, found, urls, notify_to)
    for row in sent:
        say(row.line)
    if metrics is not None:
        tell.write_numbers(metrics, found, sent, clock.monotonic() - began)
    if not as_json:
        _show(found, estate, store)
    data = {**found.to_json(), "notified": [row.to_json() for row in sent]}
    return finish(found.exit_code, data, "", as_json=as_json)


def _show(found: Any, estate: Path, store: Path) -> None:
    from wavegate.report.night import told
    from wavegate.run.nightly import ACCEPT

    if found.gated is None:
        show(f"HOLD   nothing was accepted yet: {len(found.taken)} looks are kept")
        show("  look at them, then accept them as the baseline:")
        show(f"  {ACCEPT} --estate {estate} --store {store}")
        return
    bundle = found.gated.bundle
    paths = [("report", str(bundle / "report.html")), ("bundle", str(bundle))]
    show(told(found.gated.verdicts, found.night, paths=paths))


@command.command("accept", epilog=ACCEPT_EPILOG)
@options.estate
@options.store
@click.option("--by", required=True, help="Who accepts; it is signed with the baseline.")
@click.option("--why", required=True, help="Why; it is signed with the baseline.")
@click.option("--ticket", help="The ticket that this belongs to.")
@click.option("--cause", "causes", multiple=True, help="Only this cause (repeatable).")
@click.option("--instance", "instances", multiple=True, help="Only this instance (repeatable).")
@click.option("--all", "anew", is_flag=True, help="All anew, where the last does not hold.")
@click.option(
    "--approver-key",
    metavar="KEY",
    help="Sign it with this key too, which the trust file lists in the role approve.",
)
@options.key
@options.trust
@options.as_json
def accept(
    estate: Path,
    store: Path,
    by: str,
    why: str,
    ticket: str | None,
    causes: tuple[str, ...],
    instances: tuple[str, ...],
    anew: bool,
    approver_key: str | None,
    key: KeyChoice,
    trust: Path | None,
    as_json: bool,
) -> Outcome:
    """Show what differs from the baseline, and sign a new one for just that."""
    from wavegate.report.acceptance import told
    from wavegate.run import opening
    from wavegate.run.accept import Request, accept

    opened = opening.open_nightly(estate, store, create=False)
    signer = opening.signer_for(key)
    request = Request(by=by, why=why, ticket=ticket, causes=causes, instances=instances, anew=anew)
    approver = opening.signer_for(KeyChoice(where=approver_key)) if approver_key else None
    known = opening.trust_for(trust, signer)
    found = accept(opened, request, signer, known, approver=approver)
    return finish(0, found.to_json(), told(found.to_json()), as_json=as_json)
