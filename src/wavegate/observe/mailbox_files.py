# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Mailboxes in files: Maildir, mbox and `.eml`. Only read, never locked, moved or marked.

What lies in a mailbox was written by strangers: no symbolic link inside it is followed, nothing
but regular files is opened, and sizes are bounded before anything is read.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from wavegate.observe.mailbox_item import Item, MailboxError, RawMessage, Unread, printable
from wavegate.observe.mailbox_message import MAX_MESSAGE

MAX_PIECE = 64 * 1024
"""Longer lines of an mbox are read in pieces."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_INSIDE = os.O_NOFOLLOW
_SEPARATOR = re.compile(
    rb"From \S.*? (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .{0,40}\d\d:\d\d.{0,40}\r?\n?\Z"
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def maildir_items(path: Path) -> Iterator[Item]:
    """The messages of a Maildir, `cur` and `new`, by file name. Raises MailboxError."""
    found = 0
    for name in ("new", "cur"):
        try:
            with _folder(path / name, inside=True) as folder:
                found += 1
                yield from _files_in(folder, name, _names(folder))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(path / name, error) from error
    if not found:
        raise MailboxError(
            "no Maildir: there is neither `cur` nor `new` in it",
            where=str(path),
            cure="name the folder that holds them; a folder of .eml files is `eml:`",
        )


def eml_items(path: Path) -> Iterator[Item]:
    """The messages of a folder of `.eml` files, by name, or of one such file.

    Raises MailboxError.
    """
    yield from file_items(path, (".eml",), MAX_MESSAGE)


def file_items(path: Path, endings: tuple[str, ...], largest: int) -> Iterator[Item]:
    """One file, or the files of a folder (not of folders in it) that end so; bounded in size.

    Raises MailboxError.
    """
    try:
        if path.is_dir():
            with _folder(path, inside=False) as folder:
                names = [name for name in _names(folder) if name.lower().endswith(endings)]
                yield from _files_in(folder, "", names, largest)
            return
        found = _read(os.open(path, _FILE), largest)
    except OSError as error:
        raise _unreadable(path, error) from error
    yield _item(path.name, found)


def mbox_items(path: Path) -> Iterator[Item]:
    """The messages of an mbox (as mboxrd: `>From ` was `From `). Raises MailboxError."""
    try:
        with os.fdopen(os.open(path, _FILE), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise MailboxError("no mbox: it is not a file", where=str(path))
            yield from split_mbox(stream, str(path))
    except OSError as error:
        raise _unreadable(path, error) from error


@dataclass(slots=True)
class _Part:
    """The message being put together. size: of all of it; what is too much is not kept."""

    line: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    doubtful: int = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= MAX_MESSAGE + MAX_PIECE:
            self.pieces.append(piece)

    def item(self) -> Item:
        where = f"line {self.line}"
        if self.doubtful:
            reason = f"line {self.doubtful} begins like a separator and is none: where it ends is "
            return Unread(where=where, reason=reason + "not known")
        data = b"".join(self.pieces)
        data = data.removesuffix(b"\n").removesuffix(b"\r")
        if self.size > MAX_MESSAGE:
            return Unread(where=where, reason=f"larger than {MAX_MESSAGE} bytes")
        return RawMessage(where=where, data=_QUOTED.sub(rb"\1", data))


def split_mbox(stream: BinaryIO, where: str) -> Iterator[Item]:
    """The messages between the From_ lines of a stream, in bounded memory.

    A message that holds a line like a separator that is none is not read: nobody can tell where
    it ends. Raises MailboxError where the stream does not begin with a separator.
    """
    part: _Part | None = None
    number, begins, blank = 0, True, True
    while piece := stream.readline(MAX_PIECE):
        number += begins
        like = begins and blank and piece.startswith(b"From ")
        if like and _SEPARATOR.match(piece):
            if part:
                yield part.item()
            part = _Part(line=number)
        elif part is None:
            raise MailboxError(
                "no mbox: it does not begin with a From_ line",
                where=where,
                cure="name an mbox file; a single message is `eml:`",
            )
        else:
            part.doubtful = part.doubtful or (number if like else 0)
            part.add(piece)
        blank = begins and piece in (b"\n", b"\r\n")
        begins = piece.endswith(b"\n")
    if part:
        yield part.item()


@contextmanager
def _folder(path: Path, *, inside: bool) -> Iterator[int]:
    file = os.open(path, _FOLDER | (_INSIDE if inside else 0))
    try:
        yield file
    finally:
        os.close(file)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _files_in(
    folder: int, prefix: str, names: list[str], largest: int = MAX_MESSAGE
) -> Iterator[Item]:
    for name in sorted(names):
        if name.startswith("."):
            continue
        where = printable(f"{prefix}/{name}" if prefix else name)
        try:
            found = _read(os.open(name, _FILE | _INSIDE, dir_fd=folder), largest)
        except FileNotFoundError:
            continue  # moved to `cur` or removed while we look: the next look tells
        except OSError as error:
            link = error.errno in (errno.ELOOP, errno.EMLINK)
            reason = "a symbolic link is not followed" if link else _reason(error)
            yield Unread(where=where, reason=reason)
            continue
        yield _item(where, found)


def _item(where: str, found: bytes | str) -> Item:
    if isinstance(found, str):
        return Unread(where=where, reason=found)
    return RawMessage(where=where, data=found)


def _read(file: int, largest: int) -> bytes | str:
    """The bytes of a regular file that is not too large, or why not; closes it."""
    with os.fdopen(file, "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            return "not a regular file"
        data = stream.read(largest + 1) if found.st_size <= largest else None
    return f"larger than {largest} bytes" if data is None or len(data) > largest else data


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _unreadable(path: Path, error: OSError) -> MailboxError:
    return MailboxError(
        f"cannot be read: {_reason(error)}",
        where=str(path),
        cure="check the path in the estate file, and the right to read it",
    )
