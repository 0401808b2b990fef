# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Plots: the same bytes each time, told in words, safe inside a page."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree
from tests.builders.estates import END, START

from wavegate.report.plots import (
    MAX_POINTS,
    DelayFigure,
    FunctionRow,
    QueueFigure,
    QueuePoint,
    RateFigure,
    RatePoint,
    StateSpan,
    WindowFigure,
    delay_svg,
    queue_svg,
    rate_svg,
    thin,
    window_svg,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SVG = "{http://www.w3.org/2000/svg}"


def rate(title: str = "Relay rate of <acme> & co") -> str:
    """Two days a side, one bucket set aside."""
    points = [RatePoint(at=START - n * HOUR, rate=1200 + n) for n in range(48, 0, -1)]
    points += [RatePoint(at=END + n * HOUR, rate=1150 + n, counted=n > 0) for n in range(48)]
    return rate_svg(
        RateFigure(
            title=title, opening=START, close=END, points=tuple(points), expected=1200, floor=1080
        )
    )


def delay() -> str:
    """A hundred seeds a side."""
    seconds = tuple(float(n % 17) for n in range(100))
    later = tuple(3 * s for s in seconds)
    return delay_svg(DelayFigure(title="Delays", before=seconds, after=later, ceiling=20.0))


def window() -> str:
    """A function that broke, one that did not, and a gap in the watching."""
    spans = (
        StateSpan(since=START - HOUR, until=START, state="ok"),
        StateSpan(since=START, until=START + 5 * MINUTE, state="silent"),
        StateSpan(since=START + 5 * MINUTE, until=END, state="wrong"),
    )
    calm = (
        StateSpan(since=START - HOUR, until=START, state="ok"),
        StateSpan(since=START, until=END, state="gap"),
    )
    rows = (FunctionRow(name="tracking", spans=spans), FunctionRow(name="log$on_$", spans=calm))
    return window_svg(WindowFigure(title="Functions", opening=START, close=END, rows=rows))


def queue() -> str:
    """A thousand mails that drain."""
    points = tuple(QueuePoint(at=END + n * MINUTE, waiting=1000 - 100 * n) for n in range(11))
    return queue_svg(
        QueueFigure(title="Queue", opening=START, close=END, points=points, deadline=END + HOUR)
    )


ALL = [rate, delay, window, queue]


@pytest.mark.parametrize("make", ALL)
def test_same_bytes_twice(make: Callable[[], str]) -> None:
    """A report sealed again has the same digest."""
    assert make() == make()


@pytest.mark.parametrize("make", ALL)
def test_title_and_description(make: Callable[[], str]) -> None:
    """Each plot is an image with a name and a sentence, and names both by id."""
    root = etree.fromstring(make())
    title, described = root[0], root[1]
    assert (f"{SVG}title", f"{SVG}desc") == (title.tag, described.tag)
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert "img" == root.get("role")


@pytest.mark.parametrize("make", ALL)
def test_nothing_but_drawing(make: Callable[[], str]) -> None:
    """No date, no font, no script, no link out, no fixed text colour."""
    text = make()
    for bad in ("<text", "<script", "<!DOCTYPE", "<metadata", "#010203"):
        assert bad not in text
    assert "currentColor" in text
    root = etree.fromstring(text)
    links = [str(v) for e in root.iter() for k, v in e.attrib.items() if str(k).endswith("href")]
    assert all(link.startswith("#") for link in links)


def test_ids_do_not_collide_on_a_page() -> None:
    """Four plots inside one page share no id."""
    ids = [e.get("id") for make in ALL for e in etree.fromstring(make()).iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_links_inside_lead_somewhere() -> None:
    """What a plot refers to by id is in it."""
    root = etree.fromstring(window())
    ids = {e.get("id") for e in root.iter()}
    links = {
        str(v)[1:] for e in root.iter() for k, v in e.attrib.items() if str(k).endswith("href")
    }
    assert links <= ids


def test_markup_in_a_title_is_text() -> None:
    """A name cannot bring markup into the page."""
    root = etree.fromstring(rate())
    assert "Relay rate of <acme> & co" == root[0].text


def test_description_tells_what_is_drawn() -> None:
    """Counts, rates and bad functions stand in words."""
    assert "47 after it were judged" in rate()
    assert "Wrong or silent at some time: tracking." in window()
    assert "95 % arrived within 15 s before and 45 s after" in delay()
    assert "1000 mails were queued; 0 were not accounted for" in queue()


def test_empty_figures_are_drawn() -> None:
    """Nothing seen is an empty plot that says so, not an error."""
    nothing = RateFigure(title="x", opening=START, close=END, points=(), expected=1, floor=1)
    assert "0 stretches before" in rate_svg(nothing)
    assert "no known time" in delay_svg(DelayFigure(title="x", before=(), after=(), ceiling=None))
    assert "0 functions" in window_svg(WindowFigure(title="x", opening=START, close=END, rows=()))
    assert "0 mails" in queue_svg(QueueFigure(title="x", opening=START, close=END, points=()))


def test_long_series_are_thinned() -> None:
    """A year of buckets gives a plot of bounded size, the last bucket among them."""
    found = thin(range(100_001))
    assert len(found) <= MAX_POINTS
    assert 100_000 == found[-1]
