# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The first page of the PDF: decision, scope, period, who asked, fingerprint."""

from collections.abc import Iterator
from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.decision import Word
from wavegate.evidence.verdicts import Verdicts, dump
from wavegate.report.page import Page
from wavegate.report.pdf_text import LIMIT, Block, Ink, Spans, join, moment, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked for the run, as they said, and the command without paths. None: not told."""

    by: str | None = None
    command: str | None = None


def cover(
    ink: Ink, verdicts: Verdicts, page: Page, asked: Asked, *, keyid: str | None, signed: bool
) -> Block:
    """The page as `report.typ` reads it."""
    notes = [ink.say("pdf.signed_note" if signed else "pdf.unsigned_note")]
    notes += [ink.say("pdf.vocabulary")]
    if ink.texts("pdf.language_note"):
        notes += [ink.say("pdf.language_note")]
    return {
        "kind": ink.texts.kind(verdicts),
        "title": plain(ink.texts.title(verdicts), LIMIT),
        "word": str(verdicts.decision),
        "line": sentence(ink, verdicts),
        "facts": [list(row) for row in _facts(ink, verdicts, page, asked)],
        "fingerprint": [list(row) for row in _fingerprint(ink, verdicts, keyid)],
        "notes": notes,
    }


def sentence(ink: Ink, verdicts: Verdicts) -> Spans:
    """The decision in a sentence, with what is open and until when it can be turned back."""
    parts = [_decided(ink, verdicts)]
    if verdicts.open and verdicts.decision is not Word.GO:
        parts.append([*ink.say("decision.open", n=verdicts.open), *_due(ink, verdicts), ("", ".")])
    if verdicts.decide_by and verdicts.decision is not Word.GO:
        parts.append(ink.say("decision.rollback", until=moment(verdicts.decide_by)))
    return join(*parts)


def _decided(ink: Ink, verdicts: Verdicts) -> Spans:
    if verdicts.wave is None and verdicts.decision is Word.GO:
        return ink.say("decision.night_go")
    if verdicts.closed:
        return ink.say("decision.closed")
    match verdicts.decision:
        case Word.GO if not verdicts.open:
            return ink.say("pdf.go")
        case Word.GO:
            return [*ink.say("decision.go", n=verdicts.open), *_due(ink, verdicts), ("", ".")]
        case Word.HOLD:
            return ink.say("decision.hold")
    return ink.say("decision.no_go")


def _due(ink: Ink, verdicts: Verdicts) -> Spans:
    due = verdicts.next_due
    return ink.say("decision.next_due", due=moment(due)) if due else []


def _facts(ink: Ink, verdicts: Verdicts, page: Page, asked: Asked) -> Iterator[tuple[Spans, Spans]]:
    yield ink.say("pdf.scope"), _scope(ink, verdicts, page)
    window = verdicts.window
    if window:
        start, end = moment(window.start), moment(window.end)
        yield ink.say("decision.window"), ink.say("decision.to", start=start, end=end)
    yield ink.say("pdf.period"), _period(ink, verdicts)
    final = ink.say("decision.final", "soft") if verdicts.final else []
    yield ink.say("decision.judged_at"), join(ink.instant(verdicts.at), final)
    yield ink.say("decision.state"), _state(ink, verdicts)
    who = ink.say("word.not_told", "soft")
    if asked.by:
        who = join([("", plain(asked.by, LIMIT))], ink.say("pdf.asked_note", "soft"))
    yield ink.say("pdf.asked"), who
    yield ink.say("pdf.drill"), [("", plain(ink.texts.named(verdicts.drill), LIMIT))]


def _scope(ink: Ink, verdicts: Verdicts, page: Page) -> Spans:
    inside = [line for line in page.customers if not line.outside]
    found = ink.say(
        "pdf.scope_value",
        instances=ink.texts("pdf.instances", n=page.inside),
        customers=ink.texts("pdf.customers", n=len(inside)),
        promises=ink.texts("pdf.promises", n=len(page.promises)),
    )
    if page.outside:
        found += ink.say("decision.outside_wave", n=page.outside)
    part = ink.say("pdf.partial", "gone", why=verdicts.partial) if verdicts.partial else []
    return join(found, part, by="; ")


def _period(ink: Ink, verdicts: Verdicts) -> Spans:
    used = [a for attempts in verdicts.attempts.values() for a in attempts if a.used]
    if not used:
        return ink.say("pdf.no_records", "soft")
    first, last = min(a.began for a in used), max(a.ended for a in used)
    return ink.say("decision.to", start=moment(first), end=moment(last))


def _state(ink: Ink, verdicts: Verdicts) -> Spans:
    if verdicts.wave is None:
        return ink.say("decision.night")
    state = ink.say("decision.is_closed" if verdicts.closed else "decision.is_interim")
    return [*state, *_due(ink, verdicts)]


def _fingerprint(ink: Ink, verdicts: Verdicts, keyid: str | None) -> Iterator[tuple[Spans, Spans]]:
    yield ink.say("pdf.run"), ink.code(verdicts.run)
    yield ink.say("pdf.digest"), ink.code(digest(dump(verdicts)))
    key = ink.code(keyid) if keyid else ink.say("pdf.unsealed", "soft")
    yield ink.say("pdf.keyid"), key
