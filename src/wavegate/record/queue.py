# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A look at the queue of an instance: its deliveries, log rows and events at one moment.

`ledger` joins such looks with received mail; this module says what one look is, and what the
status of a row means.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Moment = Literal["before", "window", "after"]
CANCELLED_STATES = frozenset({81, 85})
"""States of a delivery that a person stopped; the clean-up leaves 95."""


class Meaning(StrEnum):
    """What the status of a log row or event says has become of the message.

    accepted: taken into account by the provider, not yet delivered (the feedback states of v8).
    sent: on v7 relayed, on v8 with feedback delivered.
    """

    PENDING = "pending"
    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


_WORDS = (
    (("cancel",), Meaning.CANCELLED),
    (("expired", "tooold"), Meaning.EXPIRED),
    (("taken", "account", "provider", "prepared", "pendingdelivery"), Meaning.ACCEPTED),
    (("fail", "error", "notcovered", "targeting"), Meaning.FAILED),
    (("ignor", "notapplicable"), Meaning.IGNORED),
    (("pending", "processing", "paused"), Meaning.PENDING),
    (("sent", "success", "received", "delivered", "processed"), Meaning.SENT),
)
_NUMBERS = {
    0: Meaning.IGNORED,
    1: Meaning.SENT,
    2: Meaning.FAILED,
    6: Meaning.PENDING,
    7: Meaning.CANCELLED,
}


def meaning(status: int, name: str) -> Meaning:
    """What a status means: by the name the instance gives it, or else by its documented number.

    Only 0, 1, 2, 6 and 7 of broadLog are documented; the names come by `analyze`.
    """
    word = "".join(name.split()).lower()
    for parts, found in _WORDS:
        if any(part in word for part in parts):
            return found
    return _NUMBERS.get(status, Meaning.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of nms:delivery. state: its number. valid_until: end of its validity, if it shows.

    code: the delivery code. changed_by: the operator who changed it last. Both empty where the
    instance does not show them.
    """

    id: str
    name: str
    label: str
    state: int
    message_type: int
    to_deliver: int
    valid_until: datetime | None
    code: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One row of nms:broadLogRcp. status, status_name: number and name that the instance gives."""

    id: str
    delivery: str
    recipient: str
    status: int
    status_name: str
    event_at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One real-time event of Message Center that waits, or waited, to be sent."""

    id: str
    type: str
    status: int
    status_name: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """Deliveries, log rows and events of an instance at one moment.

    began, ended: of the looking. complete: every page was read; else `missing` says why not.
    problems: rows that make no sense (clock going backwards, an id twice, a capped page), each
    named, none dropped. events: None where the instance has no Message Center that could be asked.
    vantage: where it was looked from. digest: of the stored record, empty until it is stored.
    """

    instance: str
    customer: str
    wave: str
    moment: Moment
    began: datetime
    ended: datetime
    deliveries: tuple[Delivery, ...]
    rows: tuple[LogRow, ...]
    complete: bool
    missing: str | None = None
    problems: tuple[str, ...] = ()
    events: tuple[Event, ...] | None = None
    vantage: str = ""
    digest: str = ""
