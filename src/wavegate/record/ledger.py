# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail ledger: every message of a queue, with what became of it.

Joins the log before the window with the log after it and with received mail, in one columnar pass;
only what is not plain is settled message by message. Pure; statistics and rules are those of
docs/reference (queue reconciliation): same recipient, same code or label, same normalised content.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias, TypeVar

import polars as pl

from wavegate.record.content_key import campaign_ids
from wavegate.record.ledger_copies import Known, copies_of, named_rows, of_deliveries
from wavegate.record.ledger_entry import Copy, Entry, Original, Outcome, Terms
from wavegate.record.ledger_settle import Contents, settle
from wavegate.record.ledger_tally import (
    Rule,
    Survey,
    Tally,
    after_side,
    before_side,
    copies_frame,
    copies_side,
    frame,
    key_of,
    of_issues,
    survey,
    tally,
)
from wavegate.record.message import Received
from wavegate.record.queue import Delivery, Event, LogRow, Meaning, QueueLook, meaning

SPOOL_TIME = timedelta(hours=84)
"""How long the provider's relay keeps trying (its time-out of 3.5 days)."""
_COPY_OF = re.compile(r"^(?:copy of|copie de|kopie von|copy)\s+", re.IGNORECASE)

Key: TypeAlias = tuple[str, str]
T = TypeVar("T")
EVENTS = "real-time events"
"""Stands for the delivery of a real-time event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a look tells: its log rows as columns (of a frame or of Parquet), its deliveries.

    named: whether every row has a recipient, as far as is known.
    """

    rows: pl.LazyFrame
    deliveries: Mapping[str, Delivery]
    events: tuple[Event, ...] | None = None
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What became of a queue.

    queued: how many messages it held, counted apart from their outcomes. counts: per outcome; they
    add up to queued. entries: each message that was not plainly sent once, by id. again: messages
    delivered before the window of which another copy came. received: how many of the queue a
    source of ours received. told_by_log: how many are counted as sent by the log alone.
    unknown: copies of known deliveries for which the log had no message. misdirected: copies made
    for another reader. suffix: what the instance's Message-IDs end in, or None.
    """

    queued: int
    counts: Mapping[Outcome, int]
    entries: tuple[Entry, ...]
    again: tuple[Entry, ...]
    received: int
    told_by_log: int
    unknown: tuple[Copy, ...] = ()
    misdirected: tuple[Copy, ...] = ()
    suffix: str | None = None
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)

    @property
    def remainder(self) -> int:
        """How many messages have no outcome, or one too many: always a finding."""
        return self.queued - sum(self.counts.values())

    def of(self, outcome: Outcome) -> tuple[Entry, ...]:
        """The listed entries of the queue with an outcome."""
        return tuple(entry for entry in self.entries if entry.outcome is outcome)


def side(look: QueueLook) -> Side:
    """A look as columns."""
    return Side(
        rows=frame(look.rows).lazy(),
        deliveries={found.id: found for found in look.deliveries},
        events=look.events,
        named=all(row.recipient for row in look.rows),
    )


def reckon(
    before: Side,
    after: Side | None,
    mails: Iterable[Received],
    terms: Terms,
    ours: Sequence[str] = (),
) -> Ledger:
    """Account for every message of the queue that the look before listed.

    mails: those that speak for the instance, of before, window and after. ours: patterns of the
    recipients that our sources receive (`*@seed.example`).
    """
    both = _surveyed(before, after)
    rule = _rule(both, terms, ours)
    copies = _copies(both, tuple(mails), rule)
    keys = copies_frame(copies, rule)
    total = both.held.of_issues(rule) + (both.now.of_issues(rule) if both.now else 0)
    found = tally(_sides(both, copies, keys, rule, terms), total + len(copies))
    odd = _odd(both, copies, keys, rule, found)
    entries = [*_settled(odd, before, after, rule, terms, _contents(copies))]
    entries += _events(before, after, terms)
    return _ledger(both, found, odd, entries, copies, rule, terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """Both sides and what stands in them. None for after: nobody looked."""

    before: Side
    after: Side | None
    held: Survey
    now: Survey | None
    named: bool

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.before,) if self.after is None else (self.before, self.after)


def _surveyed(before: Side, after: Side | None) -> _Both:
    sides = (before,) if after is None else (before, after)
    return _Both(
        before=before,
        after=after,
        held=survey(before.rows),
        now=survey(after.rows) if after else None,
        named=all(one.named for one in sides),
    )


def _rule(both: _Both, terms: Terms, ours: Sequence[str]) -> Rule:
    every = {id_: found for one in reversed(both.sides) for id_, found in one.deliveries.items()}
    since = None
    if not terms.feedback and terms.heard_since is not None:
        since = max(terms.heard_since, terms.opening - SPOOL_TIME)
    return Rule(
        issues={id_: issue_of(found) for id_, found in sorted(every.items())},
        roots=both.held.deliveries | both.before.deliveries.keys(),
        ours=patterns(ours),
        spool_since=since,
        named=both.named,
    )


def issue_of(delivery: Delivery) -> str:
    """What makes two deliveries the same issue: the code, or the label without `Copy of`."""
    if delivery.code:
        return f"code {delivery.code}"
    label = _COPY_OF.sub("", " ".join(delivery.label.split()).lower())
    return f"label {label}" if label else f"#{delivery.id}"


def patterns(ours: Sequence[str]) -> str | None:
    """A regular expression for patterns with `*` and `?`, or None where there are none."""
    parts = []
    for pattern in sorted({found.lower() for found in ours}):
        text = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
        parts.append(text)
    return f"^(?:{'|'.join(parts)})$" if parts else None


def _copies(both: _Both, mails: tuple[Received, ...], rule: Rule) -> tuple[Copy, ...]:
    deliveries = frozenset(id_ for one in both.sides for id_ in one.deliveries) | rule.roots
    mails = of_deliveries(mails, deliveries)
    if not mails:
        return ()
    wanted = pl.Series(sorted(named_rows(mails)), dtype=pl.String)
    owners: dict[tuple[str, str], str] = {}
    readers: set[str] = set()
    for one in both.sides:
        named = one.rows.filter(pl.col("id").is_in(wanted.implode()))
        for row in (
            named.select("id", "delivery", "recipient").collect(engine="streaming").iter_rows()
        ):
            owners.setdefault((row[0], row[1]), row[2])
        if rule.ours is not None:
            mine = one.rows.filter(pl.col("recipient").str.contains(rule.ours))
            readers.update(
                mine.select("recipient").unique().collect(engine="streaming")["recipient"].to_list()
            )
    known = Known(deliveries=deliveries, recipients=owners, readers=frozenset(readers))
    issues = {rule.issue(root) for root in rule.roots}
    return tuple(c for c in copies_of(mails, known) if rule.issue(c.delivery) in issues)


def _sides(
    both: _Both, copies: tuple[Copy, ...], keys: pl.DataFrame, rule: Rule, terms: Terms
) -> list[pl.LazyFrame]:
    ends = [found.valid_until for found in both.before.deliveries.values() if found.valid_until]
    earliest = min(ends, default=None)
    strange = [
        len(copy.hosts) > 1
        or copy.delivery not in rule.roots
        or (earliest is not None and copy.at > earliest)
        for copy in copies
    ]
    phases = [terms.phase(copy.at) for copy in copies]
    found = [before_side(both.before.rows, rule, both.held), copies_side(keys, phases, strange)]
    if both.after is not None and both.now is not None:
        found.append(after_side(both.after.rows, rule, both.now))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odd:
    """The rows and copies of the keys that are not plain, grouped by their strings."""

    before: Mapping[Key, tuple[LogRow, ...]]
    after: Mapping[Key, tuple[LogRow, ...]]
    copies: Mapping[Key, tuple[Copy, ...]]
    repeated: int
    """Queued rows that the look holds more than once under one id."""


def _odd(
    both: _Both, copies: tuple[Copy, ...], keys: pl.DataFrame, rule: Rule, found: Tally
) -> _Odd:
    old = _rows(both.before.rows, rule, found.odd)
    new = []
    if both.after is not None and both.now is not None:
        new = _rows(of_issues(both.after.rows, rule, both.now), rule, found.odd)
    places = keys.join(found.odd, on="key", how="semi")["place"].to_list()
    unique = list(dict.fromkeys(old))
    single = {(row.id, row.delivery): row for row in unique}
    return _Odd(
        before=_grouped([(_key(r.recipient, r.id, r.delivery, rule), r) for r in single.values()]),
        after=_grouped([(_key(r.recipient, r.id, r.delivery, rule), r) for r in new]),
        copies=_grouped(
            [
                (_key(c.recipient, c.row, c.delivery, rule), c)
                for c in map(copies.__getitem__, places)
            ]
        ),
        repeated=sum(map(_is_queued, old)) - sum(map(_is_queued, single.values())),
    )


def _rows(rows: pl.LazyFrame, rule: Rule, odd: pl.DataFrame) -> list[LogRow]:
    """The rows of some keys, in full."""
    if odd.is_empty():
        return []
    found = rows.filter(key_of(rule).is_in(odd["key"].implode()))
    frame_of = found.collect(engine="streaming").sort("id", "delivery", "status")
    return [LogRow(**row) for row in frame_of.iter_rows(named=True)]


def _key(recipient: str, row: str, delivery: str, rule: Rule) -> Key:
    return (recipient, rule.issue(delivery)) if recipient else (f"#{row}", delivery)


def _grouped(pairs: Iterable[tuple[Key, T]]) -> dict[Key, tuple[T, ...]]:
    found: dict[Key, list[T]] = {}
    for key, item in pairs:
        found.setdefault(key, []).append(item)
    return {key: tuple(items) for key, items in found.items()}


def _is_queued(row: LogRow) -> bool:
    return meaning(row.status, row.status_name) in (Meaning.PENDING, Meaning.ACCEPTED)


def _contents(copies: Iterable[Copy]) -> Contents:
    """What deliveries are seen to hold: one text for several readers, or texts in common."""
    readers: dict[str, dict[str, set[str]]] = {}
    for copy in copies:
        if copy.content is not None:
            held = readers.setdefault(copy.delivery, {})
            held.setdefault(copy.content, set()).add(copy.recipient)
    shared = {
        delivery: next(iter(held))
        for delivery, held in readers.items()
        if len(held) == 1 and len(next(iter(held.values()))) > 1
    }
    alike = {
        (one, other)
        for one, held in readers.items()
        for other, also in readers.items()
        if one != other and held.keys() & also.keys()
    }
    return Contents(shared=shared, alike=frozenset(alike))


def _settled(
    odd: _Odd, before: Side, after: Side | None, rule: Rule, terms: Terms, contents: Contents
) -> Iterable[Entry]:
    """The entries of all keys that are not plain, in the order of their keys."""
    for key in sorted(odd.before):
        new = odd.after.get(key, ())
        copies = odd.copies.get(key, ())
        own = {(row.id, row.delivery): row for row in new}
        early = frozenset(c.delivery for c in copies if c.at < terms.opening)
        originals = [
            _original(row, own.get((row.id, row.delivery)), early, before, after, rule)
            for row in odd.before[key]
        ]
        kept = [original for original in originals if original is not None]
        mine = any(original.ours for original in kept)
        told = () if mine else tuple(_told_by_log(kept, new, copies, terms))
        yield from settle(kept, (*copies, *told), terms, contents)


def _original(
    row: LogRow,
    last: LogRow | None,
    early: frozenset[str],
    before: Side,
    after: Side | None,
    rule: Rule,
) -> Original | None:
    """The original of a row of the look before; None for one that was no longer to be sent.

    last: the same row after. early: deliveries of which a copy arrived before the opening.
    """
    status = meaning(row.status, row.status_name)
    mine = rule.ours is not None and re.search(rule.ours, row.recipient) is not None
    queued = _is_queued(row) or (mine and _in_spool(row, early, rule))
    if not queued and status is not Meaning.SENT:
        return None
    old = before.deliveries.get(row.delivery)
    now = after.deliveries.get(row.delivery, old) if after else old
    return Original(
        id=row.id,
        delivery=row.delivery,
        recipient=row.recipient,
        queued=queued,
        ours=mine,
        before=status,
        after=meaning(last.status, last.status_name) if last else None,
        reason=last.reason if last else "",
        state=now.state if now else None,
        changed_by=now.changed_by if now else "",
        valid_until=old.valid_until if old else None,
    )


def _in_spool(row: LogRow, early: frozenset[str], rule: Rule) -> bool:
    """Relayed before the opening (v7), to one of ours, and not arrived by then."""
    if rule.spool_since is None or row.event_at is None or row.event_at < rule.spool_since:
        return False
    return meaning(row.status, row.status_name) is Meaning.SENT and row.delivery not in early


def _told_by_log(
    originals: Sequence[Original], rows: Sequence[LogRow], received: Sequence[Copy], terms: Terms
) -> Iterable[Copy]:
    """Rows that are Sent, as copies, where no source of ours receives the recipient.

    The own row of a message that was delivered before tells of that delivery, not of a copy; nor
    does the row of a copy that was received all the same.
    """
    delivered = {(o.id, o.delivery) for o in originals if not o.queued}
    delivered |= {(copy.row, copy.delivery) for copy in received}
    unnamed = {copy.delivery for copy in received if not copy.row}
    for row in rows:
        if meaning(row.status, row.status_name) is not Meaning.SENT:
            continue
        if (row.id, row.delivery) not in delivered and row.delivery not in unnamed:
            at = row.event_at or terms.close
            yield Copy(
                recipient=row.recipient,
                delivery=row.delivery,
                row=row.id,
                message_id="",
                content=None,
                at=at,
            )


def _events(before: Side, after: Side | None, terms: Terms) -> Iterable[Entry]:
    """Each real-time event that was pending, settled by its own id."""
    now = {e.id: meaning(e.status, e.status_name) for e in (after.events if after else None) or ()}
    asked = after is not None and after.events is not None
    held = {event.id: event for event in before.events or () if _waits(event)}
    for id_ in sorted(held):
        original = Original(
            id=id_,
            delivery=EVENTS,
            recipient="",
            queued=True,
            ours=False,
            before=meaning(held[id_].status, held[id_].status_name),
            after=now.get(id_),
        )
        sent = Copy(
            recipient="", delivery=EVENTS, row=id_, message_id="", content=None, at=terms.close
        )
        copies = (sent,) if now.get(id_) is Meaning.SENT else ()
        known = terms if asked else replace(terms, looked_at=None)
        yield from settle((original,), copies, replace(known, feedback=True), Contents())


def _waits(event: Event) -> bool:
    return meaning(event.status, event.status_name) in (Meaning.PENDING, Meaning.ACCEPTED)


def _ledger(
    both: _Both,
    found: Tally,
    odd: _Odd,
    settled: Sequence[Entry],
    copies: tuple[Copy, ...],
    rule: Rule,
    terms: Terms,
) -> Ledger:
    entries = tuple(entry for entry in settled if entry.original.queued)
    by_log, received = _plainly(found, terms)
    counts = Counter(entry.outcome for entry in entries)
    counts.update(by_log)
    counts.update(received)
    met = sum(any(copy.received for copy in entry.copies) for entry in entries)
    told = sum(_only_told(entry) for entry in entries)
    return Ledger(
        queued=_expected(both, entries, odd),
        counts={outcome: counts[outcome] for outcome in Outcome if counts[outcome]},
        entries=entries,
        again=tuple(entry for entry in settled if not entry.original.queued),
        received=met + sum(received.values()) - received.get(Outcome.BOUNCED, 0),
        told_by_log=told + by_log.get(Outcome.RESENT, 0),
        unknown=_unknown(odd, copies, both.before, rule),
        misdirected=tuple(copy for copy in copies if copy.instead_of),
        suffix=_suffix(copies),
        deliveries=both.before.deliveries,
    )


def _plainly(found: Tally, terms: Terms) -> tuple[Counter[Outcome], Counter[Outcome]]:
    """The plain counts; what the log of a v7 calls Sent stays open until the deadline."""
    by_log = Counter(found.by_log)
    if not terms.feedback and terms.at < terms.deadline:
        by_log[Outcome.QUEUED] += by_log.pop(Outcome.RESENT, 0)
    return by_log, Counter(found.received)


def _only_told(entry: Entry) -> bool:
    sent = entry.outcome in (Outcome.RESENT, Outcome.IN_WINDOW, Outcome.DELIVERED_BEFORE)
    return sent and not any(copy.received for copy in entry.copies)


def _expected(both: _Both, entries: Sequence[Entry], odd: _Odd) -> int:
    """The size of the queue, counted on the look itself and not on the outcomes."""
    spooled = sum(entry.original.before is Meaning.SENT for entry in entries)
    events = sum(_waits(event) for event in {e.id: e for e in both.before.events or ()}.values())
    return both.held.queued - odd.repeated + spooled + events


def _unknown(odd: _Odd, copies: Sequence[Copy], before: Side, rule: Rule) -> tuple[Copy, ...]:
    """Copies of deliveries of the queue for whose recipient the log had no message."""
    if not copies:
        return ()
    readers = pl.Series(sorted({copy.recipient for copy in copies}), dtype=pl.String)
    mine = before.rows.filter(pl.col("recipient").is_in(readers.implode()))
    rows = (
        mine.select("id", "recipient", "delivery").unique().collect(engine="streaming").iter_rows()
    )
    held = {_key(recipient, row, delivery, rule) for row, recipient, delivery in rows}
    return tuple(
        c
        for c in copies
        if _key(c.recipient, c.row, c.delivery, rule) not in held | odd.before.keys()
    )


def _suffix(copies: Iterable[Copy]) -> str | None:
    """What the Message-IDs of an instance end in, learned from those whose row the log knows."""
    ids = (campaign_ids(copy.message_id) for copy in copies if copy.row)
    found = Counter(found.suffix for found in ids if found)
    return min(found, key=lambda suffix: (-found[suffix], suffix)) if found else None
