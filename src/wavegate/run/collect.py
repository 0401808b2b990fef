# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb collect: read mailboxes and DMARC reports into a store's mail journals."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from wavegate.errors import InputError
from wavegate.estate.load import Loaded, load
from wavegate.estate.model import Instance
from wavegate.evidence.signer import Signer
from wavegate.observe.collect import Collector, Place, line_of, places
from wavegate.record.journal import Head
from wavegate.record.listening import Listener
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import FOLDER, Collected, collected
from wavegate.record.mail_look import MailLook
from wavegate.record.mail_writer import Checkpoint, MailJournalWriter
from wavegate.record.store_place import AnyStore, open_store
from wavegate.run.keeping import mail_keeper
from wavegate.run.opening import vantage
from wavegate.run.sink import sign_checkpoint

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a collection brought, look by look."""

    looks: tuple[MailLook, ...]

    @property
    def whole(self) -> bool:
        """Whether every place could be looked at wholly."""
        return all(look.whole for look in self.looks)

    def to_json(self) -> dict[str, object]:
        """The object of `collect --json`."""
        return {"looks": [look.to_fields() for look in self.looks]}

    def text(self) -> str:
        """Lines for a person."""
        return "\n".join(line for look in self.looks for line in _lines(look))


def _lines(look: MailLook) -> list[str]:
    return [line_of(look), *(f"  {problem}" for problem in look.problems[1:])]


def collect(estate: Path, store: Path, signer: Signer, say: Say) -> Brought:
    """Read every mailbox and folder of reports that the estate names.

    Raises InputError (the estate, or it names none) and InternalError (it cannot be written).
    """
    loaded = load(estate)
    if not places(loaded.estate.instances):
        raise InputError(
            "no instance of the estate has a mailbox or a folder of reports",
            where=str(estate),
            cure="add imap:, maildir:, mbox:, eml: or dmarc_reports: under `mail:`",
        )
    opened = open_store(store, create=True)
    return collect_into(opened, loaded, loaded.estate.instances, signer, say)


def collect_into(
    store: AnyStore, loaded: Loaded, instances: Iterable[Instance], signer: Signer, say: Say
) -> Brought:
    """Read the mailboxes and reports of some instances into an open store.

    A store elsewhere gets the journal whole, when the collection has ended: what was not shipped is
    new to the next one. Raises InternalError where it cannot be written down.
    """
    found = places(instances)
    if not found:
        return Brought(looks=())
    heads: list[tuple[str, Head]] = []
    here = isinstance(store, LocalStore)

    def seal(segment: str, head: Head) -> None:
        heads.append((segment, head))
        if here:
            sign_checkpoint(store, signer, segment, head, say)

    with _folder_for(store) as folder:
        looks = _look(loaded, found, collected(store), folder, seal, say)
        if not here:
            for path in sorted(folder.iterdir()):
                store.create(f"{FOLDER}/{path.name}", path.read_bytes())
            for segment, head in dict.fromkeys(heads):
                sign_checkpoint(store, signer, segment, head, say)
    return Brought(looks=looks)


@contextmanager
def _folder_for(store: AnyStore) -> Iterator[Path]:
    """Where the journal is written: in the store, or beside it until it is shipped."""
    if isinstance(store, LocalStore):
        yield store.folder(FOLDER)
        return
    with TemporaryDirectory(prefix="wavegate-collect-") as folder:
        yield Path(folder)


def _look(
    loaded: Loaded,
    found: tuple[Place, ...],
    before: Collected,
    folder: Path,
    seal: Checkpoint,
    say: Say,
) -> tuple[MailLook, ...]:
    writer = MailJournalWriter(
        folder,
        Listener(listen=(), vantage=vantage(None), heartbeat=timedelta()),
        checkpoint=seal,
        keep=mail_keeper(loaded.estate),
    )
    base = loaded.path.resolve().parent
    try:
        collector = Collector(
            estate=loaded.estate, base=base, before=before, writer=writer, say=say
        )
        return collector.look(found)
    finally:
        writer.close()
