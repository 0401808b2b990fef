# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Other sources on the rate, decoded from recorded answers: counts of the log, reports, silence."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import END, START
from tests.builders.snapshots import URL, snapshot
from tests.builders.tiny_http import soap

from wavegate.clock import format_instant
from wavegate.record.observation import Observation, Outcome, Seen, Unreachable
from wavegate.record.queue import Meaning
from wavegate.record.rate_witnesses import LOGS, REPORT, WITNESS, Witnesses, read_witnesses

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RCP, RT = LOGS
CTX = '<ctx _reportContext="throughput"><vars><period>604800</period><trunc>{0}</trunc>{1}</vars>'


def counted(log: str, outcome: Outcome, days_before: int = 1) -> Observation:
    """One count of a log over a day that ended so many days less one before the opening."""
    since = START - days_before * DAY
    return Observation(
        kind="soap", subject=f"{URL} xtk:queryDef#ExecuteQuery",
        asked={"schema": log, "series": WITNESS, "body": f"counted before {days_before}",
               "since": format_instant(since), "until": format_instant(since + DAY)},
        outcome=outcome, at=END + DAY, took_us=1, vantage="here",
    )  # fmt: skip


def groups(*rows: str) -> Seen:
    """The reply of a grouping with these rows."""
    inner = "".join(f"<broadLogRcp {row}/>" for row in rows)
    body = f"<pdomOutput><broadLogRcp-collection>{inner}</broadLogRcp-collection></pdomOutput>"
    return Seen(
        soap(f'<ExecuteQueryResponse xmlns="urn:xtk:queryDef">{body}</ExecuteQueryResponse>')
    )


def group(status: int, count: int, name: str = "", delivery: int = 7) -> str:
    """One group."""
    return f'delivery-id="{delivery}" status="{status}" statusName="{name}" count="{count}"'


def report(body: str, delivery: str = "7") -> Observation:
    """A report on a delivery, read a day after the window."""
    return Observation(
        kind="http", subject=f"{URL} /report/throughput",
        asked={"series": WITNESS, "body": f"{REPORT} of {delivery} after", "delivery": delivery},
        outcome=Seen(body.encode()), at=END + DAY, took_us=1, vantage="here",
    )  # fmt: skip


def heard(*observations: Observation) -> Witnesses:
    """What one capture with these answers told."""
    return read_witnesses([snapshot("after", observations, began=END + DAY)])


def test_log_counts_by_meaning() -> None:
    """Accepted is told from delivered by the name the instance gives; pending is no mail sent."""
    found = heard(
        counted(
            RCP, groups(group(1, 90), group(8, 8, "takenIntoAccount"), group(2, 2), group(6, 5))
        )
    )
    assert [(Meaning.SENT, 90), (Meaning.ACCEPTED, 8), (Meaning.FAILED, 2)] == [
        (row.status, row.count) for row in found.log
    ]
    assert ((START - DAY, START),) == found.counted


def test_only_days_counted_in_every_log_that_answers() -> None:
    """A day that one of two logs was not counted over would show half of the mail."""
    both = heard(
        counted(RCP, groups(group(1, 9)), 2), counted(RT, groups(group(1, 9)), 2),
        counted(RCP, groups(group(1, 9)), 1),
    )  # fmt: skip
    assert ((START - 2 * DAY, START - DAY),) == both.counted
    one = heard(counted(RCP, groups(group(1, 9))), counted(RT, Unreachable("XFR-180000 Unknown")))
    assert ((START - DAY, START),) == one.counted
    assert ((RT, "XFR-180000 Unknown"),) == one.silent


def test_first_answer_stands() -> None:
    """A later capture does not rewrite what was counted."""
    first = snapshot("before", (counted(RCP, groups(group(1, 10))),), began=START)
    later = snapshot("after", (counted(RCP, groups(group(1, 99))),), began=END + DAY)
    assert [10] == [row.count for row in read_witnesses([later, first]).log]


def test_report_by_its_own_bucket() -> None:
    """Successes by `trunc`; errors are another series, an hour not long over is left."""
    body = CTX.format(3600, "") + (
        '<data><deliveryStat><deliveryStat date="2024-01-17 01:00:00.000Z" count="71" '
        'series="Success"/><deliveryStat date="2024-01-17 01:00:00.000Z" count="3" '
        'series="Errors"/><deliveryStat date="2024-01-17 22:00:00.000Z" count="9" '
        'series="Success"/></deliveryStat></data></ctx>'
    )
    found = heard(report(body))
    assert [("7", 71, HOUR)] == [(row.delivery, row.sent, row.length) for row in found.report]
    assert (HOUR, ()) == (found.trunc, found.silent)


def test_reports_that_cannot_be_read_are_named() -> None:
    """No bucket length, a scale that nothing explains, no rows, a page of maintenance."""
    reasons = [
        dict(heard(report(body)).silent)[REPORT]
        for body in (
            "<ctx><vars/></ctx>",
            CTX.format(3600, "<valueScaleFactor>1000</valueScaleFactor>") + "</ctx>",
            CTX.format(3600, "") + "</ctx>",
            CTX.format(0, "") + "</ctx>",
            "<html></html>",
        )
    ]
    assert [
        "no <ctx> with a bucket length (trunc)",
        "counts on a scale (valueScaleFactor) that is not documented",
        "no successes in it",
        "buckets of 0 s",
        "no <ctx> with a bucket length (trunc)",
    ] == reasons


def test_odd_groups_are_a_silent_log() -> None:
    """A count that is no number makes the answer none; nothing is taken for zero."""
    found = heard(counted(RCP, groups('delivery-id="7" status="1" count="many"')))
    assert ((RCP, "a group whose status or count is no number"),) == found.silent
    assert () == found.counted


@given(st.binary(max_size=300))
def test_hostile_bytes_never_raise(body: bytes) -> None:
    """Whatever is answered is read or named."""
    found = heard(counted(RCP, Seen(body)), report(body.decode("latin-1")))
    assert {RCP, REPORT} == {source for source, _ in found.silent}
