# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Withdrawn instances under a heading of their own, in every report."""

import pytest

from wavegate.evidence.verdicts import Verdicts, contradictions, dump, parse
from wavegate.report.html import render as html
from wavegate.report.markdown import render as markdown
from wavegate.report.population import as_csv
from wavegate.report.texts import LANGUAGES, Language, texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_names_them_with_who_and_why(varied: Verdicts, language: Language) -> None:
    """Their row stays in the matrix, and they stand apart from limits."""
    said, page = texts(language), html(varied, language=language)
    own = page.partition('<section id="withdrawn">')[2].partition("</section>")[0]
    limits = page.partition('<section id="limits">')[2].partition("</section>")[0]
    row = page.partition("cumulus-late<span>")[2].partition("</th>")[0]

    wanted = ("cumulus-late", "W. Drawer", "CHG-9 &lt;img", said("withdrawn.by"))
    assert [] == [text for text in wanted if text not in own]
    assert ("cumulus-late" in limits, said("matrix.withdrawn") in row) == (False, True)


def test_the_summary_and_the_population_name_them(varied: Verdicts, good: Verdicts) -> None:
    """In Markdown, and as a value of its own in the CSV."""
    told = markdown(varied).partition("## Withdrawn before the window")[2].partition("##")[0]
    lines = [line for line in as_csv(varied).decode().splitlines() if "cumulus-late" in line]

    assert ("W. Drawer" in told, "cumulus-late" in told) == (True, True)
    assert ["withdrawn"] * 3 == [line.rpartition(",")[2].strip(chr(34)) for line in lines]
    assert "Withdrawn" not in markdown(good)


def test_it_counts_neither_for_nor_against(varied: Verdicts) -> None:
    """It is no instance without a PASSED cell, and what is told of it survives the file."""
    assert not [line for line in varied.why if "cumulus-late" in line]
    assert "cumulus-late" not in varied.holds
    assert [] == [entry for entry in varied.limits if entry.instance == "cumulus-late"]
    assert (varied, ()) == (parse(dump(varied)), contradictions(varied))
