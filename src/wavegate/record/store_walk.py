# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every file of a store on a local folder as it lies there, for a diagnosis: only reading."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/(\1[0-9a-f]{62})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, or what stands where one should. name: relative to the root.

    kind: `file`, or `other` (a link, a device, a pipe). trouble: why it, or a folder, cannot be
    looked at; then size is 0.
    """

    name: str
    kind: str = "file"
    size: int = 0
    links: int = 1
    writable: bool = False
    trouble: str | None = None

    @property
    def object(self) -> str | None:
        """The digest that names it, for an object in its place."""
        found = _OBJECT.fullmatch(self.name)
        return found[2] if found else None


def walk(root: Path) -> Iterator[Entry]:
    """All entries below the root, sorted by folder; no link is followed. Never raises."""
    yield from _walk(root, "")


def _walk(root: Path, prefix: str) -> Iterator[Entry]:
    try:
        with os.scandir(root / prefix) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Entry(name=prefix, kind="other", trouble=error.strerror or str(error))
        return
    for entry in found:
        name = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, f"{name}/")
        else:
            yield _entry(entry, name)


def _entry(entry: "os.DirEntry[str]", name: str) -> Entry:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Entry(name=name, kind="other", trouble=error.strerror or str(error))
    return Entry(
        name=name,
        kind="file" if stat.S_ISREG(found.st_mode) else "other",
        size=found.st_size,
        links=found.st_nlink,
        writable=bool(found.st_mode & 0o222),
    )


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in bounded memory. Raises OSError."""
    hashed = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        while data := file.read(_CHUNK):
            hashed.update(data)
    return hashed.hexdigest()
