# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Writing received mail down: segments that rotate, bounds on the disk, gaps that are told."""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wavegate.clock import format_instant, now
from wavegate.errors import InternalError
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.journal import Head, JournalBrokenError, JournalWriter
from wavegate.record.listening import Listener
from wavegate.record.mail_fields import to_fields
from wavegate.record.mail_journal import SCHEMA, SUFFIX, Follows, SegmentHeader
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received

Checkpoint = Callable[[str, Head], None]
"""Called with a segment's name and its head, at most once a minute and when it ends."""
Keep = Callable[[Received], Received]
"""What is written down of a mail, by the policy `keep`."""


class JournalFullError(InternalError):
    """The bound on the journals' size, or the reserve of the disk, is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the journals may take, in bytes.

    segment: size at which a new segment begins. total: of all journals in the folder, None for
    any. reserve: what is left free on the disk.
    """

    segment: int = 64 * 1024 * 1024
    total: int | None = None
    reserve: int = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Gap:
    since: datetime
    reason: str

    def line(self) -> Mapping[str, object]:
        since, at = format_instant(self.since), format_instant(now())
        return {"kind": "gap", "since": since, "at": at, "reason": self.reason}


class MailJournalWriter:
    """Writes received mail into segments. Not safe to use from two threads at once.

    What `append` returns from is on the disk; what it raises from is not, or does not count.
    """

    def __init__(
        self,
        folder: Path,
        listener: Listener,
        *,
        bounds: Bounds | None = None,
        checkpoint: Checkpoint | None = None,
        keep: Keep | None = None,
    ) -> None:
        """Begin with a segment in a folder. Raises InternalError (disk full, read-only)."""
        self._keep = keep
        self.messages = 0
        self._folder = folder
        self._listener = listener
        self._bounds = bounds or Bounds()
        self._checkpoint = checkpoint
        self._gap: _Gap | None = None
        self._ended = sum(path.stat().st_size for path in folder.glob("*" + SUFFIX))
        self._segment: JournalWriter | None = None
        self._follows: Follows | None = None
        self._write(lambda: [self._sign("start")])

    def append(self, mails: Sequence[Received]) -> None:
        """Write mails down, durably and together.

        Raises JournalFullError, or InternalError (disk full, sync failed); a later one may work.
        Whatever `keep` raises goes through, and nothing is written.
        """
        kept = mails if self._keep is None else [self._keep(mail) for mail in mails]
        self._check_room(sum(len(mail.raw) * 4 // 3 + 1000 for mail in kept))
        self._write(lambda: [{"kind": "mail", **to_fields(mail)} for mail in kept])
        self.messages += len(mails)

    def append_report(self, report: DmarcReport) -> None:
        """Write a DMARC aggregate report down, durably. Raises as `append`."""
        self._check_room(len(report.xml or b"") * 4 // 3 + 300 * len(report.rows) + 1000)
        self._write(lambda: [{"kind": "report", **report.to_fields()}])

    def append_look(self, look: MailLook) -> None:
        """Write down how a look into a mailbox went, durably. Raises as `append`."""
        self._check_room(20_000)
        self._write(lambda: [{"kind": "look", **look.to_fields()}])

    def heartbeat(self) -> None:
        """Write down that the sink listens at this instant. Raises as `append`."""
        self._check_room(1000)
        self._write(lambda: [self._sign("heartbeat")])

    def close(self) -> None:
        """Write down that the sink stops, and close. Raises InternalError, closed all the same."""
        try:
            self._write(lambda: [self._sign("stop")])
        finally:
            self._end_segment()

    @property
    def has_room(self) -> bool:
        """Whether neither bound is reached."""
        return self._full(0) is None

    def _sign(self, kind: str) -> Mapping[str, object]:
        return {"kind": kind, "at": format_instant(now()), "messages": self.messages}

    def _full(self, more: int) -> str | None:
        """Why so many more bytes do not fit, or None."""
        total, used = self._bounds.total, self._ended
        used += self._segment.size if self._segment else 0
        if total is not None and used + more > total:
            return f"the mail journals have reached their bound of {total} bytes"
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            return f"nobody can tell how much is free on the disk: {error.strerror}"
        if free < self._bounds.reserve + more:
            return f"less than {self._bounds.reserve} bytes are free on the disk"
        return None

    def _check_room(self, more: int) -> None:
        full = self._full(more)
        if full:
            self._open_gap(full)
            cure = "free space, raise the bound, or use another store"
            raise JournalFullError(full, where=str(self._folder), cure=cure)

    def _open_gap(self, reason: str) -> None:
        self._gap = self._gap or _Gap(now(), reason)

    def _write(self, lines: Callable[[], Sequence[Mapping[str, object]]]) -> None:
        """Write lines, after a word on the gap before them, if there was one.

        They are made once the segment is there, so that none is older than its header.
        """
        try:
            segment = self._writable_segment()
            segment.append_many([*([self._gap.line()] if self._gap else []), *lines()])
        except InternalError as error:
            self._open_gap(error.message)
            if isinstance(error, JournalBrokenError):
                self._end_segment()
            raise
        self._gap = None

    def _writable_segment(self) -> JournalWriter:
        if self._segment and self._segment.size >= self._bounds.segment:
            self._end_segment()
        if self._segment is None:
            self._segment = self._new_segment()
        return self._segment

    def _new_segment(self) -> JournalWriter:
        at, report = now(), self._checkpoint
        name = f"{at:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        header = SegmentHeader(at=at, listener=self._listener, follows=self._follows)
        return JournalWriter.create(
            self._folder / (name + SUFFIX),
            schema=SCHEMA,
            header=header.to_fields(),
            checkpoint=(lambda head: report(name, head)) if report else None,
        )

    def _end_segment(self) -> None:
        if self._segment is None:
            return
        ended, self._segment = self._segment, None
        self._ended += ended.size
        name = ended.path.name.removesuffix(SUFFIX)
        self._follows = Follows(segment=name, head=ended.head)
        ended.close()
