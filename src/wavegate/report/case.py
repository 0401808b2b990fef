# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Case texts: for each cause a ready text for a support case, since questions go to support.

A text is of one customer: it holds their instances, their findings and their records, and nothing
of anybody else, however many share the cause. Plain text, which pastes anywhere.
"""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.evidence.verdicts import Attempt, FindingEntry, MissingEntry, Verdicts, dump
from wavegate.report.model import Place, Problem, Standing, problems
from wavegate.report.safe_text import shorten

WIDTH = 78
LIMIT = 1200
"""Characters of one value; verdicts.json has the whole."""
LISTED = 40
"""Instances, witnesses and records that are listed; more are counted."""
_PURPOSE = {
    Standing.STOPS: "It holds the wave up.",
    Standing.OPEN: "It is not settled yet, and may still settle in time.",
    Standing.WAIVED: "It is known and waived; we ask all the same.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The text of one cause for one customer. name: of a file, without its ending."""

    cause: str
    customer: str
    promise: str
    instances: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """`case-<customer>-<promise>-<16 of the cause>`."""
        return f"case-{self.customer}-{self.promise}-{self.cause[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A problem at the instances of one customer."""

    verdicts: Verdicts
    verdicts_digest: str
    problem: Problem
    customer: str
    places: tuple[Place, ...]

    @property
    def instances(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(dict.fromkeys(place.cell.instance for place in self.places))


def cases(
    verdicts: Verdicts, *, customer: str | None = None, cause: str | None = None
) -> tuple[Case, ...]:
    """A text for each cause and customer, worst first.

    customer, cause: only those; a cause may be given by its first characters.
    """
    told = digest(dump(verdicts))
    return tuple(
        case_of(verdicts, told, problem, name)
        for problem in problems(verdicts)
        if cause is None or problem.item.cause.startswith(cause)
        for name in customers_of(problem)
        if customer in (None, name)
    )


def customers_of(problem: Problem) -> tuple[str, ...]:
    """Whose instances have the cause, sorted."""
    return tuple(sorted({place.cell.customer for place in problem.places}))


def case_of(verdicts: Verdicts, told: str, problem: Problem, customer: str) -> Case:
    """The text of one problem for one customer who has it. told: SHA-256 of verdicts.json."""
    asked = _Asked(
        verdicts=verdicts,
        verdicts_digest=told,
        problem=problem,
        customer=customer,
        places=tuple(place for place in problem.places if place.cell.customer == customer),
    )
    return Case(
        cause=problem.item.cause,
        customer=customer,
        promise=problem.promise.id,
        instances=asked.instances,
        text="\n".join(_lines(asked)) + "\n",
    )


def _lines(asked: _Asked) -> Iterator[str]:
    item = asked.places[0].item
    yield from _head(asked)
    yield from _promised(asked)
    match item:
        case FindingEntry():
            yield from _seen(asked, item)
            yield from _field("What it means", item.explanation)
            yield from _listed("Smallest proof", item.witness)
        case MissingEntry():
            yield from _gap(item)
    yield from _field("We ask you", _question(item))
    yield from _evidence(asked)


def _head(asked: _Asked) -> Iterator[str]:
    problem, verdicts = asked.problem, asked.verdicts
    subject = asked.places[0].item.subject
    yield _line(f"Subject: {problem.promise.id}: {problem.verdict}, {subject}")
    yield ""
    yield from _field("Customer", asked.customer)
    yield from _listed("Instances", asked.instances)
    if verdicts.wave and verdicts.window:
        start, end = format_instant(verdicts.window.start), format_instant(verdicts.window.end)
        yield from _field("Migration", f"wave {verdicts.wave}, window {start} to {end}")
    yield from _field("State", f"{_PURPOSE[problem.standing]} As of {format_instant(verdicts.at)}.")


def _promised(asked: _Asked) -> Iterator[str]:
    promise = asked.problem.promise
    source = promise.source
    where = f"{source.document}, {source.section}, edition {source.edition}, {source.language}"
    force = "" if source.in_force else f"; since withdrawn: {source.withdrawn}"
    yield from _field("Promised", f"{promise.sentence} ({where}{force})")


def _seen(asked: _Asked, item: FindingEntry) -> Iterator[str]:
    before, after = _when(asked, "before"), _when(asked, "after")
    yield from _field("Seen before", item.expected, _state(item.before), *before)
    yield from _field("Seen after", item.observed, _state(item.after), *after)


def _state(state: str | None) -> str:
    return "[nothing]" if state is None else f"[{state}]"


def _gap(item: MissingEntry) -> Iterator[str]:
    count = f" ({item.count})" if item.count else ""
    yield from _field("Cannot be told", f"{item.what}{count}")
    if item.before is not None or item.after is not None:
        yield from _field("Known before", item.before or "nothing")
        yield from _field("Known after", item.after or "nothing")
    if item.settles_by:
        yield from _field("Settled by", format_instant(item.settles_by))


def _question(item: FindingEntry | MissingEntry) -> str:
    if isinstance(item, FindingEntry):
        return (
            "Was this changed on purpose? If so, by which change, and since when? If not, please "
            "restore what was promised and tell us when, so that we can look again."
        )
    return f"Can you tell or give us this: {item.what}?"


def _evidence(asked: _Asked) -> Iterator[str]:
    """The digests, so that records can be found again and shown to be those of then."""
    verdicts = asked.verdicts
    captures = _captures(asked)
    rows = [f"{attempt.digest}  {name}, {_taken(attempt)}" for name, attempt in captures]
    known = {attempt.digest for _, attempt in captures}
    rows += [record for record in _records(asked) if record not in known]
    yield from _listed("Records (SHA-256)", rows)
    yield from _field(
        "Run",
        f"{verdicts.run}, judged {format_instant(verdicts.at)} by Wavegate {verdicts.tool.version};"
        " its verdicts.json has the SHA-256",
        asked.verdicts_digest,
    )
    yield from _field("Cause", asked.problem.item.cause)


def _when(asked: _Asked, phase: str) -> tuple[str, ...]:
    """When the captures of a phase that the finding rests on were taken, earliest first."""
    taken = sorted(
        (attempt.began, attempt.ended) for _, attempt in _captures(asked) if attempt.phase == phase
    )
    if not taken:
        return ()
    first, last = format_instant(taken[0][0]), format_instant(max(end for _, end in taken))
    return (f"captured between {first} and {last}",)


def _captures(asked: _Asked) -> list[tuple[str, Attempt]]:
    """The captures of these instances that count, in the order in which they were taken."""
    return [
        (name, attempt)
        for name in asked.instances
        for attempt in asked.verdicts.attempts.get(name, ())
        if attempt.used
    ]


def _taken(attempt: Attempt) -> str:
    return f"snapshot {attempt.phase}, {format_instant(attempt.ended)}"


def _records(asked: _Asked) -> tuple[str, ...]:
    found: list[str] = []
    for place in asked.places:
        found += place.item.records if isinstance(place.item, FindingEntry) else ()
        found += place.cell.records
    return tuple(dict.fromkeys(found))


def _field(title: str, *paragraphs: str) -> Iterator[str]:
    """A heading and its paragraphs below, wrapped and indented; no value makes a line."""
    yield f"{title}:"
    for text in paragraphs:
        yield from _wrapped(text)
    yield ""


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if not found:
        return
    yield f"{title}:"
    for item in found[:LISTED]:
        yield f"  {_line(item)}"
    if len(found) > LISTED:
        yield f"  and {len(found) - LISTED} more"
    yield ""


def _wrapped(text: str) -> Iterator[str]:
    shown = _line(text)
    lines = textwrap.wrap(shown, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    yield from (f"  {line}" for line in lines or ["-"])


def _line(text: str) -> str:
    return shorten(text, LIMIT)
