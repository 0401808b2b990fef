# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Where a store is: a folder of this machine, or `s3://BUCKET/PREFIX`, opened alike.

A URL comes through as a path, `s3:/BUCKET/PREFIX`, which no folder is called.
"""

from pathlib import Path

from wavegate.errors import InputError
from wavegate.record.local_store import LocalStore
from wavegate.record.object_store import SCHEME, ObjectStore
from wavegate.record.store import Store

AnyStore = LocalStore | ObjectStore
APPENDS = "a journal is appended to, line by line, and an object cannot be"


def url_of(place: Path) -> str | None:
    """The URL that a place is, or None for a folder."""
    parts = place.parts
    return f"{SCHEME}://{'/'.join(parts[1:])}" if parts[:1] == (f"{SCHEME}:",) else None


def open_store(place: Path, *, create: bool) -> AnyStore:
    """Open the store at a place. Raises as `LocalStore.open` and `ObjectStore.open` do."""
    url = url_of(place)
    if url is None:
        return LocalStore.open(place, create=create)
    if not place.parts[1:]:
        raise InputError("no bucket is named", where=url, cure="write s3://BUCKET/PREFIX")
    return ObjectStore.open(url, create=create)


def at_one_instant(store: Store) -> Store:
    """The store for whoever reads much of it: one elsewhere is listed once, not for each name."""
    return store.still() if isinstance(store, ObjectStore) else store


def on_this_machine(store: AnyStore, why: str) -> LocalStore:
    """The store, where it is a folder. Raises InputError for a store elsewhere.

    why: what cannot be done there, as a clause.
    """
    if isinstance(store, LocalStore):
        return store
    raise not_here(store.place, why)


def open_here(place: Path, why: str, *, create: bool) -> LocalStore:
    """Open a store that must be a folder. Raises as `LocalStore.open`, and InputError for a URL."""
    url = url_of(place)
    if url is not None:
        raise not_here(url, why)
    return LocalStore.open(place, create=create)


def not_here(place: str, why: str) -> InputError:
    """That something needs a folder. why: what cannot be done elsewhere, as a clause."""
    return InputError(
        f"{why}, so this needs a store on this machine",
        where=place,
        cure=f"use --store FOLDER, and `wavegate push --store FOLDER --to {place}` while it grows; "
        f"or `wavegate push --store {place} --to FOLDER` first",
    )
