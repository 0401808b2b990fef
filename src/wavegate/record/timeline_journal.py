# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The journals of a watch, `timelines/<wave>/<instance>/<segment>.jsonl`: lines and reading.

One watch (`timeline_writer`) writes one journal per instance. After the header come lines of kind
`function` (one that showed only later, or turned out to be lacking), `sample`, `gap`, `heartbeat`
and `stop`. A watch that starts again, or whose disk failed, goes on in another segment, whose
header names the one it `follows`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.record.fields import flag, instant, items, members, number, text
from wavegate.record.journal import Head, JournalLine, JournalProblem, ProblemKind, read_journal
from wavegate.record.mail_journal import Follows
from wavegate.record.snapshot import Tool
from wavegate.record.store import Store
from wavegate.record.timeline import (
    Gap,
    Sample,
    Timeline,
    Watched,
    gap_from_fields,
    gap_to_fields,
    watched_from_fields,
    watched_to_fields,
)

SCHEMA = "wavegate/timeline-journal/v1"
FOLDER = "timelines"
SUFFIX = ".jsonl"
MAX_LINE = 1024 * 1024
MAX_PROBLEMS = 1000
NOT_RUNNING = "the watch was not running"


def folder_of(wave: str, instance: str) -> str:
    """Where the journals of an instance in a wave lie, with a final slash."""
    return f"{FOLDER}/{wave}/{instance}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineHeader:
    """The first line of a segment: what is watched, from where, since when, and what it follows."""

    at: datetime
    instance: str
    customer: str
    wave: str
    vantage: str
    tool: Tool
    functions: tuple[Watched, ...]
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
            "instance": self.instance,
            "customer": self.customer,
            "wave": self.wave,
            "vantage": self.vantage,
            "tool": {"version": self.tool.version, "source": self.tool.source},
            "functions": [watched_to_fields(found) for found in self.functions],
            "follows": follows,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> "TimelineHeader":
        """Read back what `to_fields` wrote. Raises ValueError, TypeError or KeyError."""
        tool = members(fields["tool"])
        return cls(
            at=instant(fields["at"]),
            instance=text(fields["instance"]),
            customer=text(fields["customer"]),
            wave=text(fields["wave"]),
            vantage=text(fields["vantage"]),
            tool=Tool(version=text(tool["version"]), source=text(tool["source"])),
            functions=tuple(
                watched_from_fields(members(item)) for item in items(fields["functions"])
            ),
            follows=_follows(fields["follows"]),
        )


def _follows(value: object) -> Follows | None:
    if value is None:
        return None
    fields = members(value)
    head = Head(n=number(fields["n"]), line=text(fields["line"]))
    return Follows(segment=text(fields["segment"]), head=head)


def sample_line(sample: Sample) -> dict[str, object]:
    """The line of a sample."""
    return {"kind": "sample", **sample.to_fields()}


def function_line(found: Watched) -> dict[str, object]:
    """The line of a function that showed later, or turned out not to be there."""
    return {"kind": "function", **watched_to_fields(found)}


def gap_line(gap: Gap) -> dict[str, object]:
    """The line of a span in which nothing was looked at."""
    return {"kind": "gap", **gap_to_fields(gap)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineReading:
    """Everything that the journals of an instance in a wave hold.

    timelines: one per vantage, by its name; without digest. problems: what was wrong with the
    journals, the first thousand. tails: per vantage, its last segment and the last line of that.
    """

    timelines: tuple[Timeline, ...]
    problems: tuple[JournalProblem, ...]
    tails: Mapping[str, Follows]

    def of(self, vantage: str) -> Timeline | None:
        """The timeline of a vantage."""
        return next((found for found in self.timelines if found.vantage == vantage), None)


@dataclass(slots=True, kw_only=True)
class _Track:
    """What is read of one vantage so far."""

    header: TimelineHeader
    functions: dict[str, Watched]
    ended: datetime
    settled: bool = False
    samples: list[Sample] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    tail: Follows

    def timeline(self) -> Timeline:
        """What was read of one vantage, as one timeline without a digest."""
        header = self.header
        return Timeline(
            instance=header.instance,
            customer=header.customer,
            wave=header.wave,
            vantage=header.vantage,
            tool=header.tool,
            began=header.at,
            ended=self.ended,
            settled=self.settled,
            functions=tuple(self.functions[name] for name in sorted(self.functions)),
            samples=tuple(sorted(self.samples, key=lambda found: (found.sent, found.function))),
            gaps=tuple(sorted(self.gaps, key=lambda found: (found.since, found.until))),
        )

    def alive(self, at: datetime) -> None:
        self.ended = max(self.ended, at)

    def resume(self, header: TimelineHeader) -> None:
        """Another segment goes on; the span between them was not looked at."""
        if header.at > self.ended:
            self.gaps.append(Gap(since=self.ended, until=header.at, reason=NOT_RUNNING))
        self.settled = False
        self.functions |= {found.name: found for found in header.functions}
        self.alive(header.at)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """One pass over the journals of an instance. upto: the last line to read per segment."""

    store: Store
    folder: str
    upto: Mapping[str, int] | None
    tracks: dict[str, _Track] = field(default_factory=dict)
    heads: dict[str, dict[int, str]] = field(default_factory=dict)
    problems: list[JournalProblem] = field(default_factory=list)

    def read(self) -> None:
        for segment in _segments(self.store, self.folder):
            self._read_segment(segment)

    def _read_segment(self, segment: str) -> None:
        track: _Track | None = None
        digests = self.heads.setdefault(segment, {})
        for line in self._lines(segment):
            digests[line.at] = line.digest
            if line.at == 0:
                track = self._begin(segment, line)
            if track is None:
                return
            track.tail = Follows(segment=segment, head=Head(n=line.at, line=line.digest))
            if line.at:
                self._add(track, segment, line)

    def _lines(self, segment: str) -> Iterator[JournalLine]:
        last = None if self.upto is None else self.upto.get(segment, -1)
        with self.store.stream(f"{self.folder}{segment}{SUFFIX}") as stream:
            lines = read_journal(
                stream, journal=segment, schema=SCHEMA, note=self.note, max_line=MAX_LINE
            )
            for line in lines:
                if last is not None and line.at > last:
                    self._tell_unsigned(segment, line.at, 1 + sum(1 for _ in lines))
                    return
                yield line

    def _tell_unsigned(self, segment: str, first: int, count: int) -> None:
        which = "line is" if count == 1 else "lines are"
        detail = f"{count} {which} behind the last signed checkpoint, and left out"
        self._tell("unsigned", segment, first, detail)

    def _begin(self, segment: str, line: JournalLine) -> _Track | None:
        try:
            header = TimelineHeader.from_fields(line.fields)
        except (ValueError, TypeError, KeyError) as error:
            self._tell("line", segment, 0, f"cannot be read: {error}")
            return None
        track = self.tracks.get(header.vantage)
        self._check_follows(segment, header, track)
        if track is None:
            track = _Track(
                header=header,
                functions={found.name: found for found in header.functions},
                ended=header.at,
                tail=Follows(segment=segment, head=Head(n=0, line=line.digest)),
            )
            self.tracks[header.vantage] = track
        else:
            track.resume(header)
        return track

    def _check_follows(self, segment: str, header: TimelineHeader, track: _Track | None) -> None:
        follows = header.follows
        if follows is None:
            if track is not None:
                self._tell("chain", segment, 0, f"it follows nothing, but {track.tail.segment} is")
        elif follows.segment not in self.heads:
            detail = f"the segment it follows, {follows.segment}, is not in the store"
            self._tell("chain", segment, 0, detail)
        elif self.heads[follows.segment].get(follows.head.n) != follows.head.line:
            detail = f"it is not the line that {segment} follows"
            self._tell("chain", follows.segment, follows.head.n, detail)

    def _add(self, track: _Track, segment: str, line: JournalLine) -> None:
        fields = line.fields
        try:
            match fields.get("kind"):
                case "sample":
                    sample = Sample.from_fields(dict(fields))
                    track.samples.append(sample)
                    track.alive(sample.ended)
                case "function":
                    found = watched_from_fields(dict(fields))
                    track.functions[found.name] = found
                case "gap":
                    track.gaps.append(gap_from_fields(dict(fields)))
                case "heartbeat":
                    track.alive(instant(fields["at"]))
                case "stop":
                    text(fields["reason"])
                    track.alive(instant(fields["at"]))
                    track.settled = flag(fields["settled"])
                case kind:
                    self._tell("line", segment, line.at, f"unknown kind {kind!r}")
        except (ValueError, TypeError, KeyError) as error:
            self._tell("line", segment, line.at, f"cannot be read: {error}")

    def _tell(self, kind: ProblemKind, segment: str, n: int, detail: str) -> None:
        self.note(JournalProblem(kind=kind, journal=segment, n=n, detail=detail))

    def note(self, problem: JournalProblem) -> None:
        """Keep a problem; of very many, the first thousand and a word that there are more."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append(replace(problem, detail="further problems are not listed"))


def read_timelines(
    store: Store, wave: str, instance: str, *, upto: Mapping[str, int] | None = None
) -> TimelineReading:
    """Read all journals of an instance in a wave.

    upto: per segment the last line to read, as its last signed checkpoint says; a segment that it
    does not name is left out; None reads everything. Never raises for what is in a journal.
    """
    reader = _Reader(store=store, folder=folder_of(wave, instance), upto=upto)
    reader.read()
    tracks = [reader.tracks[name] for name in sorted(reader.tracks)]
    return TimelineReading(
        timelines=tuple(track.timeline() for track in tracks),
        problems=tuple(reader.problems),
        tails={track.header.vantage: track.tail for track in tracks},
    )


def segment_digests(
    store: Store, wave: str, instance: str, segment: str, wanted: Iterable[int]
) -> dict[int, str]:
    """The digests of those lines of a segment that are there, by their number from 0."""
    folder, numbers = folder_of(wave, instance), frozenset(wanted)
    if segment not in _segments(store, folder):
        return {}
    with store.stream(f"{folder}{segment}{SUFFIX}") as stream:
        lines = read_journal(
            stream, journal=segment, schema=SCHEMA, note=lambda _: None, max_line=MAX_LINE
        )
        return {line.at: line.digest for line in lines if line.at in numbers}


def what_follows(store: Store, wave: str, instance: str) -> dict[str, Follows]:
    """What each segment follows, by its header, the latest segment first."""
    folder, found = folder_of(wave, instance), {}
    for segment in reversed(_segments(store, folder)):
        with store.stream(f"{folder}{segment}{SUFFIX}") as stream:
            lines = read_journal(
                stream, journal=segment, schema=SCHEMA, note=lambda _: None, max_line=MAX_LINE
            )
            header = next(lines, None)
        try:
            follows = _follows(header.fields["follows"]) if header else None
        except (ValueError, TypeError, KeyError):
            continue  # the reading tells of it
        if follows:
            found[segment] = follows
    return found


def _segments(store: Store, folder: str) -> tuple[str, ...]:
    """The names of the segments, in the order in which they were begun."""
    names = (name for name in store.names(folder) if name.endswith(SUFFIX))
    return tuple(name.removeprefix(folder).removesuffix(SUFFIX) for name in names)
