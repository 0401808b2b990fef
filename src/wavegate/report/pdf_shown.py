# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The parts of the PDF about what is no finding: plots, what was shown, cleared, left out."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Literal

from wavegate.evidence.verdicts import Verdicts
from wavegate.report import model
from wavegate.report.html import Plot
from wavegate.report.page import Page
from wavegate.report.page import Texts as Group
from wavegate.report.pdf_text import (
    LIMIT,
    Block,
    Ink,
    Spans,
    entries,
    heading,
    join,
    paragraph,
    plain,
)
from wavegate.report.resend import Handed

MOST = 300
"""Entries of one list."""
TEXTS = 40
"""Texts of one promise that PASSED or NOT_APPLICABLE cells say."""
PLOTS = 36
Entry = tuple[Spans, list[Spans], Spans]


def plots(ink: Ink, drawn: Sequence[Plot]) -> Iterator[Block]:
    """The drawings, each with what it shows in words."""
    if not drawn:
        return
    yield heading(1, ink.texts("plots.title"))
    yield paragraph(ink.say("plots.lead"), "lead")
    for plot in drawn[:PLOTS]:
        told = re.search(r"<desc[^>]*>(.*?)</desc>", plot.svg, re.DOTALL)
        alt = unescape(told[1]) if told else plot.title
        yield {
            "kind": "plot",
            "svg": plot.svg.replace("currentColor", "#1b2127"),
            "title": ink.quote(plot.title),
            "told": ink.quote(alt),
            "alt": plain(alt, LIMIT),
        }


def resends(ink: Ink, found: Sequence[Handed]) -> Iterator[Block]:
    """What the resend plans beside the report hold."""
    if not found:
        return
    yield heading(1, ink.texts("resend.title"))
    yield paragraph(ink.say("resend.lead"), "lead")
    rows: Iterator[Entry] = (
        (
            [("strong", plain(one.instance, LIMIT))],
            [ink.quote(one.told)],
            ink.code(f"{one.stem}.csv") if one.stem else [],
        )
        for one in found[:MOST]
    )
    yield entries(rows)
    yield from _rest(ink, len(found), "resend.more")


def passed(ink: Ink, page: Page) -> Iterator[Block]:
    """What PASSED cells claim, and what could hide behind each claim."""
    yield heading(1, ink.texts("passed.title"))
    yield paragraph(ink.say("passed.lead"), "lead")
    yield from _groups(ink, page.passed, "passed")


def not_applicable(ink: Ink, page: Page) -> Iterator[Block]:
    """Why cells are NOT_APPLICABLE."""
    yield heading(2, ink.texts("not_applicable.title"))
    yield from _groups(ink, page.not_applicable, "not_applicable")


def _groups(
    ink: Ink, groups: Sequence[Group], section: Literal["passed", "not_applicable"]
) -> Iterator[Block]:
    if not groups:
        yield paragraph(ink.say(f"{section}.none"), "none")
    for group in groups:
        yield {"kind": "label", "text": plain(group.promise, LIMIT)}
        yield entries(_said(ink, group))
        left = group.left_out + max(0, len(group.items) - TEXTS)
        if left:
            yield paragraph(ink.more(left, f"{section}.more"))


def _said(ink: Ink, group: Group) -> Iterator[Entry]:
    if group.could_hide:
        yield _hide(ink, group.could_hide), [], []
    for _, one in group.items[:TEXTS]:
        said, hide = one.item
        hidden = [_hide(ink, hide)] if hide and not group.could_hide else []
        yield ink.quote(said), hidden, ink.names(one.instances, 12)


def _hide(ink: Ink, text: str) -> Spans:
    return join(ink.say("word.could_hide", "soft"), ink.quote(text), by=": ")


def cleared(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    """The differences that a rule explains."""
    yield heading(1, ink.texts("cleared.title"))
    yield paragraph(ink.say("cleared.lead"), "lead")
    found = model.shared(verdicts.cells, lambda cell: cell.cleared)
    if not found:
        yield paragraph(ink.say("cleared.none"), "none")
        return
    rows: Iterator[Entry] = (
        (
            join(
                [("strong", plain(one.promise, LIMIT))],
                ink.code(one.item.subject, 200),
                join(ink.say("word.rule", "soft"), ink.code(one.item.rule)),
                by="  ",
            ),
            [
                ink.quote(one.item.explanation),
                join(ink.say("word.before", "soft"), ink.code(one.item.before, 300), by=": "),
                join(ink.say("word.after", "soft"), ink.code(one.item.after, 300), by=": "),
            ],
            ink.names(one.instances, 12),
        )
        for one in found[:MOST]
    )
    yield entries(rows)
    yield from _rest(ink, len(found))


def not_compared(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    """What was not checked, not compared, and what is only advice."""
    yield heading(1, ink.texts("not_compared.title"))
    yield paragraph(ink.say("not_compared.lead"), "lead")
    found = model.shared(verdicts.cells, lambda cell: cell.not_compared)
    if not found:
        yield paragraph(ink.say("not_compared.none"), "none")
    else:
        rows: Iterator[Entry] = (
            (
                join([("strong", plain(one.promise, LIMIT))], ink.quote(one.item.what), by="  "),
                [join(ink.say("word.because", "soft"), ink.quote(one.item.reason), by=": ")],
                ink.names(one.instances, 12),
            )
            for one in found[:MOST]
        )
        yield entries(rows)
        yield from _rest(ink, len(found))
    yield heading(2, ink.texts("pdf.not_checked"))
    if verdicts.not_checked:
        yield entries((ink.quote(text), [], []) for text in verdicts.not_checked[:MOST])
    else:
        yield paragraph(ink.say("pdf.not_checked_none"), "none")
    yield from _remarks(ink, verdicts)


def _remarks(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield heading(2, ink.texts("remarks.title"))
    yield paragraph(ink.say("remarks.lead"), "lead")
    found = model.shared(verdicts.cells, lambda cell: cell.remarks)
    if not found:
        yield paragraph(ink.say("remarks.none"), "none")
        return
    yield entries(
        (
            join([("strong", plain(one.promise, LIMIT))], ink.quote(one.item), by="  "),
            [],
            ink.names(one.instances, 12),
        )
        for one in found[:MOST]
    )
    yield from _rest(ink, len(found))


def _rest(ink: Ink, count: int, key: str = "word.more_in_verdicts") -> Iterator[Block]:
    if count > MOST:
        yield paragraph(ink.more(count - MOST, key))
