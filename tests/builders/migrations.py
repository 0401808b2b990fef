# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A whole migration with its window: both phases, what the watch saw, and the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tests.builders.estates import END, START, estate, instance
from tests.builders.queues import delivery, look, row
from tests.builders.stores import HOUR, Desk
from tests.builders.timelines import Shape, every, timeline, watched
from tests.builders.worlds import MINUTE, QUEUED, STEP, STOP, STOPPED, UNIT, World

from wavegate.estate.model import Estate
from wavegate.estate.policy import Policy
from wavegate.record.message import Received
from wavegate.record.queue import Delivery, QueueLook
from wavegate.record.timeline import Timeline, Watched

FUNCTIONS = ("mirror_page", "soap", "tracking")
SETTLED = 75.0
"""Minute from the opening at which the watch ends, a quarter of an hour after the close."""


def agreed(**other: object) -> Estate:
    """acme-prod1 in a wave of which a night shows everything, its stop and load step planned."""
    planned = (
        {"stop": "mta", "node": STOPPED, "at": STOP, "for": "3m"},
        {"load": "double", "at": STEP, "for": "10m"},
    )
    fields: dict[str, object] = {"planned": planned} | other
    return estate(
        instance("acme-prod1", **fields), policy=Policy(throughput_unit=UNIT, timestamps="optional")
    )


def functions() -> tuple[Watched, ...]:
    """What the watch probes, every minute."""
    return tuple(watched(name, every=MINUTE) for name in FUNCTIONS)


def quiet_night(shapes: Mapping[str, Shape] | None = None, **other: object) -> Timeline:
    """A watch to which every function answered rightly all the time, unless it has a shape."""
    found: dict[str, Shape] = {name: lambda _: {} for name in FUNCTIONS} | dict(shapes or {})
    samples = [
        every(name, until=SETTLED, step=MINUTE, shape=shape) for name, shape in found.items()
    ]
    fields: dict[str, object] = {"functions": functions(), "ended": SETTLED}
    return timeline(*samples, **(fields | other))  # type: ignore[arg-type] # keywords of timeline


def queue_before() -> QueueLook:
    """The queue a minute before the opening."""
    rows = [row(n) for n in range(QUEUED)]
    return look(rows, (delivery(1, to_deliver=QUEUED),))


def queue_after(*more: Delivery) -> QueueLook:
    """The same messages an hour after the close, sent. more: deliveries that were made since."""
    rows = [row(n, status=1, event_at=END + MINUTE) for n in range(QUEUED)]
    return look(rows, (delivery(1, state=95, to_deliver=QUEUED), *more), moment="after")


@dataclass
class Migration:
    """What was agreed, both phases, what the window showed, and which captures there are.

    more_mails: beside those of the phases. heard: how long before the opening, and after the close,
    a sink listened.
    """

    estate: Estate = field(default_factory=agreed)
    before: World = field(default_factory=lambda: World(phase="before"))
    after: World = field(default_factory=lambda: World(phase="after"))
    captured: tuple[str, ...] = ("before", "after")
    timelines: tuple[Timeline, ...] = field(default_factory=lambda: (quiet_night(),))
    looks: tuple[QueueLook, ...] = field(default_factory=lambda: (queue_before(), queue_after()))
    more_mails: tuple[Received, ...] = ()
    heard: tuple[timedelta, timedelta] = (2 * HOUR, 2 * HOUR)

    def file(self, desk: Desk) -> None:
        """File all of it in a store, as capture, watch and sink do."""
        found = self.estate.instance("acme-prod1")
        worlds = [w for w in (self.before, self.after) if w.phase in self.captured]
        desk.capture(*(w.snapshot(found) for w in worlds))
        mails = (*self.before.mails(), *self.after.mails(), *self.more_mails)
        desk.hear(mails, START - self.heard[0], END + self.heard[1])
        desk.watch(*self.timelines)
        desk.list_queue(*self.looks)
