# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What people decided, in every report: beside the gate's decision, never in its place."""

import re

import pytest

from wavegate.decision import Word
from wavegate.evidence.verdicts import Verdicts, contradictions, decision_of
from wavegate.report.html import render as html
from wavegate.report.markdown import render as markdown
from wavegate.report.texts import LANGUAGES, Language, texts


def section(page: str) -> str:
    """The section of an HTML page that lists them."""
    return page.partition('<section id="decisions">')[2].partition("</section>")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_tells_who_decided_what_and_signed_how(varied: Verdicts, language: Language) -> None:
    """Course, reason, name, instant, key, and that the second did the work or may not approve."""
    said, page = texts(language), html(varied, language=language)
    found = section(page)

    wanted = [said("course.keep"), said("course.roll-back"), "A. Approver", "c1" * 32]
    wanted += ["SPF is repaired by CHG-77", said("decisions.about_wave"), "acme-prod1"]
    wanted += [said("way.key"), said("way.name"), said("decisions.may_record")]
    assert [] == [text for text in wanted if text not in found]
    assert 1 == found.count(said("way.key"))
    assert "<script" not in page


def test_the_gates_decision_is_not_changed_by_them(varied: Verdicts) -> None:
    """People said keep and roll back; the word is what the cells force."""
    bare = varied.model_copy(update={"decisions": ()})

    assert (Word.NO_GO, ()) == (decision_of(varied).word, contradictions(varied))
    assert decision_of(bare) == decision_of(varied)


def test_the_last_one_stands_at_the_top_of_the_page(varied: Verdicts, good: Verdicts) -> None:
    """Who opens the report in the night sees it; a run without any has no such line."""
    top = html(varied).partition('id="customers"')[0]

    assert 'href="#decisions"' in top.partition("<nav")[0]
    assert "roll back: acme-prod1, R. Roe" in top
    assert "Decisions by people" not in html(good).partition("<nav")[0]
    assert "No decision by a person" in section(html(good))


def test_the_summary_lists_them_the_last_first(varied: Verdicts, good: Verdicts) -> None:
    """In Markdown too, with what the texts hold made harmless."""
    told = markdown(varied)
    found = told.partition("## Decisions by people")[2].partition("##")[0]

    assert ["roll-back", "keep"] == re.findall(r"^- \*\*([a-z-]+)\*\*", found, re.MULTILINE)
    assert "<script>" not in found
    assert "Decisions by people" not in markdown(good)
