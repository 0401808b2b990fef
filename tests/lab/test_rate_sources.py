# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's further sources on the rate: log, report and statistics tell of the same mail."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from wavegate.lab.backlog import ACCEPTED, FAILED, SENT
from wavegate.lab.campaign_query import execute
from wavegate.lab.campaign_report import throughput
from wavegate.lab.campaign_state import Table
from wavegate.lab.clockwork import Clockwork
from wavegate.lab.faults import planted
from wavegate.lab.live import Live
from wavegate.lab.live_rates import NEW_DELIVERY, OLD_DELIVERY
from wavegate.lab.live_tables import table, written
from wavegate.lab.reference import reference_world
from wavegate.lab.world import World

OPENS = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
WINDOW = timedelta(seconds=8)
CLOCK = Clockwork(opens=OPENS, closes=OPENS + WINDOW, period=timedelta(seconds=2))
WORLD = reference_world()
LOG, STAT = "nms:broadLogRtEvent", "nms:deliveryStat"
END = CLOCK.share(3.0)


def _moved(name: str = "acme-prod1", world: World = WORLD) -> Live:
    live = Live(world.before.instance(name), CLOCK, token="t0", began=CLOCK.share(-1.0))
    live.show("window", world.window.instance(name), OPENS)
    live.show("after", world.after.instance(name), CLOCK.closes)
    return live


def _table(live: Live, schema: str, at: datetime = END) -> Table:
    found = table(live, schema, at)
    assert found is not None
    return found


def _query(live: Live, schema: str, inner: str, more: str = "") -> etree._Element:
    """A query over one moving table."""
    text = (
        f'<queryDef schema="{schema}" operation="select" lineCount="5000"{more}>{inner}</queryDef>'
    )
    state = WORLD.after.instance(live.name).campaign
    return execute(_Only(state, _table(live, schema)), etree.fromstring(text))  # type: ignore[arg-type] # one table is asked for


class _Only:
    """A state that has one table."""

    def __init__(self, state: object, held: Table) -> None:
        self._state, self._held = state, held

    def table(self, schema: str) -> Table:
        """The one table."""
        assert schema == self._held.schema
        return self._held


GROUPS = (
    '<select><node expr="[@delivery-id]" groupBy="true"/>'
    '<node expr="@status" groupBy="true" analyze="true"/>'
    '<node expr="count(@id)" alias="@count"/></select>'
)


def _counts(live: Live, unit: int) -> dict[tuple[str, int], int]:
    """Messages by delivery and status in a unit after the close, or before the opening."""
    since = (CLOCK.closes if unit >= 0 else CLOCK.opens) + unit * CLOCK.unit
    where = (
        f'<where><condition expr="@eventDate &gt;= #{written(since)}#"/>'
        f'<condition expr="@eventDate &lt; #{written(since + CLOCK.unit)}#"/></where>'
    )
    rows = _query(live, LOG, GROUPS + where)
    return {
        (str(row.get("delivery-id")), int(row.get("status", ""))): int(row.get("count", ""))
        for row in rows
    }


def _stat_sum(live: Live, unit: int) -> tuple[int, int]:
    """Messages sent and refused in a unit by the statistics."""
    since = (CLOCK.closes if unit >= 0 else CLOCK.opens) + unit * CLOCK.unit
    until = written(since + CLOCK.unit)
    rows = [r for r in _table(live, STAT).rows if written(since) <= str(r[1]) < until]
    return sum(int(r[3]) for r in rows), sum(int(r[4]) for r in rows)


@pytest.mark.parametrize("unit", [-7, -1, 0, 5])
@pytest.mark.parametrize("name", ["acme-prod1", "acme-mkt1"])
def test_log_and_statistics_agree(name: str, unit: int) -> None:
    """A count of a unit in the log is what the statistics sum up to, to the message."""
    live = _moved(name)
    delivery = str(NEW_DELIVERY if unit >= 0 else OLD_DELIVERY)
    sent, refused = _stat_sum(live, unit)
    assert sent > 1000
    assert {(delivery, SENT): sent, (delivery, FAILED): refused} == _counts(live, unit)


def test_statuses_come_with_their_names() -> None:
    """A count that asks for it gets the status by name, so that nobody guesses numbers."""
    rows = _query(_moved(), LOG, GROUPS)
    assert {"sent", "failed"} == {row.get("statusName") for row in rows}


def test_spool_that_grows_is_told_on_v8_alone() -> None:
    """Relayed as before and three tenths held: v8 tells, v7 says sent as soon as it is relayed."""
    world = planted(WORLD, ["relay-fast-arrival-slow"])
    live = _moved(world=world)
    sent, _ = _stat_sum(live, 0)
    found = _counts(live, 0)
    assert sent == _stat_sum(_moved(), 0)[0]
    assert round(0.7 * sent) == pytest.approx(found[str(NEW_DELIVERY), SENT], abs=10)
    assert sent == found[str(NEW_DELIVERY), SENT] + found[str(NEW_DELIVERY), ACCEPTED]
    assert (str(OLD_DELIVERY), ACCEPTED) not in _counts(live, -1)


def test_rows_that_stand_for_many_are_shown_one_by_one() -> None:
    """Whoever reads the log gets each message with an id of its own, as many as are counted."""
    held = Table(
        schema=LOG, columns=("@id", "@status"), rows=((10, 1), (20, 2)), weights=(3, 2)
    )  # fmt: skip
    state = _Only(None, held)

    def run(inner: str, operation: str = "select") -> etree._Element:
        text = f'<queryDef schema="{LOG}" operation="{operation}">{inner}</queryDef>'
        return execute(state, etree.fromstring(text))  # type: ignore[arg-type] # one table is asked for

    shown = run('<select><node expr="@id"/></select>')
    assert ["10", "11", "12", "20", "21"] == [row.get("id") for row in shown]
    paged = run('<select><node expr="@id"/></select><where><condition expr="@id &gt; 11"/></where>')
    assert ["12", "20", "21"] == [row.get("id") for row in paged]
    assert "5" == run("", "count").get("count")
    total = run('<select><node expr="sum(@status)" alias="@count"/></select>')
    assert ["7"] == [row.get("count") for row in total]


def test_report_sums_the_statistics_by_the_hour() -> None:
    """The report of a delivery has its successes and errors by the bucket that `trunc` names."""
    live = _moved()
    rows = [row for row in _table(live, STAT).rows if row[0] == NEW_DELIVERY]
    root = etree.fromstring(throughput(_table(live, STAT).rows, str(NEW_DELIVERY)))
    assert ("ctx", "3600") == (root.tag, root.findtext("vars/trunc"))
    told = {
        series: sum(int(r.get("count", "")) for r in root.iter() if r.get("series") == series)
        for series in ("Success", "Errors")
    }
    assert {
        "Success": sum(int(row[3]) for row in rows),
        "Errors": sum(int(row[4]) for row in rows),
    } == told
    assert not list(etree.fromstring(throughput((), "1")).iter("deliveryStat"))[1:]
