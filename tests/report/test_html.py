# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The page: self-contained, inert, every cell reachable, and true to the verdicts."""

import re
from collections import Counter
from typing import Any

import pytest
from lxml import html as parser

from wavegate.canonical import digest
from wavegate.evidence.verdicts import Verdicts, dump
from wavegate.report.html import render
from wavegate.report.resend import Handed
from wavegate.verdict import Verdict

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _tree(verdicts: Verdicts) -> Any:
    return parser.document_fromstring(render(verdicts))


def _text(element: Any) -> str:
    return " ".join(element.text_content().split())


@pytest.fixture(params=["varied", "good", "empty", "huge"])
def run(request: pytest.FixtureRequest) -> Verdicts:
    """Each of the example runs."""
    found: Verdicts = request.getfixturevalue(request.param)
    return found


def test_loads_nothing_and_runs_nothing(run: Verdicts) -> None:
    """One file: no script, no handler, no reference but to itself, and a policy that says so."""
    tree = _tree(run)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert tags & {"script", "img", "link", "iframe", "object", "form", "base", "svg"} == set()
    attributes = [(n, v) for e in tree.iter() for n, v in e.attrib.items()]
    assert [n for n, _ in attributes if n.startswith("on") or n == "src"] == []
    assert [v for n, v in attributes if n == "href" and not v.startswith("#")] == []
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == [CSP]
    style = "".join(tree.xpath("//style/text()"))
    assert re.findall(r"url\(|@import|</", style) == []


def test_every_link_leads_somewhere(run: Verdicts) -> None:
    """No link of the page is dead, and no id stands twice."""
    tree = _tree(run)
    ids = Counter(tree.xpath("//@id"))
    assert [name for name, count in ids.items() if count > 1] == []
    assert {href[1:] for href in tree.xpath("//a/@href")} - ids.keys() == set()


def test_every_cell_has_its_deep_link(run: Verdicts) -> None:
    """`#spf-acme-prod1` is what notifications and tickets point to."""
    ids = set(_tree(run).xpath("//@id"))
    assert {f"{cell.promise}-{cell.instance}" for cell in run.cells} - ids == set()


def test_the_matrix_has_a_link_for_each_cell(run: Verdicts) -> None:
    """Each cell of the grid is in the matrix with its verdict's word, and leads on."""
    words = {"F": "failed", "I": "inconclusive", "P": "passed", "N": "n/a"}
    cells = _tree(run).xpath("//section[@id='matrix']//td[a]")
    assert Counter(cell.get("class", "P") for cell in cells) == Counter(
        cell.verdict[0] for cell in run.cells
    )
    wrong = [
        c
        for c in cells
        if not _text(c).replace("\u00ad", "").startswith(words[c.get("class", "P")])
    ]
    assert wrong == []


def test_a_bad_cell_leads_to_its_finding(varied: Verdicts) -> None:
    """From the matrix to the cause, which says promised, before, after and where to look."""
    tree = _tree(varied)
    place = tree.get_element_by_id("spf-borealis-prod")
    (card,) = place.xpath("ancestor::article")
    said = _text(card)
    for part in (
        "SPF authorises exactly the same addresses",
        "198.51.100.7 gets pass",
        "v=spf1 ip4:192.0.2.0/24 ~all",
        "_spf.campaign.example TXT",
        "3 instances",
    ):
        assert part in said


def test_instances_with_bad_cells_stand_first(varied: Verdicts) -> None:
    """Nobody scrolls past green rows to find the red one."""
    rows = _tree(varied).xpath("//section[@id='matrix']//tbody/tr")
    bad = [bool(row.xpath("td[@class='F' or @class='I']")) for row in rows]
    assert bad == sorted(bad, reverse=True)


def test_the_decision_and_why_come_first(varied: Verdicts) -> None:
    """The word, then the causes, before anything else."""
    tree = _tree(varied)
    (first,) = tree.xpath("//main/*[1]")
    assert first.get("id") == "decision"
    assert _text(first.xpath(".//p[@class='word']")[0]) == "✕NO-GO"
    assert "192.0.2.11 had the PTR" in _text(first)
    assert "2024-01-17 04:00:00 UTC" in _text(first)
    assert varied.run in _text(first)
    assert digest(dump(varied)) in _text(first)


def test_reports_are_interim_until_closed(varied: Verdicts, good: Verdicts) -> None:
    """Nobody files an early report as the last word."""
    assert _tree(varied).findtext(".//title") == "NO-GO: Wave 2024-01-w1 (interim) · Wavegate"
    assert _tree(good).findtext(".//title") == "GO: Wave 2024-01-w1 · Wavegate"


def test_hostile_text_is_shown_and_inert(varied: Verdicts) -> None:
    """Values of an attacker are text: markup is read, bidi and escapes are code points."""
    page = render(varied)
    said = _text(parser.document_fromstring(page))
    assert "<script>alert('x')</script>" in said
    assert "javascript:alert(1)" in said
    assert "[U+202E] moc.live" in said
    assert "[U+001B][31mred" in said
    assert "{{ 7 * 7 }} {% raw %}" in said
    assert [c for c in page if c in "\u202e\u2066\u200b\ufeff\x1b\x07"] == []


def test_what_was_decided_by_people_is_listed(varied: Verdicts) -> None:
    """Limits, waivers in force, expired and unused, retakes and remedies all have their place."""
    tree = _tree(varied)
    assert "approved by C. Approver" in _text(tree.get_element_by_id("limits"))
    waivers = _text(tree.get_element_by_id("waivers"))
    for word in ("in force for 1 cell", "expired", "unused"):
        assert word in waivers
    assert "fix:CHG-123" in _text(tree.get_element_by_id("retakes"))
    assert "after 31 min" in _text(tree.get_element_by_id("remedied"))
    assert "moved_when" in _text(tree.get_element_by_id("decision"))


def test_cleared_differences_name_their_rule(varied: Verdicts) -> None:
    """A cleared difference is shown with its rule, and what was not compared with its reason."""
    tree = _tree(varied)
    assert "txt-split" in _text(tree.get_element_by_id("cleared"))
    assert "zero[U+200B]width" in _text(tree.get_element_by_id("not-compared"))
    assert "more than 10 lookups" in _text(tree.get_element_by_id("remarks"))


def test_each_promise_says_whether_it_is_in_force(varied: Verdicts) -> None:
    """A withdrawn promise is told as one, with edition and commit."""
    said = _text(_tree(varied).get_element_by_id("promise-build_version"))
    assert "no longer in force" in said
    assert "commit d0935df5" in said


def test_a_passed_cell_says_what_could_hide(good: Verdicts) -> None:
    """GO rests on what was shown, and says what it cannot exclude."""
    tree = _tree(good)
    (link,) = tree.xpath("//td[@id='spf-acme-prod1']/a/@href")
    place = tree.get_element_by_id(link[1:])
    assert "Every IPv4 and IPv6 address" in _text(place)
    assert "Could hide A server that answers us" in _text(place.xpath("ancestor::div")[0])


def test_an_empty_run_is_no_success(empty: Verdicts) -> None:
    """Over nothing the page says HOLD and why, and claims nothing."""
    tree = _tree(empty)
    said = _text(tree.get_element_by_id("decision"))
    assert "HOLD" in said
    assert "there is no plan for this wave" in said
    assert "The run has no cell: empty is never GO." in _text(tree.get_element_by_id("matrix"))


def test_words_not_colours_alone(varied: Verdicts) -> None:
    """Every badge has a word; each table a caption and scoped headers; the page its landmarks."""
    tree = _tree(varied)
    assert [b for b in tree.xpath("//*[contains(@class, 'badge')]") if len(_text(b)) < 2] == []
    assert [t for t in tree.xpath("//table") if t.find("caption") is None] == []
    assert tree.xpath("//th[not(@scope)]") == []
    assert tree.get("lang") == "en"
    for landmark in ("header", "main", "nav", "footer"):
        assert tree.xpath(f"count(//body//{landmark}) >= 1") is True
    assert len(tree.xpath("//h1")) == 1


def test_the_same_verdicts_give_the_same_bytes(varied: Verdicts) -> None:
    """A report can be made again and compared by digest."""
    assert render(varied) == render(varied.model_copy(deep=True))


def test_a_big_estate_stays_below_a_megabyte(huge: Verdicts) -> None:
    """500 instances open at once in a browser, and one cause stands once."""
    page = render(huge)
    assert len(page.encode()) < 1_000_000
    tree: Any = parser.document_fromstring(page)
    (card,) = tree.xpath("//section[@id='settle']/article")
    assert "167 instances" in _text(card)


def test_the_key_of_the_seal_joins_the_fingerprint(good: Verdicts) -> None:
    """Where the sealing key is known beforehand, the page names it."""
    assert "ab" * 32 in render(good, keyid="ab" * 32)


def test_the_page_counts_what_the_verdicts_hold(varied: Verdicts) -> None:
    """The tally is the cells', so that a report cannot say other than verdicts.json."""
    tiles = _tree(varied).xpath("//dl[@class='tally']/div")
    told = {_text(tile.find("dt"))[2:]: int(_text(tile.find("dd"))) for tile in tiles}
    for verdict in Verdict:
        held = [c for c in varied.cells if c.judged and c.verdict is verdict]
        assert told[verdict] == len(held)
    assert told["not judged"] == 1
    assert told["open (of these)"] == varied.open


def test_resend_plans_are_listed_with_links_into_the_bundle(good: Verdicts) -> None:
    """Each instance with its counts; the only links that leave the page stay beside it."""
    rows = (
        Handed(instance="acme-prod1", told="2 to resend", lines=2, stem="resend/acme-prod1"),
        Handed(instance="acme-mkt", told="no plan could be made: <b>x</b>", lines=0, stem=None),
    )
    tree = parser.document_fromstring(render(good, resends=rows))
    said = _text(next(found for found in tree.iter() if found.get("id") == "resend"))
    assert "2 to resend" in said
    assert "no plan could be made: <b>x</b>" in said
    links = (found.get("href", "") for found in tree.iter("a"))
    out = [href for href in links if not href.startswith("#")]
    assert ["resend/acme-prod1.csv", "resend/acme-prod1.json"] == out
