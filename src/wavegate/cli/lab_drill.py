# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb `lab drill`: plants every fault and shows that the gate catches it."""

from pathlib import Path

import click

from wavegate.cli import options
from wavegate.cli.outcome import Outcome, finish, say, show

JOBS = 3


@click.command("drill")
@click.option("--family", "families", multiple=True, help="Faults of a family (repeatable).")
@click.option("--fault", "faults", multiple=True, help="One fault (repeatable).")
@click.option("--crossed", is_flag=True, help="Two faults at once in one instance instead.")
@click.option(
    "--jobs", type=click.IntRange(1, 16), default=JOBS, show_default=True, help="Labs at once."
)
@click.option(
    "--dir",
    "folder",
    type=options.PATH,
    default=Path("lab-drill"),
    show_default=True,
    help="Where to play; finished results are kept there and used again.",
)
@click.option("--keep", is_flag=True, help="Keep the folders of labs in which all was caught.")
@click.option(
    "--mutate", is_flag=True, help="Instead: break each rule in turn, on what a drill recorded."
)
@click.option("--record", is_flag=True, help="Write the score into the package; for a release.")
@options.as_json
def command(
    families: tuple[str, ...],
    faults: tuple[str, ...],
    crossed: bool,
    jobs: int,
    folder: Path,
    keep: bool,
    mutate: bool,
    record: bool,
    as_json: bool,
) -> Outcome:
    """Plant every fault and benign variation, and hold what the gate made of it to the catalogue.

    Many faulty instances share one lab. A result that is finished is kept: interrupt it, and the
    same command goes on. With --mutate a finished drill is judged again with each rule of the
    harness broken in turn, which it must notice.

    Exit codes: 0 all caught; 1 any other; 2 an unknown fault or family; 3 nothing to judge again;
    130 interrupted.
    """
    if mutate:
        return _mutate(folder, as_json=as_json)
    from wavegate.cli.lab_drill_text import as_object, table
    from wavegate.lab.drill import Request, chosen, drill
    from wavegate.lab.drill_crossed import crossed as pairs
    from wavegate.lab.drill_score import record as write

    wanted = chosen(families, faults)
    if record and (crossed or wanted != chosen((), ())):
        raise click.UsageError("--record is for the whole catalogue")
    request = Request(
        wanted=pairs(wanted) if crossed else wanted, folder=folder, jobs=jobs, keep=keep
    )
    drilled = drill(request, say)
    if record and not drilled.uncounted:
        write(drilled.score)
    if not as_json:
        show(table(drilled))
    text = "\n".join(f"not counted: {why}" for why in drilled.uncounted)
    return finish(0 if drilled.passed else 1, as_object(drilled), text, as_json=as_json)


def _mutate(folder: Path, *, as_json: bool) -> Outcome:
    """Exit 1 where a broken promise goes unnoticed; rules that no fault needs are listed."""
    from wavegate.cli.lab_drill_text import mutants_as_object, mutants_text, unnoticed
    from wavegate.lab.drill_mutants import tried

    found = tried(folder)
    code = 1 if any(one.mutant.rule is None for one in unnoticed(found)) else 0
    return finish(code, mutants_as_object(found), mutants_text(found), as_json=as_json)
