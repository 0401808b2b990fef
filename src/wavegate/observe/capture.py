# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The capture loop: many instances, all probes, one process; interruptible without loss.

One event loop asks the DNS for all instances; HTTP goes through a bounded pool of threads with a
budget per host. Results are handed out as they come, so that they can be stored at once.
"""

import asyncio
import queue
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from wavegate import clock
from wavegate.errors import InternalError, WavegateError
from wavegate.estate.model import Estate
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Probe, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What was seen of one instance.

    began, ended: instants of the first question and the last outcome. complete: False where the
    capture was interrupted before everything was asked.
    """

    looked: Looked
    began: datetime
    ended: datetime
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """instances: in progress at once. threads: for HTTP. per_host: HTTP looks at one host."""

    instances: int = 64
    threads: int = 8
    per_host: int = 2


@runtime_checkable
class LoopProbe(Protocol):
    """A probe that looks at many instances in one event loop, sharing what it learns."""

    def opened(
        self, estate: Estate
    ) -> AbstractAsyncContextManager[Callable[[Task, Notes], Awaitable[None]]]:
        """One run; the callable looks at one instance and notes as it goes."""


@runtime_checkable
class ThreadProbe(Protocol):
    """A probe that blocks, and notes as it goes."""

    def look_into(self, task: Task, notes: Notes) -> None:
        """Look at one instance until `notes.stopped` is set."""


Look = Callable[[Task, Notes], Awaitable[None]]
_Item = tuple[str, Captured] | BaseException | None


def capture(
    tasks: Sequence[Task],
    probes: Sequence[Probe],
    *,
    progress: Callable[[str], None] = lambda _: None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[str, Captured]]:
    """Look at all instances; yields (instance name, Captured) as each is done.

    After Ctrl-C, or once `stop` is set, nothing more is asked; every instance begun is still
    yielded, marked incomplete, and then KeyboardInterrupt is raised.
    Raises InternalError for a fault of this machine, after what was captured has been yielded.
    """
    stopped = stop or threading.Event()
    results: queue.Queue[_Item] = queue.Queue()
    work = _Work(tasks, probes, limits or Limits(), stopped, results)
    thread = threading.Thread(target=work.run, name="wavegate-capture", daemon=True)
    thread.start()
    failure: BaseException | None = None
    done = 0
    try:
        while (item := _next(results, work)) is not None:
            if isinstance(item, BaseException):
                failure = item
                continue
            done += 1
            progress(f"{done}/{len(tasks)} {item[0]}: {_told(item[1])}")
            yield item
        interrupted = stopped.is_set()
    finally:
        work.stop()
        thread.join()
    if failure is not None:
        raise failure
    if interrupted:
        raise KeyboardInterrupt


def _told(captured: Captured) -> str:
    count = len(captured.looked.observations)
    return f"{count} observations" + ("" if captured.complete else ", interrupted")


def _next(results: "queue.Queue[_Item]", work: "_Work") -> _Item:
    """The next result; Ctrl-C while waiting stops the asking, not the handing out."""
    while True:
        try:
            return results.get()
        except KeyboardInterrupt:
            work.stop()


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; a second one interrupts. Main thread only.

    So it is too where a shell began us in the background, with SIGINT ignored.
    """
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class _Work:
    """The event loop of a capture, in a thread of its own."""

    def __init__(
        self,
        tasks: Sequence[Task],
        probes: Sequence[Probe],
        limits: Limits,
        stopped: threading.Event,
        results: "queue.Queue[_Item]",
    ) -> None:
        self._tasks = tasks
        self._probes = probes
        self._limits = limits
        self._stopped = stopped
        self._results = results
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="wavegate-http")

    def stop(self) -> None:
        """Ask nothing more."""
        self._stopped.set()

    def run(self) -> None:
        """Work until all is done or stopped; the last item put is None."""
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            self._results.put(_as_ours(error))
        finally:
            self._pool.shutdown(wait=True)
            self._results.put(None)

    async def _all(self) -> None:
        if not self._tasks:
            return
        gate = asyncio.Semaphore(self._limits.instances)
        async with AsyncExitStack() as stack:
            looks = [await self._look_of(probe, stack) for probe in self._probes]
            watcher = asyncio.create_task(self._watch())
            jobs = [asyncio.create_task(self._one(task, looks, gate)) for task in self._tasks]
            try:
                await _until(jobs, watcher)
            finally:
                await _settle([*jobs, watcher])
        _raise_first(jobs)

    async def _watch(self) -> None:
        """End soon after `stopped` is set, from whatever thread."""
        while not self._stopped.is_set():  # noqa: ASYNC110 - set by a signal handler that knows no loop
            await asyncio.sleep(0.05)

    async def _look_of(self, probe: Probe, stack: AsyncExitStack) -> Look:
        if isinstance(probe, LoopProbe):
            return await stack.enter_async_context(probe.opened(self._tasks[0].estate))

        async def look(task: Task, notes: Notes) -> None:
            loop = asyncio.get_running_loop()
            async with self._host(task):
                job = loop.run_in_executor(self._pool, _blocking, probe, task, notes)
                try:
                    await asyncio.shield(job)
                except asyncio.CancelledError:
                    await job  # it sees `stopped`, logs off and ends; its notes count
                    raise

        return look

    def _host(self, task: Task) -> asyncio.Semaphore:
        host = urlsplit(task.instance.url or "").netloc
        return self._hosts.setdefault(host, asyncio.Semaphore(self._limits.per_host))

    async def _one(self, task: Task, looks: Sequence[Look], gate: asyncio.Semaphore) -> None:
        """One instance: what was noted is handed out, even when the look is cut short."""
        async with gate:
            if self._stopped.is_set():
                return
            notes = Notes(task.vantage, self._stopped)
            began, complete = clock.now(), False
            try:
                await asyncio.gather(*(look(task, notes) for look in looks))
                complete = not self._stopped.is_set()
            finally:
                looked = notes.looked()
                if complete or looked.observations:
                    found = Captured(
                        looked=looked, began=began, ended=clock.now(), complete=complete
                    )
                    self._results.put((task.instance.name, found))


async def _until(jobs: Sequence["asyncio.Task[None]"], watcher: "asyncio.Task[None]") -> None:
    """Wait for all jobs, the first failure of one, or the watcher."""
    waiting: set[asyncio.Task[None]] = set(jobs)
    while waiting:
        done, _ = await asyncio.wait({*waiting, watcher}, return_when=asyncio.FIRST_COMPLETED)
        waiting -= done
        if watcher in done or any(job.exception() for job in done):
            return


async def _settle(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_first(jobs: Sequence["asyncio.Task[None]"]) -> None:
    for job in jobs:
        error = None if job.cancelled() else job.exception()
        if error is not None:
            raise error


def _blocking(probe: Probe, task: Task, notes: Notes) -> None:
    if isinstance(probe, ThreadProbe):
        probe.look_into(task, notes)
        return
    looked = probe.look(task)
    for observation in looked.observations:
        notes.observe(observation)
    for left in looked.left_out:
        notes.leave_out(left.what, left.reason)


def _as_ours(error: BaseException) -> BaseException:
    """A probe that raises anything but our own errors is a fault of Wavegate."""
    if isinstance(error, WavegateError | KeyboardInterrupt):
        return error
    found = InternalError(
        f"a probe failed: {type(error).__name__}", cure="report this; nothing recorded is lost"
    )
    found.__cause__ = error
    return found
