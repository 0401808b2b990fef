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
from dataclasses import dataclass, field, replace
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
    """An open folder. names: its files, relative, sorted by their bytes.

    descriptor: of the folder. within: the folders of the file that was read last, from the outside
    in, with their descriptors: files that lie together are read together.
    """

    root: Path
    descriptor: int
    names: tuple[str, ...]
    budget: Budget
    within: list[tuple[str, int]] = field(default_factory=list, repr=False)

    def read(self, name: str) -> bytes:
        """The bytes of one of `names`. Raises InvalidError where it is no plain file any more."""
        *parents, last = name.split("/")
        try:
            return self._read_plain(os.open(last, _FLAGS, dir_fd=self._folder(parents)), name)
        except OSError as error:
            raise InvalidError(f"cannot be read: {error.strerror}", where=name) from error

    def close(self) -> None:
        """Close all folders."""
        self._leave(0)
        os.close(self.descriptor)

    def _folder(self, parts: list[str]) -> int:
        """The descriptor of an inner folder, opened part by part without following a link."""
        same = 0
        while same < min(len(parts), len(self.within)) and parts[same] == self.within[same][0]:
            same += 1
        self._leave(same)
        for part in parts[same:]:
            here = self.within[-1][1] if self.within else self.descriptor
            self.within.append((part, os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=here)))
        return self.within[-1][1] if self.within else self.descriptor

    def _leave(self, depth: int) -> None:
        while len(self.within) > depth:
            os.close(self.within.pop()[1])

    def _read_plain(self, descriptor: int, name: str) -> bytes:
        try:
            found = os.fstat(descriptor)
            _check_plain(found, name)
            data = _read_all(descriptor, min(found.st_size, self.budget.one) + 1)
        finally:
            os.close(descriptor)
        if len(data) > self.budget.one:
            raise InvalidError(f"larger than {self.budget.one} bytes", where=name)
        return data


def _read_all(descriptor: int, most: int) -> bytes:
    """All bytes, at most so many; a file that grows meanwhile is cut there."""
    data = os.read(descriptor, most)
    while len(data) < most and (more := os.read(descriptor, most - len(data))):
        data += more
    return data


@contextmanager
def open_tree(folder: Path, budget: Budget | None = None) -> Iterator[Tree]:
    """Open a bundle's folder and list its files.

    Raises InputError (a file, missing, empty, unreadable) and InvalidError (a link, a device, a
    name that is not plain, more than the budget).
    """
    bound = budget or Budget()
    tree = Tree(root=folder, descriptor=_open_folder(folder), names=(), budget=bound)
    try:
        names = _list(tree.descriptor, bound)
        if not names:
            raise InputError(
                "an empty folder", where=str(folder), cure="give the folder of a bundle"
            )
        yield replace(tree, names=names)
    finally:
        tree.close()


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


@dataclass(slots=True)
class _Listing:
    """The files met so far. total: their bytes."""

    budget: Budget
    names: list[str] = field(default_factory=list)
    total: int = 0

    def walk(self, folder: int, prefix: str) -> None:
        """Meet all files below an open folder. Raises InvalidError for what is no plain file."""
        with os.scandir(folder) as entries:
            for entry in entries:
                name = _plain_name(prefix + entry.name)
                if entry.is_dir(follow_symlinks=False):
                    self._enter(folder, entry.name, name)
                    continue
                found = entry.stat(follow_symlinks=False)
                _check_plain(found, name)
                self._meet(name, found.st_size)

    def _enter(self, folder: int, part: str, name: str) -> None:
        try:
            inner = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
        except OSError as error:
            raise InvalidError(f"cannot be opened: {error.strerror}", where=name) from error
        try:
            self.walk(inner, name + "/")
        finally:
            os.close(inner)

    def _meet(self, name: str, size: int) -> None:
        self.names.append(name)
        self.total += size
        budget = self.budget
        if len(self.names) > budget.files or self.total > budget.total or size > budget.one:
            raise InvalidError(
                f"more than {budget.files} files, {budget.total} bytes in all or "
                f"{budget.one} bytes in one",
                where=name,
                cure="this is no bundle of ours",
            )


def _list(root: int, budget: Budget) -> tuple[str, ...]:
    listing = _Listing(budget)
    listing.walk(root, "")
    names = sorted(listing.names)
    try:
        check_distinct(names)
    except ValueError as error:
        raise InvalidError(str(error), cure="this is no bundle of ours") from error
    return tuple(names)


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
