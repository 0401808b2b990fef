# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The tables of a running instance at an instant: built for each question, from what moves."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate

from wavegate.lab import live_rates
from wavegate.lab.backlog import CANCELLED_BY_HAND, FINISHED, PERSON, STARTED, Row
from wavegate.lab.campaign_state import Table, Value
from wavegate.lab.estate_functions import BOUNCING
from wavegate.lab.live import Live
from wavegate.lab.live_rates import Stat

READY = 45
SMS, PUSH_IOS, PUSH_ANDROID = 4900, 4901, 4902
CHANNELS = {SMS: 1, PUSH_IOS: 41, PUSH_ANDROID: 42}
SHOWN_RUNS = 10
STREAM_IDS = 20_000_000
LONG_AGO = "2024-01-10 06:00:00.000Z"
OTHERS = "reader{0}@outside.example"
BIG = "big.example"
PUT_OFF_IDS = 600_000
BOUNCES, BOUNCE_IDS = 12, 700_000
ACTIVITY = 4950
STATES = (
    ("@state", READY, "ready", "Ready"),
    ("@state", STARTED, "startPending", "Started"),
    ("@state", 75, "paused", "Paused"),
    ("@state", CANCELLED_BY_HAND, "cancelled", "Cancelled"),
    ("@state", FINISHED, "finished", "Finished"),
)
STATUSES = (
    ("@status", 1, "sent", "Sent"),
    ("@status", 2, "failed", "Failed"),
    ("@status", 6, "pending", "Pending"),
    ("@status", 7, "deliveryCancelled", "Delivery cancelled"),
    ("@status", 8, "takenIntoAccount", "Taken into account by the service provider"),
)
WORKFLOW_STATES = (
    ("@state", 11, "started", "Started"),
    ("@state", 13, "paused", "Paused"),
    ("@state", 20, "stopped", "Stopped"),
)
EVENT_STATUSES = (("@status", 0, "pending", "Pending"), ("@status", 3, "sent", "Sent"))
WORKFLOWS = (("tracking", 1), ("deliveryIndicators", 1), ("cleanup", 2))
"""Technical workflows, each with how many periods lie between two of its runs."""


def table(live: Live, schema: str, at: datetime) -> Table | None:
    """A table as it stands at an instant; None where this instance has no such moving table."""
    live.tick(at)
    build = _TABLES.get(schema)
    return build(live, at) if build else None


@lru_cache(maxsize=1 << 16)
def written(at: datetime) -> str:
    """An instant as Campaign writes it: `2024-01-10 06:00:00.000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _deliveries(live: Live, at: datetime) -> Table:
    since = written(live.clock.opens)
    old = [_delivery(4000 + n, f"DM{n}", f"{live.name} newsletter {n}") for n in range(1, 6)]
    running = STARTED if live.resumed is None and at < live.clock.opens else FINISHED
    new = STARTED if live.resumed is not None else READY
    rows = [
        *old,
        *(_queued(live, id_, state) for id_, state in live.backlog.states.items()),
        *(
            _delivery(id_, f"CH{id_}", f"{live.name} channel {id_}", STARTED, kind=kind)
            for id_, kind in CHANNELS.items()
        ),
        _delivery(live_rates.OLD_DELIVERY, "STREAM1", "stream", running, changed=since),
        _delivery(live_rates.NEW_DELIVERY, "STREAM2", "stream after", new, changed=since),
    ]
    if live.functions.activity:
        state = READY if live.functions.activity == "waits" else FINISHED
        rows.append(_delivery(ACTIVITY, "WKF7_1", "weekly offer", state, changed=since))
    if live.rates_before.large:
        old_one, new_one = (row[0] for row in rows[-2:])
        more = live_rates.LARGE_STREAM
        rows += [
            _delivery(int(old_one) + more, "LARGE1", "large", running, changed=since),
            _delivery(int(new_one) + more, "LARGE2", "large after", new, changed=since),
        ]
    return Table(
        schema="nms:delivery",
        columns=(
            "@id",
            "@internalName",
            "@label",
            "@deliveryCode",
            "@state",
            "@messageType",
            "@deliveryMode",
            "properties/@toDeliver",
            "indicators/@success",
            "scheduling/@validityDate",
            "modifiedBy/@name",
            "@lastModified",
        ),
        labels=STATES,
        rows=tuple(sorted(rows)),
    )


def _delivery(
    id_: int,
    name: str,
    label: str,
    state: int = FINISHED,
    *,
    kind: int = 0,
    count: int = 1000,
    changed: str = LONG_AGO,
    valid: str = "",
    by: str = "",
) -> tuple[Value, ...]:
    return (id_, name, label, "", state, kind, 4, count, count, valid, by, changed)


def _queued(live: Live, id_: int, state: int) -> tuple[Value, ...]:
    backlog = live.backlog
    found = {waiting.id: waiting for waiting in backlog.waiting}
    mine = [row for row in backlog.logged() if row.delivery == id_]
    original = found.get(id_) or found[id_ - 100]
    again = id_ not in found
    return _delivery(
        id_,
        f"{original.name}R" if again else original.name,
        f"Copy of {original.label}" if again else original.label,
        state,
        count=len(mine),
        changed=written(max((row.changed for row in mine), default=live.clock.opens)),
        valid=written(backlog.valid_until(original.id)),
        by=PERSON if state == CANCELLED_BY_HAND else "campaign",
    )


def _logs(live: Live, at: datetime) -> Table:
    rows = [_old_log(number) for number in range(40)]
    rows += [_log(row) for row in live.backlog.logged()]
    rows += _channel_rows(live, SMS, "sms", at)
    rows += _put_off(live, at)
    rows += _bounces(live, at) if live.functions.bounce_seeds else []
    return _log_table("nms:broadLogRcp", rows)


def _app_logs(live: Live, at: datetime) -> Table:
    rows = [
        *_channel_rows(live, PUSH_IOS, "push", at),
        *_channel_rows(live, PUSH_ANDROID, "push", at),
    ]
    return _log_table("nms:broadLogAppSubRcp", rows)


def _log_table(schema: str, rows: list[tuple[Value, ...]]) -> Table:
    return Table(
        schema=schema,
        columns=(
            "@id",
            "@delivery-id",
            "@status",
            "@address",
            "@failureReason",
            "@eventDate",
            "@lastModified",
            "delivery/@messageType",
        ),
        labels=STATUSES,
        rows=tuple(sorted(rows)),
    )


def _old_log(number: int) -> tuple[Value, ...]:
    at = f"2024-01-10 0{number % 10}:30:00.000Z"
    status = 2 if number % 5 == 3 else 1
    address = OTHERS.format(number)
    return (70_000 + number, 4001 + number % 5, status, address, "", at, at, 0)


def _log(row: Row) -> tuple[Value, ...]:
    at = written(row.changed)
    return (row.id, row.delivery, row.status, row.recipient, row.reason, at, at, 0)


def _put_off(live: Live, at: datetime) -> list[tuple[Value, ...]]:
    """What a receiver said to mail that it put off, and took later."""
    if live.resumed is None:
        return []
    told = live_rates.put_off(live.clock, live.rates, live.resumed, at)
    return [
        (
            PUT_OFF_IDS + number,
            live_rates.NEW_DELIVERY,
            1,
            f"late{number}@{BIG}",
            f"421 4.7.0 {BIG}: try again later",
            written(when),
            written(when),
            0,
        )
        for number, when in enumerate(told)
    ]


def _bounces(live: Live, at: datetime) -> list[tuple[Value, ...]]:
    """Mail to an address that bounces, once a period; inMail counts what came before its last run.

    None leaves in the window, nor within a period of its edges.
    """
    clock, period = live.clock, live.clock.period
    counted = live.last_run("inMail", at, period)
    rows: list[tuple[Value, ...]] = []
    for number in range(-BOUNCES, (at - clock.opens) // period + 1):
        sent = clock.opens + (number + 0.25) * period
        if sent > at or clock.opens - period < sent < clock.closes + period:
            continue
        status, why = (2, "550 5.1.1 user unknown") if sent <= counted else (1, "")
        when = written(sent)
        rows.append((BOUNCE_IDS + number, 4005, status, BOUNCING, why, when, when, 0))
    return rows


def _channel_rows(live: Live, delivery: int, name: str, at: datetime) -> list[tuple[Value, ...]]:
    """The newest messages of a channel: one a period, as long as it works."""
    period = live.clock.period
    last = live.last_run(name, at, period)
    newest = 1_000_000 + delivery * 100_000 + (last - live.clock.opens) // period
    return [
        (
            newest - back,
            delivery,
            1,
            f"+4400{back}",
            "",
            written(last - back * period),
            written(last - back * period),
            CHANNELS[delivery],
        )
        for back in range(SHOWN_RUNS)
    ]


def _workflows(live: Live, at: datetime) -> Table:
    rows: list[tuple[Value, ...]] = []
    for place, (name, periods) in enumerate(WORKFLOWS):
        run = written(live.last_run(name, at, periods * live.clock.period))
        state = 13 if name in live.functions.paused else 11
        failed = int(name in live.functions.failed)
        rows.append((900 + place, name, name.capitalize(), state, failed, run, run))
    return Table(
        schema="xtk:workflow",
        columns=(
            "@id",
            "@internalName",
            "@label",
            "@state",
            "@failed",
            "@processDate",
            "@lastStart",
        ),
        labels=WORKFLOW_STATES,
        rows=tuple(rows),
    )


def _stats(live: Live, at: datetime) -> tuple[list[Stat], list[Stat]]:
    """What left before the opening, and since it leaves again."""
    if live.rates_before.counted:
        rows = [*live_rates.counted(live.clock, live.left, live.resumed, at)]
        old = [stat for stat in rows if stat.delivery == live_rates.OLD_DELIVERY]
        return old, [stat for stat in rows if stat not in old]
    before = [*live_rates.before(live.name, live.clock, live.rates_before, at)]
    if live.resumed is None:
        return before, []
    clock, steps = live.clock, live.steps
    return before, [*live_rates.after(live.name, clock, live.rates, live.resumed, at, steps)]


def _statistics(live: Live, at: datetime) -> Table:
    before, after = _stats(live, at)
    rows: list[tuple[Value, ...]] = [
        (s.delivery, written(s.date), s.size * s.sent, s.sent, s.errors, 0, 0)
        for s in (*before, *after)
    ]
    return Table(
        schema="nms:deliveryStat",
        columns=(
            "@delivery-id",
            "@date",
            "@volume",
            "@firstSuccess",
            "@firstError",
            "@retriesSuccess",
            "@retriesError",
        ),
        rows=tuple(rows),
    )


def _event_logs(live: Live, at: datetime) -> Table:
    """The log of the steady stream: a row stands for all mail of a bucket with the same fate."""
    before, after = _stats(live, at)
    fates = [
        (stat, status, count)
        for side, rates in ((before, live.rates_before), (after, live.rates))
        for stat in side
        for status, count in live_rates.fates(stat, rates, feedback=live.state.major >= 8)
        if count
    ]
    weights = [count for _, _, count in fates]
    firsts = accumulate(weights, initial=STREAM_IDS)
    return Table(
        schema="nms:broadLogRtEvent",
        columns=("@id", "@delivery-id", "@status", "@eventDate", "@lastModified"),
        labels=STATUSES,
        rows=tuple(
            (id_, stat.delivery, status, written(stat.date), written(stat.date))
            for id_, (stat, status, _) in zip(firsts, fates, strict=False)
        ),
        weights=tuple(weights),
    )


def _clicks(live: Live, at: datetime) -> Table:
    del at
    rows: list[tuple[Value, ...]] = [(id_, written(when)) for id_, when in live.clicks.rows]
    return Table(schema="nms:trackingLogRcp", columns=("@id", "@logDate"), rows=tuple(rows))


def _events(live: Live, at: datetime) -> Table:
    del at
    rows: list[tuple[Value, ...]] = [
        (event.id, event.type, 3 if event.sent else 0, written(event.at)) for event in live.events
    ]
    return Table(
        schema="nms:rtEvent",
        columns=("@id", "@type", "@status", "@created"),
        labels=EVENT_STATUSES,
        rows=tuple(rows),
    )


_TABLES: dict[str, Callable[[Live, datetime], Table]] = {
    "nms:delivery": _deliveries,
    "nms:broadLogRcp": _logs,
    "nms:broadLogAppSubRcp": _app_logs,
    "xtk:workflow": _workflows,
    "nms:broadLogRtEvent": _event_logs,
    "nms:deliveryStat": _statistics,
    "nms:trackingLogRcp": _clicks,
    "nms:rtEvent": _events,
}
