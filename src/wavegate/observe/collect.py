# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Collecting: mailboxes and folders of DMARC reports are read into the mail journals of a store.

What was collected before is known by its digest and not recorded again, so that a look can be
repeated at any time. What cannot be read is counted and told; it never stops the other places.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from wavegate.clock import now
from wavegate.errors import InputError, MissingError, WavegateError
from wavegate.estate.model import Estate, Instance, MailSource
from wavegate.observe.imap_connection import ImapPlace
from wavegate.observe.imap_mailbox import ImapMailbox, Login
from wavegate.observe.mailbox_files import eml_items, maildir_items, mbox_items
from wavegate.observe.mailbox_item import Item, MailboxError, Unread
from wavegate.observe.mailbox_message import LeftOut, MailboxKind, Reader
from wavegate.observe.report_files import reports_in
from wavegate.record.mail_journal import Collected
from wavegate.record.mail_look import MAX_PLACE, MAX_TOLD, LookedInto, MailLook
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.message import Received

BATCH, BATCH_BYTES = 100, 4 * 1024 * 1024
MAX_REPORTS = 10_000
"""So many reports of one folder are read in one look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One source to look into, as an instance names it. where: its text in the estate file."""

    kind: LookedInto
    where: str
    source: MailSource


def places(instances: Iterable[Instance]) -> tuple[Place, ...]:
    """The mailboxes and folders of reports that some instances name, each once."""
    found: dict[tuple[str, str, str | None], Place] = {}
    for instance in instances:
        for source in instance.mail:
            for kind, where in source.places:
                key = (kind, where, source.trusted_receiver)
                found.setdefault(key, Place(kind=kind, where=where, source=source))
    return tuple(found.values())


def reach(estate: Estate) -> datetime | None:
    """From when on mail matters to a wave of the estate; None where no wave has a window."""
    starts = [wave.window.start for wave in estate.waves if wave.window]
    return min(starts) - estate.policy.before_max_age if starts else None


@dataclass(slots=True)
class _Tally:
    """How a look goes."""

    met: int = 0
    kept: int = 0
    left_out: int = 0
    whole: bool = True
    mark: str | None = None
    problems: list[str] = field(default_factory=list)

    def leave_out(self, where: str, reason: str) -> None:
        self.left_out += 1
        self.tell(f"{where}: {reason}")

    def tell(self, problem: str) -> None:
        if len(self.problems) < MAX_TOLD:
            self.problems.append(problem)


@dataclass(slots=True, kw_only=True)
class Collector:
    """Looks into places, one after the other, and writes down what is new.

    base: the folder that relative paths and `file:` references start from. before: what was
    collected earlier. say: called with a line for a person after each look.
    """

    estate: Estate
    base: Path
    before: Collected
    writer: MailJournalWriter
    say: Callable[[str], None] = lambda _: None
    _known: set[str] = field(default_factory=set)

    def look(self, found: Iterable[Place]) -> tuple[MailLook, ...]:
        """Look into each place. Raises InternalError where it cannot be written down."""
        self._known = set(self.before.digests)
        return tuple(self._look(place) for place in found)

    def _look(self, place: Place) -> MailLook:
        began, tally = now(), _Tally()
        try:
            match place.kind:
                case "dmarc_reports":
                    self._reports(place, tally)
                case kind:
                    self._mails(place, kind, tally, began)
        except (MissingError, InputError) as error:
            tally.whole = False
            tally.tell(_told(error))
        look = MailLook(
            kind=place.kind,
            place=place.where[:MAX_PLACE],
            receiver=place.source.trusted_receiver,
            began=began,
            ended=now(),
            met=tally.met,
            kept=tally.kept,
            left_out=tally.left_out,
            whole=tally.whole,
            problems=tuple(tally.problems),
            mark=tally.mark,
        )
        self.writer.append_look(look)
        self.say(line_of(look))
        return look

    def _reports(self, place: Place, tally: _Tally) -> None:
        for found in reports_in(self.base / place.where):
            if tally.met >= MAX_REPORTS:
                raise MailboxError(f"more than {MAX_REPORTS} reports: the rest is not read")
            tally.met += 1
            if isinstance(found, Unread):
                tally.leave_out(found.where, found.reason)
            elif found.digest not in self._known:
                self._known.add(found.digest)
                self.writer.append_report(found)
                tally.kept += 1

    def _mails(self, place: Place, kind: MailboxKind, tally: _Tally, at: datetime) -> None:
        receiver = place.source.trusted_receiver
        if receiver is None:
            raise InputError(
                "no trusted_receiver is named, so nobody can tell where its mail came from",
                cure="name the host whose Received line is believed",
            )
        reader = Reader(
            kind=kind,
            receiver=receiver,
            at=at,
            tolerance=self.estate.policy.clock_tolerance,
        )
        tally.mark = self._mark(place)
        batch: list[Received] = []
        try:
            for mail in self._read(reader, self._items(place, tally.mark), tally):
                batch.append(mail)
                if len(batch) >= BATCH or sum(len(m.raw) for m in batch) >= BATCH_BYTES:
                    self._write(batch, tally)
        finally:
            self._write(batch, tally)

    def _read(self, reader: Reader, items: Iterator[Item], tally: _Tally) -> Iterator[Received]:
        """The mails that are new and recent enough, tallied."""
        since = reach(self.estate)
        for item in items:
            tally.met += 1
            tally.mark = item.mark or tally.mark
            if isinstance(item, Unread):
                tally.leave_out(item.where, item.reason)
                continue
            found = reader.read(item.data, stored=item.stored)
            if isinstance(found, LeftOut):
                tally.leave_out(item.where, found.reason)
            elif found.digest not in self._known and (since is None or found.ended >= since):
                self._known.add(found.digest)
                yield found

    def _write(self, batch: list[Received], tally: _Tally) -> None:
        if batch:
            self.writer.append(batch)
            tally.kept += len(batch)
            batch.clear()

    def _mark(self, place: Place) -> str | None:
        """How far the last look into this place got, with the same receiver believed."""
        for look in reversed(self.before.looks):
            same = (place.kind, place.where, place.source.trusted_receiver)
            if (look.kind, look.place, look.receiver) == same and look.mark:
                return look.mark
        return None

    def _items(self, place: Place, mark: str | None) -> Iterator[Item]:
        path = self.base / place.where
        match place.kind:
            case "maildir":
                return maildir_items(path)
            case "mbox":
                return mbox_items(path)
            case "eml":
                return eml_items(path)
            case _:
                return self._imap(place, mark).items()

    def _imap(self, place: Place, mark: str | None) -> ImapMailbox:
        given, tls = place.source.credentials, place.source.tls
        login = Login(
            user=given.user if given else None,
            password=given.password if given else None,
            ca=tls.ca if tls else None,
            base=self.base,
        )
        where = ImapPlace.parse(place.where)
        return ImapMailbox(place=where, login=login, since=reach(self.estate), after=mark)


def line_of(look: MailLook) -> str:
    """A look in one line for a person."""
    rest = f", {look.left_out} left out" if look.left_out else ""
    broken = "" if look.whole else ", NOT WHOLE"
    why = f": {look.problems[0]}" if look.problems else ""
    return f"{look.name}: {look.met} met, {look.kept} new{rest}{broken}{why}"


def _told(error: WavegateError) -> str:
    cure = f" ({error.cure})" if error.cure else ""
    return f"{error.message}{cure}"
