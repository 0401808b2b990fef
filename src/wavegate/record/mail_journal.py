# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The journals of received mail, `mail/<segment>.jsonl`: their lines, and reading them.

Each is appended to by one sink or one collection from mailboxes (`mail_writer`). After the header
come lines of kind `start`, `mail`, `heartbeat`, `gap` and `stop`; a collection, whose header names
no address that it listened on, adds `report` (a DMARC aggregate report) and `look`. A segment that
was full, or whose disk failed, is followed by another, whose header names it and its last
acknowledged line (`follows`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from wavegate.clock import format_instant
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.fields import instant, members, number, text, texts
from wavegate.record.journal import Head, JournalLine, JournalProblem, ProblemKind, read_journal
from wavegate.record.listening import Listener, Listening, ListeningLog
from wavegate.record.mail_fields import from_fields
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received
from wavegate.record.store import Store

SCHEMA = "wavegate/mail-journal/v1"
FOLDER = "mail"
SUFFIX = ".jsonl"
MAX_PROBLEMS = 1000

Note = Callable[[JournalProblem], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """The segment that a segment follows, and that one's last acknowledged line."""

    segment: str
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    """The first line of a segment: when it began, who writes it, and what it follows."""

    at: datetime
    listener: Listener
    follows: Follows | None = None

    def to_fields(self) -> dict[str, object]:
        """The fields beside the schema."""
        follows = self.follows and {
            "segment": self.follows.segment,
            "n": self.follows.head.n,
            "line": self.follows.head.line,
        }
        return {
            "at": format_instant(self.at),
            "listen": list(self.listener.listen),
            "vantage": self.listener.vantage,
            "heartbeat_us": self.listener.heartbeat // timedelta(microseconds=1),
            "follows": follows,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> "SegmentHeader":
        """Read back what `to_fields` wrote. Raises ValueError, TypeError or KeyError."""
        return cls(
            at=instant(fields["at"]),
            listener=Listener(
                listen=texts(fields["listen"]),
                vantage=text(fields["vantage"]),
                heartbeat=timedelta(microseconds=number(fields["heartbeat_us"])),
            ),
            follows=_follows(fields["follows"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailGap:
    """A span in which mail could not be written down and was put off with a 4xx reply."""

    since: datetime
    until: datetime
    reason: str
    segment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReading:
    """Everything that the journals of a store hold.

    messages: by segment and line. problems: what was wrong with the journals. segments: names,
    oldest first. listening: when a sink listened. gaps: when it could not write. looks: into
    mailboxes, in order. reports: DMARC aggregate reports.
    """

    messages: tuple[Received, ...]
    problems: tuple[JournalProblem, ...]
    segments: tuple[str, ...]
    listening: tuple[Listening, ...]
    gaps: tuple[MailGap, ...]
    looks: tuple[MailLook, ...] = ()
    reports: tuple[DmarcReport, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over the journals; collects everything but the mails, which it hands out."""

    note: Note
    log: ListeningLog = field(default_factory=ListeningLog)
    gaps: list[MailGap] = field(default_factory=list)
    looks: list[MailLook] = field(default_factory=list)
    reports: list[DmarcReport] = field(default_factory=list)

    def mails(self, store: Store, *, raw: bool = True) -> Iterator[Received]:
        """The mails of all segments; with raw false none, and everything else is collected."""
        names = segments(store)
        claims = _claims(store, names, self.note)
        for segment in names:
            unmet = dict(claims.get(segment, {}))
            for line in _lines(store, segment, self.note):
                unmet.pop(Head(n=line.at, line=line.digest), None)
                mail = self._read(segment, line, raw=raw)
                if mail:
                    yield mail
            for head, follower in unmet.items():
                self._tell("chain", segment, head.n, f"it is not the line that {follower} follows")

    def _read(self, segment: str, line: JournalLine, *, raw: bool) -> Received | None:
        fields = line.fields
        try:
            match (line.at, fields.get("kind")):
                case (0, _):
                    self._begin(segment, SegmentHeader.from_fields(fields))
                case (_, "mail"):
                    return from_fields(fields, journal=f"{segment}#{line.at}") if raw else None
                case (_, "start" | "heartbeat" | "stop" as kind):
                    self.log.sign(segment, instant(fields["at"]), stop=kind == "stop")
                case (_, "gap"):
                    self.gaps.append(_gap(segment, fields))
                case (_, "look"):
                    self.looks.append(MailLook.from_fields(fields))
                case (_, "report"):
                    self.reports.append(DmarcReport.from_fields(fields))
                case (_, kind):
                    self._tell("line", segment, line.at, f"unknown kind {kind!r}")
        except (ValueError, TypeError, KeyError) as error:
            self._tell("line", segment, line.at, f"cannot be read: {error}")
        return None

    def _begin(self, segment: str, header: SegmentHeader) -> None:
        """A segment begins. One that listens on nothing gives no signs of listening."""
        if header.listener.listen:
            follows = header.follows.segment if header.follows else None
            self.log.begin(segment, header.at, header.listener, follows=follows)

    def _tell(self, kind: ProblemKind, segment: str, n: int, detail: str) -> None:
        self.note(JournalProblem(kind=kind, journal=segment, n=n, detail=detail))


def read_mails(store: Store, *, wanted: Callable[[Received], bool] = lambda _: True) -> MailReading:
    """Read all mail journals of a store. wanted: which mails to keep in memory.

    Never raises for what is in a journal: problems are listed, the first thousand of them.
    """
    problems: list[JournalProblem] = []
    reading = _Reading(note=lambda problem: _keep(problems, problem))
    messages = tuple(mail for mail in reading.mails(store) if wanted(mail))
    return MailReading(
        messages=messages,
        problems=tuple(problems),
        segments=segments(store),
        listening=reading.log.spans(),
        gaps=tuple(reading.gaps),
        looks=tuple(sorted(reading.looks, key=lambda look: look.ended)),
        reports=tuple(reading.reports),
    )


def _keep(problems: list[JournalProblem], problem: JournalProblem) -> None:
    """Keep a problem; of very many, the first thousand and a word that there are more."""
    if len(problems) < MAX_PROBLEMS:
        problems.append(problem)
    elif len(problems) == MAX_PROBLEMS:
        problems.append(replace(problem, detail="further problems are not listed"))


def stream_mails(store: Store, note: Note) -> Iterator[Received]:
    """The mails of a store one by one, in bounded memory; problems go to `note` as they show."""
    return _Reading(note=note).mails(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was collected from mailboxes so far: digests of messages and reports, and the looks."""

    digests: frozenset[str]
    looks: tuple[MailLook, ...]


def collected(store: Store) -> Collected:
    """What the collections of a store brought; the journals of sinks are not read."""
    digests: set[str] = set()
    looks: list[MailLook] = []
    for segment in segments(store):
        lines = _lines(store, segment, lambda _: None)
        header = next(lines, None)
        if header is None or header.fields.get("listen"):
            continue
        for line in lines:
            kind, digest = line.fields.get("kind"), line.fields.get("digest")
            if kind in ("mail", "report") and isinstance(digest, str):
                digests.add(digest)
            elif kind == "look":
                with suppress(ValueError, TypeError, KeyError):
                    looks.append(MailLook.from_fields(line.fields))
    looks.sort(key=lambda look: look.ended)
    return Collected(digests=frozenset(digests), looks=tuple(looks))


def listening_intervals(store: Store) -> tuple[Listening, ...]:
    """The spans in which a sink of this store demonstrably listened, by its signs of life."""
    reading = _Reading(note=lambda _: None)
    for _ in reading.mails(store, raw=False):
        pass
    return reading.log.spans()


def line_digests(store: Store, segment: str, wanted: frozenset[int]) -> dict[int, str]:
    """The digests of those lines of a segment that are there, by their number from 0.

    A segment that is not there has none.
    """
    if segment not in segments(store):
        return {}
    lines = _lines(store, segment, lambda _: None)
    return {line.at: line.digest for line in lines if line.at in wanted}


def segments(store: Store) -> tuple[str, ...]:
    """The names of the segments of a store, oldest first."""
    names = (name for name in store.names(FOLDER + "/") if name.endswith(SUFFIX))
    return tuple(name.removeprefix(FOLDER + "/").removesuffix(SUFFIX) for name in names)


def _lines(store: Store, segment: str, note: Note) -> Iterator[JournalLine]:
    with store.stream(f"{FOLDER}/{segment}{SUFFIX}") as stream:
        yield from read_journal(stream, journal=segment, schema=SCHEMA, note=note)


def _claims(store: Store, names: Iterable[str], note: Note) -> Mapping[str, Mapping[Head, str]]:
    """Per segment, the lines that others say it must hold, each with the one that says so."""
    found: dict[str, dict[Head, str]] = {name: {} for name in names}
    for name in list(found):
        follows = _follows_of(store, name)
        if follows and follows.segment in found:
            found[follows.segment][follows.head] = name
        elif follows:
            detail = f"the segment it follows, {follows.segment}, is not in the store"
            note(JournalProblem(kind="chain", journal=name, n=0, detail=detail))
    return found


def _follows_of(store: Store, segment: str) -> Follows | None:
    """What a segment follows; None also where its header cannot be read, which others tell."""
    header = next(_lines(store, segment, lambda _: None), None)
    try:
        return _follows(header.fields["follows"]) if header else None
    except (ValueError, TypeError, KeyError):
        return None


def _follows(value: object) -> Follows | None:
    if value is None:
        return None
    fields = members(value)
    head = Head(n=number(fields["n"]), line=text(fields["line"]))
    return Follows(segment=text(fields["segment"]), head=head)


def _gap(segment: str, fields: Mapping[str, object]) -> MailGap:
    return MailGap(
        since=instant(fields["since"]),
        until=instant(fields["at"]),
        reason=text(fields["reason"]),
        segment=segment,
    )
