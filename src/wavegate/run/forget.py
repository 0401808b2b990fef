# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb forget: delete one customer's records from a store, and say so, signed, in their place.

Only the bytes of records go. The statements over them stay, with instance, instant and digest, so
that what is missing is missed by name. Another customer's records are never touched.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wavegate import clock
from wavegate.canonical import digest
from wavegate.errors import InputError, InternalError, WavegateError
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read, write
from wavegate.evidence.tombstone import FOLDER, ForgottenPredicate, tombstone_name
from wavegate.record.local_store import LocalStore

_FOLDERS = ("signed/", "accepted/", "queues/", "checkpoints/")
MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """What was deleted. tombstone: its name in the store, None where nothing was left to delete."""

    customer: str
    records: tuple[str, ...]
    journals: tuple[str, ...]
    tombstone: str | None
    kept: int

    def to_json(self) -> dict[str, object]:
        """The object of `forget --json`."""
        return {
            "customer": self.customer,
            "records": list(self.records),
            "journals": list(self.journals),
            "tombstone": self.tombstone,
            "statements_kept": self.kept,
        }

    def text(self) -> str:
        """Lines for a person."""
        if self.tombstone is None:
            return f"nothing of {self.customer} is left to delete; what stays are statements"
        return (
            f"deleted {len(self.records)} records and {len(self.journals)} journals of "
            f"{self.customer}\n{self.kept} signed statements over them stay, and {self.tombstone} "
            "says why they are missing\nmail journals, sealed gates and bundles were not touched: "
            "docs/how-to/privacy.md"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whose records go, who wants it and why."""

    customer: str
    by: str
    why: str

    def __post_init__(self) -> None:
        """Raises InputError for an empty text, or one that is a document."""
        for name in ("by", "why"):
            text = getattr(self, name)
            if not text.strip() or len(text) > MAX_TEXT or "\0" in text:
                raise InputError(
                    f"--{name} is empty, or longer than {MAX_TEXT} characters",
                    cure="say it in a sentence: it is signed, and stands where the records stood",
                )


@dataclass(frozen=True, slots=True)
class _Named:
    """A statement over a record: whose, and of which instance in which wave."""

    name: str
    customer: str | None
    place: tuple[str, str]
    record: str | None


def forget(store: LocalStore, request: Request, signer: Signer) -> Buried:
    """Delete the objects that only this customer's statements name, and their watch journals.

    The tombstone is filed first, so that a crash leaves records, never an unexplained hole; then
    the verb is repeated. Raises InputError (no such customer here), InternalError (read-only).
    """
    named = tuple(_named(store))
    mine = [one for one in named if one.customer == request.customer]
    if not mine:
        there = sorted({one.customer for one in named if one.customer})
        raise InputError(
            f"nothing in this store is signed as of customer {request.customer!r}",
            where=store.place,
            cure=f"there are: {', '.join(there) or 'none'}",
        )
    others = {one.record for one in named if one.customer != request.customer}
    records = sorted({one.record for one in mine if one.record} - others)
    records = [record for record in records if _object(store, record).exists()]
    places = sorted({one.place for one in mine})
    journals = [name for wave, who in places for name in store.names(f"timelines/{wave}/{who}/")]
    tombstone = _bury(store, request, records, journals, signer) if records or journals else None
    for path in (*(_object(store, r) for r in records), *(store.root / j for j in journals)):
        _delete(path)
    return Buried(
        customer=request.customer,
        records=tuple(records),
        journals=tuple(journals),
        tombstone=tombstone,
        kept=len(mine),
    )


def _named(store: LocalStore) -> Iterator[_Named]:
    """Every statement over a record or journal. One that cannot be read names nothing of anyone."""
    for folder in _FOLDERS:
        for name in store.names(folder):
            with suppress(WavegateError):
                found = read(read_unverified(store.read(name)), RecordPredicate)
                told = found.predicate
                place = (told.wave or "", told.instance or "")
                record = None if folder == "checkpoints/" else found.only_digest()
                yield _Named(name=name, customer=told.customer, place=place, record=record)


def _object(store: LocalStore, record: str) -> Path:
    return store.root / "objects" / record[:2] / record


def _bury(
    store: LocalStore, request: Request, records: list[str], journals: list[str], signer: Signer
) -> str:
    earlier = store.names(f"{FOLDER}/{request.customer}/")
    told = ForgottenPredicate(
        customer=request.customer,
        at=clock.now(),
        by=request.by,
        why=request.why,
        sequence=len(earlier) + 1,
        previous=digest(read_unverified(store.read(earlier[-1]))) if earlier else None,
        records=tuple(records),
        journals=tuple(journals),
    )
    name = tombstone_name(request.customer, told.sequence)
    try:
        store.create(name, sign(write(told.subjects, told), signer))
    except FileExistsError as error:
        raise InputError(
            "somebody else is deleting here at this moment", where=name, cure="repeat it"
        ) from error
    return name


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InternalError(
            f"cannot be deleted: {error.strerror}",
            where=str(path),
            cure="give write permission on its folder, and repeat",
        ) from error
