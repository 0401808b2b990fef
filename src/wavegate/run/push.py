# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb push: copy what one store holds into another, and overwrite nothing there.

Records first, then journals, then the statements over both, so that whoever reads the other store
meanwhile never meets a statement without its record. It can be repeated, and while the first store
grows.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wavegate.errors import InputError
from wavegate.record.local_store import LocalStore
from wavegate.record.object_store import ObjectStore
from wavegate.record.store_place import AnyStore

AT_ONCE = 8
JOURNAL = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What was copied. journals: bytes that were added, by name. differing: what stands there."""

    records: int
    names: int
    journals: dict[str, int]
    differing: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 all is there now, 1 something else stands in a place."""
        return 1 if self.differing else 0

    def to_json(self) -> dict[str, object]:
        """The object of `push --json`."""
        return {
            "records": self.records,
            "names": self.names,
            "journals": self.journals,
            "differing": list(self.differing),
        }

    def text(self) -> str:
        """Lines for a person."""
        told = (
            f"copied {self.records} records, {self.names} other files and "
            f"{sum(self.journals.values())} bytes of {len(self.journals)} journals"
        )
        return "\n".join(
            [
                told,
                *(
                    f"DIFFERS {name}: something else stands there, and is left as it is"
                    for name in self.differing
                ),
            ]
        )


def push(source: AnyStore, target: AnyStore) -> Pushed:
    """Copy everything that the target does not have.

    Raises DamagedError (a record of the source is damaged), InternalError (disk, network),
    InputError (both are the same, somebody else is copying the same journal).
    """
    if source.place == target.place:
        raise InputError("both are the same store", where=source.place, cure="give another --to")
    names = source.names("")
    records = sorted(source.digests() - target.digests())
    _each(lambda record: target.put(source.get(record)), records)
    journals = [name for name in names if name.endswith(JOURNAL)]
    added = {name: _journal(source, target, name) for name in journals}
    there = frozenset(target.names(""))
    others = [name for name in names if not name.endswith(JOURNAL)]
    copied = _each(lambda name: _name(source, target, name, there), others)
    differing = [name for name, size in added.items() if size is None]
    differing += [name for name, new in zip(others, copied, strict=True) if new is None]
    return Pushed(
        records=len(records),
        names=sum(1 for new in copied if new),
        journals={name: size for name, size in added.items() if size},
        differing=tuple(differing),
    )


def _each(work: "Callable[[str], object]", items: Iterable[str]) -> list[object]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wavegate-push") as pool:
        return list(pool.map(work, items))


def _name(source: AnyStore, target: AnyStore, name: str, there: frozenset[str]) -> bool | None:
    """Whether it was copied; None where something else stands there."""
    data = source.read(name)
    if name not in there:
        try:
            target.create(name, data)
        except FileExistsError:
            pass  # another push was faster: what it wrote is compared
        else:
            return True
    return False if target.read(name) == data else None


def _journal(source: AnyStore, target: AnyStore, name: str) -> int | None:
    """How many bytes were added to a journal; None where what stands there is not its beginning."""
    data = source.read(name)
    data = data[: data.rfind(b"\n") + 1]
    there = target.read(name) if name in target.names(name.rpartition("/")[0] + "/") else b""
    if there.startswith(data):
        return 0
    if not data.startswith(there):
        return None
    _append(target, name, data[len(there) :], offset=len(there))
    return len(data) - len(there)


def _append(target: AnyStore, name: str, data: bytes, *, offset: int) -> None:
    try:
        match target:
            case ObjectStore():
                target.append(name, data, offset=offset)
            case LocalStore():
                _to_folder(target, name, data, offset=offset)
    except FileExistsError as error:
        raise InputError(
            "somebody else is copying this journal at this moment",
            where=f"{target.place}/{name}",
            cure="repeat it when they are done",
        ) from error


def _to_folder(target: LocalStore, name: str, data: bytes, *, offset: int) -> None:
    """Write a journal into a folder: whole, and for its owner alone, as a sink writes it."""
    if offset:
        raise InputError(
            "the journal there is shorter, and only the one who writes it may append to it",
            where=f"{target.place}/{name}",
            cure="copy into a new folder",
        )
    target.create(name, data)
    (target.root / name).chmod(0o600)
