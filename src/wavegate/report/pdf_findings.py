# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The parts of the PDF about what was found: summary, matrix, findings."""

from collections.abc import Iterator

from wavegate.evidence.verdicts import (
    CellEntry,
    CellWaiver,
    FindingEntry,
    PromiseEntry,
    Verdicts,
)
from wavegate.report import model
from wavegate.report.model import BAD, Problem, Standing
from wavegate.report.page import MATRIX_ROWS, Card, CustomerLine, Page, Row, Spot
from wavegate.report.pdf_text import (
    LIMIT,
    Block,
    Ink,
    Spans,
    heading,
    join,
    moment,
    paragraph,
    plain,
    table,
)
from wavegate.verdict import Verdict

CARDS = 100
"""Causes told in full."""
LINES = 300
"""Further causes told in one line each."""
CAUSES, REASONS = 12, 20
"""Causes and reasons in the summary."""
CUSTOMERS = 300
VARYING = 12
HEADLINE = 300
WHOLE = 2_500
"""Characters of a card up to which it is kept on one page."""


def summary(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    """Why the decision is what it is, counts, customers."""
    yield heading(1, ink.texts("pdf.summary"))
    yield heading(2, ink.texts("decision.why"))
    yield {"kind": "why", "rows": list(_why(ink, verdicts, page))}
    if verdicts.notes:
        yield {"kind": "why", "rows": [_reason("", ink.quote(t)) for t in verdicts.notes[:REASONS]]}
    yield heading(2, ink.texts("decision.tally"))
    counts = [(word, count) for word, count in model.counts(verdicts.cells)]
    yield {"kind": "tally", "rows": [[word, _word(ink, word), str(n)] for word, n in counts]}
    yield heading(2, ink.texts("customers.title"))
    yield paragraph(ink.say("customers.lead"), "lead")
    if not page.customers:
        yield paragraph(ink.say("customers.none"), "none")
        return
    columns = [ink.texts(f"customers.{key}") for key in ("customer", "decision", "instances")]
    rows = (_customer(ink, line) for line in page.customers[:CUSTOMERS])
    yield table(columns, ["auto", "auto", "fr"], rows)
    if len(page.customers) > CUSTOMERS:
        yield paragraph(ink.more(len(page.customers) - CUSTOMERS, "customers.left_out"))


def _word(ink: Ink, word: str) -> str:
    key = {"not judged": "not_judged"}.get(word, word)
    return ink.texts(f"verdict.{key}").replace("\xad", "")


def _why(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    stops = [c.problem for c in page.cards if c.problem.standing is Standing.STOPS]
    for problem in stops[:CAUSES]:
        told = join(
            [("strong", plain(problem.promise.id, LIMIT))], ink.quote(problem.headline, HEADLINE)
        )
        yield _reason(problem.verdict, told, _where(ink, problem))
    if len(stops) > CAUSES:
        yield _reason("", ink.more(len(stops) - CAUSES, "decision.more_causes"))
    reasons = model.other_reasons(verdicts)
    for reason in reasons[:REASONS]:
        yield _reason("HOLD", ink.quote(reason.text), ink.names(reason.instances))
    if len(reasons) > REASONS:
        yield _reason("", ink.more(len(reasons) - REASONS, "decision.more_reasons"))
    if not stops and not reasons:
        but = ink.say("decision.but_open", n=verdicts.open) if verdicts.open else []
        hide = [*ink.say("decision.still_hide"), *ink.say("passed.title", "em"), ("", ".")]
        yield _reason("PASSED", [*ink.say("decision.all_shown"), *but, *hide])


def _reason(word: str, told: Spans, where: Spans | None = None) -> Block:
    return {"word": str(word), "spans": told, "at": where or []}


def _where(ink: Ink, problem: Problem) -> Spans:
    if len(problem.instances) == 1:
        return [("", plain(problem.instances[0], LIMIT))]
    return ink.say("word.instances", n=len(problem.instances))


def _customer(ink: Ink, line: CustomerLine) -> list[Spans]:
    decision = [("strong", str(line.decision))]
    if line.outside:
        decision = ink.say("customers.not_in_wave", "soft")
    counted = ", ".join(f"{count} {word}" for word, count in line.words)
    names = tuple(
        f"{named.name} ({ink.texts('word.outside') if named.outside else named.decision})"
        for named in line.instances
    )
    told = ink.names(names, len(names)) if names else []
    return [
        [("", plain(line.customer, LIMIT))],
        decision,
        join([("", counted)], told, by=": ") if line.left_out else told,
    ]


def matrix(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    """Each instance and each promise."""
    yield heading(1, ink.texts("matrix.title"))
    if not page.rows:
        yield paragraph(ink.say("matrix.none"), "none")
        return
    yield paragraph(ink.say("pdf.legend"), "lead")
    yield {
        "kind": "matrix",
        "corner": ink.texts("matrix.instance"),
        "promises": [plain(promise, 60) for promise in page.promises],
        "rows": [_row(ink, row) for row in page.rows],
        "alt": ink.texts("matrix.caption"),
    }
    yield paragraph(ink.say("pdf.legend_marks"), "lead")
    if page.rows_left_out:
        yield paragraph(ink.more(page.rows_left_out, "matrix.left_out"))
    if len(verdicts.instances) > MATRIX_ROWS and len(verdicts.customers) > 1:
        yield paragraph(ink.say("pdf.per_customer", n=MATRIX_ROWS))


def _row(ink: Ink, row: Row) -> Block:
    outside = ink.texts("matrix.withdrawn" if row.withdrawn else "matrix.outside").rstrip(",")
    return {
        "name": ink.names((row.instance,)),
        "customer": plain(row.customer, 60),
        "decision": str(row.decision) if row.decision else outside,
        "cells": [_cell(ink, spot) for spot in row.spots],
    }


def _cell(ink: Ink, spot: Spot | None) -> list[str]:
    if spot is None:
        return ["", ""]
    return [str(spot.cell.verdict), _mark(ink, spot.cell)]


def _mark(ink: Ink, cell: CellEntry) -> str:
    key = ""
    if not cell.judged:
        key = "unjudged"
    elif cell.verdict is Verdict.PASSED:
        key = "remedied" if cell.remedied else ""
    elif cell.waiver and cell.waiver.in_force and cell.verdict in BAD:
        key = "waived"
    elif cell.off_track:
        key = "off"
    elif cell.open:
        key = "open"
    return ink.texts(f"pdf.mark_{key}") if key else ""


def findings(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    """What stops, and what is open; waived causes stand among the exceptions."""
    yield heading(1, ink.texts("pdf.findings"))
    yield paragraph(ink.say("pdf.gaps_note"), "lead")
    for standing, key in ((Standing.STOPS, "settle"), (Standing.OPEN, "open")):
        yield heading(2, ink.texts(f"bad.{key}_title"))
        yield paragraph(ink.say(f"bad.{key}_lead"), "lead")
        told = list(causes(ink, verdicts, page, standing))
        if not told:
            none = [*ink.say(f"bad.{key}_none")]
            more = ink.say("bad.settle_reasons") if _otherwise(verdicts, standing) else []
            end = [("", ".")] if standing is Standing.STOPS else []
            yield paragraph([*none, *more, *end], "none")
        yield from told


def _otherwise(verdicts: Verdicts, standing: Standing) -> bool:
    return standing is Standing.STOPS and str(verdicts.decision) != "GO"


def causes(ink: Ink, verdicts: Verdicts, page: Page, standing: Standing) -> Iterator[Block]:
    """The causes of one standing: the first in full, then lines."""
    found = [(n, card) for n, card in enumerate(page.cards) if card.problem.standing is standing]
    lines = [card for n, card in found if n >= CARDS]
    yield from (_card(ink, verdicts, card) for n, card in found if n < CARDS)
    if lines:
        yield heading(3, ink.texts("pdf.more_lines"))
        yield {"kind": "why", "rows": [_line(ink, card.problem) for card in lines[:LINES]]}
    if len(lines) > LINES:
        yield paragraph(ink.more(len(lines) - LINES, "bad.more_causes"))


def _line(ink: Ink, problem: Problem) -> Block:
    told = join([("strong", problem.promise.id)], ink.quote(problem.headline, HEADLINE))
    return _reason(problem.verdict, told, _where(ink, problem))


def _card(ink: Ink, verdicts: Verdicts, card: Card) -> Block:
    problem = card.problem
    rows = [list(row) for row in _rows(ink, verdicts, problem)]
    size = sum(len(text) for row in rows for cell in row for _, text in cell)
    return {
        "kind": "card",
        "long": size > WHOLE,
        "word": str(problem.verdict),
        "promise": plain(problem.promise.id, LIMIT),
        "standing": _standing(ink, problem),
        "at": _where(ink, problem),
        "cause": problem.item.cause[:12],
        "head": ink.quote(problem.headline),
        "rows": rows,
    }


def _standing(ink: Ink, problem: Problem) -> str:
    match problem.standing:
        case Standing.OPEN:
            return ink.texts("card.may_wait")
        case Standing.WAIVED:
            return ink.texts("card.waived")
    return ""


def _rows(ink: Ink, verdicts: Verdicts, problem: Problem) -> Iterator[tuple[Spans, Spans]]:
    item, finding = problem.item, problem.finding
    yield ink.say("card.promised"), promised(ink, problem.promise)
    if finding:
        yield ink.say("card.expected"), _side(ink, finding.expected, item.before)
        yield ink.say("card.observed"), _side(ink, finding.observed, item.after)
    elif item.before is not None or item.after is not None:
        yield ink.say("card.seen_before"), ink.state(item.before)
        yield ink.say("card.seen_after"), ink.state(item.after)
    rule = join(ink.say("word.rule", "soft"), ink.code(item.rule))
    yield ink.say("card.where"), join(ink.code(item.subject), rule, by="   ")
    if finding and finding.witness:
        yield ink.say("pdf.witness"), _values(ink, finding.witness)
    if finding and finding.records:
        yield ink.say("pdf.records"), _values(ink, tuple(finding.records), 4)
    if not problem.alike:
        yield ink.say("card.varying", n=min(len(problem.places), VARYING)), _varying(ink, problem)
    yield from _action(ink, verdicts, problem)
    waiver = problem.places[0].cell.waiver
    if waiver:
        yield ink.say("card.waiver"), _waiver(ink, verdicts, waiver)
    yield ink.say("card.instances"), ink.names(problem.instances, 60)


def _action(ink: Ink, verdicts: Verdicts, problem: Problem) -> Iterator[tuple[Spans, Spans]]:
    track = problem.off_track
    off = join(ink.say("card.off_track", "gone"), ink.quote(track)) if track else []
    yield ink.say("card.who"), join(ink.say(f"actor.{problem.actor_key}"), off, by="; ")
    when = ink.say("card.no_date", "soft")
    if problem.deadline:
        past = ink.say("card.past", "gone") if problem.deadline <= verdicts.at else []
        when = join(ink.instant(problem.deadline), past)
    yield ink.say("card.by_when"), when
    if problem.command:
        yield ink.say("card.command"), ink.code(problem.command)


def _side(ink: Ink, told: str, state: str | None) -> Spans:
    """What a side was, in words, and its normalised state where the words do not hold it."""
    found = ink.quote(told)
    return found if state is not None and state in told else join(found, ink.state(state), by=" · ")


def _values(ink: Ink, values: tuple[str, ...], most: int = 12) -> Spans:
    shown = join(*(ink.code(value, 200) for value in values[:most]), by="  ")
    rest = len(values) - most
    return shown if rest <= 0 else join(shown, ink.more(rest))


def _varying(ink: Ink, problem: Problem) -> Spans:
    told = []
    for place in problem.places[:VARYING]:
        item = place.item
        text = item.observed if isinstance(item, FindingEntry) else item.what
        told.append(join([("strong", plain(place.cell.instance, LIMIT))], ink.quote(text, 200)))
    return join(*told, by="; ")


def _waiver(ink: Ink, verdicts: Verdicts, waiver: CellWaiver) -> Spans:
    state = ink.say("card.not_here", "gone")
    if waiver.in_force:
        state = ink.say("card.in_force")
    elif waiver.until < verdicts.at:
        state = ink.say("card.expired", "gone")
    by = ink.say("card.approved", "soft", by=waiver.approved_by, until=moment(waiver.until))
    return join([*state, ("", ":")], ink.quote(waiver.reason), by)


def promised(ink: Ink, promise: PromiseEntry) -> Spans:
    """The sentence of a promise and where it stands."""
    return join([("", plain(ink.texts.sentence(promise), LIMIT))], source(ink, promise), by=" · ")


def source(ink: Ink, promise: PromiseEntry) -> Spans:
    """Where a promise was made, and whether it is still in force."""
    found, named = promise.source, ink.texts.named
    edition = ink.say(
        "source.edition",
        "soft",
        document=named(found.document),
        section=named(found.section),
        edition=named(found.edition),
        language=found.language,
        commit=found.commit,
    )
    if found.in_force:
        return join(edition, ink.say("source.in_force", "soft"))
    why = [("soft", f", {plain(named(found.withdrawn or ''), LIMIT)}")]
    return [*join(edition, ink.say("source.gone", "gone")), *why]
