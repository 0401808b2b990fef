# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb lab: the miniature migration, to play with and to be examined by."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Literal

import click

from wavegate.cli import lab_drill, lab_text, options
from wavegate.cli.outcome import Outcome, finish, say
from wavegate.clock import parse_duration

EPILOG = """\b
Examples:
  wavegate lab run clean
  wavegate lab run clean --fault ptr-missing-one
  wavegate lab serve clean --dir lab        (then plan, sink, capture ... by hand)
"""

folder = click.option("--dir", "folder", type=options.PATH, required=True, help="The lab's folder.")
fault = click.option("--fault", "faults", multiple=True, help="Fault to plant (repeatable).")


@click.group("lab", epilog=EPILOG)
def command() -> None:
    """Play a miniature migration over real DNS, HTTP, SOAP and SMTP on the loopback (Linux)."""


command.add_command(lab_drill.command)


@command.command("serve")
@click.argument("scenario")
@folder
@fault
@click.option("--opens-in", default="60s", show_default=True, help="Until the window opens.")
@click.option("--window", default="10s", show_default=True, help="Length of the window.")
@options.as_json
def serve(
    scenario: str, folder: Path, faults: tuple[str, ...], opens_in: str, window: str, as_json: bool
) -> Outcome:
    """Run a world until SIGTERM; writes DIR/estate.yaml and, once ready, DIR/lab.json."""
    from wavegate.lab.serve import serve as run

    say(f"serving {scenario} in {folder}; once {folder}/lab.json is there, in other terminals:")
    say(lab_text.to_try(folder))
    _tell(faults)
    writes = run(scenario, folder, faults, _length(opens_in), _length(window))
    code, text = (4, f"writing calls arrived: {', '.join(writes)}") if writes else (0, "")
    return finish(code, {"writes": list(writes)}, text, as_json=as_json)


@command.command("phase")
@click.argument("name", type=click.Choice(["before", "window", "after"]))
@folder
@options.as_json
def phase(name: Literal["before", "window", "after"], folder: Path, as_json: bool) -> Outcome:
    """Move the world on, not before the estate's instant.

    `before` moves nothing and waits until every sending IP has delivered for every domain; `after`
    moves and waits likewise, or says which could not.

    Exit codes: 0 moved; 3 a sending IP could not deliver (it says which).
    """
    from wavegate.lab.client import phase as move

    moved = move(folder, name)
    code = 3 if moved.undelivered and name != "window" else 0
    return finish(code, lab_text.moved_json(moved), lab_text.moved(moved), as_json=as_json)


@command.command("run")
@click.argument("scenario")
@fault
@click.option("--dir", "folder", type=options.PATH, help="Where to play.  [default: lab-SCENARIO]")
@click.option("--opens-in", default="40s", show_default=True, help="Until the window opens.")
@click.option("--window", default="8s", show_default=True, help="Length of the window.")
@options.as_json
def run_scenario(
    scenario: str,
    faults: tuple[str, ...],
    folder: Path | None,
    opens_in: str,
    window: str,
    as_json: bool,
) -> Outcome:
    """Play a whole wave: plan, capture, watch the window, capture, gate until nothing is open.

    Exits with the gate's code: 0 GO, 1 NO-GO, 3 HOLD.
    """
    from wavegate.lab.play import Play, play

    name = Path(scenario).stem
    wanted = Play(
        scenario=scenario,
        folder=folder or Path(f"lab-{name}"),
        faults=faults,
        opens_in=opens_in,
        window=window,
    )
    _tell(faults)
    played = play(wanted, say)
    return finish(played.step("gate").code, played.verdicts, played.text(), as_json=as_json)


@command.command("demo")
@click.option("--out", type=options.PATH, default=Path("reports/runs"), show_default=True)
@options.as_json
def demo(out: Path, as_json: bool) -> Outcome:
    """Play a clean and a broken wave and print both decisions; exit 0 if both came out so."""
    import tempfile

    from wavegate.lab.demo import demo as show

    with tempfile.TemporaryDirectory(prefix="wavegate-demo-") as work:
        shown = show(out, Path(work), say)
    data = {
        "clean": shown.clean.decision,
        "broken": shown.broken.decision,
        "complaints": list(shown.complaints),
        "reports": [str(found / "report.html") for found in shown.bundles],
    }
    return finish(1 if shown.complaints else 0, data, shown.text(), as_json=as_json)


@command.command("faults")
@options.as_json
def faults(as_json: bool) -> Outcome:
    """List what the lab can break, and what it can vary without harm."""
    from wavegate.lab.faults import faults as every

    rows = every()
    data = {"faults": [asdict(row) for row in rows]}
    return finish(0, data, lab_text.listed(rows), as_json=as_json)


@command.command("explain")
@click.argument("fault_id")
@options.as_json
def explain(fault_id: str, as_json: bool) -> Outcome:
    """Tell one fault: what changes, where it must be found, how it comes about."""
    from wavegate.lab.faults import explain as tell

    found = tell(fault_id)
    return finish(0, asdict(found), lab_text.told(found), as_json=as_json)


def _tell(faults: tuple[str, ...]) -> None:
    if text := lab_text.not_played(faults):
        say(text)


def _length(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
