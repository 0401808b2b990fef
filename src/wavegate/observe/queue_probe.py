# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A look at the queue of an instance: its deliveries, their log rows, its waiting events.

Reads only. Asked are the deliveries that are being sent (state 45 to 62), those that hold pending
rows, those that an earlier look knew, and those changed since a given instant; and every log row of
them, by the key. A look that cannot be finished is a look that says so, never an exception.
"""

import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wavegate import clock
from wavegate.errors import InternalError, MissingError
from wavegate.estate.secrets import resolve
from wavegate.observe.campaign_client import CampaignClient
from wavegate.observe.campaign_login import Entrance, NoBearer
from wavegate.observe.http_client import HttpClient, HttpLimits, own_context
from wavegate.observe.probe import Task
from wavegate.observe.queue_pages import LINES, CutShortError, Reader, Table, Values
from wavegate.observe.redact import Secrets
from wavegate.observe.routes import NoRouteError
from wavegate.record.campaign_view import server_date
from wavegate.record.content_key import ADDRESS
from wavegate.record.observation import Unreachable
from wavegate.record.queue import Delivery, Event, LogRow, Meaning, Moment, QueueLook, meaning
from wavegate.record.recipient import HMAC

DELIVERIES = Table(
    schema="nms:delivery",
    need=("@id", "@state"),
    more=(
        "@internalName",
        "@label",
        "@deliveryCode",
        "@messageType",
        "[properties/@toDeliver]",
        "[scheduling/@validityDate]",
        "[modifiedBy/@name]",
    ),
)
LOGS = Table(
    schema="nms:broadLogRcp",
    need=("@id", "[@delivery-id]", "@status"),
    more=("@address", "@eventDate", "@failureReason"),
    analyze="@status",
)
EVENTS = Table(
    schema="nms:rtEvent",
    need=("@id", "@status"),
    more=("@type", "@created"),
    analyze="@status",
)
SENDING = ("@state >= 45", "@state <= 62")
IDS_AT_ONCE = 50
MAX_EVENTS = 100_000
AHEAD = timedelta(seconds=5)
"""A log row later than the look by more than this makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of what and when a look is. keep: how a recipient's address is written down."""

    instance: str
    customer: str
    wave: str
    moment: Moment
    vantage: str
    keep: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What an earlier look knew, and since when changed deliveries are wanted; None for none."""

    deliveries: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(slots=True)
class _Found:
    """What a look has brought so far."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    rows: list[LogRow] = field(default_factory=list)
    events: tuple[Event, ...] | None = None


def look(reader: Reader, place: Place, follow: Follow) -> QueueLook:
    """One look over an open session. Never raises for what the instance does."""
    began, found, missing = clock.now(), _Found(), None
    try:
        _deliveries(reader, follow, found)
        _logs(reader, place, found)
        _events(reader, follow, found)
    except CutShortError as error:
        missing = str(error)
    return _made(place, began, found, missing, reader)


def failed(place: Place, reason: str) -> QueueLook:
    """A look that could not even begin."""
    at = clock.now()
    return _made(place, at, _Found(), reason, None)


def _made(
    place: Place, began: datetime, found: _Found, missing: str | None, reader: Reader | None
) -> QueueLook:
    ended = clock.now()
    if reader is not None:
        _note_future(reader, found.rows, ended)
    return QueueLook(
        instance=place.instance,
        customer=place.customer,
        wave=place.wave,
        moment=place.moment,
        began=began,
        ended=max(began, ended),
        deliveries=tuple(found.deliveries[id_] for id_ in sorted(found.deliveries)),
        rows=tuple(found.rows),
        complete=missing is None,
        missing=missing,
        problems=tuple(reader.problems) if reader else (),
        events=found.events,
        vantage=place.vantage,
    )


def _note_future(reader: Reader, rows: Iterable[LogRow], ended: datetime) -> None:
    ahead = [row for row in rows if row.event_at is not None and row.event_at > ended + AHEAD]
    if ahead:
        names = ", ".join(row.id for row in ahead[:10])
        reader.note(f"{len(ahead)} log rows are later than the look itself: {names}")


def _deliveries(reader: Reader, follow: Follow, found: _Found) -> None:
    """Those being sent, those with pending rows, those known before, those changed since."""
    _add(found, reader.rows(DELIVERIES, SENDING))
    if follow.since is not None:
        _add(found, reader.rows(DELIVERIES, (f"@lastModified >= {_literal(follow.since)}",)))
    pending = reader.grouped(LOGS.schema, "[@delivery-id]", ("@status = 6",))
    wanted = {id_ for id_ in (*pending, *follow.deliveries) if re.fullmatch(r"-?\d{1,19}", id_)}
    for ids in _chunks(sorted(wanted - found.deliveries.keys(), key=int)):
        _add(found, reader.rows(DELIVERIES, (f"@id in ({', '.join(ids)})",)))
    for id_ in sorted(wanted - found.deliveries.keys()):
        reader.note(f"nms:delivery: {id_} has log rows and is not there itself")
        found.deliveries[id_] = _delivery({"id": id_, "state": "0"})


def _add(found: _Found, rows: Iterable[Values]) -> None:
    for row in rows:
        found.deliveries[row.get("id", "")] = _delivery(row)


def _logs(reader: Reader, place: Place, found: _Found) -> None:
    """Every log row of these deliveries that are e-mail, counted against the instance's count."""
    mine = [d.id for d in found.deliveries.values() if d.message_type == 0 and d.id]
    seen: dict[str, int] = {}
    for ids in _chunks(sorted(mine, key=_by_number)):
        where = (f"[@delivery-id] in ({', '.join(ids)})",)
        counted = reader.grouped(LOGS.schema, "[@delivery-id]", where)
        for values in reader.rows(LOGS, where):
            row = _log_row(values, place)
            found.rows.append(row)
            seen[row.delivery] = seen.get(row.delivery, 0) + 1
        for id_, count in sorted(counted.items()):
            if seen.get(id_, 0) < count:
                reader.note(f"delivery {id_}: {count} log rows counted, {seen.get(id_, 0)} read")


def _events(reader: Reader, follow: Follow, found: _Found) -> None:
    """The events that wait, and what became of those that waited; None without Message Center."""
    events: dict[str, Event] = {}
    try:
        for ids in _chunks(sorted(follow.events, key=_by_number)):
            for values in reader.rows(EVENTS, (f"@id in ({', '.join(ids)})",)):
                events[values.get("id", "")] = _event(values)
        if not follow.events:
            events = {event.id: event for event in _waiting(reader)}
    except CutShortError as error:
        if "XFR-180000" in str(error) or "XTK-170036" in str(error):
            return
        raise
    found.events = tuple(events[id_] for id_ in sorted(events))


def _waiting(reader: Reader) -> Iterator[Event]:
    for number, values in enumerate(reader.rows(EVENTS)):
        if number >= MAX_EVENTS:
            raise CutShortError(f"{EVENTS.schema}: more than {MAX_EVENTS} events")
        event = _event(values)
        if meaning(event.status, event.status_name) in _WAITS:
            yield event


_WAITS = (Meaning.PENDING, Meaning.ACCEPTED)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield ids[start : start + IDS_AT_ONCE]


def _by_number(text: str) -> tuple[int, str]:
    return (int(text) if re.fullmatch(r"-?\d{1,19}", text) else 0, text)


def _literal(instant: datetime) -> str:
    """Campaign's date literal: `#2024-01-31 10:00:00.000Z#`."""
    text = instant.astimezone(UTC)
    return f"#{text:%Y-%m-%d %H:%M:%S}.{text.microsecond // 1000:03d}Z#"


def _delivery(row: Values) -> Delivery:
    return Delivery(
        id=row.get("id", ""),
        name=row.get("internalName", ""),
        label=row.get("label", ""),
        state=_whole(row.get("state", "")),
        message_type=_whole(row.get("messageType", "")),
        to_deliver=_whole(row.get("toDeliver", "")),
        valid_until=server_date(row.get("validityDate"))[0],
        code=row.get("deliveryCode", ""),
        changed_by=row.get("name", ""),
    )


def _log_row(row: Values, place: Place) -> LogRow:
    return LogRow(
        id=row.get("id", ""),
        delivery=row.get("delivery-id", ""),
        recipient=place.keep(row.get("address", "")),
        status=_whole(row.get("status", "")),
        status_name=row.get("statusName", ""),
        event_at=server_date(row.get("eventDate"))[0],
        reason=without_addresses(
            row.get("failureReasonLabel", row.get("failureReason", "")), place.keep
        ),
    )


def without_addresses(reason: str, keep: Callable[[str], str]) -> str:
    """A reason, often a reply that repeats the address, with addresses written as recipients are.

    One that is kept in plain is left as it stands there.
    """

    def instead(found: re.Match[str]) -> str:
        kept = keep(found[0])
        return kept if kept.startswith(HMAC) else found[0]

    return ADDRESS.sub(instead, reason)


def _event(row: Values) -> Event:
    return Event(
        id=row.get("id", ""),
        type=row.get("type", ""),
        status=_whole(row.get("status", "")),
        status_name=row.get("statusName", ""),
        created_at=server_date(row.get("created"))[0],
    )


def _whole(text: str) -> int:
    """A number of 32 bits; 0 for what is none."""
    found = int(text) if re.fullmatch(r"-?\d{1,10}", text) else 0
    return found if -(2**31) <= found < 2**31 else 0


def look_at(
    task: Task,
    place: Place,
    follow: Follow,
    *,
    stopped: Callable[[], bool] = lambda: False,
    lines: int = LINES,
) -> QueueLook:
    """Open a session, look, close it. A session that cannot be opened is a look that failed."""
    try:
        with _session(task) as (client, logon):
            if (why := logon()) is not None:
                return failed(place, why)
            reader = Reader(
                client=client, renew=lambda: logon() is None, stopped=stopped, lines=lines
            )
            return look(reader, place, follow)
    except (MissingError, InternalError, NoRouteError, ssl.SSLError, ValueError) as error:
        return failed(place, _told(error))


@contextmanager
def _session(task: Task) -> Iterator[tuple[CampaignClient, Callable[[], str | None]]]:
    """A client, and how to log on with it: why that failed, or None. Logs off at the end."""
    one, credentials = task.instance, task.instance.credentials
    if one.url is None or credentials is None:
        raise MissingError("no url, or no credentials", cure="name both in the estate")
    secrets = Secrets()
    entrance = Entrance(credentials, task.base, task.estate.policy, secrets)
    context = None if one.tls is None else own_context(resolve(one.tls.ca, task.base))
    limits = HttpLimits(seconds=task.estate.policy.too_slow.total_seconds())
    with HttpClient(limits, context) as http:
        client = CampaignClient(one.url.rstrip("/"), http, secrets)

        def logon() -> str | None:
            way = entrance.way()
            if isinstance(way, NoBearer):
                return way.reason
            outcome = client.enter(way).observation.outcome
            return outcome.reason if isinstance(outcome, Unreachable) else None

        try:
            yield client, logon
        finally:
            if client.logged_on:
                client.logoff()


def _told(error: Exception) -> str:
    """An error in one line; a reference may stand in it, a value never does."""
    match error:
        case MissingError() | InternalError():
            return f"{error.where}: {error.message}" if error.where else error.message
        case NoRouteError():
            return error.reason
    return type(error).__name__
