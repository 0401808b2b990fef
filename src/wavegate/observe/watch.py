# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The watch: every function of every instance on its own schedule, until the close has settled.

One thread keeps the schedule and writes the timelines; a crew of others asks. The schedule runs on
the monotonic clock, the window on the wall clock; where the two part, a gap says so.
"""

import heapq
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Protocol

from wavegate import clock
from wavegate.clock import format_instant, parse_instant
from wavegate.errors import WavegateError
from wavegate.estate.model import Window
from wavegate.estate.policy import Policy
from wavegate.observe.functions.answer import Function
from wavegate.observe.functions.facing import Facing
from wavegate.observe.watch_events import Began, Event, Gapped, Sampled, Shown, Tell, Ticked, Told
from wavegate.observe.watch_hearing import Hearing
from wavegate.observe.watch_probe import Crew, Probed, probe
from wavegate.observe.watch_pulse import Pulse
from wavegate.observe.watch_schedule import (
    Periodic,
    first_after,
    in_flight,
    look_instants,
    next_due,
    settle_of,
)
from wavegate.observe.watch_target import LACKS, Target
from wavegate.record.queue import Moment
from wavegate.record.timeline import Gap, Sample, Watched
from wavegate.record.timeline_journal import function_line, gap_line, sample_line

TICK = 0.2
HOLD = 0.1
"""Seconds for which results are gathered, so that one sync of the disk serves many."""
STEP = timedelta(seconds=1)
BEAT_LEAST, BEAT_MOST = timedelta(seconds=1), timedelta(seconds=10)
PER_HOST = 16
MOST_THREADS = 128
LOOK_PATIENCE = 600.0
STOPPING = "interrupted: waiting for the answers under way; once more ends at once"


class AtMoment(Protocol):
    """Something to be done at the moments at which a queue is looked at."""

    def __call__(self, facing: Facing, moment: Moment) -> str:
        """Do it for one instance, blocking; a line about it. May raise WavegateError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to watch.

    until: a given end, or None for the close and settle. at_moments: what else is done just before
    the opening, within the window, and right after the close.
    """

    window: Window
    policy: Policy
    until: datetime | None = None
    at_moments: tuple[AtMoment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a watch ended. settled: by itself, after the close had settled."""

    at: datetime
    settled: bool
    interrupted: bool


@dataclass(slots=True, kw_only=True)
class _Job:
    """One function on its schedule. due: on the monotonic clock."""

    target: Target
    function: Function
    due: float
    every: float
    most: int
    under_way: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Done:
    """A probe of a job that ended; epoch: how often the clock had stepped when it was sent."""

    job: _Job
    probed: Probed
    epoch: int


@dataclass(frozen=True, slots=True)
class _Looked:
    """Something done at a moment."""

    told: Told


def watch(
    targets: Sequence[Target],
    plan: Plan,
    hearing: Hearing,
    *,
    tell: Tell = lambda _: None,
    stop: threading.Event | None = None,
) -> Ended:
    """Watch until the window has closed and settled, `until`, or `stop` is set.

    Then no more is asked, what is under way is still written, and each timeline is closed. A
    KeyboardInterrupt (the second Ctrl-C) ends it at once; what was written stays.
    """
    found = _Watch(targets, plan, hearing, tell, stop or threading.Event())
    with found.pulse.beating():
        return found.run()


class _Watch:
    """One run of a watch; everything here but the probes runs in one thread."""

    def __init__(
        self,
        targets: Sequence[Target],
        plan: Plan,
        hearing: Hearing,
        tell: Tell,
        stop: threading.Event,
    ) -> None:
        self._targets = targets
        self._plan = plan
        self._hearing = hearing
        self.pulse = Pulse()
        self._tell = tell
        self._stop = stop
        # No SimpleQueue: where a signal handler outlasts its time-out, it waits for ever.
        self._done: queue.Queue[_Done | _Looked] = queue.Queue()
        self._heap: list[tuple[float, int, _Job]] = []
        self._order = count()
        self._hosts: dict[str, int] = {}
        self._held: list[_Done] = []
        self._held_since = 0.0
        self._under_way = 0
        self._looking = 0
        self._epoch = 0
        self._offset = _offset()
        self._periodic: dict[tuple[str, str], Periodic] = {}
        self._crew = Crew(min(MOST_THREADS, PER_HOST * max(1, len(targets))))
        at = clock.now()
        self._opened = at >= plan.window.start
        self._closed = at >= plan.window.end
        self._looks = list(look_instants(plan.window, at)) if plan.at_moments else []

    def run(self) -> Ended:
        """Watch from now until it is over; each timeline is closed whatever ends it."""
        self._begin()
        try:
            while not self._over():
                self._check_clock()
                self._turns()
                self._look_if_due()
                self._launch_due()
                self._collect(self._wait())
                self._beat()
                self._tell(Ticked(clock.now()))
            return self._finish()
        finally:
            self._close()

    # Beginning, turns and end

    def _begin(self) -> None:
        start, at = clock.monotonic(), clock.now()
        before = max(0.0, (self._plan.window.start - at).total_seconds())
        spread = self._plan.policy.probe_interval.total_seconds()
        numbers = count()
        for target in self._targets:
            watched = tuple(found.watched for found in target.functions)
            target.shown |= {found.name for found in watched}
            target.wrote = start
            self._tell(Began(target.name, watched))
            for function in target.functions:
                self._note_period(target, function.watched, None)
                if function.ask is None:
                    continue
                every = function.watched.every.total_seconds()
                due = start + first_after(next(numbers), every, before, spread)
                most = in_flight(function.watched.every, self._plan.policy.too_slow)
                job = _Job(target=target, function=function, due=due, every=every, most=most)
                self._push(due, job)

    def _push(self, at: float, job: _Job) -> None:
        heapq.heappush(self._heap, (at, next(self._order), job))

    def _end_at(self) -> datetime:
        if self._plan.until is not None:
            return self._plan.until
        window = self._plan.window
        return window.end + settle_of(self._plan.policy, window, self._periodic.values())

    def _over(self) -> bool:
        return self._stop.is_set() or clock.now() >= self._end_at()

    def _turns(self) -> None:
        """The opening and the close are signed when they come."""
        at, window = clock.now(), self._plan.window
        if not self._opened and at >= window.start:
            self._opened = True
            self._turn(at, f"the window opened ({format_instant(window.start)})")
        if not self._closed and at >= window.end:
            self._closed = True
            self._turn(at, f"the window closed; watching until {format_instant(self._end_at())}")

    def _turn(self, at: datetime, text: str) -> None:
        self._tell(Told(at, text))
        for target in self._targets:
            target.writer.sign()

    def _finish(self) -> Ended:
        interrupted = self._stop.is_set()
        if interrupted and self._under_way + self._looking:
            self._tell(Told(clock.now(), STOPPING))
        self._check_clock()
        patience = self._plan.policy.too_slow.total_seconds() + 3.0
        self._collect_all(patience if interrupted or not self._looking else LOOK_PATIENCE)
        self._write_held()
        at = clock.now()
        settled = not interrupted and at >= self._plan.window.end
        reason = "interrupted" if interrupted else "settled" if settled else "--until was reached"
        for target in self._targets:
            target.stop(at, self._tell, settled=settled, reason=reason)
        self._tell(Told(at, f"the watch ended: {reason}"))
        return Ended(at=at, settled=settled, interrupted=interrupted)

    def _close(self) -> None:
        """Log off and let the connections go; nothing here may hold the end up."""
        for target in self._targets:
            self._crew.do(target.log_off)
        self._crew.dismiss(1.0 if self._stop.is_set() else 3.0)
        for target in self._targets:
            target.facing.connections.close()

    # The schedule

    def _wait(self) -> float:
        """Seconds until something is due, at most a tick."""
        now = clock.monotonic()
        due = self._heap[0][0] - now if self._heap else TICK
        held = self._held_since + HOLD - now if self._held else TICK
        return min(TICK, max(0.0, min(due, held)))

    def _launch_due(self) -> None:
        now = clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            _, _, job = heapq.heappop(self._heap)
            if job.over:
                continue
            if job.under_way >= job.most or self._hosts.get(job.function.host, 0) >= PER_HOST:
                self._push(now + min(job.every / 4, TICK), job)
                continue
            self._launch(job)
            job.due = next_due(job.due, job.every, now)
            self._push(job.due, job)

    def _launch(self, job: _Job) -> None:
        host = job.function.host
        self._hosts[host] = self._hosts.get(host, 0) + 1
        job.under_way += 1
        self._under_way += 1
        epoch = self._epoch

        def ask() -> None:
            probed = probe(job.function, job.target.facing, self._hearing, self.pulse)
            self._done.put(_Done(job, probed, epoch))

        self._crew.do(ask)

    def _look_if_due(self) -> None:
        while self._looks and self._looks[0][0] <= clock.now():
            _, moment = self._looks.pop(0)
            for target in self._targets:
                for act in self._plan.at_moments:
                    self._looking += 1
                    self._crew.do(partial(self._act, act, target, moment))

    def _act(self, act: AtMoment, target: Target, moment: Moment) -> None:
        problem = True
        try:
            text = act(target.facing, moment)
            problem = False
        except WavegateError as error:
            text = error.message
        except Exception as error:  # noqa: BLE001 - one look's fault must not end the watch
            text = f"a look at the queue failed: {type(error).__name__}"
        text = text.removeprefix(f"{target.name}: ")
        self._done.put(_Looked(Told(clock.now(), text, problem=problem, instance=target.name)))

    # What comes back

    def _collect(self, seconds: float) -> None:
        """Wait for results, and write down what was held long enough; no result is told before."""
        found: list[_Done] = []
        try:
            item = self._done.get(timeout=seconds) if seconds > 0 else self._done.get_nowait()
            while True:
                if isinstance(item, _Done):
                    found.append(item)
                else:
                    self._looking -= 1
                    self._tell(item.told)
                item = self._done.get_nowait()
        except queue.Empty:
            pass
        for done in found:
            self._release(done.job)
        if found and not self._held:
            self._held_since = clock.monotonic()
        self._held += found
        lacking = any(done.probed.lacking for done in found)  # not to be asked any more
        if lacking or (self._held and clock.monotonic() - self._held_since >= HOLD):
            self._write_held()

    def _write_held(self) -> None:
        found, self._held = self._held, []
        self._check_clock()
        for target in self._targets_of(found):
            self._write(target, [done for done in found if done.job.target is target])

    def _targets_of(self, found: Sequence[_Done]) -> list[Target]:
        return list({id(done.job.target): done.job.target for done in found}.values())

    def _release(self, job: _Job) -> None:
        self._hosts[job.function.host] -= 1
        job.under_way -= 1
        self._under_way -= 1

    def _collect_all(self, patience: float) -> None:
        until = clock.monotonic() + patience
        while (self._under_way or self._looking) and clock.monotonic() < until:
            self._collect(TICK)

    def _write(self, target: Target, found: Sequence[_Done]) -> None:
        """One write per instance for all that came; samples across a clock step are left out."""
        lines: list[Mapping[str, object]] = []
        events: list[Event] = []
        for done in found:
            if done.probed.problem is not None:
                self._tell(
                    Told(clock.now(), done.probed.problem, problem=True, instance=target.name)
                )
            if done.epoch == self._epoch:
                self._take(target, done, lines, events)
        if not lines:
            return
        target.write(lines, min(done.probed.sent for done in found), self._tell)
        for event in events:
            self._tell(event)

    def _take(
        self,
        target: Target,
        done: _Done,
        lines: list[Mapping[str, object]],
        events: list[Event],
    ) -> None:
        job, watched = done.job, done.job.function.watched
        if done.probed.lacking is not None and watched.name not in target.known:
            if not job.over:
                job.over = True
                found = replace(watched, not_probed=LACKS + done.probed.lacking.reason)
                lines.append(function_line(found))
                events.append(Shown(target.name, found))
            return
        for sample, answer in done.probed.samples:
            if sample.function not in target.shown:
                target.shown.add(sample.function)
                found = replace(watched, name=sample.function, period=answer.period)
                lines.append(function_line(found))
                events.append(Shown(target.name, found))
                self._note_period(target, found, None)
            if sample.state == "ok":
                target.known.add(sample.function)
            self._note_run(target, sample)
            lines.append(sample_line(sample))
            events.append(Sampled(target.name, sample))

    def _note_period(self, target: Target, watched: Watched, last: datetime | None) -> None:
        if watched.period is not None and watched.not_probed is None:
            key = (target.name, watched.name)
            self._periodic[key] = Periodic(period=watched.period, last=last)

    def _note_run(self, target: Target, sample: Sample) -> None:
        """Remember the last run of a periodic function up to the close."""
        known = self._periodic.get((target.name, sample.function))
        run = _instant(sample.value)
        if known is None or run is None or run > self._plan.window.end:
            return
        if known.last is None or run > known.last:
            self._periodic[target.name, sample.function] = replace(known, last=run)

    def _beat(self) -> None:
        """A sign of life where nothing else was written."""
        every = min(BEAT_MOST, max(BEAT_LEAST, 2 * self._plan.policy.probe_interval))
        for target in self._targets:
            if clock.monotonic() - target.wrote >= every.total_seconds():
                target.beat(self._tell)

    def _check_clock(self) -> None:
        """The wall clock against the monotonic one; a step is a gap in every timeline."""
        offset = _offset()
        step, self._offset = offset - self._offset, offset
        if abs(step) < STEP:
            return
        self._epoch += 1
        at = clock.now()
        gap = Gap(
            since=min(at, at - step),
            until=max(at, at - step),
            reason=f"clock stepped by {step.total_seconds():+.3f} s, or the machine slept",
        )
        self._tell(Gapped(None, gap))
        for target in self._targets:
            target.write([gap_line(gap)], gap.since, self._tell)


def _offset() -> timedelta:
    """Wall clock less monotonic clock: moved at once by a step, hardly by slow adjustment."""
    return clock.now() - _EPOCH - timedelta(seconds=clock.monotonic())


_EPOCH = parse_instant("1970-01-01")


def _instant(value: str | None) -> datetime | None:
    try:
        return parse_instant(value) if value else None
    except ValueError:
        return None
