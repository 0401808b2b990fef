# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import errno
import os
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import WAVE
from tests.builders.lively import alive

from wavegate import clock
from wavegate.errors import InputError, InternalError
from wavegate.estate.model import Estate
from wavegate.observe.functions.answer import Answer, Asked, Function, Lacking, ok, silent, wrong
from wavegate.observe.functions.facing import Facing
from wavegate.observe.routes import NoRouteError
from wavegate.observe.watch import TICK, AtMoment, Ended, Plan, watch
from wavegate.observe.watch_events import Event, Gapped, Told
from wavegate.observe.watch_hearing import Hearing
from wavegate.observe.watch_target import Target
from wavegate.record.local_store import LocalStore
from wavegate.record.queue import Moment
from wavegate.record.snapshot import Tool
from wavegate.record.timeline import Timeline, Watched
from wavegate.record.timeline_journal import TimelineHeader, folder_of, read_timelines
from wavegate.record.timeline_writer import TimelineWriter

EVERY = timedelta(milliseconds=20)
OPENS, LENGTH = timedelta(milliseconds=150), timedelta(milliseconds=250)
POLICY = {"settle": "100ms", "too_slow": "200ms", "probe_interval": "20ms"}
GOOD = (ok("fine"),)
Ask = Callable[[], Asked]


class Play:
    """A watch of made-up functions on a short window, and what it left behind."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.store = LocalStore.open(folder / "store", create=True)
        self.estate: Estate = alive(
            "http://127.0.0.1:9",
            folder,
            names=names or ("acme-prod1",),
            opens=OPENS,
            length=LENGTH,
            policy=POLICY,
        )
        self.folder = folder
        self.stop = threading.Event()
        self.events: list[Event] = []
        self.signed: list[int] = []
        self.hearing = Hearing(())
        self.on: Callable[[Event], None] = lambda _: None

    def target(self, name: str, asks: dict[str, Ask]) -> Target:
        """An instance with these functions."""
        functions = tuple(
            Function(watched=Watched(name=key, every=EVERY, expects="fine"), host=name, ask=ask)
            for key, ask in asks.items()
        )
        instance = self.estate.instance(name)
        header = TimelineHeader(
            at=clock.now(),
            instance=name,
            customer=instance.customer,
            wave=WAVE,
            vantage="here",
            tool=Tool(version="1.4.0", source="5" * 64),
            functions=tuple(found.watched for found in functions),
        )
        place = self.store.folder(folder_of(WAVE, name).rstrip("/"))
        faced = Facing(estate=self.estate, instance=instance, window=LENGTH, base=self.folder)
        writer = TimelineWriter(
            place, header, checkpoint=lambda _, head: self.signed.append(head.n)
        )
        return Target(facing=faced, session="none", functions=functions, writer=writer)

    def run(
        self,
        asks: dict[str, dict[str, Ask]],
        *,
        at_moments: Sequence[AtMoment] = (),
        until: timedelta | None = None,
    ) -> Ended:
        """Watch until it ends."""
        window = self.estate.wave(WAVE).window
        assert window is not None
        plan = Plan(
            window=window,
            policy=self.estate.policy,
            until=None if until is None else clock.now() + until,
            at_moments=tuple(at_moments),
        )
        targets = [self.target(name, functions) for name, functions in asks.items()]
        return watch(targets, plan, self.hearing, tell=self._tell, stop=self.stop)

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.on(event)

    def timeline(self, name: str = "acme-prod1") -> Timeline:
        """What stands on the disk."""
        found = read_timelines(self.store, WAVE, name)
        assert () == found.problems
        return found.timelines[0]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """One instance."""
    return Play(tmp_path)


def test_a_watch_ends_by_itself_when_the_close_has_settled(play: Play) -> None:
    """It looks before the opening, through the window and until it settled; then it is finished."""
    ended = play.run({"acme-prod1": {"a": lambda: GOOD, "b": lambda: GOOD}})
    window = play.estate.wave(WAVE).window
    assert window is not None
    found = play.timeline()
    assert (True, False) == (ended.settled, ended.interrupted)
    assert found.settled
    assert found.began < window.start
    assert window.end + timedelta(milliseconds=100) <= found.ended
    for name in ("a", "b"):
        sent = [sample.sent for sample in found.of(name)]
        assert min(sent) < window.start
        assert 8 <= sum(window.start <= at < window.end for at in sent) <= 14
    assert len(play.signed) >= 3  # the opening, the close, the end


def test_silence_counts_only_where_the_vantage_hears(tmp_path: Path) -> None:
    """All instances silent at once from one vantage says nothing of any (design, rule 15)."""
    play = Play(tmp_path, "acme-prod1", "globex-prod1")
    mute: dict[str, Ask] = {"a": lambda: (silent("timeout"),)}
    play.run({"acme-prod1": mute, "globex-prod1": mute})
    assert {False} == {sample.heard for sample in play.timeline().samples}


def test_an_instance_that_never_answers_is_told_from_one_that_does(tmp_path: Path) -> None:
    """The other's answers between sending and giving up are what the flag stands for."""
    play = Play(tmp_path, "acme-prod1", "globex-prod1")
    slow = threading.Event()

    def hang() -> Asked:
        slow.wait(0.1)
        return (silent("timeout"),)

    play.run({"acme-prod1": {"a": hang}, "globex-prod1": {"a": lambda: GOOD}})
    window = play.estate.wave(WAVE).window
    assert window is not None
    samples = [s for s in play.timeline().samples if s.sent < window.end]
    assert {("silent", True)} == {(sample.state, sample.heard) for sample in samples}
    assert len(samples) > 12  # several under way at once: silence does not thin the samples
    assert {"ok"} == {sample.state for sample in play.timeline("globex-prod1").samples}


@pytest.mark.parametrize(
    "error",
    [
        NoRouteError("192.0.2.1", "no IPv4 route"),
        InternalError("no sockets left"),
        InputError("odd"),
        RuntimeError("a bug"),
    ],
)
def test_a_fault_at_our_end_is_not_the_instances(play: Play, error: Exception) -> None:
    """No route, no sockets, a bug in a probe: unheard, told, and the watch goes on."""

    def fail() -> Asked:
        raise error

    play.run({"acme-prod1": {"a": fail, "b": lambda: GOOD}})
    found = play.timeline()
    assert {("silent", False)} == {(s.state, s.heard) for s in found.of("a")}
    assert {"ok"} == {s.state for s in found.of("b")}
    assert any(isinstance(event, Told) and event.problem for event in play.events)


def test_what_the_instance_lacks_is_not_probed_on(play: Play) -> None:
    """No Message Center here: one question, then its reason stands in the timeline."""
    asked: list[int] = []

    def lack() -> Asked:
        asked.append(1)
        return Lacking("HTTP 404")

    play.run({"acme-prod1": {"a": lack, "b": lambda: GOOD}})
    found = {watched.name: watched.not_probed for watched in play.timeline().functions}
    assert {"a": "as it turned out: HTTP 404", "b": None} == found
    assert () == play.timeline().of("a")
    assert len(asked) <= 4


def test_what_was_there_and_is_gone_is_wrong(play: Play) -> None:
    """A function that answered before is not excused by a 404."""
    answers: list[Asked] = [GOOD]
    play.run({"acme-prod1": {"a": lambda: answers.pop() if answers else Lacking("HTTP 404")}})
    states = [sample.state for sample in play.timeline().of("a")]
    assert ("ok", {"wrong"}) == (states[0], set(states[1:]))


def test_parts_are_functions_of_their_own(play: Play) -> None:
    """One question about all workflows gives each its samples, and its place in the plan."""
    parts: tuple[Answer, ...] = (
        ok("2 workflows"),
        ok("started", part="tracking", period=timedelta(hours=1), value="2024-01-16T22:00:00Z"),
        wrong("failed", part="cleanup"),
    )
    play.run({"acme-prod1": {"workflow": lambda: parts}})
    found = play.timeline()
    assert ["workflow", "workflow/cleanup", "workflow/tracking"] == [
        f.name for f in found.functions
    ]
    assert timedelta(hours=1) == found.functions[2].period
    assert len(found.of("workflow")) == len(found.of("workflow/cleanup"))


def test_ctrl_c_once_writes_what_is_under_way_and_closes(play: Play) -> None:
    """The round is finished, the timeline signed and not finished: it can be gone on with."""
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Asked:
        begun.set()
        go_on.wait(2)
        return GOOD

    def interrupt(_: Event) -> None:
        if begun.is_set() and not play.stop.is_set():
            play.stop.set()
            go_on.set()

    play.on = interrupt
    ended = play.run({"acme-prod1": {"a": slow}})
    found = play.timeline()
    assert (False, True, False) == (ended.settled, ended.interrupted, found.settled)
    assert found.of("a")
    assert play.signed


def test_a_slow_signal_handler_does_not_stop_the_clock(play: Play) -> None:
    """A machine so busy that the wait is over before the signal was handled ends the watch too."""
    ended, ends_in_time = threading.Event(), list[bool]()

    def interrupted() -> Asked:
        os.kill(os.getpid(), signal.SIGUSR1)
        ends_in_time.append(ended.wait(20))
        return GOOD

    def busy(_number: int, _frame: object) -> None:
        play.stop.set()
        threading.Event().wait(2 * TICK)

    before = signal.signal(signal.SIGUSR1, busy)
    try:
        assert play.run({"acme-prod1": {"a": interrupted}}).interrupted
    finally:
        ended.set()
        signal.signal(signal.SIGUSR1, before)
    assert False not in ends_in_time


def test_until_before_the_close_does_not_finish_a_timeline(play: Play) -> None:
    """Whoever tries it out for a moment can watch the window afterwards."""
    ended = play.run({"acme-prod1": {"a": lambda: GOOD}}, until=timedelta(milliseconds=60))
    assert (False, False) == (ended.settled, play.timeline().settled)


def test_a_full_disk_does_not_end_a_watch(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on looking, says so once, and the timeline has a gap."""
    real, failed = os.write, [0]

    def full(file: int, data: bytes) -> int:
        if b'"sample"' in data and failed[0] < 3:
            failed[0] += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", full)
    play.run({"acme-prod1": {"a": lambda: GOOD}})
    problems = [e for e in play.events if isinstance(e, Told) and e.problem]
    assert (1, 1) == (len(problems), len(play.timeline().gaps))
    assert play.timeline().settled


@pytest.mark.parametrize("step", [timedelta(seconds=-30), timedelta(seconds=30)])
def test_a_step_of_the_clock_is_a_gap(
    play: Play, monkeypatch: pytest.MonkeyPatch, step: timedelta
) -> None:
    """The wall clock against the monotonic one: what stands across a step has no place in time."""
    real, shift = clock.now, [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: real() + shift[0])

    def stepping(event: Event) -> None:
        if len(play.events) == 8:
            shift[0] = step
        if isinstance(event, Gapped):
            play.stop.set()

    play.on = stepping
    play.run({"acme-prod1": {"a": lambda: GOOD}})
    (gap,) = play.timeline().gaps
    assert abs(gap.until - gap.since - abs(step)) < timedelta(seconds=1)
    assert f"clock stepped by {step.total_seconds():+.0f}"[:20] in gap.reason
    assert all(sample.sent <= sample.ended for sample in play.timeline().samples)


def test_other_things_are_done_at_the_moments_of_the_window(play: Play) -> None:
    """The queue is looked at before, within and after; a look that fails does not end the watch."""
    seen: list[str] = []

    def look(facing: Facing, moment: Moment) -> str:
        seen.append(f"{facing.instance.name} {moment}")
        if moment == "window":
            raise InternalError("no")
        return "done"

    ended = play.run({"acme-prod1": {"a": lambda: GOOD}}, at_moments=(look,))
    expected = ["before", "window", "window", "window", "after"]
    assert [f"acme-prod1 {moment}" for moment in expected] == seen
    assert ended.settled


def test_a_host_is_not_asked_more_than_its_budget(play: Play) -> None:
    """However many functions hang, so many requests are under way at one host and no more."""
    under_way, most, lock = [0], [0], threading.Lock()
    go_on = threading.Event()

    def hang() -> Asked:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        go_on.wait(0.05)
        with lock:
            under_way[0] -= 1
        return GOOD

    play.run({"acme-prod1": {f"f{i}": hang for i in range(30)}})
    assert most[0] <= 16
