# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.builders.estates import START, WAVE, estate, instance
from tests.builders.queue_campaign import LOG, QueueCampaign
from tests.builders.tiny_http import OPERATOR, PASSWORD, SECURITY, TOKEN, Got, Say, TinyHttp

from wavegate import clock
from wavegate.observe.probe import Task
from wavegate.observe.queue_probe import Follow, Place, look_at
from wavegate.record.queue import LogRow, Moment, QueueLook
from wavegate.record.queue_file import to_bytes

DAY = "2024-01-16 21:00:00.000Z"
SENDING = (4001, 55, "DM1", "D1", 0, 3, "2024-01-20 00:00:00.000Z", DAY)
DONE = (4002, 95, "DM2", "D2", 0, 2, "", DAY)
LOGS = [
    (7001, 4001, 6, "a@seed.example", DAY, ""),
    (7002, 4001, 1, "b@seed.example", DAY, ""),
    (7003, 4002, 6, "c@elsewhere.example", DAY, ""),
    (7004, 4002, 3, "d@elsewhere.example", DAY, ""),
    (7005, 4003, 1, "e@elsewhere.example", DAY, ""),
]


def looked(
    campaign: QueueCampaign,
    tmp_path: Path,
    *,
    moment: Moment = "before",
    follow: Follow | None = None,
    lines: int = 5_000,
    keep: Callable[[str], str] = str.upper,
) -> QueueLook:
    """A look at such a Campaign, over HTTP."""
    (tmp_path / "operator").write_text(OPERATOR)
    (tmp_path / "password").write_text(PASSWORD)
    credentials = {"operator": "file:operator", "password": "file:password"}
    place = Place(
        instance="acme-prod1",
        customer="acme",
        wave=WAVE,
        moment=moment,
        vantage="here",
        keep=keep,
    )
    with TinyHttp(campaign) as server:
        one = instance(url=server.url, credentials=credentials)
        task = Task(estate=estate(one), instance=one, vantage="here", base=tmp_path)
        return look_at(task, place, follow or Follow(), lines=lines)


def test_lists_what_is_sent_and_what_is_pending(tmp_path: Path) -> None:
    """Deliveries being sent, and finished ones with pending rows, with all of their rows."""
    found = looked(QueueCampaign([SENDING, DONE], LOGS), tmp_path)
    assert (True, None, ()) == (found.complete, found.missing, found.problems[2:])
    assert ["4001", "4002"] == [delivery.id for delivery in found.deliveries]
    assert datetime(2024, 1, 20, tzinfo=UTC) == found.deliveries[0].valid_until
    expected = LogRow(
        id="7001",
        delivery="4001",
        recipient="A@SEED.EXAMPLE",
        status=6,
        status_name="pending",
        event_at=START - timedelta(hours=1),
    )
    assert expected == found.rows[0]
    names = [(row.id, row.status_name) for row in found.rows]
    assert [
        ("7001", "pending"),
        ("7002", "sent"),
        ("7003", "pending"),
        ("7004", "takenIntoAccount"),
    ] == names


def test_follows_what_an_earlier_look_knew(tmp_path: Path) -> None:
    """A delivery known before, or changed since, is looked at whatever its state is now."""
    gone, later = (
        (4003, 95, "DM3", "D3", 0, 1, "", "2024-01-01"),
        (4009, 95, "x", "D1", 0, 1, "", DAY),
    )
    logs = [*LOGS, (7900, 4009, 1, "a@seed.example", DAY, "")]
    campaign = QueueCampaign([SENDING, gone, later], logs)
    follow = Follow(deliveries=("4003",), since=START - timedelta(hours=2))
    found = looked(campaign, tmp_path, moment="after", follow=follow)
    assert ["4001", "4002", "4003", "4009"] == [delivery.id for delivery in found.deliveries]
    assert "nms:delivery: 4002 has log rows and is not there itself" in found.problems
    assert {"7005", "7900"} <= {row.id for row in found.rows}


@pytest.mark.parametrize("cap", [200, 7])
def test_capped_pages_are_read_to_the_end_and_named(tmp_path: Path, cap: int) -> None:
    """An instance that answers fewer rows than asked hides none of them."""
    logs = [(n, 4001, 6, f"r{n}@seed.example", DAY, "") for n in range(-30, 500)]
    found = looked(QueueCampaign([SENDING], logs, cap=cap), tmp_path, lines=300)
    assert [str(n) for n in range(-30, 500)] == [row.id for row in found.rows]
    assert f"nms:broadLogRcp: a page of {cap} rows where 300 were asked" in found.problems


def test_rows_that_come_while_reading_are_no_cap(tmp_path: Path) -> None:
    """A row that is written between two pages is read, and is no sign of a capped page."""

    class Growing(QueueCampaign):
        def _query(self, body: str) -> bytes:
            answer = super()._query(body)
            if "broadLogRcp" in body and "count(@id)" not in body:
                self.become("nms:broadLogRcp", [(n, 4001, 6, "", "", "") for n in range(1, 42)])
            return answer

    campaign = Growing([SENDING], [(n, 4001, 6, "", "", "") for n in range(1, 41)])
    found = looked(campaign, tmp_path)
    assert (41, ()) == (len(found.rows), tuple(p for p in found.problems if "page" in p))


def test_more_rows_than_the_cap(tmp_path: Path) -> None:
    """10,001 rows where the cap is 10,000 are all read, by pages below it."""
    logs = [(n, 4001, 6, "", "", "") for n in range(1, 10_002)]
    found = looked(QueueCampaign([SENDING], logs), tmp_path)
    assert (10_001, True) == (len(found.rows), found.complete)
    assert [] == [problem for problem in found.problems if "page" in problem]


def test_sms_is_no_mail(tmp_path: Path) -> None:
    """Rows of SMS and push deliveries are not asked for; they do not use the relay."""
    sms = (4001, 55, "S1", "S1", 1, 3, "", DAY)
    assert () == looked(QueueCampaign([sms], LOGS[:2]), tmp_path).rows


def test_what_makes_no_sense_is_named_and_kept(tmp_path: Path) -> None:
    """An id twice, one that is no id, and a row from the future: all named, all kept."""
    far = clock.now() + timedelta(days=1)
    logs: list[tuple[str | int, ...]] = [
        (7001, 4001, 6, "a", DAY, ""),
        (7001, 4001, 6, "a", DAY, ""),
        (7002, 4001, 1, "c", f"{far:%Y-%m-%d %H:%M:%S}Z", ""),
        (10**20, 4001, 6, "b", DAY, ""),
    ]
    campaign = QueueCampaign([SENDING], logs)
    found = looked(campaign, tmp_path)
    assert (4, False) == (len(found.rows), found.complete)
    assert "the ids do not go on after 7002" in (found.missing or "")
    assert any("a row without a usable id: address=b" in problem for problem in found.problems)
    assert "nms:broadLogRcp: id 7001 twice" in found.problems
    assert "1 log rows are later than the look itself: 7002" in found.problems


def test_a_clock_that_goes_back_is_named(tmp_path: Path) -> None:
    """An instance whose clock steps back between two answers says so of all its instants."""

    class Back(QueueCampaign):
        hour = 23

        def __call__(self, got: Got) -> Say:
            self.hour -= 1
            date = f"Tue, 16 Jan 2024 {self.hour:02d}:00:00 GMT"
            return replace(super().__call__(got), headers={"Date": date})

    found = looked(Back([SENDING], LOGS), tmp_path)
    assert (4, True) == (len(found.rows), found.complete)
    assert any("the instance's clock went back by 3600 s at" in p for p in found.problems)


def test_unknown_columns_are_left_out(tmp_path: Path) -> None:
    """A column that an instance does not know is noted, and the rows are read without it."""
    columns, rows = LOG[:3], [row[:3] for row in LOGS]
    found = looked(QueueCampaign([SENDING], rows, columns=columns), tmp_path)
    assert found.complete
    assert {"", None} == {row.recipient for row in found.rows} | {r.event_at for r in found.rows}
    assert "nms:broadLogRcp: this instance does not know @address" in found.problems


def test_expired_session_is_renewed_once(tmp_path: Path) -> None:
    """XSV-350008 in the middle of a look costs a logon, not the look."""
    campaign = QueueCampaign([SENDING, DONE], LOGS, expire=1)
    found = looked(campaign, tmp_path)
    assert (True, 4) == (found.complete, len(found.rows))
    assert 2 == campaign.actions.count("Logon")


def test_dead_session_is_a_look_that_failed(tmp_path: Path) -> None:
    """A look that cannot go on says why and keeps what it has."""
    found = looked(QueueCampaign([SENDING], LOGS, expire=99), tmp_path)
    assert not found.complete
    assert "XSV-350008" in (found.missing or "")


def test_nobody_answers(tmp_path: Path) -> None:
    """Credentials that are not there, or a host that refuses, make a look that failed."""
    place = Place(
        instance="a", customer="acme", wave=WAVE, moment="before", vantage="", keep=str.lower
    )
    credentials = {"operator": "file:none", "password": "file:none"}
    with TinyHttp(QueueCampaign([], [])) as server:
        one = instance(url=server.url, credentials=credentials)
    task = Task(estate=estate(one), instance=one, vantage="here", base=tmp_path)
    assert (look_at(task, place, Follow()).missing or "").startswith("file:none: ")
    (tmp_path / "none").write_text("x")
    assert "connection refused" == look_at(task, place, Follow()).missing


def test_events_that_wait_are_listed_and_followed(tmp_path: Path) -> None:
    """Pending events before; after, what became of these; none where the schema is unknown."""
    events = [(901, 0, "order", DAY), (902, 2, "order", DAY), (903, 0, "order", DAY)]
    campaign = QueueCampaign([SENDING], LOGS, events)
    before = looked(campaign, tmp_path)
    assert ["901", "903"] == [event.id for event in before.events or ()]
    campaign.become("nms:rtEvent", [(901, 2, "order", DAY)])
    after = looked(campaign, tmp_path, moment="after", follow=Follow(events=("901", "903")))
    assert [("901", "sent")] == [(event.id, event.status_name) for event in after.events or ()]
    assert None is looked(QueueCampaign([SENDING], LOGS), tmp_path).events


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """Neither password nor token stands in the stored bytes."""
    data = to_bytes(looked(QueueCampaign([SENDING], LOGS, expire=99), tmp_path))
    assert [] == [s for s in (TOKEN, SECURITY, PASSWORD) if s.encode() in data]


def test_only_reading_calls(tmp_path: Path) -> None:
    """A look logs on, queries and logs off; nothing else ever arrives."""
    campaign = QueueCampaign([SENDING, DONE], LOGS)
    looked(campaign, tmp_path)
    assert {"Logon", "ExecuteQuery", "Logoff"} == set(campaign.actions)
    assert "Logoff" == campaign.actions[-1]
