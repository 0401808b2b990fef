# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""summary.md: the run in a page of Markdown, bounded so that no forge drops it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from wavegate.clock import format_instant
from wavegate.evidence.verdicts import DecisionEntry, Verdicts
from wavegate.report import model
from wavegate.report.model import Problem, Standing
from wavegate.report.resend import Handed
from wavegate.report.safe_text import shorten

TOP = 10
"""Causes told in full, reasons, open causes and customers listed."""
LIMIT = 400
"""Characters of one value."""
_ACTIVE = re.compile(
    r"[\\`*\[\]<>|~&#!${}@]"  # marks that act anywhere
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis; inside a word it is none
    r"|:(?=//)|(?<=www)\.",  # what a forge would make a link of
    re.IGNORECASE,
)


def escape(text: str, limit: int = LIMIT) -> str:
    """Text within a line that Markdown shows as it is: visible, shortened, active marks escaped."""
    return _ACTIVE.sub(lambda match: "\\" + match[0], shorten(text, limit))


def code(text: str, limit: int = LIMIT) -> str:
    """A value as a code span, with a fence longer than any run of backticks in it."""
    shown = shorten(text, limit)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown or not shown.strip() else f"`{shown}`"


def render(verdicts: Verdicts, *, resends: Sequence[Handed] = ()) -> str:
    """The summary: decision, why, causes (the first ten in full), open cells, resends, counts."""
    found = model.problems(verdicts)
    parts = [
        _head(verdicts),
        _why(verdicts),
        _settle([problem for problem in found if problem.standing is Standing.STOPS]),
        _listed("Open", [p for p in found if p.standing is Standing.OPEN]),
        _listed("Waived", [p for p in found if p.standing is Standing.WAIVED]),
        _withdrawn(verdicts),
        _decisions(verdicts),
        _resends(resends),
        _counts(verdicts),
        _foot(verdicts),
    ]
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _head(verdicts: Verdicts) -> Iterator[str]:
    yield f"# {escape(verdicts.decision_line)}"
    yield ""
    yield f"{model.kind(verdicts)}: {escape(model.title(verdicts))}, run {code(verdicts.run)},"
    yield f"judged at {format_instant(verdicts.at)}."
    if verdicts.window:
        start, end = map(format_instant, (verdicts.window.start, verdicts.window.end))
        yield f"Window {start} to {end}."
    if verdicts.decide_by:
        yield f"Rolling back is possible until {format_instant(verdicts.decide_by)}."


def _why(verdicts: Verdicts) -> list[str]:
    reasons = model.other_reasons(verdicts)
    lines = [f"- {escape(r.text)}{_of(r.instances)}" for r in reasons[:TOP]] + _more(reasons)
    lines += [f"- not checked: {escape(text)}" for text in verdicts.not_checked[:TOP]]
    lines += [f"- {escape(text)}" for text in verdicts.notes[:TOP]]
    return ["## Why and what to know", "", *lines] if lines else []


def _of(instances: tuple[str, ...]) -> str:
    if not instances:
        return ""
    rest = f" and {len(instances) - TOP} more" if len(instances) > TOP else ""
    return f": {', '.join(code(name) for name in instances[:TOP])}{rest}"


def _more(items: tuple[object, ...] | list[Problem]) -> list[str]:
    return [f"- and {len(items) - TOP} more"] if len(items) > TOP else []


def _settle(found: list[Problem]) -> list[str]:
    if not found:
        return []
    told = [line for problem in found[:TOP] for line in _problem(problem)]
    rest = [f"And {len(found) - TOP} more causes: see report.html."] if len(found) > TOP else []
    return ["## To settle", "", *told, *rest]


def _problem(problem: Problem) -> Iterator[str]:
    item, finding = problem.item, problem.finding
    yield f"### {problem.verdict}: {escape(problem.promise.id)}, {escape(problem.where)}"
    yield ""
    yield f"- found: {escape(problem.headline)}"
    yield f"- promised: {escape(problem.promise.sentence)}{_force(problem)}"
    if finding:
        yield f"- before: {escape(finding.expected)} {_state(item.before)}"
        yield f"- after: {escape(finding.observed)} {_state(item.after)}"
    yield f"- where to look: {code(item.subject)}{_witness(problem)}"
    yield f"- who must act: {problem.actor}{_by_when(problem)}"
    if problem.command:
        yield f"- command: {code(problem.command)}"
    yield f"- instances{_of(problem.instances)}"
    yield f"- cause: {code(item.cause)}"
    asked = f"wavegate export cases BUNDLE --cause {item.cause[:12]} --out DIR"
    yield f"- text for a support case: {code(asked)}"
    yield ""


def _force(problem: Problem) -> str:
    source = problem.promise.source
    where = escape(f"{source.document}, {source.section}, edition {source.edition}", LIMIT)
    state = "still in force" if source.in_force else f"no longer in force: {source.withdrawn}"
    return f" ({where}, {escape(state)})"


def _state(text: str | None) -> str:
    return "(nothing)" if text is None else code(text)


def _witness(problem: Problem) -> str:
    if not problem.finding or not problem.finding.witness:
        return ""
    shown = ", ".join(code(text, 120) for text in problem.finding.witness[:TOP])
    return f", witness {shown}"


def _by_when(problem: Problem) -> str:
    return f", by {format_instant(problem.deadline)}" if problem.deadline else ""


def _listed(title: str, found: list[Problem]) -> list[str]:
    if not found:
        return []
    lines = [
        f"- {escape(p.promise.id)}, {escape(p.where)}: {escape(p.headline)}{_by_when(p)}"
        for p in found[:TOP]
    ]
    return [f"## {title}", "", *lines, *_more(found)]


def _withdrawn(verdicts: Verdicts) -> list[str]:
    found = model.withdrawals(verdicts)
    lines = [
        f"- {code(gone.instance)}: {escape(gone.how.why)} (withdrawn by {escape(gone.how.by)}, "
        f"{format_instant(gone.how.at)})"
        for gone in found[:TOP]
    ]
    rest = [f"- and {len(found) - TOP} more"] if len(found) > TOP else []
    return ["## Withdrawn before the window", "", *lines, *rest] if found else []


def _decisions(verdicts: Verdicts) -> list[str]:
    """What people decided, the last first; the gate's own decision is at the top."""
    found = verdicts.decisions[::-1]
    lines = [f"- {_decision(one)}" for one in found[:TOP]]
    rest = [f"- and {len(found) - TOP} more"] if len(found) > TOP else []
    return ["## Decisions by people", "", *lines, *rest] if found else []


def _decision(one: DecisionEntry) -> str:
    about = code(one.instance) if one.instance else "the whole wave"
    head = f"**{one.decision}**, {about}: {escape(one.why)} ({escape(one.by)},"
    ways = {"key": "the same key signed plan or records", "name": "who planned the wave too"}
    notes = [f"; {ways[way]}" for way in one.implementer]
    claim = ", a key that may not approve" if one.signed_as == "record" else ""
    return f"{head} {format_instant(one.at)}, key {code(one.keyid[:16])}{claim}{''.join(notes)})"


def _resends(found: Sequence[Handed]) -> list[str]:
    if not found:
        return []
    lines = [f"- {code(one.instance)}: {escape(one.told)}{_files(one)}" for one in found[:TOP]]
    rest = [f"- and {len(found) - TOP} more instances"] if len(found) > TOP else []
    return ["## Resend plan", "", "Wavegate never resends; a person decides.", "", *lines, *rest]


def _files(found: Handed) -> str:
    stem = found.stem
    return f" ([CSV]({stem}.csv), [JSON]({stem}.json))" if stem else ""


def _counts(verdicts: Verdicts) -> Iterable[str]:
    told = {name: count for name, count in model.counts(verdicts.cells) if count}
    yield "## Counts"
    yield ""
    yield f"- cells: {', '.join(f'{n} {escape(name)}' for name, n in told.items()) or 'none'}"
    words = list(verdicts.instances.values())
    split = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words)))
    yield f"- instances: {split or 'none'}"
    for name, word in list(verdicts.customers.items())[:TOP]:
        yield f"- {code(name)}: {word}"
    if len(verdicts.customers) > TOP:
        yield f"- and {len(verdicts.customers) - TOP} more customers"


def _foot(verdicts: Verdicts) -> Iterable[str]:
    yield f"Drill: {escape(verdicts.drill)}. Wavegate {escape(verdicts.tool.version)}."
    yield "The whole is in report.html and verdicts.json; VERIFY.md says how to check them."
