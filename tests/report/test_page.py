# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The layout of the page: unique anchors, bounds that hold, links that lead somewhere."""

from collections.abc import Callable
from typing import Any

import pytest
from lxml import html as parser

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.html import render
from wavegate.report.page import CARDS, CHIPS, MATRIX_ROWS, Anchors, build_page


def test_anchors_are_readable_where_names_allow() -> None:
    """A deep link can be typed by hand."""
    assert Anchors().take("spf", "acme-prod1") == "spf-acme-prod1"


@pytest.mark.parametrize("name", ["a b", '"><script>', "\u202e", "x" * 500, "", "ä"])
def test_a_hostile_name_makes_a_safe_anchor(name: str) -> None:
    """An anchor needs no quotes in HTML, whatever the name."""
    anchor = Anchors().take("spf", name)
    assert set(anchor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~")
    assert len(anchor) < 140


def test_anchors_never_collide() -> None:
    """Names that look alike, or like a section, still get their own place."""
    anchors = Anchors()
    taken = [
        anchors.take("a-b", "c"),
        anchors.take("a", "b-c"),
        anchors.take("not", "compared"),
        anchors.take("a b"),
        anchors.take("a_b"),
        anchors.take("a_b"),
    ]
    assert len({*taken, "not-compared"}) == len(taken) + 1


def test_many_causes_stay_bounded_and_linked(chaos: Verdicts) -> None:
    """Where everything broke in its own way the page stays readable, and no link is dead."""
    tree: Any = parser.document_fromstring(render(chaos))
    assert len(tree.xpath("//article")) == CARDS
    ids = set(tree.xpath("//@id"))
    assert {href[1:] for href in tree.xpath("//a/@href")} - ids == set()
    assert {f"{cell.promise}-{cell.instance}" for cell in chaos.cells} - ids == set()


def test_a_fleet_is_counted_beyond_the_matrix(fleet: Verdicts) -> None:
    """Past the matrix's rows, instances are counted, those with bad cells kept."""
    page = build_page(fleet)
    assert len(page.rows) == MATRIX_ROWS
    assert page.rows_left_out == len(fleet.instances) - MATRIX_ROWS
    assert page.rows[0].instance == "z-last"
    assert max(len(card.chips) for card in page.cards) <= CHIPS


def test_an_instance_outside_the_wave_is_no_go_of_it(varied: Verdicts) -> None:
    """An instance that only `scope` looks at shows no decision of its own."""
    rows = {row.instance: row for row in build_page(varied).rows}
    assert rows["delta-prod1"].decision is None
    assert build_page(varied).inside == 8


def test_hostile_names_everywhere(make_hostile: Callable[[], Verdicts]) -> None:
    """Even names that no estate would load cannot break out of the page."""
    tree: Any = parser.document_fromstring(render(make_hostile()))
    assert tree.xpath("//script | //img | //iframe") == []
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in tree.xpath("//a/@href")} - set(ids) == set()
