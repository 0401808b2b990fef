# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The end of a gate on the terminal: decision, causes, open cells, paths, as rich renderables.

No value is read as markup, and none carries a control character; colours follow the console
(NO_COLOR, no terminal), and the words alone tell the same.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wavegate.clock import format_instant
from wavegate.decision import Word
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import model
from wavegate.report.model import Problem, Standing
from wavegate.report.safe_text import shorten
from wavegate.verdict import Verdict

TOP = 10
"""Causes told in full."""
LIMIT = 300
"""Characters of one value."""
_STYLES = {
    Word.GO: "bold green",
    Word.HOLD: "bold yellow",
    Word.NO_GO: "bold red",
    Verdict.FAILED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
}


def summary(verdicts: Verdicts, *, paths: Iterable[tuple[str, str]] = ()) -> RenderableType:
    """What a person reads when the gate ends. paths: name and path of what was written."""
    found = model.problems(verdicts)
    stops = [problem for problem in found if problem.standing is Standing.STOPS]
    parts: list[RenderableType] = [_decision(verdicts), *_reasons(verdicts)]
    for problem in stops[:TOP]:
        parts += _problem(problem)
    if len(stops) > TOP:
        parts.append(Text(f"and {len(stops) - TOP} more causes: see the report", "dim"))
    parts += _brief("open", [p for p in found if p.standing is Standing.OPEN])
    parts += _brief("waived", [p for p in found if p.standing is Standing.WAIVED])
    parts += _decided(verdicts)
    parts.append(_counts(verdicts))
    parts += [_row(name, Text(shorten(path, 4096))) for name, path in paths]
    return Group(*parts)


def _decision(verdicts: Verdicts) -> Text:
    line = Text(str(verdicts.decision), _STYLES[verdicts.decision])
    line.append(verdicts.decision_line.removeprefix(str(verdicts.decision)), "bold")
    line.append(f"   {shorten(model.title(verdicts), LIMIT)}, run {shorten(verdicts.run, LIMIT)}")
    line.append(", interim" if model.kind(verdicts) != "Report" else "", "dim")
    return line


def _reasons(verdicts: Verdicts) -> Iterator[Text]:
    reasons = model.other_reasons(verdicts)
    for reason in reasons[:TOP]:
        names = ", ".join(reason.instances[:TOP])
        rest = f" and {len(reason.instances) - TOP} more" if len(reason.instances) > TOP else ""
        told = f": {shorten(names, LIMIT)}{rest}" if names else ""
        yield Text(f"  {shorten(reason.text, LIMIT)}{told}")
    if len(reasons) > TOP:
        yield Text(f"  and {len(reasons) - TOP} more reasons", "dim")


def _problem(problem: Problem) -> Sequence[RenderableType]:
    head = Text("\n").append(str(problem.verdict), _STYLES[problem.verdict])
    head.append(f"  {shorten(problem.promise.id, LIMIT)}", "bold")
    head.append(f"  {shorten(problem.where, LIMIT)}")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _facts(problem):
        table.add_row(name, Text(text))
    return head, Padding(table, (0, 0, 0, 2))


def _facts(problem: Problem) -> Iterator[tuple[str, str]]:
    finding = problem.finding
    yield "found", shorten(problem.headline, LIMIT)
    yield "promised", shorten(problem.promise.sentence, LIMIT)
    if finding:
        yield "before", _seen(finding.expected, finding.before)
        yield "after", _seen(finding.observed, finding.after)
    yield "where to look", shorten(problem.item.subject, LIMIT)
    if finding and finding.witness:
        yield "witness", shorten(", ".join(finding.witness), LIMIT)
    if len(problem.instances) > 1:
        yield "instances", shorten(", ".join(problem.instances), LIMIT)
    yield "who must act", problem.actor
    if problem.deadline:
        yield "by when", format_instant(problem.deadline)
    if problem.command:
        yield "command", shorten(problem.command, LIMIT)


def _seen(sentence: str, state: str | None) -> str:
    return f"{shorten(sentence, LIMIT)}  [{'nothing' if state is None else shorten(state, LIMIT)}]"


def _brief(title: str, found: list[Problem]) -> Iterator[Text]:
    if not found:
        return
    yield Text(f"\n{title}", "bold")
    for problem in found[:TOP]:
        due = f", by {format_instant(problem.deadline)}" if problem.deadline else ""
        line = f"  {problem.promise.id}, {problem.where}: {problem.headline}"
        yield Text(shorten(line, LIMIT) + due)
    if len(found) > TOP:
        yield Text(f"  and {len(found) - TOP} more", "dim")


def _decided(verdicts: Verdicts) -> Iterator[Text]:
    """What people decided last; all of it is in the report."""
    if not verdicts.decisions:
        return
    yield Text("\ndecided by people", "bold")
    for found in verdicts.decisions[: -TOP - 1 : -1]:
        about = found.instance or "the whole wave"
        line = f"  {found.decision}, {about}: {found.why} ({found.by}, {format_instant(found.at)})"
        yield Text(shorten(line, LIMIT))


def _counts(verdicts: Verdicts) -> Text:
    told = [f"{count} {name}" for name, count in model.counts(verdicts.cells) if count]
    return Text(f"\n{', '.join(told) or 'no cell'}")


def _row(name: str, text: Text) -> Text:
    return Text(f"{name}: ", "dim").append_text(text)
