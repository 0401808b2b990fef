# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The files of a folder that somebody gave us: plain files only, bounded, each read once.

Nothing is followed: links, devices and pipes are refused by lstat before anything is opened, and
again on the open descriptor, folder by folder, so that a swap in between does not help.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wavegate.errors import InputError, InvalidError
from wavegate.evidence.safe_path import check_distinct, check_path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a verifier reads at most: number of files, bytes in all, bytes of one file."""

    files: int = 500_000
    total: int = 64 << 30
    one: int = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """An open folder. names: its files, relative, sorted by their bytes."""

    root: Path
    descriptor: int
    names: tuple[str, ...]
    budget: Budget

    def read(self, name: str) -> bytes:
        """The bytes of one of `names`. Raises InvalidError where it is no plain file any more."""
        folder = os.dup(self.descriptor)
        *parents, last = name.split("/")
        try:
            for parent in parents:
                inner = os.open(parent, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
                os.close(folder)
                folder = inner
            return self._read_plain(os.open(last, _FLAGS, dir_fd=folder), name)
        except OSError as error:
            raise InvalidError(f"cannot be read: {error.strerror}", where=name) from error
        finally:
            os.close(folder)

    def _read_plain(self, descriptor: int, name: str) -> bytes:
        with os.fdopen(descriptor, "rb") as file:
            _check_plain(os.fstat(descriptor), name)
            data = file.read(self.budget.one + 1)
        if len(data) > self.budget.one:
            raise InvalidError(f"larger than {self.budget.one} bytes", where=name)
        return data


@contextmanager
def open_tree(folder: Path, budget: Budget | None = None) -> Iterator[Tree]:
    """Open a bundle's folder and list its files.

    Raises InputError (a file, missing, empty, unreadable) and InvalidError (a link, a device, a
    name that is not plain, more than the budget).
    """
    bound = budget or Budget()
    descriptor = _open_folder(folder)
    try:
        names = _list(descriptor, bound)
        if not names:
            raise InputError(
                "an empty folder", where=str(folder), cure="give the folder of a bundle"
            )
        yield Tree(root=folder, descriptor=descriptor, names=names, budget=bound)
    finally:
        os.close(descriptor)


def _open_folder(folder: Path) -> int:
    cure = "give the folder of a bundle; an archive of one is never unpacked here: unpack it first"
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InputError("no such bundle", where=str(folder), cure=cure) from error
    except NotADirectoryError as error:
        text = "a file, and a bundle is a folder"
        raise InputError(text, where=str(folder), cure=cure) from error
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=str(folder)) from error


def _list(root: int, budget: Budget) -> tuple[str, ...]:
    names: list[str] = []
    total = 0
    for name, found in _walk(root, ""):
        names.append(name)
        total += found.st_size
        if len(names) > budget.files or total > budget.total or found.st_size > budget.one:
            raise InvalidError(
                f"more than {budget.files} files, {budget.total} bytes in all or "
                f"{budget.one} bytes in one",
                where=name,
                cure="this is no bundle of ours",
            )
    try:
        check_distinct(names)
    except ValueError as error:
        raise InvalidError(str(error), cure="this is no bundle of ours") from error
    return tuple(sorted(names))


def _walk(folder: int, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = _plain_name(prefix + entry.name)
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                yield from _walk_inner(folder, entry.name, name)
            else:
                _check_plain(found, name)
                yield name, found


def _walk_inner(folder: int, part: str, name: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        inner = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
    except OSError as error:
        raise InvalidError(f"cannot be opened: {error.strerror}", where=name) from error
    try:
        yield from _walk(inner, name + "/")
    finally:
        os.close(inner)


def _plain_name(name: str) -> str:
    try:
        return check_path(name)
    except ValueError as error:
        raise InvalidError(str(error), cure="this is no bundle of ours") from error


def _check_plain(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InvalidError(
            "a link, device or pipe where a plain file belongs",
            where=name,
            cure="get the bundle again; do not open this one with other tools",
        )
    if found.st_nlink != 1:
        raise InvalidError(
            "a hard link: the file can be changed from outside the bundle",
            where=name,
            cure="copy the bundle (cp -r) and verify the copy",
        )
