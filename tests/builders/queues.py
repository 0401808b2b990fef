# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Looks at the queue, and the mails of it, of a made-up sender."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tests.builders.estates import END, IPS, START, WAVE

from wavegate.canonical import digest
from wavegate.record.message import Received
from wavegate.record.queue import Delivery, Event, LogRow, Moment, QueueLook

NAMES = {
    0: "ignored",
    1: "sent",
    2: "failed",
    3: "takenIntoAccount",
    6: "pending",
    7: "deliveryCancelled",
}
JUST_BEFORE = START - timedelta(minutes=1)
SUFFIX = "acme_mkt_prod1@news.acme.example"


def seed(n: int) -> str:
    """The address of a reader whom the sink receives."""
    return f"seed{n}@seed.example"


def delivery(number: int, **other: object) -> Delivery:
    """D1, D2, ...: delivery 4001, 4002, ..."""
    fields: dict[str, object] = {
        "id": str(4000 + number),
        "name": f"DM{number}",
        "label": f"D{number}",
        "state": 55,
        "message_type": 0,
        "to_deliver": 0,
        "valid_until": None,
    }
    return Delivery(**{**fields, **other})  # type: ignore[arg-type] # fields by name


def row(n: int, d: int = 1, status: int = 6, **other: object) -> LogRow:
    """Log row 70000+n of delivery d, to seed n unless said otherwise."""
    fields: dict[str, object] = {
        "id": str(70000 + n),
        "delivery": str(4000 + d),
        "recipient": seed(n),
        "status": status,
        "status_name": NAMES.get(status, ""),
        "event_at": START - timedelta(hours=1),
    }
    return LogRow(**{**fields, **other})  # type: ignore[arg-type] # fields by name


def look(
    rows: Iterable[LogRow],
    deliveries: Sequence[Delivery] = (),
    *,
    moment: Moment = "before",
    at: datetime | None = None,
    **other: object,
) -> QueueLook:
    """A complete look, a minute before the opening or an hour after the close."""
    ended = at or (JUST_BEFORE if moment == "before" else END + timedelta(hours=1))
    fields: dict[str, object] = {
        "instance": "acme-prod1",
        "customer": "acme",
        "wave": WAVE,
        "moment": moment,
        "began": ended - timedelta(seconds=1),
        "ended": ended,
        "deliveries": tuple(deliveries) or (delivery(1), delivery(2), delivery(3)),
        "rows": tuple(rows),
        "complete": True,
    }
    return QueueLook(**{**fields, **other})  # type: ignore[arg-type] # fields by name


def letter(
    n: int,
    d: int = 1,
    *,
    row_id: int | None = None,
    recipient: str | None = None,
    at: datetime | None = None,
    text: str = "our news for you",
    headers: Mapping[str, str] | None = None,
    host: str = "new-a.mta.example",
    peer: str = IPS[0],
) -> Received:
    """A mail of log row n of delivery d, five minutes after the close unless said otherwise."""
    ended = at or END + timedelta(minutes=5, seconds=n % 3000)
    number, to = row_id if row_id is not None else 70000 + n, recipient or seed(n)
    ids = f"{number & 0xFFFFFFFF:08X}{4000 + d:08X}"
    link = f"https://t.news.acme.example/r/?id=h{number & 0xFFFFFFFF:x},{4000 + d:x},1"
    told = {
        "Received": f"from x by {host} with ESMTP; whenever",
        "From": "acme <hello@news.acme.example>",
        "Subject": "news",
        "To": f"<{to}>",
        "Message-ID": f"<NM6{ids}{SUFFIX}>",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    raw = f"{head}\r\n{text}\r\n{link}\r\n".encode()
    return Received(
        source="sink",
        peer=peer,
        peer_by="socket",
        helo=None,
        mail_from="bounce@news.acme.example",
        recipients=(to,),
        connected=ended,
        ended=ended,
        tls=None,
        raw=raw,
        digest=digest(raw),
        journal="",
    )


def event(n: int, status: int = 6, name: str = "pending") -> Event:
    """A real-time event."""
    return Event(id=str(900 + n), type="order", status=status, status_name=name, created_at=START)
