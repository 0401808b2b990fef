# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Looking at the queues of a wave's instances, and filing each look signed.

`capture` looks once per phase; `watch` looks just before the opening, in the window and after the
close. A look that fails is filed as one that failed, told, and never fatal.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from wavegate import clock
from wavegate.errors import InputError, WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.model import Estate, Instance
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.queue_shelf import LookReading, file_name, folder, read_looks
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read, record_subject, write
from wavegate.evidence.tool import tool
from wavegate.observe.campaign_login import no_way
from wavegate.observe.functions.facing import Facing
from wavegate.observe.probe import Task
from wavegate.observe.queue_probe import Follow, Place, look_at
from wavegate.record.queue import Moment, QueueLook
from wavegate.record.store import Store
from wavegate.run.keeping import row_keeper
from wavegate.run.opening import Opened

__all__ = ["Filed", "LookReading", "Looker", "file_look", "read_looks"]

ATTEMPTS = 20
AT_ONCE = 8
NAMED = 3
"""Problems of a look told in its line; the report names all."""
SPOOL_TIME = timedelta(hours=84)
"""Deliveries changed in this time before a look may still have mail in the relay's spool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A look that was stored. name: of its envelope. look.digest: of the record."""

    name: str
    look: QueueLook

    def told(self) -> str:
        """The look in a line for a person."""
        one = self.look
        if not one.complete:
            return f"{one.instance}: queue NOT LISTED: {one.missing}"
        named = [*one.problems[:NAMED], *(["..."] if len(one.problems) > NAMED else [])]
        odd = f", {len(one.problems)} problems: {'; '.join(named)}" if named else ""
        return (
            f"{one.instance}: queue: {len(one.rows)} log rows of {len(one.deliveries)} deliveries"
            f"{odd}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Looks at the queues of instances and files what it saw; `watch` and `capture` call it.

    say: told one line per look. stopped: set when nothing more may be asked.
    """

    opened: Opened
    signer: Signer
    vantage: str
    say: Callable[[str], None]
    stopped: Callable[[], bool] = lambda: False

    def look(self, moment: Moment, only: Iterable[str] = ()) -> tuple[Filed, ...]:
        """One look at each instance that can be asked. Never raises for what instances do.

        Raises InternalError where a look cannot be stored.
        """
        names = set(only)
        asked = [
            i for i in self.opened.instances if can_be_asked(i) and (not names or i.name in names)
        ]
        if not asked:
            return ()
        filed = []
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wavegate-queue") as pool:
            for found in pool.map(lambda instance: self._one(instance, moment), asked):
                filed.append(file_look(self.opened.store, found, self.signer, self.opened.estate))
                self.say(filed[-1].told())
        return tuple(filed)

    def at_moment(self, facing: Facing, moment: Moment) -> str:
        """The look at one instance that a watch asks for at its moments; a line about it."""
        filed = self.look(moment, only=(facing.instance.name,))
        return "; ".join(found.told() for found in filed) or "the queue cannot be asked for"

    def _one(self, instance: Instance, moment: Moment) -> QueueLook:
        estate = self.opened.estate
        task = Task(
            estate=estate,
            instance=instance,
            vantage=self.vantage,
            base=self.opened.loaded.path.resolve().parent,
        )
        place = Place(
            instance=instance.name,
            customer=instance.customer,
            wave=self.opened.wave.name,
            moment=moment,
            vantage=self.vantage,
            keep=row_keeper(estate, instance),
        )
        return look_at(task, place, self._follow(instance, moment), stopped=self.stopped)

    def _follow(self, instance: Instance, moment: Moment) -> Follow:
        """What the last look before knew; before itself, what may still be in the spool."""
        opening = self.opened.window.start
        if moment == "before":
            return Follow(since=clock.now() - SPOOL_TIME)
        before = _last_before(self.opened.store, self.opened.wave.name, instance.name)
        if before is None:
            return Follow(since=opening)
        return Follow(
            deliveries=tuple(found.id for found in before.deliveries),
            events=tuple(found.id for found in before.events or ()),
            since=min(opening, before.began),
        )


def can_be_asked(instance: Instance) -> bool:
    """Whether the estate names a url and what one logs on with."""
    return no_way(instance) is None


def file_look(store: Store, look: QueueLook, signer: Signer, estate: Estate) -> Filed:
    """Store a look, sign it and file it under the next number of its moment.

    Raises InternalError (disk full, read-only).
    """
    from wavegate.record.queue_file import from_bytes, to_bytes  # noqa: PLC0415 - polars is slow to load

    data = to_bytes(look)
    record = store.put(data)
    stored = from_bytes(data, digest=record)
    place = folder(look.wave, look.instance)
    for _ in range(ATTEMPTS):
        number, previous = _last(store, place, look.moment)
        statement = _statement(look, record, number + 1, previous, estate)
        name = place + file_name(look.moment, number + 1)
        try:
            store.create(name, sign(statement, signer))
        except FileExistsError:
            continue
        return Filed(name=name, look=stored)
    raise InputError("other looks keep taking the next number", cure="run one at a time")


def _statement(
    look: QueueLook, record: str, sequence: int, previous: str | None, estate: Estate
) -> bytes:
    predicate = RecordPredicate(
        instance=look.instance,
        customer=look.customer,
        wave=look.wave,
        kind="queue",
        phase=look.moment,
        began=look.began,
        ended=look.ended,
        vantage=look.vantage,
        tool=tool(),
        sequence=sequence,
        previous=previous,
        estate=agreed_digest(estate, look.wave, look.customer),
    )
    return write(record_subject(record), predicate)


def _last(store: Store, place: str, moment: Moment) -> tuple[int, str | None]:
    names = [name for name in store.names(place) if name.startswith(f"{place}{moment}-")]
    if not names:
        return 0, None
    found = read(read_unverified(store.read(names[-1])), RecordPredicate)
    return found.predicate.sequence, found.only_digest()


def _last_before(store: Store, wave: str, instance: str) -> QueueLook | None:
    """The last complete look before, for what to follow; unverified, since it proves nothing."""
    from wavegate.record.queue_file import from_bytes  # noqa: PLC0415 - polars is slow to load

    place = folder(wave, instance)
    for name in sorted(store.names(place), reverse=True):
        if not name.startswith(f"{place}before-"):
            continue
        try:
            record = read(read_unverified(store.read(name)), RecordPredicate).only_digest()
            look = from_bytes(store.get(record), digest=record)
        except WavegateError:
            continue
        if look.complete:
            return look
    return None
