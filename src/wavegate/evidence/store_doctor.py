# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a store, record by record. It only reads: nothing is ever repaired.

What a hand or a disk damaged is told apart from what a crash leaves behind, which is harmless, and
from what is merely not understood.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.store_journals import DELETED, journal_troubles
from wavegate.evidence.store_signed import Signed, chain_troubles, gate_troubles, read_signed
from wavegate.evidence.store_stamps import stamp_troubles
from wavegate.evidence.tombstone import Forgotten, ForgottenPredicate, forgotten
from wavegate.evidence.trust import Trust
from wavegate.record.local_store import LocalStore
from wavegate.record.store_place import AnyStore
from wavegate.record.store_walk import Entry, hash_file, walk

_RESTORE = "restore the file from a copy; what rests on it cannot be judged until then"
_CRASH = "left behind by a crash; it is read by nobody and can be deleted by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A store that was looked at whole. newest: when the last signed thing in it ended."""

    place: str
    objects: int
    signed: int
    journals: int
    size: int
    newest: datetime | None
    diagnoses: tuple[Diagnosis, ...]

    @property
    def damaged(self) -> bool:
        """Whether something recorded is lost or changed."""
        return any(found.grade is Grade.DAMAGED for found in self.diagnoses)


def examine(store: AnyStore, trust: Trust | None) -> Examination:
    """Look at every byte of a store, the worst first in what is told.

    trust: whose signatures count; None where no trust file is at hand, which is said.
    """
    entries, hashed = _lying(store)
    signed, found = read_signed(store, trust)
    about = {one.record: one for one in signed if one.record}
    found += _layout(entries)
    found += _objects(entries, about, hashed)
    gone = forgotten(store, trust) if trust else Forgotten(records={}, journals={})
    found += _absent(entries, about, gone.records)
    found += chain_troubles(signed)
    found += gate_troubles(store, signed)
    found += stamp_troubles(store)
    found += journal_troubles(store, trust, gone.journals)
    return Examination(
        place=store.place,
        objects=sum(1 for entry in entries if entry.object),
        signed=len(signed),
        journals=sum(1 for entry in entries if entry.name.endswith(".jsonl")),
        size=sum(entry.size for entry in entries),
        newest=max((one.ended for one in signed if one.ended), default=None),
        diagnoses=tuple(sorted(found, key=lambda one: (list(Grade).index(one.grade), one.name))),
    )


def _layout(entries: tuple[Entry, ...]) -> Iterator[Diagnosis]:
    """What no store holds: links, devices, folders that cannot be read, misplaced objects."""
    for entry in entries:
        last = entry.name.rpartition("/")[2]
        if entry.trouble:
            text = f"cannot be looked at: {entry.trouble}"
            yield _damaged(entry.name, text, cure="give the right to read it")
        elif entry.kind != "file":
            text = "a link, device or pipe where a file belongs; it is not followed"
            yield _damaged(entry.name, text, cure="put the file itself there")
        elif last.startswith(".new-"):
            yield Diagnosis(
                grade=Grade.HARMLESS, name=entry.name, text="a file half written", cure=_CRASH
            )
        elif entry.name.startswith("objects/") and entry.object is None:
            yield Diagnosis(
                grade=Grade.ODD,
                name=entry.name,
                text="no object of a store: objects lie under their digest",
                cure="move it out of the store, if you know whose it is",
            )


def _lying(store: AnyStore) -> tuple[tuple[Entry, ...], Callable[[Entry], str]]:
    """All that lies in a store, and how the SHA-256 of one of them is had."""
    if isinstance(store, LocalStore):
        root = store.root
        return tuple(walk(root)), lambda entry: hash_file(root / entry.name)
    return tuple(store.entries()), store.hash_of


def _objects(
    entries: tuple[Entry, ...], about: dict[str, Signed], hashed: Callable[[Entry], str]
) -> Iterator[Diagnosis]:
    """Objects whose bytes changed, that nobody signed, or that can be written."""
    for entry in (entry for entry in entries if entry.object and entry.kind == "file"):
        known = about.get(entry.object or "")
        told = known.told if known else None
        try:
            changed = hashed(entry) != entry.object
        except OSError as error:
            yield _damaged(entry.name, f"cannot be read: {error.strerror}", about=told)
            continue
        if changed:
            text = f"its {entry.size} bytes do not match the digest that names them"
            yield _damaged(entry.name, text, about=told)
        elif known is None:
            yield Diagnosis(
                grade=Grade.HARMLESS,
                name=entry.name,
                text="no signed statement names this object",
                cure="a capture that was stopped before it signed leaves one; nothing reads it",
            )
        elif entry.writable:
            yield Diagnosis(
                grade=Grade.ODD,
                name=entry.name,
                text="it can be written, and a store writes objects read-only; its bytes are right",
                about=told,
                cure=f"chmod a-w {entry.name}",
            )


def _absent(
    entries: tuple[Entry, ...],
    about: dict[str, Signed],
    gone: Mapping[str, ForgottenPredicate],
) -> Iterator[Diagnosis]:
    """Signed records that are not there; gone: those that a tombstone says were deleted."""
    there = {entry.object for entry in entries if entry.object}
    for record, known in about.items():
        if record in there:
            continue
        text = f"its record {record} is not in the store"
        if record in gone:
            text = f"{text}: {gone[record].told}"
            yield Diagnosis(
                grade=Grade.ODD, name=known.name, text=text, about=known.told, cure=DELETED
            )
        else:
            yield _damaged(known.name, text, about=known.told)


def _damaged(name: str, text: str, *, about: str | None = None, cure: str = _RESTORE) -> Diagnosis:
    return Diagnosis(grade=Grade.DAMAGED, name=name, text=text, about=about, cure=cure)
