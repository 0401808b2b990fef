# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The store on a local folder: `FORMAT`, `objects/ab/<digest>`, and names written once.

A file is written beside its place, synced, linked there exclusively (a link never overwrites)
and the folder is synced; so a crash leaves the whole file or none. Symbolic links inside the
store are never followed. The format is described in docs/architecture.md.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wavegate.canonical import digest as digest_of
from wavegate.errors import DamagedError, InputError, InternalError, MissingError, WavegateError

FORMAT_NAME = "FORMAT"
FORMAT = b"wavegate-store 1\n"
VERSION = 1
MAX_BYTES = 1 << 30
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_OURS = frozenset({FORMAT_NAME, "objects"})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A store on a local folder; implements `record.store.Store`. Safe to use from many threads."""

    root: Path

    @classmethod
    def open(cls, path: Path, *, create: bool) -> "LocalStore":
        """Open the store at a path; with create, make it where there is none yet.

        Raises MissingError (no store there), InputError (a file, or a folder of something else),
        DamagedError (a newer or unreadable FORMAT), InternalError (read-only, disk full).
        """
        with _reading(str(path)):
            there, folder = path.exists(), path.is_dir()
            formatted = folder and (path / FORMAT_NAME).exists()
        if there and not folder:
            raise InputError(
                "the store is a folder, and this is a file",
                where=str(path),
                cure="give the folder that `wavegate plan --store` wrote, or a new one",
            )
        if not formatted and not create:
            raise MissingError(
                "there is no store here",
                where=str(path),
                cure="check --store, or make one with `wavegate plan --store`",
            )
        if not formatted:
            _create(path)
        with _reading(str(path)):
            found = (path / FORMAT_NAME).read_bytes()
        check_format(found, str(path / FORMAT_NAME))
        return cls(path.absolute())

    @property
    def place(self) -> str:
        """The path, for messages."""
        return str(self.root)

    def put(self, data: bytes) -> str:
        """Store bytes under their SHA-256 and return it; durable on return; idempotent.

        Raises InternalError (disk full, read-only) or DamagedError (other bytes stand there).
        """
        found = digest_of(data)
        folder, name = object_parts(found)
        place = self._path(folder, name)
        with _writing(place), self._folder(folder, create=True) as where:
            try:
                _link_new(where, name, data)
            except FileExistsError:
                if _read(where, name, place) != data:
                    raise damaged(place) from None
                os.fsync(where)
        return found

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, hashed again on reading.

        Raises MissingError (no such object) or DamagedError (bytes do not match, no digest).
        """
        folder, name = object_parts(digest)
        data = self._read(folder, name)
        if digest_of(data) != digest:
            raise damaged(self._path(folder, name))
        return data

    def create(self, name: str, data: bytes) -> None:
        """Write a name exclusively, durably and atomically.

        Raises FileExistsError if the name is taken, InputError (no name), InternalError.
        """
        folder, last = _split(name)
        with _writing(self._path(folder, last)), self._folder(folder, create=True) as where:
            _link_new(where, last, data)

    def read(self, name: str) -> bytes:
        """The bytes of a name. Raises MissingError, DamagedError (a link, too large)."""
        return self._read(*_split(name))

    def stream(self, name: str) -> BinaryIO:
        """The bytes of a name as a stream, for journals; the caller closes it.

        Raises MissingError, DamagedError (a link).
        """
        folder, last = _split(name)
        with _reading(self._path(folder, last)), self._folder(folder) as where:
            return os.fdopen(_open_regular(where, last), "rb", buffering=1 << 20)

    def names(self, prefix: str) -> tuple[str, ...]:
        """All names under a folder prefix such as `signed/`, sorted; none where it is not there.

        A link is listed too, and refused when it is read. Raises InternalError (unreadable).
        """
        parts = parts_of(prefix.rstrip("/")) if prefix.rstrip("/") else ()
        try:
            with _reading(self._path(parts, "")), self._folder(parts) as where:
                below = list(_walk(where))
        except MissingError:
            return ()
        found = ("/".join((*parts, name)) for name in below)
        return tuple(sorted(name for name in found if is_name(name)))

    def digests(self) -> frozenset[str]:
        """The digests of all objects that are there. Raises InternalError (unreadable)."""
        try:
            with _reading(self._path(("objects",), "")), self._folder(("objects",)) as where:
                return frozenset(name.rpartition("/")[2] for name in _walk(where))
        except MissingError:
            return frozenset()

    def folder(self, prefix: str) -> Path:
        """The durable folder of a prefix such as `mail`, made if need be, for journals.

        Raises InternalError (disk full, read-only).
        """
        parts = parts_of(prefix)
        path = self.root.joinpath(*parts)
        with _writing(str(path)), self._folder(parts, create=True):
            return path

    def _read(self, folder: tuple[str, ...], name: str) -> bytes:
        place = self._path(folder, name)
        with _reading(place), self._folder(folder) as where:
            return _read(where, name, place)

    def _path(self, folder: tuple[str, ...], name: str) -> str:
        return str(self.root.joinpath(*folder, name))

    @contextmanager
    def _folder(self, parts: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
        """A descriptor of a folder in the store, reached without following any link."""
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                if create:
                    _make_folder(here, part)
                below = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _create(path: Path) -> None:
    with _writing(str(path)):
        path.mkdir(parents=True, exist_ok=True)
        if (
            any(not name.name.startswith(".") for name in path.iterdir())
            and not (path / FORMAT_NAME).exists()
        ):
            raise InputError(
                "this folder holds something else than a store",
                where=str(path),
                cure="give an empty or a new folder",
            )
        here = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(FileExistsError):
                _link_new(here, FORMAT_NAME, FORMAT)
        finally:
            os.close(here)


def check_format(found: bytes, where: str) -> None:
    """Hold the bytes of FORMAT against this version. Raises DamagedError."""
    found = found[:100]
    if found == FORMAT:
        return
    match = re.fullmatch(rb"wavegate-store (\d{1,9})\n", found)
    if match and int(match[1]) > VERSION:
        raise DamagedError(
            f"this store has format {int(match[1])}; this Wavegate reads format {VERSION}",
            where=where.removesuffix(f"/{FORMAT_NAME}"),
            cure="use the Wavegate version that wrote it, or a newer one",
        )
    raise DamagedError(
        f"FORMAT does not say {FORMAT.decode().strip()!r}",
        where=where,
        cure="check that this place is a Wavegate store, or restore the file",
    )


def object_parts(digest: str) -> tuple[tuple[str, ...], str]:
    """The folder and the name of an object. Raises DamagedError for what is no digest."""
    if not _DIGEST.fullmatch(digest):
        raise DamagedError(f"{digest[:80]!r} is no SHA-256 digest")
    return ("objects", digest[:2]), digest


def _split(name: str) -> tuple[tuple[str, ...], str]:
    parts = parts_of(name)
    return parts[:-1], parts[-1]


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name in a store. Raises InputError for what is none."""
    if not is_name(name):
        raise InputError(
            f"{name[:200]!r} is no name in a store",
            cure="names have parts of A-Z a-z 0-9 . _ - with / between; none begins with a dot",
        )
    return tuple(name.split("/"))


def is_name(name: str) -> bool:
    """Whether a path is a name in a store, and neither FORMAT nor an object."""
    parts = name.split("/")
    return parts[0] not in _OURS and all(_PART.fullmatch(part) for part in parts)


def _make_folder(here: int, part: str) -> None:
    try:
        os.mkdir(part, 0o755, dir_fd=here)
    except FileExistsError:
        return
    os.fsync(here)


def _walk(folder: int) -> Iterator[str]:
    """Paths of the files below a folder, but those of objects; links are not followed."""

    def fail(error: OSError) -> None:
        raise error

    for here, folders, files, _ in os.fwalk(".", dir_fd=folder, onerror=fail):
        if here == ".":
            folders[:] = [name for name in folders if name not in _OURS]
        yield from (f"{here}/{name}".removeprefix("./") for name in files)


def _link_new(folder: int, name: str, data: bytes) -> None:
    """Write beside, sync, link exclusively, sync the folder. Raises FileExistsError, OSError."""
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, "the name is taken", name)
    beside = f".new-{secrets.token_hex(8)}"
    try:
        _write_synced(folder, beside, data)
        os.link(beside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
    os.fsync(folder)


def _write_synced(folder: int, name: str, data: bytes) -> None:
    file = os.open(name, _NEW, 0o444, dir_fd=folder)
    try:
        _write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _open_regular(folder: int, name: str) -> int:
    file = os.open(name, _READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.ELOOP, "no regular file")
    return file


def _read(folder: int, name: str, place: str) -> bytes:
    with os.fdopen(_open_regular(folder, name), "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DamagedError(f"larger than {MAX_BYTES} bytes", where=place)
    return data


def damaged(place: str) -> DamagedError:
    """That bytes are not those of their digest."""
    return DamagedError(
        "the bytes do not match the digest that names them",
        where=place,
        cure="restore the file from a copy; what rests on it cannot be judged until then",
    )


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Turn what the system says on reading into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError("not in the store", where=place) from error
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR}:
            raise DamagedError(
                "a link or folder stands where a file is expected; it is not followed",
                where=place,
                cure="put the file itself there",
            ) from error
        raise InternalError(
            f"cannot be read: {error.strerror}", where=place, cure="check the file's permissions"
        ) from error


@contextmanager
def _writing(place: str) -> Iterator[None]:
    """Turn what the system says on writing into our errors; a taken name passes through."""
    try:
        yield
    except (FileExistsError, WavegateError):
        raise
    except OSError as error:
        raise write_error(error, place) from error


def write_error(error: OSError, place: str) -> InternalError:
    """The InternalError of a failed write, with its cure: disk full, read-only, or another."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return InternalError(
            f"the disk is full: {error.strerror}",
            where=place,
            cure="free space or raise the quota, then repeat; what was recorded before is whole",
        )
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return InternalError(
            f"cannot be written: {error.strerror}",
            where=place,
            cure="give a store on a writable disk, or write permission on this folder",
        )
    return InternalError(
        f"cannot be written: {error.strerror}", where=place, cure="check the disk and the folder"
    )
