# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The HTML report: one file without scripts or references, from verdicts alone.

Every value passes `visible` (the environment's finalize) and then autoescape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from wavegate.canonical import digest
from wavegate.clock import format_duration, format_instant
from wavegate.evidence.verdicts import Attempt, PromiseEntry, Verdicts, dump
from wavegate.report import model
from wavegate.report.approval import of_baseline, of_limit, of_waiver
from wavegate.report.case import case_of, customers_of
from wavegate.report.page import CARDS, LINES, SECTIONS, build_page
from wavegate.report.resend import Handed
from wavegate.report.safe_text import visible
from wavegate.report.texts import ENGLISH, Language, Piece, Texts, pieces, texts

SHORT = 160
"""Characters of a value shown at once; the rest is behind a click."""
LONG = 2000
"""Characters of a value shown at all; verdicts.json has the whole."""
CUSTOMERS = 12
"""Customers shown at once; the others, none of them worse, are behind a click."""
NAMES = 12
"""Instances named where many share a text."""
CASES = 3
"""Customers for whom a card has the text of a support case; `export cases` writes all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing of our own. svg: text that `plots` made, in which every value is escaped."""

    title: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTexts:
    """A catalogue as HTML: its marks become elements, every value is made visible and escaped."""

    said: Texts

    def __call__(self, key: str, /, **values: object) -> Markup:
        """A text with its values; a value that is Markup is the template's own."""
        shown = {name: escape(_finalize(value)) for name, value in values.items()}
        parts = pieces(self.said.form(key, values))
        return Markup("").join(_element(part, shown) for part in parts)

    @property
    def language(self) -> str:
        """The language of the page."""
        return self.said.language

    def short(self, verdict: str) -> Markup:
        """A verdict in a small cell, with the place where it may break."""
        return Markup("&shy;").join(self.said(f"verdict.{verdict}").split("\xad"))

    def named(self, text: str) -> str:
        """See `Texts.named`."""
        return self.said.named(text)

    def sentence(self, promise: PromiseEntry) -> str:
        """See `Texts.sentence`."""
        return self.said.sentence(promise)


def _element(piece: Piece, shown: Mapping[str, Markup]) -> Markup:
    text = Markup(piece.text).format(**shown)  # noqa: S704 - a text of the catalogue
    return Markup(f"<{piece.mark}>{text}</{piece.mark}>") if piece.mark else text  # noqa: S704 - a mark is one of three words, and the text escaped


def render(
    verdicts: Verdicts,
    *,
    keyid: str | None = None,
    plots: Sequence[Plot] = (),
    resends: Sequence[Handed] = (),
    language: Language = ENGLISH,
) -> str:
    """The page. keyid: of the seal, for the fingerprint line, where it is known beforehand.

    resends: what the resend plans beside the page hold; only their links lead out of it.
    language: of our own sentences; what the run found is quoted as it stands in verdicts.json.
    """
    cells, said = verdicts.cells, texts(language)
    attempts, plain = captures(verdicts)
    told = digest(dump(verdicts))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            v=verdicts,
            t=PageTexts(said=said),
            page=build_page(verdicts),
            attempts=attempts,
            plain=plain,
            keyid=keyid,
            plots=plots,
            resends=resends,
            verdicts_digest=told,
            cases=lambda problem: _cases(verdicts, told, problem),
            title=said.title(verdicts),
            kind=said.kind(verdicts),
            reasons=model.other_reasons(verdicts),
            counts=model.counts(cells),
            sections=SECTIONS,
            cleared=model.shared(cells, lambda cell: cell.cleared),
            not_compared=model.shared(cells, lambda cell: cell.not_compared),
            remarks=model.shared(cells, lambda cell: cell.remarks),
            limits=model.shared(
                (cell for cell in cells if not cell.outside),
                lambda cell: [cell.limit] if cell.limit else [],
            ),
            withdrawn=model.withdrawals(verdicts),
            of_baseline=of_baseline(verdicts),
            of_waiver=lambda waiver: of_waiver(verdicts, waiver),
            of_limit=lambda group: of_limit(verdicts, group.promise, group.item, group.instances),
            remedied=model.shared(cells, lambda cell: [cell.remedied] if cell.remedied else []),
        )
    )


def _cases(
    verdicts: Verdicts, told: str, problem: model.Problem
) -> tuple[tuple[tuple[str, Markup], ...], int]:
    """Customers with the text of a support case, and how many more share the cause."""
    names = customers_of(problem)
    made = [(name, case_of(verdicts, told, problem, name).text) for name in names[:CASES]]
    shown = [(name, Markup("\n").join(map(escape, text.splitlines()))) for name, text in made]
    return tuple(shown), len(names) - len(shown)


def captures(verdicts: Verdicts) -> tuple[list[tuple[str, Attempt]], int]:
    """The captures worth a line, and how many instances have plain ones only."""
    lines, plain = list[tuple[str, Attempt]](), 0
    for name, attempts in sorted(verdicts.attempts.items()):
        phases = [attempt.phase for attempt in attempts]
        odd = any(a.forced or not a.complete or not a.used for a in attempts)
        if odd or len(set(phases)) < len(phases):
            lines += [(name, attempt) for attempt in attempts]
        else:
            plain += bool(attempts)
    return lines, plain


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wavegate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "instant": _instant,
        "length_of_time": format_duration,
        "breakable": _breakable,
    }
    environment.globals |= {
        "SHORT": SHORT,
        "LONG": LONG,
        "NAMES": NAMES,
        "CUSTOMERS": CUSTOMERS,
        "CARDS": CARDS,
        "LINES": LINES,
    }
    return environment


def _finalize(value: object) -> object:
    """Every value on its way to the page; Markup is the template's own."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _instant(instant: datetime) -> Markup:
    """An instant for a person, to the second; the attribute has the whole."""
    shown = format_instant(instant.replace(microsecond=0)).replace("T", " ").removesuffix("Z")
    return Markup('<time datetime="{}">{} UTC</time>').format(format_instant(instant), shown)


def _breakable(promise: str) -> Markup:
    """A promise's name that may break after an underscore, or within a long part."""
    words = visible(promise[:60]).replace("_", "_ ").split(" ")
    parts = [
        Markup("&shy;").join((word[:7], word[7:])) if len(word) > 9 else escape(word)
        for word in words
    ]
    return Markup("<wbr>").join(parts)
