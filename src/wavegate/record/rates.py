# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rate history of an instance, decoded from what it told of nms:deliveryStat. Pure.

A row counts one delivery's messages in one stretch of time. A bucket is loaded where some delivery
that sent in it had begun before it and went on after it, so that mail was waiting at its start and
at its end; other buckets show demand, not capacity. Stretches without any row are no buckets:
paused, throttled and stalled deliveries look alike in them. `@volume` is bytes; where an instance
counts messages in it, all mail is small.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from wavegate.record.campaign_view import Row, query_rows, server_date
from wavegate.record.message import Received
from wavegate.record.observation import Absent, Observation, Seen, Unreachable
from wavegate.record.queue import LogRow, Meaning, QueueLook, meaning
from wavegate.record.snapshot import Snapshot
from wavegate.record.soap import Reply, read

STAT = "nms:deliveryStat"
DELIVERY = "nms:delivery"
SERIES = "series"
RATES = "rates"
"""In `asked`, marks the questions whose answers are decoded here."""
LARGE = 300_000
LARGE_NAME = "over 300 kB"
LARGE_MIX = 0.10
BACKLOG_SHARE = 0.05
RUNNING = range(51, 63)
"""Delivery states from start pending to retry: not paused, cancelled or finished."""
_DEFERRED = re.compile(r"\b(4[0-9]{2})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a bucket's messages: a size class, or a receiving domain."""

    name: str
    sent: int
    loaded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One stretch of time. sent, errors: messages. deliveries: how many took part.

    again: tries that were not the first. loaded: mail was waiting at its start and at its end.
    backlog: some of it had been queued before the window closed. mix: class of composition that
    like is compared with. parts: strata. by_delivery: messages sent, by the delivery's id.
    """

    start: datetime
    length: timedelta
    sent: int
    errors: int = 0
    again: int = 0
    deliveries: int = 1
    loaded: bool = True
    backlog: bool = False
    mix: str = ""
    parts: tuple[Part, ...] = ()
    by_delivery: tuple[tuple[str, int], ...] = ()

    @property
    def end(self) -> datetime:
        """The first instant that is not in it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """A receiver's temporary refusal as the logs tell it: domain or id of the recipient, reply."""

    receiver: str
    at: datetime
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateHistory:
    """All buckets of an instance, before the opening and after the close, in order of time.

    asked: whether an instance was asked at all. problems: what could not be read, each named.
    records: digests of the snapshots it was read from.
    """

    buckets: tuple[Bucket, ...] = ()
    asked: bool = False
    problems: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    def before(self, opening: datetime) -> tuple[Bucket, ...]:
        """The buckets that ended before the opening."""
        return tuple(b for b in self.buckets if b.end <= opening)

    def after(self, close: datetime) -> tuple[Bucket, ...]:
        """The buckets that began at the close or later."""
        return tuple(b for b in self.buckets if b.start >= close)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stat:
    """One row: messages tried for the first time, tried again, sent, failed, and bytes."""

    first: int
    again: int
    sent: int
    errors: int
    volume: int


Key = tuple[str, datetime]


def read_history(
    snapshots: Iterable[Snapshot], *, close: datetime, queued: Mapping[str, int] | None = None
) -> RateHistory:
    """What all captures of an instance told together.

    The same bucket in several captures counts as it was first told; one that had not ended a whole
    length before a capture is left to a later one. close: the window's end. queued: how many
    messages of a delivery waited at the close, None where nobody looked at the queue.
    """
    taken = sorted(snapshots, key=lambda s: (s.began, s.digest))
    rows: dict[Key, _Stat] = {}
    wanted: dict[str, int] = {}
    problems: dict[str, None] = {}
    asked = False
    length: timedelta | None = None
    for snapshot in taken:
        told, notes = _told(snapshot, STAT)
        asked = asked or bool(told) or bool(notes)
        found, odd = _stats(told)
        problems |= dict.fromkeys((*notes, *odd))
        length = length or _length(found)
        if length is not None:
            settled = snapshot.began - 2 * length
            rows = {k: v for k, v in found.items() if k[1] <= settled} | rows
        deliveries, more = _told(snapshot, DELIVERY)
        problems |= dict.fromkeys((*more, *_left_out(snapshot)))
        wanted |= _running(deliveries)
    buckets = tuple(_buckets(rows, wanted, length, _Backlog(close, queued))) if length else ()
    return RateHistory(
        buckets=buckets,
        asked=asked,
        problems=tuple(problems),
        records=tuple(dict.fromkeys(s.digest for s in taken if _asked(s))),
    )


def _left_out(snapshot: Snapshot) -> Iterator[str]:
    for found in snapshot.left_out:
        if found.what.startswith(STAT):
            yield f"{found.what}: {found.reason}"


def _asked(snapshot: Snapshot) -> bool:
    return any(o.asked.get(SERIES) == RATES for o in snapshot.observations)


def _told(snapshot: Snapshot, schema: str) -> tuple[list[Row], list[str]]:
    """The rows of a schema in this snapshot's rate questions, and why others are missing."""
    rows: list[Row] = []
    problems: list[str] = []
    for seen in snapshot.observations:
        if seen.asked.get(SERIES) != RATES or seen.asked.get("schema") != schema:
            continue
        answer = _answer(seen)
        if isinstance(answer, str):
            problems.append(f"{schema}: {answer}")
        else:
            rows += answer
    return rows, problems


def _answer(seen: Observation) -> list[Row] | str:
    match seen.outcome:
        case Unreachable(reason) | Absent(reason):
            return reason
        case Seen(value):
            reply = read(value)
    if not isinstance(reply, Reply) or reply.method != "ExecuteQuery":
        return "an answer that is no reply to ExecuteQuery"
    return list(query_rows(reply))


def _stats(rows: Iterable[Row]) -> tuple[dict[Key, _Stat], list[str]]:
    found: dict[Key, _Stat] = {}
    odd: list[str] = []
    for row in rows:
        date, zone_known = server_date(row.values.get("date"))
        if date is None or not zone_known:
            text = row.values.get("date", "")[:40]
            odd.append(f"{STAT}: a row dated {text!r}, which names no instant")
            continue
        stat = _stat(row.values)
        if stat is None:
            odd.append(f"{STAT}: a row of {date.isoformat()} whose counts are no numbers")
            continue
        key = row.values.get("delivery-id", ""), date
        if found.setdefault(key, stat) != stat:
            told = f"delivery {key[0]} of {date.isoformat()}"
            odd.append(f"{STAT}: {told} twice, with other counts: the first is taken")
    return found, odd


def _stat(values: Mapping[str, str]) -> _Stat | None:
    names = ("firstSuccess", "firstError", "retriesSuccess", "retriesError", "volume")
    texts = [values.get(name, "0") or "0" for name in names]
    if not all(re.fullmatch(r"[0-9]{1,12}", text) for text in texts):
        return None
    first, first_bad, again, again_bad, volume = (int(text) for text in texts)
    if "firstSuccess" not in values and "retriesSuccess" not in values:
        first = volume
    return _Stat(
        first=first + first_bad,
        again=again + again_bad,
        sent=first + again,
        errors=first_bad + again_bad,
        volume=volume,
    )


def _length(rows: Mapping[Key, _Stat]) -> timedelta | None:
    """The length of a bucket: the least distance of two dates."""
    dates = sorted({date for _, date in rows})
    gaps = [b - a for a, b in pairwise(dates)]
    return min(gaps) if gaps else None


def _running(rows: Iterable[Row]) -> dict[str, int]:
    """Per running delivery how many messages it has to deliver; 0 for those that do not run."""
    found: dict[str, int] = {}
    for row in rows:
        state, wanted = row.values.get("state", ""), row.values.get("toDeliver", "")
        if re.fullmatch(r"[0-9]{1,4}", state) and re.fullmatch(r"[0-9]{1,12}", wanted):
            found[row.values.get("id", "")] = int(wanted) * (int(state) in RUNNING)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A delivery's first tries: from the first to the last bucket. going: more is to come."""

    first: datetime
    last: datetime
    going: bool
    large: bool

    def waits(self, bucket: datetime, length: timedelta) -> bool:
        """Whether it had begun before a bucket and went on after it."""
        return self.first < bucket and (self.last >= bucket + length or self.going)


def _spans(rows: Mapping[Key, _Stat], wanted: Mapping[str, int]) -> dict[str, _Span]:
    dates: dict[str, list[datetime]] = {}
    sizes: dict[str, list[int]] = {}
    for (delivery, date), stat in rows.items():
        sizes.setdefault(delivery, [0, 0])
        sizes[delivery][0] += stat.volume
        sizes[delivery][1] += stat.sent + stat.errors
        if stat.first:
            dates.setdefault(delivery, []).append(date)
    return {
        delivery: _Span(
            first=min(found),
            last=max(found),
            going=wanted.get(delivery, 0) > sizes[delivery][1],
            large=sizes[delivery][0] >= LARGE * max(1, sizes[delivery][1]),
        )
        for delivery, found in dates.items()
    }


class _Backlog:
    """Tells the mail that the window held up: what waited at its close, until that is sent.

    Where nobody looked at the queue, it is all mail of deliveries that began before the close.
    """

    def __init__(self, close: datetime, queued: Mapping[str, int] | None) -> None:
        self._close = close
        self._left = None if queued is None else dict(queued)

    def holds(
        self, date: datetime, length: timedelta, held: Mapping[str, _Stat], waiting: list[_Span]
    ) -> bool:
        """Whether a bucket sends it in more than traces. Asked of each bucket in order of time."""
        if date < self._close:
            return False
        if self._left is None:
            return any(span.first + length <= self._close for span in waiting)
        late = 0
        for delivery, stat in held.items():
            taken = min(stat.sent, self._left.get(delivery, 0))
            self._left[delivery] = self._left.get(delivery, 0) - taken
            late += taken
        return late > BACKLOG_SHARE * max(1, sum(stat.sent for stat in held.values()))


def _buckets(
    rows: Mapping[Key, _Stat], wanted: Mapping[str, int], length: timedelta, backlog: _Backlog
) -> Iterator[Bucket]:
    spans = _spans(rows, wanted)
    by_date: dict[datetime, dict[str, _Stat]] = {}
    for (delivery, date), stat in rows.items():
        by_date.setdefault(date, {})[delivery] = stat
    newest = max(by_date)
    for date in sorted(by_date):
        held = by_date[date]
        waiting = [s for d in held if (s := spans.get(d)) and s.waits(date, length)]
        large = sum(s.sent for d, s in held.items() if d in spans and spans[d].large)
        sent = sum(s.sent for s in held.values())
        yield Bucket(
            start=date,
            length=length,
            sent=sent,
            errors=sum(s.errors for s in held.values()),
            again=sum(s.again for s in held.values()),
            deliveries=len(held),
            loaded=bool(waiting) and date < newest,
            backlog=backlog.holds(date, length, held, waiting),
            mix=LARGE_NAME if large > LARGE_MIX * max(1, sent) else "",
            parts=_parts(large, any(s.large for s in waiting)),
            by_delivery=tuple(sorted((d, s.sent) for d, s in held.items())),
        )


def _parts(large: int, loaded: bool) -> tuple[Part, ...]:
    return (Part(name=LARGE_NAME, sent=large, loaded=loaded),) if large else ()


def arrivals(
    mails: Iterable[Received], like: Iterable[Bucket], *, by_domain: bool = True
) -> tuple[Bucket, ...]:
    """How many mails the receiving side counted in the same stretches of time.

    A bucket keeps what is known of its load and composition; its parts are the receiving domains,
    and the large mails. Mails outside the stretches are not counted.
    """
    wanted = {b.start: b for b in like}
    held: dict[datetime, list[Received]] = {start: [] for start in wanted}
    lengths = {b.length for b in wanted.values()}
    for mail in mails:
        for length in lengths:
            start = _floor(mail.ended, length, wanted)
            if start is not None:
                held[start].append(mail)
                break
    return tuple(_arrived(wanted[start], held[start], by_domain) for start in sorted(held))


def _floor(at: datetime, length: timedelta, wanted: Mapping[datetime, Bucket]) -> datetime | None:
    """The start of the stretch that an instant lies in, where there is one."""
    some = next(iter(wanted))
    start = some + (at - some) // length * length
    return start if start in wanted and wanted[start].length == length else None


def _arrived(bucket: Bucket, mails: list[Received], by_domain: bool) -> Bucket:
    counts: dict[str, int] = {}
    for mail in mails:
        names = [LARGE_NAME] if mail.size >= LARGE else []
        names += [receiving_domain(mail)] if by_domain else []
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    parts = (Part(name=n, sent=c, loaded=bucket.loaded) for n, c in sorted(counts.items()) if n)
    return Bucket(
        start=bucket.start,
        length=bucket.length,
        sent=len(mails),
        deliveries=bucket.deliveries,
        loaded=bucket.loaded,
        backlog=bucket.backlog,
        mix=bucket.mix,
        parts=tuple(parts),
    )


def receiving_domain(mail: Received) -> str:
    """The domain of the first recipient, in lower case; empty where the source knows none."""
    first = mail.recipients[0] if mail.recipients else ""
    return first.rpartition("@")[2].lower().rstrip(".") if "@" in first else ""


def waiting_at(looks: Iterable[QueueLook], close: datetime) -> Mapping[str, int] | None:
    """Messages that waited, by delivery, in the last whole look that began before the close."""
    early = [look for look in looks if look.complete and look.began < close]
    if not early:
        return None
    last = max(early, key=lambda look: look.began)
    return Counter(row.delivery for row in last.rows if _waits(row))


def _waits(row: LogRow) -> bool:
    return meaning(row.status, row.status_name) is Meaning.PENDING


def deferrals(looks: Iterable[QueueLook]) -> tuple[Deferral, ...]:
    """The temporary refusals (RFC 5321 4.2.1, 4yz) that log rows tell, each once."""
    found = {
        Deferral(receiver=_receiver(row.recipient), at=row.event_at, reply=row.reason[:160])
        for look in looks
        for row in look.rows
        if row.event_at is not None and _DEFERRED.search(row.reason)
    }
    return tuple(sorted(found, key=lambda d: (d.at, d.receiver, d.reply)))


def _receiver(recipient: str) -> str:
    return recipient.rpartition("@")[2].lower() if "@" in recipient else recipient


def reply_code(reply: str) -> str:
    """The three digits of a temporary refusal, or empty."""
    match = _DEFERRED.search(reply)
    return match[1] if match else ""
