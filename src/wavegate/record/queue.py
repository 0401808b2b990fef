# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A look at the queue of an instance: its deliveries and its log rows at one moment.

`ledger` joins such looks with received mail; this module only says what one look is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Moment = Literal["before", "window", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of nms:delivery. state: its number. valid_until: end of its validity, if it shows."""

    id: str
    name: str
    label: str
    state: int
    message_type: int
    to_deliver: int
    valid_until: datetime | None


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
class QueueLook:
    """Deliveries and log rows of an instance at one moment.

    began, ended: of the looking. complete: every page was read; else `missing` says why not.
    problems: rows that make no sense (clock going backwards, an id twice, a capped page), each
    named, none dropped. digest: of the stored record, empty until it is stored.
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
    digest: str = ""
