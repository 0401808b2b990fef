# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rate history decoded from recorded answers: load, backlog, repeats, hostile rows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import END, START
from tests.builders.mails import mail
from tests.builders.snapshots import URL, snapshot
from tests.builders.tiny_http import soap

from wavegate.record.observation import Observation, Outcome, Seen, Unreachable
from wavegate.record.queue import LogRow, QueueLook
from wavegate.record.rates import (
    DELIVERY,
    LARGE,
    LARGE_NAME,
    STAT,
    Bucket,
    RateHistory,
    arrivals,
    deferrals,
    read_history,
    reply_code,
    waiting_at,
)
from wavegate.record.snapshot import LeftOut, Snapshot

HOUR = timedelta(hours=1)
AT = START - 24 * HOUR
Row = dict[str, object]


def text(at: datetime) -> str:
    """An instant as Campaign writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000Z")


def stat(hour: int, delivery: int = 1, sent: int = 1000, **other: object) -> Row:
    """One row of nms:deliveryStat, an hour after AT."""
    fields: Row = {
        "delivery-id": delivery, "date": text(AT + hour * HOUR), "firstSuccess": sent,
        "firstError": 3, "retriesSuccess": 0, "retriesError": 0, "volume": sent * 5000,
    }  # fmt: skip
    return fields | other


def answer(name: str, rows: list[Row]) -> Outcome:
    """The reply to ExecuteQuery with these rows."""
    inner = "".join(
        f"<{name} " + " ".join(f'{key}="{value}"' for key, value in row.items()) + "/>"
        for row in rows
    )
    body = f"<pdomOutput><{name}-collection>{inner}</{name}-collection></pdomOutput>"
    return Seen(
        soap(f'<ExecuteQueryResponse xmlns="urn:xtk:queryDef">{body}</ExecuteQueryResponse>')
    )


def asked(schema: str, outcome: Outcome, body: str = "rates before 1 page 01") -> Observation:
    """One of the probe's questions with its outcome."""
    return Observation(
        kind="soap", subject=f"{URL} xtk:queryDef#ExecuteQuery",
        asked={"action": "xtk:queryDef#ExecuteQuery", "schema": schema, "series": "rates",
               "body": body},
        outcome=outcome, at=START, took_us=1, vantage="here",
    )  # fmt: skip


def taken(rows: list[Row], *, at: datetime = START - HOUR, state: int = 95) -> Snapshot:
    """A capture that read these rows and the states of deliveries 1 to 3."""
    states: list[Row] = [{"id": n, "state": state, "toDeliver": 9000} for n in (1, 2, 3)]
    return snapshot(
        "before",
        (
            asked(STAT, answer("deliveryStat", rows)),
            asked(DELIVERY, answer("delivery", states), "rates states"),
        ),
        began=at,
    )


def test_counts_and_load() -> None:
    """Sent is first tries and retries; only hours inside a delivery are loaded."""
    rows = [stat(h, retriesSuccess=10, retriesError=1) for h in range(5)]
    found = read_history([taken(rows)], close=END)
    assert [(1010, 4)] * 5 == [(b.sent, b.errors) for b in found.buckets]
    assert [False, True, True, True, False] == [b.loaded for b in found.buckets]
    assert {HOUR} == {b.length for b in found.buckets}


def test_deliveries_add_up() -> None:
    """Two deliveries in one hour are one bucket of both."""
    found = read_history([taken([stat(0), stat(0, 2), stat(1), stat(1, 2)])], close=END)
    assert [(2000, 2), (2000, 2)] == [(b.sent, b.deliveries) for b in found.buckets]


def test_running_delivery_keeps_its_queue() -> None:
    """A delivery that runs and has more to deliver has mail waiting after its last row."""
    rows = [stat(0), stat(1), stat(2, 2), stat(3, 3)]
    finished = read_history([taken(rows)], close=END)
    running = read_history([taken(rows, state=55)], close=END)
    done = read_history([taken([stat(h, sent=8990) for h in range(3)], state=55)], close=END)
    assert [False, False, False, False] == [b.loaded for b in finished.buckets]
    assert [False, True, False, False] == [b.loaded for b in running.buckets]
    assert [False, True, False] == [b.loaded for b in done.buckets]


def test_retries_alone_are_no_load() -> None:
    """A late retry does not make the hours before it loaded."""
    late = stat(5, firstSuccess=0, firstError=0, retriesSuccess=2)
    found = read_history([taken([stat(0), stat(1, 2), late])], close=END)
    assert not any(b.loaded for b in found.buckets)


def test_first_answer_stands_and_unfinished_hours_wait() -> None:
    """A later capture adds hours and rewrites none; the hour of the capture itself is not used."""
    first = taken([stat(h) for h in range(4)], at=AT + 3.5 * HOUR)
    later = taken([stat(h, sent=2000) for h in range(6)], at=AT + 9 * HOUR)
    found = read_history([later, first], close=END)
    assert [1000, 1000, 2000, 2000, 2000, 2000] == [b.sent for b in found.buckets]


def test_mail_queued_before_the_close_is_backlog() -> None:
    """After the window, hours of a delivery that had begun before are marked."""
    close = AT + 2 * HOUR
    rows = [stat(h) for h in range(5)] + [stat(h, 2) for h in range(4, 8)]
    found = read_history([taken(rows)], close=close)
    marked = {b.start: b.backlog for b in found.buckets}
    assert [False, False, True, True, False] == [marked[AT + h * HOUR] for h in range(5)]
    assert not marked[AT + 6 * HOUR]


def test_what_waited_is_backlog_until_it_is_sent() -> None:
    """A look at the queue says how much waited: so much of that delivery is backlog, no more.

    A delivery that had begun before and had nothing waiting, as transactional ones do, is not.
    """
    close = AT + 2 * HOUR
    rows = [stat(h) for h in range(7)] + [stat(h, 2) for h in range(2, 7)]
    told = read_history([taken(rows)], close=close, queued={"2": 2100}).buckets
    assert [False, False, True, True, False, False, False] == [b.backlog for b in told[:7]]
    none = read_history([taken(rows)], close=close, queued={}).buckets
    unknown = read_history([taken(rows)], close=close).buckets
    assert ([False] * 7, [True] * 4) == (
        [b.backlog for b in none],
        [b.backlog for b in unknown[2:6]],
    )


def test_traces_of_backlog_are_no_burst() -> None:
    """A few stragglers among a thousand do not take the hour out."""
    rows = [stat(h) for h in range(4)] + [stat(h, 2, sent=40) for h in range(4)]
    told = read_history([taken(rows)], close=AT, queued={"2": 500}).buckets
    assert not any(b.backlog for b in told)


def waiting_row(number: int, delivery: str, status: int) -> LogRow:
    """A row of the log."""
    return LogRow(
        id=str(number), delivery=delivery, recipient="a@x.example", status=status,
        status_name="", event_at=AT,
    )  # fmt: skip


def look_at_queue(began: datetime, *rows: LogRow, complete: bool = True) -> QueueLook:
    """A look at the queue that began at an instant."""
    return QueueLook(
        instance="acme-prod1", customer="acme", wave="w1", moment="before", began=began,
        ended=began, deliveries=(), rows=rows, complete=complete,
        missing=None if complete else "timeout", problems=(), events=None, vantage="here",
    )  # fmt: skip


def test_waiting_at_is_the_last_whole_look_before_the_close() -> None:
    """Earlier looks, looks after the close and looks that were cut short do not count."""
    looks = [
        look_at_queue(AT, waiting_row(1, "1", 6)),
        look_at_queue(
            AT + HOUR, waiting_row(1, "1", 1), waiting_row(2, "2", 6), waiting_row(3, "2", 6)
        ),
        look_at_queue(AT + HOUR * 1.5, waiting_row(2, "9", 6), complete=False),
        look_at_queue(AT + 3 * HOUR, waiting_row(4, "4", 6)),
    ]
    assert {"2": 2} == waiting_at(looks, AT + 2 * HOUR)
    assert None is waiting_at([], AT)


def test_tries_and_deliveries_are_kept_apart() -> None:
    """A bucket knows how many tries were repeated and which delivery sent how much."""
    rows = [stat(h, d, retriesSuccess=10, retriesError=4) for h in range(2) for d in (1, 2)]
    found = read_history([taken(rows)], close=END).buckets[0]
    assert (28, (("1", 1010), ("2", 1010))) == (found.again, found.by_delivery)


def test_large_mail_is_a_part_and_a_mix() -> None:
    """A delivery of more than 300 kB a message is counted apart."""
    rows = [stat(h) for h in range(4)]
    rows += [stat(h, 2, sent=500, volume=503 * LARGE) for h in range(4)]
    found = read_history([taken(rows)], close=END)
    assert (LARGE_NAME, 500, True) == (
        found.buckets[1].parts[0].name,
        found.buckets[1].parts[0].sent,
        found.buckets[1].parts[0].loaded,
    )
    assert LARGE_NAME == found.buckets[1].mix


def test_volume_alone_counts_messages() -> None:
    """An instance that tells no successes tells messages in its volume."""
    rows: list[Row] = [
        {"delivery-id": 1, "date": text(AT + h * HOUR), "volume": 7} for h in range(2)
    ]
    assert [7, 7] == [b.sent for b in read_history([taken(rows)], close=END).buckets]


def test_silence_is_a_problem_not_a_zero() -> None:
    """A fault is named and gives no buckets."""
    quiet = snapshot("before", (asked(STAT, Unreachable("XSV-350013 no zone")),))
    found = read_history([quiet], close=END)
    assert (True, (), ("nms:deliveryStat: XSV-350013 no zone",)) == (
        found.asked,
        found.buckets,
        found.problems,
    )


def test_nothing_asked_is_not_asked() -> None:
    """A capture without the questions says nothing about rates."""
    assert RateHistory() == read_history([snapshot("before")], close=END)


def test_a_row_that_stands_twice_is_counted_once_and_named_if_it_differs() -> None:
    """Pages overlap by a date, which is no news; two counts of one thing are."""
    same = read_history([taken([stat(0), stat(0), stat(1), stat(2)])], close=END)
    assert ((1000, 1000, 1000), ()) == (tuple(b.sent for b in same.buckets), same.problems)
    other = read_history([taken([stat(0), stat(0, sent=7), stat(1), stat(2)])], close=END)
    assert (1000, 1000, 1000) == tuple(b.sent for b in other.buckets)
    (problem,) = other.problems
    assert "delivery 1 of" in problem
    assert "twice, with other counts" in problem


def test_odd_rows_are_named() -> None:
    """No zone, no number, a capped page: each is named, the rest counts."""
    rows = [stat(0), stat(1), stat(2, date="2024/01/15 22:00:00"), stat(3, firstSuccess="lots")]
    capped = LeftOut(what=f"{STAT} before 1", reason="more rows than the 20000 that are read")
    odd = snapshot("before", (asked(STAT, answer("deliveryStat", rows)),), left_out=(capped,))
    found = read_history([odd], close=END)
    assert 2 == len(found.buckets)
    assert 3 == len(found.problems)


@given(st.binary(max_size=300))
def test_hostile_bytes_never_raise(body: bytes) -> None:
    """Whatever an instance answers is read or named."""
    hostile = snapshot("before", (asked(STAT, Seen(body)),))
    found = read_history([hostile], close=END)
    assert () == found.buckets
    assert found.asked


def test_arrivals_by_stretch() -> None:
    """Mails are counted in the stretch they arrived in, by receiving domain, none outside."""
    like = [Bucket(start=AT + h * HOUR, length=HOUR, sent=9) for h in range(2)]
    mails = [
        mail(n=1, at=AT, recipient="a@big.example"),
        mail(n=2, at=AT, recipient="b@Big.example"),
        mail(n=3, at=AT + HOUR, recipient="c@small.example"),
        mail(n=4, at=AT + 5 * HOUR),
    ]
    found = arrivals(mails, like)
    assert [2, 1] == [b.sent for b in found]
    assert [("big.example", 2)] == [(p.name, p.sent) for p in found[0].parts]
    assert () == arrivals(mails, [])


def test_deferrals_from_log_rows() -> None:
    """A 4yz reply with its instant is a deferral; other reasons are none."""
    rows = tuple(
        LogRow(
            id=f"{n}", delivery="1", recipient="x@Big.example", status=6, status_name="pending",
            event_at=AT, reason=reason,
        )
        for n, reason in enumerate(("421 4.7.0 later", "550 no", ""))
    )  # fmt: skip
    look = QueueLook(
        instance="i", customer="c", wave="w", moment="after", began=AT, ended=AT,
        deliveries=(), rows=rows, complete=True,
    )  # fmt: skip
    found = deferrals([look])
    assert [("big.example", "421")] == [(d.receiver, reply_code(d.reply)) for d in found]
