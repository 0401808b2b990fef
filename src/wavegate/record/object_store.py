# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The store on an object service such as S3, through fsspec: the same names under a prefix.

Everything is written put-if-absent, so nothing is ever overwritten. Objects cannot be appended to:
a journal stands there in parts, `<name>.part-<offset>`, that are read as the one file they were
cut from. Errors of the service are told apart: no credentials, no bucket, no network, damage.
"""

import io
import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from wavegate.canonical import digest as digest_of
from wavegate.errors import DamagedError, InternalError, MissingError, WavegateError
from wavegate.record.local_store import (
    FORMAT,
    FORMAT_NAME,
    MAX_BYTES,
    check_format,
    damaged,
    is_name,
    object_parts,
    parts_of,
)
from wavegate.record.store_walk import Entry

SCHEME = "s3"
_PART = re.compile(r"(.+)\.part-([0-9]{15})")
_NO_ACCESS = frozenset({"NoCredentialsError", "PartialCredentialsError", "PermissionError"})
_NO_NETWORK = re.compile(r"Connect|Timeout|Endpoint|HTTPClient|DNS")
_OPTIONS = {
    "use_listings_cache": False,
    "max_concurrency": 1,  # with more, each read is asked for its length first
    "config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}},
}


class Listing:
    """Which keys a store held at one instant, with their sizes, by prefix in no time."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self._keys = sorted(sizes)

    def below(self, prefix: str) -> dict[str, int]:
        """The keys that begin so, in order."""
        found: dict[str, int] = {}
        for place in range(bisect_left(self._keys, prefix), len(self._keys)):
            key = self._keys[place]
            if not key.startswith(prefix):
                break
            found[key] = self._sizes[key]
        return found

    def add(self, key: str, size: int) -> None:
        """A key that is there now."""
        if key not in self._sizes:
            self._sizes[key] = size
            insort(self._keys, key)


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A store on an object service; implements `record.store.Store`. Safe from many threads.

    files: an fsspec file system. root: bucket and prefix, without a final slash. listing: what it
    held when it was listed, for a reader that wants one instant; None: listed whenever asked.
    """

    files: Any
    root: str
    listing: Listing | None = None

    @classmethod
    def open(cls, url: str, *, create: bool) -> "ObjectStore":
        """Open the store at `s3://BUCKET/PREFIX`; with create, make it where there is none yet.

        The bucket must be there. Endpoint, region and credentials are those of the environment
        (`AWS_ENDPOINT_URL`, `AWS_PROFILE`, ...). Raises MissingError (extra s3 not installed, no
        credentials, no bucket, no store there), DamagedError (newer FORMAT), InternalError.
        """
        store = cls(_file_system(url), url.partition("://")[2].strip("/"))
        try:
            found = store._get(FORMAT_NAME)
        except MissingError as error:
            if error.message != _ABSENT:
                raise
            if not create:
                raise MissingError(
                    "there is no store here",
                    where=store.place,
                    cure="check --store, or make one with `wavegate plan --store`",
                ) from error
            store._found_store()
            found = FORMAT
        check_format(found, store._where(FORMAT_NAME))
        return store

    def still(self) -> "ObjectStore":
        """The store as it is now: listed once, for whoever reads much of it at one instant."""
        return replace(self, listing=Listing(self._sizes("")))

    def _found_store(self) -> None:
        """Write FORMAT; another who did so in the same instant wrote the same."""
        try:
            self._create(FORMAT_NAME, FORMAT)
        except FileExistsError:
            return

    @property
    def place(self) -> str:
        """The URL, for messages."""
        return f"{SCHEME}://{self.root}"

    def put(self, data: bytes) -> str:
        """Store bytes under their SHA-256 and return it; durable on return; idempotent.

        Raises MissingError, InternalError, or DamagedError (other bytes stand there).
        """
        found = digest_of(data)
        key = _key(found)
        try:
            self._create(key, data)
        except FileExistsError:
            if self._get(key) != data:
                raise damaged(self._where(key)) from None
        return found

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, hashed again on reading.

        Raises MissingError (no such object), DamagedError (bytes do not match), InternalError.
        """
        key = _key(digest)
        data = self._get(key)
        if digest_of(data) != digest:
            raise damaged(self._where(key))
        return data

    def create(self, name: str, data: bytes) -> None:
        """Write a name exclusively, durably and atomically.

        Raises FileExistsError if the name is taken, InputError (no name), InternalError.
        """
        parts_of(name)
        self._create(name, data)

    def read(self, name: str) -> bytes:
        """The bytes of a name. Raises MissingError, DamagedError (too large, a part is missing)."""
        parts_of(name)
        try:
            return self._get(name)
        except MissingError as error:
            if error.message != _ABSENT or not name.endswith(".jsonl"):
                raise
            return self._joined(name)

    def stream(self, name: str) -> BinaryIO:
        """The bytes of a name as a stream, for journals; the caller closes it. Raises as `read`."""
        return io.BytesIO(self.read(name))

    def names(self, prefix: str) -> tuple[str, ...]:
        """All names under a folder prefix such as `signed/`, sorted; a journal counts once."""
        return tuple(sorted({_whole(key) for key in self._sizes(prefix) if is_name(key)}))

    def digests(self) -> frozenset[str]:
        """The digests of all objects that are there."""
        return frozenset(key.rpartition("/")[2] for key in self._sizes("objects/"))

    def entries(self) -> Iterator[Entry]:
        """Everything below the root as it lies there, for a diagnosis."""
        for key, size in sorted(self._sizes("").items()):
            yield Entry(name=key, size=size)

    def hash_of(self, entry: Entry) -> str:
        """SHA-256 of what lies there. Raises OSError, as a file's would."""
        try:
            return digest_of(self._get(entry.name))
        except WavegateError as error:
            raise OSError(0, error.message) from error

    def length(self, name: str) -> int | None:
        """How many bytes of a journal are there; None where there is none of it."""
        parts = self._parts(name)
        return None if not parts else sum(size for _, size in parts)

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        """Add a part to a journal behind so many bytes. Raises FileExistsError, InternalError."""
        parts_of(name)
        self._create(f"{name}.part-{offset:015d}", data)

    def _joined(self, name: str) -> bytes:
        parts = self._parts(name)
        if not parts:
            raise MissingError(_ABSENT, where=self._where(name))
        if sum(size for _, size in parts) > MAX_BYTES:
            raise DamagedError(f"larger than {MAX_BYTES} bytes", where=self._where(name))
        data = b""
        for key, _ in parts:
            if key != f"{name}.part-{len(data):015d}":
                raise DamagedError(
                    f"the part from byte {len(data)} on is missing",
                    where=self._where(name),
                    cure="push the journal again from where it was written",
                )
            data += self._get(key)
        return data

    def _parts(self, name: str) -> list[tuple[str, int]]:
        folder = name.rpartition("/")[0]
        return [(k, n) for k, n in sorted(self._sizes(f"{folder}/").items()) if _whole(k) == name]

    def _sizes(self, prefix: str) -> dict[str, int]:
        """Keys below a prefix, relative to the root, with their sizes."""
        if self.listing is not None:
            return self.listing.below(f"{prefix.rstrip('/')}/" if prefix else "")
        place = f"{self.root}/{prefix}".rstrip("/")
        with _asking(self._where(prefix)):
            found = self.files.find(place, detail=True)
        start = len(self.root) + 1
        return {key[start:]: int(told["size"] or 0) for key, told in found.items()}

    def _get(self, key: str) -> bytes:
        with _asking(self._where(key)):
            data: bytes = self.files.cat_file(f"{self.root}/{key}")
        if len(data) > MAX_BYTES:
            raise DamagedError(f"larger than {MAX_BYTES} bytes", where=self._where(key))
        return data

    def _create(self, key: str, data: bytes) -> None:
        try:
            with _asking(self._where(key)):
                self.files.pipe_file(f"{self.root}/{key}", data, mode="create")
        except FileExistsError:
            self._note(key, data)  # by another, since the listing
            raise
        self._note(key, data)

    def _note(self, key: str, data: bytes) -> None:
        if self.listing is not None:
            self.listing.add(key, len(data))

    def _where(self, key: str) -> str:
        return f"{self.place}/{key}"


_ABSENT = "not in the store"


def _file_system(url: str) -> Any:
    try:
        import fsspec  # noqa: PLC0415 - an extra, and slow to load

        return fsspec.filesystem(SCHEME, skip_instance_cache=True, **_OPTIONS)
    except ImportError as error:
        raise MissingError(
            f"a store at {SCHEME}:// needs the extra s3, which is not installed",
            where=url,
            cure="pip install 'wavegate[s3]'",
        ) from error


def _key(digest: str) -> str:
    folder, name = object_parts(digest)
    return "/".join((*folder, name))


def _whole(key: str) -> str:
    """The name that a key is, or is a part of."""
    part = _PART.fullmatch(key)
    return part[1] if part else key


@contextmanager
def _asking(place: str) -> Iterator[None]:
    """Turn what the service says into our errors; a taken name passes through."""
    try:
        yield
    except (FileExistsError, WavegateError):
        raise
    except FileNotFoundError as error:
        raise _missing(error, place) from error
    except Exception as error:  # the services' libraries share no base class
        raise _told(error, place) from error


def _missing(error: FileNotFoundError, place: str) -> MissingError:
    if "bucket does not exist" not in str(error).lower():
        return MissingError(_ABSENT, where=place)
    return MissingError(
        "there is no such bucket",
        where=place,
        cure="make the bucket first; with Object Lock, nobody can delete from it for a time",
    )


def _told(error: Exception, place: str) -> WavegateError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = " ".join(str(error).split())[:300] or type(error).__name__
    if kinds & _NO_ACCESS:
        return MissingError(
            f"no access: {text}",
            where=place,
            cure="give credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, a role) that may list, get and "
            "put objects there",
        )
    if any(_NO_NETWORK.search(kind) for kind in kinds):
        return InternalError(
            f"the service cannot be reached: {text}",
            where=place,
            cure="check the network and AWS_ENDPOINT_URL, then repeat; what was stored is whole",
        )
    return InternalError(f"the service refused: {text}", where=place, cure="repeat it later")
