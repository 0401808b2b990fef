# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Append-only journals: one canonical JSON object a line, each bound to the line before it.

Line `n` holds `n` and `prev`, the SHA-256 of the whole line before it with its newline
(`sed -n Np FILE | sha256sum`); line 0 is a header with the schema and `prev` null. An append is
one write and one sync; what was acknowledged is on the disk, and a crash can tear only the end.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from wavegate.canonical import digest, dumps, loads
from wavegate.clock import monotonic
from wavegate.errors import DamagedError, InternalError
from wavegate.record.local_store import write_error

MAX_LINE = 64 * 1024 * 1024
CHECKPOINT_SECONDS = 60.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last line of a journal: its number, and the SHA-256 of its bytes; signed in checkpoints.

    A journal without any line has n -1 and an empty line digest.
    """

    n: int
    line: str


NO_HEAD = Head(n=-1, line="")


class JournalBrokenError(InternalError):
    """The journal can no longer be trusted to append: a sync failed. Go on in a new one.

    A failed sync is never repeated on the same descriptor: the kernel may have dropped the pages
    and would report success.
    """


class JournalWriter:
    """The one writer of a journal file. Not safe to use from two threads at once."""

    def __init__(self, path: Path, file: int, checkpoint: Callable[[Head], None] | None) -> None:
        self.path = path
        self.size = 0
        self.head = NO_HEAD
        self._file = file
        self._broken = False
        self._checkpoint = checkpoint
        self._due = monotonic() + CHECKPOINT_SECONDS

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        schema: str,
        header: Mapping[str, object],
        checkpoint: Callable[[Head], None] | None = None,
    ) -> "JournalWriter":
        """Make a journal exclusively and write its header durably.

        checkpoint: called with the head at most once a minute after an append, and at close; it
        must not raise. Raises FileExistsError (name taken), InternalError (disk, permissions);
        then no file is left.
        """
        try:
            file = os.open(path, _NEW, 0o600)
        except FileExistsError:
            raise
        except OSError as error:
            raise write_error(error, str(path)) from error
        journal = cls(path, file, checkpoint)
        try:
            journal.append_many([{"schema": schema, **header}])
            _sync_folder(path.parent)
        except InternalError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        return journal

    def append(self, body: Mapping[str, object]) -> Head:
        """Append one line; durable on return. Errors as `append_many`."""
        return self.append_many([body])

    def append_many(self, bodies: Sequence[Mapping[str, object]]) -> Head:
        """Append lines by one write and one sync; all are durable on return, or none is kept.

        Raises InternalError (disk full; the journal is cut back to its last good line and can be
        used again), JournalBrokenError (sync failed), ValueError (no canonical form, too long).
        """
        if self._broken:
            raise JournalBrokenError("this journal failed earlier", where=str(self.path))
        data, head = self._lines(bodies)
        self._write(data)
        self._sync()
        self.size += len(data)
        self.head = head
        if self._checkpoint and monotonic() >= self._due:
            self._due = monotonic() + CHECKPOINT_SECONDS
            self._checkpoint(head)
        return head

    def close(self) -> None:
        """Give the last checkpoint and close. Closing twice does nothing."""
        if self._file < 0:
            return
        with suppress(OSError):  # each line was synced when it was written
            os.close(self._file)
        self._file, self._broken = -1, True
        if self._checkpoint:
            self._checkpoint(self.head)

    def _lines(self, bodies: Sequence[Mapping[str, object]]) -> tuple[bytes, Head]:
        lines, head = [], self.head
        for body in bodies:
            n, prev = head.n + 1, head.line or None
            line = dumps({**body, "n": n, "prev": prev}) + b"\n"
            if len(line) > MAX_LINE:
                raise ValueError(f"a line of {len(line)} bytes is longer than {MAX_LINE}")
            lines.append(line)
            head = Head(n=n, line=digest(line))
        return b"".join(lines), head

    def _write(self, data: bytes) -> None:
        """One write; whatever less than all of it arrived is cut off again."""
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._cut_back()
            raise write_error(error, str(self.path)) from error
        if written != len(data):
            self._cut_back()
            raise InternalError(
                f"the disk is full: {written} of {len(data)} bytes were written",
                where=str(self.path),
                cure="free space, then repeat; what was acknowledged before is whole",
            )

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._file, self.size)
        except OSError:
            self._broken = True

    def _sync(self) -> None:
        try:
            _fdatasync(self._file)
        except OSError as error:
            self._broken = True
            raise JournalBrokenError(
                f"the disk did not confirm a write: {error.strerror}",
                where=str(self.path),
                cure="check the disk; recording goes on in a new file",
            ) from error


def _fdatasync(file: int) -> None:
    """Sync the data of a file; where the system has no fdatasync, all of it."""
    getattr(os, "fdatasync", os.fsync)(file)


def _sync_folder(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise write_error(error, str(path)) from error


ProblemKind = Literal["torn", "chain", "line", "too-long", "schema", "unsigned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalProblem:
    """Something wrong with a journal, found on reading.

    kind: `torn`, the last line has no newline and was dropped, or there is no line at all (a
    crash, or a writer at work; nothing acknowledged is missing by it); `chain`, numbers or digests
    do not follow; `line`, a line that cannot be read; `too-long`; `schema`, another kind or a
    newer version, nothing of it was read; `unsigned`, lines behind the last
    signed checkpoint, left out (a writer at work, or one that was killed).
    journal: its name. n: the line from 0. detail: a sentence.
    """

    kind: ProblemKind
    journal: str
    n: int
    detail: str

    def __str__(self) -> str:
        return f"{self.journal}, line {self.n}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One whole line: its place from 0, its fields (n and prev among them), and its digest."""

    at: int
    fields: Mapping[str, object]
    digest: str


def read_journal(
    stream: BinaryIO,
    *,
    journal: str,
    schema: str,
    note: Callable[[JournalProblem], None],
    max_line: int = MAX_LINE,
) -> Iterator[JournalLine]:
    """The lines of a journal, header first, as a stream; problems go to `note`, none is raised.

    A last line without newline is dropped. A line that cannot be read is left out and the reading
    goes on behind it. A journal of another schema gives no lines.
    """

    def tell(kind: ProblemKind, at: int, detail: str) -> None:
        note(JournalProblem(kind=kind, journal=journal, n=at, detail=detail))

    previous: str | None = None
    for at, raw in enumerate(_raw_lines(stream, max_line)):
        if not raw.ended:
            tell("torn", at, f"the last {raw.size} bytes have no newline and are left out")
            return
        fields = _fields(raw)
        if at == 0 and (not isinstance(fields, dict) or fields.get("schema") != schema):
            tell("schema", 0, _other_schema(fields, schema))
            return
        if isinstance(fields, _Bad):
            tell(fields.kind, at, fields.detail)
        else:
            if (fields.get("n"), fields.get("prev")) != (at, previous):
                tell("chain", at, "it does not follow the line before it")
            yield JournalLine(at=at, fields=fields, digest=raw.digest)
        previous = raw.digest
    if previous is None:
        tell("torn", 0, "the journal has not even a header")


@dataclass(frozen=True, slots=True)
class _Raw:
    """One line as it lies in the file. data: None where it was too long to be kept."""

    data: bytes | None
    size: int
    digest: str
    ended: bool


@dataclass(frozen=True, slots=True)
class _Bad:
    """A line that cannot be read, and why."""

    kind: Literal["line", "too-long"]
    detail: str


def _raw_lines(stream: BinaryIO, max_line: int) -> Iterator[_Raw]:
    while data := stream.readline(max_line):
        if len(data) == max_line and not data.endswith(b"\n"):
            yield _skip(stream, data, max_line)
        else:
            yield _Raw(data, len(data), digest(data), data.endswith(b"\n"))


def _skip(stream: BinaryIO, data: bytes, max_line: int) -> _Raw:
    """Read over the rest of a line that is too long, keeping its digest only."""
    hashed, size = hashlib.sha256(data), len(data)
    while not data.endswith(b"\n") and (data := stream.readline(max_line)):
        hashed.update(data)
        size += len(data)
    return _Raw(None, size, hashed.hexdigest(), data.endswith(b"\n"))


def _fields(raw: _Raw) -> dict[str, object] | _Bad:
    if raw.data is None:
        return _Bad("too-long", f"a line of {raw.size} bytes is left out")
    try:
        fields = loads(raw.data)
    except DamagedError as error:
        return _Bad("line", error.message)
    return fields if isinstance(fields, dict) else _Bad("line", "not an object")


def _other_schema(fields: dict[str, object] | _Bad, schema: str) -> str:
    found = fields.detail if isinstance(fields, _Bad) else repr(fields.get("schema"))
    return (
        f"schema {schema!r} is read here, and this is {found[:200]}: "
        "use the Wavegate version that wrote it, or a newer one"
    )
