# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The hands of a watch: a bounded crew of threads, and one probe from question to sample."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from wavegate import clock
from wavegate.errors import InternalError, WavegateError
from wavegate.observe.functions.answer import (
    Answer,
    Asked,
    Function,
    Lacking,
    not_counted,
    ours,
    wrong,
)
from wavegate.observe.functions.facing import Facing
from wavegate.observe.routes import NoRouteError
from wavegate.observe.watch_hearing import Hearing
from wavegate.observe.watch_pulse import Pulse
from wavegate.record.timeline import Sample

MAX_TEXT = 300
OVERLOAD = 0.25
"""Part of the patience for which this machine may be late before a silence says nothing."""


class Crew:
    """Threads that do one piece of work after another; they do not outlive the process.

    A pool that the interpreter waits for would hold a second Ctrl-C up until the last time-out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)

    def do(self, work: Callable[[], None]) -> None:
        """Have something done soon. It must not raise.

        Raises InternalError where this machine has not even one thread left.
        """
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            self._hire()
        self._work.put(work)

    def _hire(self) -> None:
        thread = threading.Thread(target=self._run, name="wavegate-watch", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            if not self._threads:
                raise InternalError("this machine has no threads left") from error
            return  # those there are go on, only slower
        self._threads.append(thread)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            self._idle.release()

    def dismiss(self, seconds: float) -> None:
        """Let all go home, and wait so long for them."""
        for _ in self._threads:
            self._work.put(None)
        until = clock.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - clock.monotonic()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One probe that ended. samples: empty where the function is lacking. problem: our own."""

    samples: tuple[tuple[Sample, Answer], ...]
    lacking: Lacking | None
    sent: datetime
    problem: str | None


def probe(function: Function, facing: Facing, hearing: Hearing, pulse: Pulse) -> Probed:
    """Ask one function, and whether this vantage could hear if nobody answered. Never raises."""
    sent, began = clock.now(), clock.monotonic()
    asked, problem = _ask(function)
    took, late = clock.monotonic() - began, pulse.late(began)
    lacking = _lacking(asked)
    answers = (wrong(asked.reason),) if isinstance(asked, Lacking) else asked
    answers = tuple(_unless_late(answer, facing.seconds, took, late) for answer in answers)
    if any(answer.state != "silent" for answer in answers):
        hearing.answered(facing.instance.name)
    heard = [_heard(answer, facing, hearing, began) for answer in answers]
    ended = clock.now()
    samples = tuple(
        (_sample(function, facing, answer, sent, ended, heard=could), answer)
        for answer, could in zip(answers, heard, strict=True)
    )
    return Probed(samples=samples, lacking=lacking, sent=sent, problem=problem)


def _unless_late(answer: Answer, patience: float, took: float, late: float) -> Answer:
    """A silence, or an answer too late, that an overload of this machine may have made counts not.

    patience: when an answer is too late. took: of the probe. late: how much of it we did not run.
    """
    silence = answer.state == "silent" and late >= patience * OVERLOAD
    slow = answer.state == "ok" and took > patience >= took - late
    if not answer.counts or not (silence or slow):
        return answer
    told = f"our own fault: this machine was too busy, {late:.1f} of {took:.1f} s: {answer.detail}"
    return replace(not_counted(told), part=answer.part, period=answer.period)


def _lacking(asked: Asked) -> Lacking | None:
    """Why there is nothing to be probed, if so."""
    if isinstance(asked, Lacking):
        return asked
    forbidden = [answer.detail for answer in asked if answer.forbidden]
    return Lacking(forbidden[0]) if forbidden else None


def _ask(function: Function) -> tuple[Asked, str | None]:
    """The answers, and what went wrong at our end."""
    try:
        return (function.ask() if function.ask else ()), None
    except NoRouteError as error:
        return (ours(error),), f"{function.watched.name}: {error}"
    except InternalError as error:
        return (not_counted(f"our own fault: {error.message}"),), error.message
    except WavegateError as error:
        return (not_counted(error.message),), error.message
    except Exception as error:  # noqa: BLE001 - one probe's fault must not end the watch
        told = f"the probe {function.watched.name} failed: {type(error).__name__}"
        return (not_counted(told),), told


def _heard(answer: Answer, facing: Facing, hearing: Hearing, began: float) -> bool:
    """Whether a sample counts: it was answered, or the vantage heard something else meanwhile."""
    if not answer.counts:
        return False
    if answer.state != "silent":
        return True
    if answer.looked_up is not None:
        return hearing.no_such_host(answer.looked_up)
    return hearing.heard(facing.instance.name, began)


def _sample(
    function: Function,
    facing: Facing,
    answer: Answer,
    sent: datetime,
    ended: datetime,
    *,
    heard: bool,
) -> Sample:
    name = function.watched.name
    value = answer.value
    return Sample(
        function=name if answer.part is None else f"{name}/{answer.part}",
        sent=sent,
        ended=ended,
        state=answer.state,
        detail=facing.secrets.cut_text(answer.detail)[:MAX_TEXT],
        heard=heard,
        value=None if value is None else facing.secrets.cut_text(value)[:MAX_TEXT],
        stamp=answer.stamp,
        resolution_us=answer.resolution_us,
    )
