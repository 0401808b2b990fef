# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from html import unescape

import pytest

from wavegate.canonical import digest
from wavegate.evidence.verdicts import Verdicts, dump
from wavegate.report import html, markdown
from wavegate.report.case import Case, cases, customers_of
from wavegate.report.model import problems


def one(verdicts: Verdicts, customer: str, promise: str) -> Case:
    """The one text of a customer about a promise."""
    (found,) = [c for c in cases(verdicts, customer=customer) if c.promise == promise]
    return found


def test_text_tells_what_support_asks_for(varied: Verdicts) -> None:
    """What was promised, seen before, seen after, when, and the digests of the evidence."""
    text = one(varied, "acme", "spf").text
    for part in (
        "SPF authorises exactly the same addresses",
        "198.51.100.7 gets pass",
        "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ~all",
        "198.51.100.7 gets softfail",
        "captured between 2024-01-14T22:00:00Z and 2024-01-14T22:02:00Z",
        "captured between 2024-01-16T23:05:00Z and 2024-01-16T23:07:00Z",
        "window 2024-01-16T22:00:00Z to 2024-01-16T23:00:00Z",
        digest(b"acme-prod1 before"),
        digest(b"a 2"),
        digest(dump(varied)),
    ):
        assert part in text, part


def test_gap_asks_for_what_is_missing(varied: Verdicts) -> None:
    """Where nothing could be told, the text asks for what is missing, and claims no change."""
    text = one(varied, "cumulus", "dkim").text
    assert "no mail from 2001:db8::10 after the move: more messages (37)" in text
    assert "Seen after" not in text


def test_each_cause_and_customer_has_a_text(varied: Verdicts) -> None:
    """A shared cause gives one text for each customer who has it, and none for others."""
    expected = [
        (problem.item.cause, customer)
        for problem in problems(varied)
        for customer in customers_of(problem)
    ]
    assert expected == [(case.cause, case.customer) for case in cases(varied)]
    shared = {case.customer for case in cases(varied) if case.promise == "spf"}
    assert {"acme", "borealis"} == shared


@pytest.mark.parametrize("customer", ["acme", "borealis", "cumulus"])
def test_no_text_names_another_customer(varied: Verdicts, customer: str) -> None:
    """Only that customer's data: no instance, capture or record of another is in a text."""
    others = {c.instance for c in varied.cells if c.customer != customer}
    others |= {c.customer for c in varied.cells} - {customer}
    owner = {c.instance: c.customer for c in varied.cells}
    mine = {r for c in varied.cells if c.customer == customer for r in c.records}
    others |= {r for c in varied.cells for r in c.records if c.customer != customer} - mine
    others |= {
        attempt.digest
        for name, found in varied.attempts.items()
        for attempt in found
        if owner[name] != customer
    }
    for case in cases(varied, customer=customer):
        body = case.text.replace(f"Customer:\n  {customer}\n", "")
        assert [] == [text for text in others if text in body]


def test_cause_by_its_first_characters(varied: Verdicts) -> None:
    """A person types the beginning of a cause."""
    wanted = one(varied, "acme", "spf")
    found = cases(varied, cause=wanted.cause[:10], customer="acme")
    assert (wanted,) == found
    assert () == cases(varied, cause="not hex")


def test_hostile_text_makes_no_line_of_its_own(
    varied: Verdicts, make_hostile: Callable[[], Verdicts]
) -> None:
    """A DNS record cannot write a heading into the text, nor move what a terminal shows."""
    for verdicts in (varied, make_hostile()):
        for case in cases(verdicts):
            assert not [c for c in case.text if c != "\n" and not c.isprintable()]
            headings = {line for line in case.text.splitlines() if line and line[0] != " "}
            assert {h.partition(":")[0] for h in headings} <= {
                *("Subject", "Customer", "Instances", "Migration", "State", "Promised"),
                *("Seen before", "Seen after", "What it means", "Smallest proof", "We ask you"),
                *("Cannot be told", "Known before", "Known after", "Settled by"),
                *("Records (SHA-256)", "Run", "Cause"),
            }


def test_long_lists_are_bounded(huge: Verdicts, chaos: Verdicts) -> None:
    """A text stays one that a person reads, whatever shares its cause."""
    assert max(len(case.text) for case in (*cases(huge), *cases(chaos))) < 20_000


def test_nothing_bad_no_text(good: Verdicts) -> None:
    """Where all is well there is nothing to ask."""
    assert () == cases(good)


def test_report_holds_the_texts(varied: Verdicts) -> None:
    """The page has the very text under each cause it tells in full, escaped; in both languages."""
    wanted = one(varied, "acme", "spf").text
    for language in ("en", "de"):
        page = unescape(html.render(varied, language=language))
        assert wanted.rstrip("\n") in page
    hostile = one(varied, "cumulus", "dmarc").text
    page = html.render(varied)
    assert hostile.rstrip("\n") in unescape(page)
    assert "<script" not in page


def test_report_of_many_customers_stays_small(huge: Verdicts) -> None:
    """A cause of sixty customers has the texts of the first; the command writes all of them."""
    page = html.render(huge)
    cause = problems(huge)[0].item.cause
    assert (3, True) == (page.count("We ask you:"), f"--cause {cause[:12]} --out DIR" in page)
    assert f"export cases BUNDLE --cause {cause[:12]}" in markdown.render(huge)
