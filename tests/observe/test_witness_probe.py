# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Asking the log and the reports for the rate: counted on the server, bounded, not asked twice."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from tests.builders.estates import END, START, WINDOW, estate, instance, wave
from tests.builders.snapshots import snapshot
from tests.builders.tiny_http import (
    OPERATOR,
    PASSWORD,
    SECURITY,
    TOKEN,
    Got,
    Say,
    TinyCampaign,
    TinyHttp,
    fault,
    soap,
)

from wavegate import clock
from wavegate.observe import witness_probe
from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.http_client import HttpLimits
from wavegate.observe.probe import Looked, Task
from wavegate.observe.witness_probe import REPORTS, UNITS, WitnessQuestions, units
from wavegate.record.rate_witnesses import LOGS, REPORT_PATH, read_witnesses

DAY = timedelta(days=1)
LATE = END + 20 * DAY
LIMITS = HttpLimits(seconds=5, size=1_000_000)
BODY = (
    '<ctx><vars><trunc>3600</trunc></vars><data><deliveryStat><deliveryStat series="Success" '
    'date="2024-01-17 01:00:00.000Z" count="71"/></deliveryStat></data></ctx>'
)


class Counts(TinyCampaign):
    """A Campaign that counts its logs, groups its statistics, and makes reports."""

    def __init__(self, *, logs: tuple[str, ...] = LOGS, report: Say | None = None) -> None:
        super().__init__()
        self.logs = logs
        self.report = report or Say(BODY.encode())
        self.asked: list[etree._Element] = []
        self.reports: list[Got] = []

    def __call__(self, got: Got) -> Say:
        """Groupings by schema, reports, all else as ever."""
        if got.path.startswith(REPORT_PATH):
            self.reports.append(got)
            return self.report
        query = etree.fromstring(got.body).find(".//{*}queryDef") if got.body else None
        if query is None or query.find(".//node[@groupBy]") is None:
            return super().__call__(got)
        self.asked.append(query)
        schema = str(query.get("schema"))
        if schema == "nms:deliveryStat":
            rows = [f'delivery-id="{n}" count="{n * 100}"' for n in range(1, 6)]
            return Say(reply("deliveryStat", rows))
        if schema not in self.logs:
            return Say(fault("XFR-180000", f"Unknown schema '{schema}'."))
        row = 'delivery-id="7" status="1" statusName="sent" count="1000"'
        return Say(reply("broadLogRcp", [row]))

    def of(self, schema: str) -> list[etree._Element]:
        """The groupings of a schema."""
        return [query for query in self.asked if query.get("schema") == schema]


def reply(name: str, rows: list[str]) -> bytes:
    """Rows in Campaign's reply."""
    inner = "".join(f"<{name} {row}/>" for row in rows)
    return soap(
        '<ExecuteQueryResponse xmlns="urn:xtk:queryDef"><pdomOutput>'
        f"<{name}-collection>{inner}</{name}-collection></pdomOutput></ExecuteQueryResponse>"
    )


def task(url: str, base: Path) -> Task:
    """An instance in the wave, with credentials in files."""
    (base / "operator").write_text(OPERATOR)
    (base / "password").write_text(PASSWORD)
    made = instance(url=url, credentials={"operator": "file:operator", "password": "file:password"})
    return Task(estate=estate(made), instance=made, vantage="here", base=base)


def look(campaign: Counts, base: Path) -> Looked:
    """What the probe and its companion bring."""
    with TinyHttp(campaign) as server:
        probe = CampaignProbe(LIMITS, companions=(WitnessQuestions(),))
        return probe.look(task(server.url, base))


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATE)


@pytest.mark.usefixtures("_now")
def test_log_is_counted_by_unit_and_never_read(tmp_path: Path) -> None:
    """One grouping a day by delivery and status, bounded, with the names of the statuses."""
    campaign = Counts()
    looked = look(campaign, tmp_path)
    found = read_witnesses([snapshot("after", looked.observations, began=LATE)])
    assert 2 * UNITS == len(campaign.of(LOGS[0])) == len(campaign.of(LOGS[1]))
    assert START - UNITS * DAY == found.counted[0][0]
    assert END + UNITS * DAY == found.counted[-1][1]
    for query in campaign.of(LOGS[0]):
        nodes = [dict(node.attrib) for node in query.iter("node", "{*}node")]
        assert [
            {"expr": "[@delivery-id]", "groupBy": "true"},
            {"expr": "@status", "groupBy": "true", "analyze": "true"},
            {"expr": "count(@id)", "alias": "@count"},
        ] == nodes
        assert 2 == len(list(query.iter("condition", "{*}condition")))
        assert int(query.get("lineCount", "0")) > 0


@pytest.mark.usefixtures("_now")
def test_reports_of_the_greatest_deliveries_alone(tmp_path: Path) -> None:
    """Two a side, chosen by a grouping on the server; the session is sent and never recorded."""
    campaign = Counts()
    looked = look(campaign, tmp_path)
    seen = [o for o in looked.observations if o.subject.endswith(REPORT_PATH)]
    assert 2 * REPORTS == len(campaign.reports)
    assert {"5", "4"} == {o.asked["delivery"] for o in seen}
    assert all("_selection=" in got.path and got.method == "POST" for got in campaign.reports)
    assert all(SECURITY == got.headers["x-security-token"] for got in campaign.reports)
    assert not any(TOKEN in str(o) or PASSWORD in str(o) for o in looked.observations)


@pytest.mark.usefixtures("_now")
def test_refusals_are_met_once(tmp_path: Path) -> None:
    """A log that is not there and reports that are refused are asked once each, and named."""
    campaign = Counts(logs=(), report=Say(b"<html>Back soon</html>", kind="text/html"))
    looked = look(campaign, tmp_path)
    found = read_witnesses([snapshot("after", looked.observations, began=LATE)])
    assert (1, 1, 1) == (
        len(campaign.of(LOGS[0])),
        len(campaign.of(LOGS[1])),
        len(campaign.reports),
    )
    assert [*LOGS, "throughput report"] == [source for source, _ in found.silent]
    assert "Logoff" == campaign.actions[-1]


@pytest.mark.usefixtures("_now")
def test_too_many_groups_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page may lack groups, so it is left out and told."""
    monkeypatch.setattr(witness_probe, "GROUPS", 1)
    looked = look(Counts(), tmp_path)
    assert [f"{log} counted before 7" for log in LOGS] == [left.what for left in looked.left_out]


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (START - 3 * DAY, "before 5"),
        (START, "before 2"),
        (END + 3 * DAY, "after 2"),
        (END + 3 * DAY + timedelta(hours=2), "after 3"),
        (LATE, f"after {UNITS}"),
    ],
)
def test_only_units_that_are_well_over(now: datetime, last: str) -> None:
    """The copy of a log comes late: a day is counted two hours after its end."""
    found = units(WINDOW, DAY, now)
    assert last == found[-1].name
    assert "before 7" == found[0].name


def test_questions_in_words(tmp_path: Path) -> None:
    """A plan says what will be asked; outside a wave nothing is."""
    made = task("https://acme.example", tmp_path)
    assert 2 * (UNITS - 1) + 2 == len(WitnessQuestions().questions(made))
    stray = Task(
        estate=estate(made.instance, waves=(wave("other", "acme-dev1"),)),
        instance=made.instance, vantage="here", base=tmp_path,
    )  # fmt: skip
    assert () == WitnessQuestions().questions(stray)
