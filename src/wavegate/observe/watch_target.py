# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An instance under watch: how it is faced, what is asked of it, and its timeline on the disk."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from wavegate import clock
from wavegate.errors import InternalError
from wavegate.observe.functions.answer import Function
from wavegate.observe.functions.campaign import Session
from wavegate.observe.functions.facing import Facing
from wavegate.observe.watch_events import Tell, Told
from wavegate.record.timeline_writer import TimelineWriter

LACKS = "as it turned out: "
"""How the reason begins that a probe found: the instance has no such function, or bars us."""
Lines = Sequence[Mapping[str, object]]


@dataclass(slots=True, kw_only=True)
class Target:
    """An instance to watch.

    known: names of functions that answered rightly at least once, in an earlier segment too.
    shown: names that the timeline has told of. wrote: when it was last written, monotonic.
    """

    facing: Facing
    session: Session | str
    functions: tuple[Function, ...]
    writer: TimelineWriter
    known: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    wrote: float = 0.0
    _failing: bool = False

    @property
    def name(self) -> str:
        """The instance."""
        return self.facing.instance.name

    def write(self, lines: Lines, since: datetime, tell: Tell) -> None:
        """Append to the timeline; a disk that is full is told once, and tried again later."""
        self.wrote = clock.monotonic()
        try:
            self.writer.write(lines, since=since, at=clock.now())
        except InternalError as error:
            self._failed(error, tell)
        else:
            self._worked(tell)

    def beat(self, tell: Tell) -> None:
        """A sign of life. Errors as `write`."""
        self.wrote = clock.monotonic()
        try:
            self.writer.heartbeat(clock.now())
        except InternalError as error:
            self._failed(error, tell)
        else:
            self._worked(tell)

    def stop(self, at: datetime, tell: Tell, *, settled: bool, reason: str) -> None:
        """The last line. Errors as `write`."""
        try:
            self.writer.stop(at, settled=settled, reason=reason)
        except InternalError as error:
            self._failed(error, tell)

    def log_off(self) -> None:
        """End the session, if one is open; where that fails, it ends by itself in a day."""
        if isinstance(self.session, Session):
            with suppress(Exception):
                self.session.close()

    def _failed(self, error: InternalError, tell: Tell) -> None:
        if not self._failing:
            text = f"the timeline cannot be written, a gap begins: {error.message}"
            tell(Told(clock.now(), text, problem=True, instance=self.name))
        self._failing = True

    def _worked(self, tell: Tell) -> None:
        if self._failing:
            tell(Told(clock.now(), "the timeline is written again", instance=self.name))
        self._failing = False


def without(functions: Sequence[Function], lacking: Mapping[str, str]) -> tuple[Function, ...]:
    """The functions, those that an earlier segment found lacking with its reason."""
    return tuple(
        Function(watched=replace(found.watched, not_probed=lacking[found.watched.name]))
        if found.watched.name in lacking and found.ask is not None
        else found
        for found in functions
    )
