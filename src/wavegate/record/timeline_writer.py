# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Writing a timeline down: segments that follow each other, gaps that are told."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from wavegate.clock import format_instant
from wavegate.errors import InternalError
from wavegate.record.journal import Head, JournalBrokenError, JournalWriter
from wavegate.record.mail_journal import Follows
from wavegate.record.timeline import Gap
from wavegate.record.timeline_journal import SCHEMA, SUFFIX, TimelineHeader, gap_line

Checkpoint = Callable[[str, Head], None]
"""Called with a segment's name and its head; must not raise."""


class TimelineWriter:
    """Writes the timeline of one instance. Not safe to use from two threads at once.

    What a method returns from is on the disk. What it raises from is lost, and the span from there
    to the next success becomes a gap.
    """

    def __init__(
        self, folder: Path, header: TimelineHeader, *, checkpoint: Checkpoint | None = None
    ) -> None:
        """Begin a segment. Raises InternalError (disk full, read-only)."""
        self.samples = 0
        self._folder = folder
        self._header = header
        self._checkpoint = checkpoint
        self._lost: Gap | None = None
        self._segment: JournalWriter | None = self._begin(header)

    def write(
        self, lines: Sequence[Mapping[str, object]], *, since: datetime, at: datetime
    ) -> None:
        """Append lines made in a span, durably and together; before them, a gap that was open.

        since: the earliest instant these lines tell of. at: now. Raises InternalError.
        """
        try:
            segment = self._writable(at)
            gap = [gap_line(replace(self._lost, until=at))] if self._lost else []
            segment.append_many([*gap, *lines])
        except InternalError as error:
            self._lose(since, at, error.message)
            if isinstance(error, JournalBrokenError):
                self._end()
            raise
        self._lost = None
        self.samples += sum(line["kind"] == "sample" for line in lines)

    def heartbeat(self, at: datetime) -> None:
        """Write down that the watch lives. Raises InternalError."""
        self.write([{"kind": "heartbeat", "at": format_instant(at)}], since=at, at=at)

    def stop(self, at: datetime, *, settled: bool, reason: str) -> None:
        """Write down that the watch ends, and close. Raises InternalError, closed all the same."""
        line = {"kind": "stop", "at": format_instant(at), "settled": settled, "reason": reason}
        try:
            self.write([line], since=at, at=at)
        finally:
            self._end()

    def sign(self) -> None:
        """Give a checkpoint now, beside those of every minute."""
        if self._segment and self._checkpoint:
            self._checkpoint(_name(self._segment), self._segment.head)

    def _lose(self, since: datetime, at: datetime, reason: str) -> None:
        first = min(since, self._lost.since) if self._lost else since
        self._lost = Gap(since=first, until=at, reason=self._lost.reason if self._lost else reason)

    def _writable(self, at: datetime) -> JournalWriter:
        if self._segment is None:
            self._segment = self._begin(replace(self._header, at=at))
        return self._segment

    def _begin(self, header: TimelineHeader) -> JournalWriter:
        name, report = self._new_name(), self._checkpoint
        return JournalWriter.create(
            self._folder / (name + SUFFIX),
            schema=SCHEMA,
            header=header.to_fields(),
            checkpoint=(lambda head: report(name, head)) if report else None,
        )

    def _new_name(self) -> str:
        """Numbered in the order of creation, whatever the clock says."""
        numbers = [_number(path.name) for path in self._folder.glob("*" + SUFFIX)]
        return f"{max(numbers, default=0) + 1:06d}-{secrets.token_hex(4)}"

    def _end(self) -> None:
        if self._segment is None:
            return
        ended, self._segment = self._segment, None
        follows = Follows(segment=_name(ended), head=ended.head)
        self._header = replace(self._header, follows=follows)
        ended.close()


def _name(segment: JournalWriter) -> str:
    return segment.path.name.removesuffix(SUFFIX)


def _number(name: str) -> int:
    digits = name.partition("-")[0]
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 12 else 0
