# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb gate: judge the records with the suites, decide, seal."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say, show
from wavegate.evidence.signer_choice import KeyChoice

EPILOG = """\b
Examples:
  wavegate gate --estate estate.yaml --wave 2024-01-w1 --store store
  wavegate gate --estate estate.yaml --wave 2024-01-w1 --store store --json | jq -r .decision
Exit codes: 0 GO; 1 NO-GO; 2 usage or input; 3 HOLD; 4 no decision could be made.
"""


@click.command("gate", epilog=EPILOG)
@options.estate
@options.wave
@options.store
@click.option("--out", type=options.PATH, help="The bundle.  [default: reports/runs/<run>]")
@click.option("--final", is_flag=True, help="Treat every due as past.")
@click.option("--instance", "instances", multiple=True, help="Only this one: never GO.")
@click.option("--alluredir", type=options.PATH, help="Also write Allure results here.")
@options.language
@options.by
@options.certificate
@options.suites
@options.key
@options.trust
@options.tsa_root
@options.as_json
def command(
    estate: Path,
    wave: str,
    store: Path,
    out: Path | None,
    final: bool,
    instances: tuple[str, ...],
    alluredir: Path | None,
    language: tuple[str, ...],
    by: str | None,
    certificate: Path | None,
    suites: tuple[Path, ...],
    key: KeyChoice,
    trust: Path | None,
    tsa_root: tuple[Path, ...],
    as_json: bool,
) -> Outcome:
    """Judge the records: GO, HOLD or NO-GO, in a sealed bundle; repeatable until it closes."""
    from wavegate.evidence.authorities import load_roots
    from wavegate.report.terminal import summary
    from wavegate.run import gate, opening
    from wavegate.run.papers import paper_for
    from wavegate.run.suites import find_suites

    signer = opening.sealer_for(key)
    flags = ["--final"] if final else []
    flags += [f"--instance {name}" for name in instances]
    request = gate.Request(
        out=out,
        final=final,
        only=instances,
        alluredir=alluredir,
        suites=find_suites(suites),
        known=load_roots(tsa_root),
        paper=paper_for(
            language, signer, by, certificate, " ".join(["wavegate gate --wave", wave, *flags])
        ),
    )
    opened = opening.open_wave(estate, wave, store, create=False)
    gated = gate.gate(opened, request, signer, opening.trust_for(trust, signer), say)
    if not as_json:
        reports = sorted(gated.bundle.glob("report*.html")) + sorted(
            gated.bundle.glob("report*.pdf")
        )
        paths = [("report", str(path)) for path in reports] + [("bundle", str(gated.bundle))]
        show(summary(gated.verdicts, paths=paths))
    return finish(gated.exit_code, gated.to_json(), "", as_json=as_json)
