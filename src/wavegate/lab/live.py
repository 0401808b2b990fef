# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What changes by itself in a running instance: queue, clicks, events, runs of workflows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wavegate.lab.backlog import Backlog
from wavegate.lab.campaign_functions import Functions, Rates
from wavegate.lab.clockwork import Clockwork, too_slow
from wavegate.lab.live_rates import LoadStep
from wavegate.lab.world import InstanceState, Phase

KEPT_CLICKS = 200
HANDLED_WITHIN = timedelta(milliseconds=50)
CLICKS_PER_RUN = 2


@dataclass(slots=True)
class Clicks:
    """The tracking log. Clicks reach it with the next run of the tracking workflow, in order."""

    clock: Clockwork
    rows: list[tuple[int, datetime]] = field(default_factory=list)
    _seeds: list[datetime] = field(default_factory=list)
    _until: datetime | None = None
    _number: int = 81_000

    def clicked(self, at: datetime) -> None:
        """A seed link was clicked."""
        self._seeds.append(at)

    def run(self, to: datetime, *, recorded: bool) -> None:
        """Let the workflow run until an instant; what is not recorded is lost for good."""
        period = self.clock.period
        if self._until is None:
            self._until = self.clock.run_before(to, period) - 10 * period
        while self._until + period <= to:
            self._until += period
            due = sorted([at for at in self._seeds if at <= self._until] + self._others())
            self._seeds = [at for at in self._seeds if at > self._until]
            if recorded:
                self._append(due)

    def _others(self) -> list[datetime]:
        """What other recipients clicked since the run before."""
        last = self._until or self.clock.opens
        step = self.clock.period / CLICKS_PER_RUN
        return [last - place * step for place in range(CLICKS_PER_RUN)]

    def _append(self, due: list[datetime]) -> None:
        for at in due:
            self._number += 1
            self.rows.append((self._number, at))
        del self.rows[:-KEPT_CLICKS]


@dataclass(slots=True, kw_only=True)
class Event:
    """A real-time event: its id, type, when it came, and whether its message was handed on.

    held: it waits until after the window, even where others do not.
    """

    id: int
    type: str
    at: datetime
    sent: bool = False
    held: bool = False


def _held(number: int, at: datetime) -> Event:
    return Event(id=(1 << 55) + number, type="order", at=at, held=True)


class Live:
    """The moving side of one instance. show goes on to another phase."""

    def __init__(
        self,
        state: InstanceState,
        clock: Clockwork,
        *,
        token: str,
        began: datetime,
        steps: tuple[LoadStep, ...] = (),
    ) -> None:
        self.name = state.name
        self.clock = clock
        self.steps = steps
        self.phase: Phase = "before"
        self.state = state.campaign
        self.rates_before = state.campaign.rates
        self.resumed: datetime | None = None
        self.stood: dict[str, datetime] = {}
        self.clicks = Clicks(clock)
        self.events = [_held(number, began) for number in range(self.functions.events_waiting)]
        self.throttled = 0
        self.left: list[datetime] = []
        self.backlog = Backlog(token, clock, v8=state.campaign.major >= 8, filled=began)
        self.backlog.fill(state.queue)
        self._stop_what_is_stuck(began)

    @property
    def too_slow(self) -> float:
        """Seconds after which the estate takes an answer for silence, and a little more."""
        return 1.2 * too_slow(self.clock.window).total_seconds()

    @property
    def functions(self) -> Functions:
        """How functions behave now."""
        return self.state.functions

    @property
    def rates(self) -> Rates:
        """How fast this phase sends."""
        return self.state.rates

    def show(self, phase: Phase, state: InstanceState, at: datetime) -> None:
        """Go on to a phase."""
        self.tick(at)
        self.phase, self.state = phase, state.campaign
        self.throttled = self.functions.throttled
        self._stop_what_is_stuck(at)
        if phase == "window":
            self.backlog.cancel(state.queue, at)
        elif phase == "after":
            self.resumed = at
            self.backlog.release(state.queue, at)
        if self.functions.events_dropped:
            self.events = [event for event in self.events if event.sent]

    def _stop_what_is_stuck(self, at: datetime) -> None:
        stuck = self.functions.stuck
        self.stood = {name: self.stood.get(name, at) for name in stuck}

    def tick(self, at: datetime) -> None:
        """Let what runs by itself come up to an instant."""
        runs = "tracking" not in self.functions.stuck
        self.clicks.run(at, recorded=self.functions.clicks_recorded and runs)
        for event in self.events:
            event.sent = event.sent or self._handles(event, at)

    def _handles(self, event: Event, at: datetime) -> bool:
        """Events wait while no mail leaves, and are handled soon after they came otherwise."""
        able = self.functions.events_processed and self._mail_leaves(at)
        able = able and (self.phase == "after" or not event.held)
        return able and at - event.at >= HANDLED_WITHIN

    def _mail_leaves(self, at: datetime) -> bool:
        return self.phase == "after" or (self.phase == "before" and at < self.clock.opens)

    def click(self, at: datetime) -> None:
        """A seed link was clicked."""
        self.tick(at)
        self.clicks.clicked(at)

    def push(self, kind: str, at: datetime, queue: tuple[int, int]) -> int:
        """Store an event; its id, or 0 where none is taken. queue: as for pending."""
        pending, threshold = self.pending(at, queue)
        if not (kind and self.functions.events_taken and pending < threshold):
            return 0
        event = Event(id=(1 << 56) + len(self.events) + 1, type=kind, at=at)
        self.events.append(event)
        return event.id

    def pending(self, at: datetime, queue: tuple[int, int]) -> tuple[int, int]:
        """Events that wait, and how many may. queue: those that always do, and how many may."""
        self.tick(at)
        usual, threshold = queue
        waiting = sum(not event.sent for event in self.events)
        return min(usual + waiting, threshold), threshold

    def last_run(self, name: str, at: datetime, period: timedelta) -> datetime:
        """When something that works by a schedule last did; it may have stood still since."""
        stood = self.stood.get(name)
        return self.clock.run_before(at if stood is None else min(at, stood), period)
