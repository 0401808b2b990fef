# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The queue of a running instance: its rows with their state, and what the MTA does with them."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wavegate.lab.clockwork import Clockwork
from wavegate.lab.queue_state import Fate, Waiting

IGNORED, SENT, FAILED, PENDING, CANCELLED, ACCEPTED = 0, 1, 2, 6, 7, 8
STARTED, PAUSED, CANCELLED_BY_HAND, FINISHED = 55, 75, 85, 95
NEW_IDS = 500_000
"""How far the row ids of a resend lie from the original's."""
NEW_DELIVERY = 100
PERSON = "jane.doe"
LATE, SLOW = 0.2, 0.7
"""How long after its validity a late message leaves, and a slow one after the one before it, in
window lengths."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One row of the broad log. due: not sent before; None for at once. to: another reader."""

    id: int
    delivery: int
    recipient: str
    subject: str
    place: int
    fate: Fate
    changed: datetime
    status: int = PENDING
    reason: str = ""
    due: datetime | None = None
    to: str = ""


class Backlog:
    """The queued mail of one instance.

    v8: statuses say what became of a message; v7: Sent as soon as it was relayed.
    """

    def __init__(self, token: str, clock: Clockwork, *, v8: bool, filled: datetime) -> None:
        self._token = token
        self._clock = clock
        self._v8 = v8
        self._filled = filled
        self.waiting: tuple[Waiting, ...] = ()
        self.rows: list[Row] = []
        self.copies: list[Row] = []
        self.states: dict[int, int] = {}
        self.finished_at: datetime | None = None
        self._to_send: deque[Row] = deque()

    def fill(self, waiting: Sequence[Waiting]) -> None:
        """Queue the mail, before the window."""
        self.waiting = tuple(waiting)
        self.rows = [row for delivery in waiting for row in self._rows(delivery)]
        self.states = {delivery.id: STARTED for delivery in waiting}

    def _rows(self, delivery: Waiting) -> Iterator[Row]:
        for place in range(delivery.count):
            issue = delivery.readers or delivery.id
            yield Row(
                id=20 * delivery.id + place,
                delivery=delivery.id,
                recipient=f"q{20 * issue + place:x}-{self._token}@seed.example",
                subject=f"{delivery.label}: number {issue}",
                place=delivery.place,
                fate="sent",
                changed=self._filled,
            )

    def cancel(self, waiting: Sequence[Waiting], at: datetime) -> None:
        """In the window: what a person cancels in it."""
        self._fate(waiting)
        for row in self.rows:
            if row.fate == "cancelled":
                self._set(row, CANCELLED, at)
                self.states[row.delivery] = CANCELLED_BY_HAND

    def release(self, waiting: Sequence[Waiting], at: datetime) -> None:
        """After the window: each message goes the way that it is fated to go."""
        self._fate(waiting)
        for row in self.rows:
            self._release(row, at)
        self._swap()
        self.rows = [row for row in self.rows if row.fate != "dropped"]
        self._close(at)

    def _fate(self, waiting: Sequence[Waiting]) -> None:
        fates = {
            20 * delivery.id + place: fate
            for delivery in waiting
            for place, fate in enumerate(delivery.each())
        }
        self.waiting = tuple(waiting)
        for row in self.rows:
            row.fate = fates.get(row.id, "sent")

    def _release(self, row: Row, at: datetime) -> None:
        match row.fate:
            case "sent" | "swapped":
                self._to_send.append(row)
            case "twice":
                self._to_send += (row, self._again(row))
            case "anew":
                self._set(row, CANCELLED, at)
                self._to_send.append(self._again(row))
            case "late" | "slow":
                row.due = self._due(row)
                self._to_send.append(row)
            case "lost":
                self._set(row, ACCEPTED if self._v8 else SENT, at)
            case "left":
                self.states[row.delivery] = PAUSED
            case "expired":
                self._set(row, CANCELLED, at)
            case "bounced":
                self._set(row, FAILED, at)
                row.reason = "550 5.1.1 user unknown"
            case "cancelled" | "dropped":
                pass

    def _due(self, row: Row) -> datetime:
        """When a message leaves that does not leave at once."""
        if row.fate == "late":
            return self.valid_until(row.delivery) + LATE * self._clock.window
        slow = sum(other.fate == "slow" for other in self._to_send)
        return self._clock.closes + (slow + 1) * SLOW * self._clock.window

    def _swap(self) -> None:
        """Two and two get what was made for the other."""
        mixed = [row for row in self.rows if row.fate == "swapped"]
        for one, other in zip(mixed[::2], mixed[1::2], strict=True):
            one.to, other.to = other.recipient, one.recipient

    def _again(self, row: Row) -> Row:
        copy = replace(row, id=row.id + NEW_IDS, delivery=row.delivery + NEW_DELIVERY)
        self.copies.append(copy)
        self.states[copy.delivery] = STARTED
        return copy

    def _set(self, row: Row, status: int, at: datetime) -> None:
        if row.status != status:
            row.status, row.changed = status, at

    def next(self, at: datetime) -> Row | None:
        """The next message to be sent, taken from the queue; one not yet due stays in it."""
        for _ in range(len(self._to_send)):
            row = self._to_send.popleft()
            if row.due is None or row.due <= at:
                self._set(row, ACCEPTED if self._v8 else SENT, at)
                return row
            self._to_send.append(row)
        return None

    @property
    def busy(self) -> bool:
        """Whether something is to be sent at once."""
        return any(row.due is None for row in self._to_send)

    def back(self, row: Row) -> None:
        """A message that was not taken: it is tried again before all others."""
        self._to_send.appendleft(row)

    def done(self, row: Row, at: datetime) -> None:
        """A message that its receiver took."""
        self._set(row, SENT, at)
        self._close(at)

    def _close(self, at: datetime) -> None:
        """A delivery of which nothing waits is finished."""
        open_ones = {row.delivery for row in self._to_send}
        open_ones |= {row.delivery for row in self._all() if row.status == PENDING}
        for delivery, state in self.states.items():
            if state == STARTED and delivery not in open_ones:
                self.states[delivery] = FINISHED
        if self.finished_at is None and not self._to_send:
            self.finished_at = at

    def _all(self) -> Iterator[Row]:
        yield from self.rows
        yield from self.copies

    def logged(self) -> tuple[Row, ...]:
        """Every row of the broad log that belongs to the queue, by id."""
        return tuple(sorted(self._all(), key=lambda row: row.id))

    def valid_until(self, delivery: int) -> datetime:
        """The end of a delivery's validity: five days, or what the world says."""
        for waiting in self.waiting:
            if waiting.id == delivery and waiting.valid_for is not None:
                return self._clock.closes + waiting.valid_for * self._clock.window
        return self._filled + timedelta(days=5)
