# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The capture loop: every instance once, bounded, interruptible without loss, our faults told."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance
from tests.builders.snapshots import answered, dns_seen, redir
from tests.builders.tiny_dns import TinyDns, Zone
from tests.builders.tiny_http import TinyCampaign, TinyHttp

from wavegate.errors import InternalError
from wavegate.estate.model import Estate
from wavegate.observe.campaign_probe import LOOKS, CampaignProbe
from wavegate.observe.capture import Captured, Limits, capture, stop_on_interrupt
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.http_client import HttpLimits
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Probe, Task
from wavegate.record.observation import Observation
from wavegate.record.snapshot import LeftOut

SEEN = dns_seen("news.acme.example", "TXT", answered("news.acme.example", "TXT", '"a"'))
OTHER = redir("build='1'")


class Plain:
    """A probe that knows only `look`."""

    name = "plain"

    def __init__(self, look: Callable[[Task], Looked]) -> None:
        self._look = look

    def questions(self, task: Task) -> Sequence[str]:
        """Nothing to announce."""
        del task
        return ()

    def look(self, task: Task) -> Looked:
        """What the test says."""
        return self._look(task)


class Looping(Plain):
    """A probe in the event loop. look: a coroutine function of task and notes."""

    def __init__(self, look: Callable[[Task, Notes], Awaitable[None]]) -> None:
        super().__init__(lambda _: Looked(observations=()))
        self._into = look

    @asynccontextmanager
    async def opened(
        self, estate: Estate
    ) -> AsyncIterator[Callable[[Task, Notes], Awaitable[None]]]:
        """One run."""
        del estate
        yield self._into


def tasks(count: int, **fields: object) -> list[Task]:
    """Tasks of a made-up estate."""
    made = [instance(f"acme-prod{n}", **fields) for n in range(1, count + 1)]
    whole = estate(*made)
    return [Task(estate=whole, instance=one, vantage="here", base=Path()) for one in made]


def sees(*observations: Observation) -> Plain:
    """A probe that always sees these."""
    return Plain(lambda _: Looked(observations=observations))


def test_every_instance_is_captured_once() -> None:
    """All probes' observations of an instance come together, with a progress line each."""
    lines: list[str] = []
    left = LeftOut(what="x", reason="y")
    plain = Plain(lambda _: Looked(observations=(SEEN,), left_out=(left,)))
    found = dict(capture(tasks(40), [plain, sees(OTHER)], progress=lines.append))
    assert sorted(found) == sorted(f"acme-prod{n}" for n in range(1, 41))
    assert {len(one.looked.observations) for one in found.values()} == {2}
    assert {one.looked.left_out for one in found.values()} == {(left,)}
    assert all(one.complete and one.began <= one.ended for one in found.values())
    assert lines[-1].startswith("40/40 ")


def test_nothing_to_do_is_nothing_done() -> None:
    """No instances, no results, no error."""
    assert list(capture([], [sees(SEEN)])) == []


def test_threads_and_hosts_are_bounded() -> None:
    """Never more threads than allowed, never more looks at one host than its budget."""
    lock, now, most = threading.Lock(), 0, 0

    def counted(task: Task) -> Looked:
        nonlocal now, most
        del task
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1
        return Looked(observations=(SEEN,))

    same_host = tasks(30, url="https://one.example")
    list(capture(same_host, [Plain(counted)], limits=Limits(threads=8, per_host=2)))
    assert most == 2


def test_a_fault_of_this_machine_ends_the_run_without_loss() -> None:
    """What was captured before the fault is handed out, and then the fault is raised."""
    first = threading.Event()

    def failing(task: Task) -> Looked:
        if task.instance.name == "acme-prod1":
            return Looked(observations=(SEEN,))
        first.wait(5)
        raise InternalError("no sockets left")

    found: dict[str, Captured] = {}
    with pytest.raises(InternalError, match="no sockets left"):  # noqa: PT012 - what is yielded before counts
        for name, one in capture(tasks(2), [Plain(failing)]):
            found[name] = one
            first.set()
    assert list(found) == ["acme-prod1"]


def test_a_probe_that_breaks_is_our_own_fault() -> None:
    """A bug in a probe is no observation and no bare traceback."""

    def broken(task: Task) -> Looked:
        raise ZeroDivisionError(task)

    with pytest.raises(InternalError, match="ZeroDivisionError"):
        list(capture(tasks(1), [Plain(broken)]))


def test_a_stop_keeps_what_is_there() -> None:
    """A stopped capture hands out what was noted, marked incomplete, and ends as interrupted."""
    stop = threading.Event()

    async def half(task: Task, notes: Notes) -> None:
        del task
        notes.observe(SEEN)
        stop.set()
        await asyncio.Event().wait()

    found: dict[str, Captured] = {}
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - what is yielded before counts
        for name, one in capture(tasks(5), [Looping(half)], limits=Limits(instances=1), stop=stop):
            found |= {name: one}
    assert [(one.complete, len(one.looked.observations)) for one in found.values()] == [(False, 1)]


def test_a_stop_waits_for_a_session_to_be_closed() -> None:
    """A blocking probe sees the stop, ends by itself, and what it noted last counts."""
    stop = threading.Event()

    class Closing(Plain):
        def look_into(self, task: Task, notes: Notes) -> None:
            del task
            notes.observe(SEEN)
            stop.set()
            assert notes.stopped.wait(5)
            notes.observe(OTHER)

    found: list[Captured] = []
    probe = Closing(lambda _: Looked(observations=()))
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - what is yielded before counts
        for _, one in capture(tasks(1), [probe], stop=stop):
            found.append(one)
    assert [(one.complete, len(one.looked.observations)) for one in found] == [(False, 2)]


def test_leaving_early_ends_the_work() -> None:
    """A consumer that stops iterating leaves no thread behind."""
    for _ in capture(tasks(50), [sees(SEEN)]):
        break
    assert [t.name for t in threading.enumerate() if t.name.startswith("wavegate")] == []


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_ctrl_c_sets_the_event_once(handler: "signal.Handlers") -> None:
    """The first Ctrl-C stops asking, the second interrupts; then all is as before.

    A shell begins a process in the background with SIGINT ignored; two must end it there too.
    """
    before = signal.signal(signal.SIGINT, handler)
    try:
        with stop_on_interrupt() as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_both_probes_over_real_sockets(tmp_path: Path) -> None:
    """DNS and HTTP of several instances in one capture, shared questions asked once."""
    zone = Zone('news.acme.example. TXT "v=spf1 -all"', "news.acme.example. NS ns.acme.example.")
    (tmp_path / "o").write_text("op")
    (tmp_path / "p").write_text("password")
    with TinyDns(zone) as names, TinyHttp(TinyCampaign()) as web:
        made = tasks(
            3,
            url=web.url,
            sending_ips=(),
            credentials={"operator": "file:o", "password": "file:p"},
        )
        given = made[0].estate.model_copy(update={"authoritative": {".": (names.server,)}})
        ready = [
            Task(estate=given, instance=one.instance, vantage="here", base=tmp_path) for one in made
        ]
        probes: list[Probe] = [DnsProbe(DnsLimits(timeout=5)), CampaignProbe(HttpLimits(seconds=5))]
        found = dict(capture(ready, probes))
        assert len(names.asked) == len(set(names.asked))
    kinds = [
        sorted({o.kind for o in one.looked.observations}) for one in found.values() if one.complete
    ]
    assert kinds == [["dns", "http", "soap"]] * 3
    looks = [o for o in found["acme-prod1"].looked.observations if o.kind == "http"]
    assert len(looks) == LOOKS
