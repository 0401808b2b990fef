# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""summary.md: bounded, escaped, the decision first."""

import re

import pytest

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.markdown import TOP, code, escape, render
from wavegate.report.resend import Handed


def test_the_decision_is_the_heading(varied: Verdicts, good: Verdicts) -> None:
    """The first line is what a forge shows in a preview."""
    assert render(varied).splitlines()[0] == "# NO-GO, 8 open, next due 2024-01-20T12:00:00Z"
    assert render(good).splitlines()[0] == "# GO"


def test_a_finding_is_told_in_full(varied: Verdicts) -> None:
    """Promised, before, after, where to look, who, by when, command, cause."""
    said = render(varied)
    for part in (
        "### FAILED: spf, 3 instances",
        "- promised: SPF authorises exactly the same addresses",
        "- before: 198.51.100.7 gets pass `v=spf1",
        "- after: 198.51.100.7 gets softfail `v=spf1",
        "- where to look: `_spf.campaign.example TXT`, witness `198.51.100.7`",
        "by 2024-01-17T04:00:00Z",
        "- command: `wavegate capture --phase after",
        "no longer in force",
        "## Open",
        "## Waived",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>x</b>", r"\<b\>x\</b\>"),
        ("[a](http://evil.example)", r"\[a\](http\://evil.example)"),
        ("**bold** _it_ snake_case", r"\*\*bold\*\* \_it\_ snake_case"),
        ("a\n# b", r"a\[U+000A\]\# b"),
        ("www.evil.example me@evil.example", r"www\.evil.example me\@evil.example"),
        ("&lt;", r"\&lt;"),
    ],
)
def test_values_are_no_markup(text: str, expected: str) -> None:
    """A value cannot open a tag, a link, a heading or an emphasis."""
    assert escape(text) == expected


@pytest.mark.parametrize("text", ["a", "`", "a``b", "```", "", " "])
def test_a_code_span_holds_any_value(text: str) -> None:
    """Backticks in a value cannot end the span."""
    shown = code(text)
    fence = re.match("`+", shown)
    assert fence is not None
    assert shown.endswith(fence[0])
    assert fence[0] not in re.findall("`+", shown[len(fence[0]) : -len(fence[0])])


def test_hostile_values_leave_no_raw_markup(varied: Verdicts) -> None:
    """Outside code spans nothing of an attacker's markup is active."""
    outside = re.sub(r"(`+) ?.*? ?\1(?!`)", "", render(varied).replace(r"\`", ""))
    assert re.findall(r"(?<!\\)<\w", outside) == []
    assert re.findall(r"(?<!\\)\]\(", outside) == []


def test_a_summary_is_bounded(huge: Verdicts, chaos: Verdicts) -> None:
    """A forge drops more than 1 MiB whole: ten causes are told, the rest counted."""
    assert len(render(huge).encode()) < 100_000
    said = render(chaos)
    assert len(said.encode()) < 1 << 20
    assert said.count("\n### ") == TOP
    assert re.search(r"And \d+ more causes", said) is not None


def test_an_empty_run(empty: Verdicts) -> None:
    """Over nothing: HOLD, the reason, no instance."""
    said = render(empty)
    assert said.startswith("# HOLD\n")
    assert "- there is no plan for this wave" in said
    assert "- instances: none" in said


def test_resend_plans_are_listed_and_bounded(good: Verdicts) -> None:
    """Ten instances with counts and files, the others counted; no section where nobody looked."""
    rows = [
        Handed(instance=f"i{n}", told=f"{n} to *resend*", lines=n, stem=f"resend/i{n}")
        for n in range(TOP + 3)
    ]
    said = render(good, resends=rows)
    assert "- `i2`: 2 to \\*resend\\* ([CSV](resend/i2.csv), [JSON](resend/i2.json))" in said
    assert "- and 3 more instances" in said
    assert "Resend plan" not in render(good)
