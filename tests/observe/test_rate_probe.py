# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading rates back: the same questions before and after, pages by date, bounds that are named."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from tests.builders.estates import END, START, WINDOW, estate, instance, wave
from tests.builders.snapshots import snapshot
from tests.builders.tiny_http import (
    OPERATOR,
    PASSWORD,
    Got,
    Say,
    TinyCampaign,
    TinyHttp,
    fault,
    soap,
)

from wavegate import clock
from wavegate.observe import rate_probe
from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.http_client import HttpLimits
from wavegate.observe.probe import Looked, Task
from wavegate.observe.rate_probe import (
    NightQuestions,
    RateQuestions,
    campaign_date,
    stretches,
)
from wavegate.record.rates import read_history

DAY = timedelta(days=1)
LIMITS = HttpLimits(seconds=5, size=1_000_000)


def task(url: str, base: Path) -> Task:
    """An instance in the wave, with credentials in files."""
    (base / "operator").write_text(OPERATOR)
    (base / "password").write_text(PASSWORD)
    references = {"operator": "file:operator", "password": "file:password"}
    made = instance(url=url, credentials=references)
    return Task(estate=estate(made), instance=made, vantage="here", base=base)


class Statistics(TinyCampaign):
    """A Campaign that answers queries for statistics from its rows, `lineCount` at a time."""

    def __init__(self, dates: list[datetime], *, refuse: bool = False, cap: int = 10_000) -> None:
        super().__init__()
        self.dates = dates
        self.cap = cap
        self.refuse = refuse
        self.asked: list[etree._Element] = []

    def __call__(self, got: Got) -> Say:
        """Statistics by their dates, all else as ever."""
        if b"queryDef" not in got.body or b"nms:delivery" not in got.body:
            return super().__call__(got)
        query = etree.fromstring(got.body).find(".//{*}queryDef")
        if query is None or query.get("operation") == "count":
            return super().__call__(got)
        self.asked.append(query)
        if query.get("schema") == "nms:delivery":
            return Say(self.reply("delivery", ['id="1" state="55" toDeliver="90"']))
        if self.refuse:
            return Say(fault("XSV-350013", "not allowed"))
        since, until = (text.split("#")[1] for text in self.conditions(query))
        held = [d for d in self.dates if since <= campaign_date(d).strip("#") < until]
        rows = [
            f'delivery-id="1" date="{campaign_date(d).strip("#")}" firstSuccess="1000"'
            for d in held[: min(self.cap, int(query.get("lineCount", "0")))]
        ]
        return Say(self.reply("deliveryStat", rows))

    def conditions(self, query: etree._Element) -> list[str]:
        """The two bounds of a query for statistics."""
        return [str(found.get("expr")) for found in query.iter("condition", "{*}condition")]

    def reply(self, name: str, rows: list[str]) -> bytes:
        """Rows in Campaign's reply."""
        inner = "".join(f"<{name} {row}/>" for row in rows)
        return soap(
            '<ExecuteQueryResponse xmlns="urn:xtk:queryDef"><pdomOutput>'
            f"<{name}-collection>{inner}</{name}-collection></pdomOutput></ExecuteQueryResponse>"
        )


def look(campaign: TinyCampaign, base: Path) -> Looked:
    """What the probe and its companion bring."""
    with TinyHttp(campaign) as server:
        probe = CampaignProbe(LIMITS, companions=(RateQuestions(),))
        return probe.look(task(server.url, base))


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: END + 10 * DAY)


@pytest.mark.usefixtures("_now")
def test_history_comes_back(tmp_path: Path) -> None:
    """What the instance tells of both sides is read back, bucket by bucket."""
    dates = [START - DAY + timedelta(hours=h) for h in range(3)]
    dates += [END + timedelta(hours=h) for h in range(3)]
    looked = look(Statistics(dates), tmp_path)
    found = read_history([snapshot("after", looked.observations, began=END + 10 * DAY)], close=END)
    assert dates == [b.start for b in found.buckets]
    assert (3, 3, ()) == (len(found.before(START)), len(found.after(END)), found.problems)


@pytest.mark.usefixtures("_now")
def test_pages_go_by_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page is followed by one from its last date on; no bucket is lost or counted twice."""
    monkeypatch.setattr(rate_probe, "LINES", 4)
    dates = [START - DAY + timedelta(hours=h) for h in range(10)]
    looked = look(Statistics(dates), tmp_path)
    found = read_history([snapshot("after", looked.observations, began=END + 10 * DAY)], close=END)
    assert dates == [b.start for b in found.buckets]
    assert () == looked.left_out


@pytest.mark.usefixtures("_now")
def test_a_page_that_was_capped_is_not_taken_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance that gives fewer rows than were asked is asked on: none is dropped."""
    monkeypatch.setattr(rate_probe, "LEAST_CAP", 5)
    dates = [START - DAY + timedelta(hours=h) for h in range(12)]
    looked = look(Statistics(dates, cap=5), tmp_path)
    found = read_history([snapshot("after", looked.observations, began=END + 10 * DAY)], close=END)
    assert dates == [b.start for b in found.buckets]
    assert () == looked.left_out


@pytest.mark.usefixtures("_now")
def test_rows_of_one_date_beyond_the_cap_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a page holds one date only, there may be more of it, and that is said."""
    monkeypatch.setattr(rate_probe, "LEAST_CAP", 5)
    looked = look(Statistics([START - DAY] * 9, cap=5), tmp_path)
    assert ["nms:deliveryStat before 1"] == [left.what for left in looked.left_out]


@pytest.mark.usefixtures("_now")
def test_more_rows_than_are_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is told, never silent."""
    monkeypatch.setattr(rate_probe, "LINES", 2)
    monkeypatch.setattr(rate_probe, "PAGES", 3)
    looked = look(Statistics([START - DAY + timedelta(hours=h) for h in range(20)]), tmp_path)
    assert ["nms:deliveryStat before 1"] == [left.what for left in looked.left_out]


@pytest.mark.usefixtures("_now")
def test_refusal_is_asked_once(tmp_path: Path) -> None:
    """An instance that refuses its statistics is not asked for each stretch; the session ends."""
    campaign = Statistics([], refuse=True)
    look(campaign, tmp_path)
    assert 1 == len(campaign.asked)
    assert "Logoff" == campaign.actions[-1]


@pytest.mark.usefixtures("_now")
def test_never_rows_of_the_log(tmp_path: Path) -> None:
    """Only statistics and deliveries are asked for, each page bounded."""
    campaign = Statistics([START - DAY])
    look(campaign, tmp_path)
    assert {"nms:deliveryStat", "nms:delivery"} == {q.get("schema") for q in campaign.asked}
    assert all(int(q.get("lineCount", "0")) > 0 for q in campaign.asked)


def test_same_questions_on_both_sides() -> None:
    """A capture after repeats what was asked before, and adds what came since."""
    before = stretches(WINDOW, DAY, START - DAY)
    after = stretches(WINDOW, DAY, END + 8 * DAY)
    assert before == after[: len(before)]
    assert ["before 3", "before 2", "before 1", "after 1", "after 2"] == [s.name for s in after]
    assert START == before[-1].until
    assert START - 21 * DAY == before[0].since


def test_an_early_capture_reads_the_last_that_there_is() -> None:
    """Weeks before the window a baseline exists already, so `ready` can judge it."""
    early = stretches(WINDOW, DAY, START - 30 * DAY)
    assert ["before 7", "before 6", "before 5"] == [s.name for s in early]
    assert early[-1].since <= START - 30 * DAY < early[-1].until


def test_questions_in_words(tmp_path: Path) -> None:
    """A plan says what will be asked; outside a wave nothing is."""
    asked = RateQuestions().questions(task("https://acme.example", tmp_path))
    assert 4 == len(asked)
    made = instance()
    stray = Task(
        estate=estate(made, waves=(wave("other", "acme-dev1"),)),
        instance=made, vantage="here", base=tmp_path,
    )  # fmt: skip
    assert () == RateQuestions().questions(stray)


@pytest.mark.usefixtures("_now")
def test_a_night_asks_for_the_day_before_it_and_for_no_window(tmp_path: Path) -> None:
    """Months after a wave the last day is told, whatever waves the instance was in."""
    at = END + 10 * DAY
    dates = [at - timedelta(hours=h) for h in (30, 20, 10, 5)]
    with TinyHttp(Statistics(dates)) as server:
        probe = CampaignProbe(LIMITS, companions=(NightQuestions(),))
        looked = probe.look(task(server.url, tmp_path))
    found = read_history([snapshot("after", looked.observations, began=at)], close=at)
    assert dates[1:3] == [b.start for b in found.buckets][:2]
