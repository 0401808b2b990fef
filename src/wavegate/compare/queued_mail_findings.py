# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What of a ledger convicts `queued_mail`: one finding per way in which messages went wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wavegate.clock import format_instant
from wavegate.record.content_key import message_id_of
from wavegate.record.ledger import EVENTS, Ledger
from wavegate.record.ledger_entry import Copy, Entry, Outcome
from wavegate.record.queue import Delivery
from wavegate.verdict import Finding

MAX_WITNESS = 500
"""How many ids a finding names; the resend plan lists all messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What findings are made from. lost_share: in parts per million of the queue."""

    instance: str
    ledger: Ledger
    records: tuple[str, ...]
    lost_share: int
    accept_expired: bool


def findings(told: Told) -> Iterator[Finding]:
    """Every finding, the gravest first."""
    ledger = told.ledger
    if ledger.remainder:
        yield _remainder(told)
    lost = ledger.of(Outcome.LOST)
    if len(lost) * 1_000_000 > told.lost_share * ledger.queued:
        yield _lost(told, lost)
    twice = ledger.of(Outcome.TWICE)
    if twice:
        yield _twice(told, twice)
    again = tuple(entry for entry in ledger.again if entry.outcome is Outcome.TWICE)
    if again:
        yield _again(told, again)
    yield from _expired(told)
    yield from _replayed(told)
    if ledger.misdirected:
        yield _misdirected(told, ledger.misdirected)


def _remainder(told: Told) -> Finding:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in told.ledger.counts.items())
    return Finding(
        rule="counts-do-not-add-up",
        subject=f"instance:{told.instance}",
        expected=f"{told.ledger.queued} queued messages with one outcome each",
        observed=counts or "no outcome",
        explanation=f"{abs(told.ledger.remainder)} messages are left over",
        witness=(str(abs(told.ledger.remainder)), told.instance),
        before="queued",
        after="remainder",
        records=told.records,
    )


def _lost(told: Told, lost: Sequence[Entry]) -> Finding:
    reasons = _by_reason(lost)
    return _of_entries(
        told,
        lost,
        rule="lost",
        expected="each queued message is sent once, or accounted for, by its deadline",
        observed=f"{len(lost)} of {told.ledger.queued} are not: {reasons}",
        explanation=f"{len(lost)} queued messages are lost ({_places(told, lost)}): {reasons}",
        after="lost",
    )


def _twice(told: Told, twice: Sequence[Entry]) -> Finding:
    return _of_entries(
        told,
        twice,
        rule="sent-twice",
        expected="each queued message is sent exactly once",
        observed=f"{len(twice)} arrived more than once, under different Message-IDs",
        explanation=f"{len(twice)} queued messages were sent twice ({_places(told, twice)})",
        after="sent twice",
    )


def _again(told: Told, again: Sequence[Entry]) -> Finding:
    return _of_entries(
        told,
        again,
        rule="delivered-and-sent-again",
        expected="what was delivered before the window is not sent again",
        observed=f"{len(again)} messages that had been delivered came again",
        explanation=f"{len(again)} delivered messages were sent again ({_places(told, again)})",
        before="delivered",
        after="sent again",
    )


def _expired(told: Told) -> Iterator[Finding]:
    expired = told.ledger.of(Outcome.EXPIRED)
    late = [entry for entry in expired if entry.copies]
    gone = [entry for entry in expired if not entry.copies]
    if late:
        ends = sorted({e.original.valid_until for e in late if e.original.valid_until})
        yield _of_entries(
            told,
            late,
            rule="arrived-after-validity",
            expected="a message is not sent after its validity has ended",
            observed=f"{len(late)} messages arrived after {format_instant(ends[0])}",
            explanation=f"{len(late)} messages arrived after they had expired "
            f"({_places(told, late)})",
            after="arrived expired",
            more=tuple(format_instant(instant) for instant in ends[:5]),
        )
    if gone and not told.accept_expired:
        yield _of_entries(
            told,
            gone,
            rule="expired",
            expected="each queued message is sent; an empty queue is not enough",
            observed=f"{len(gone)} left the queue unsent: {_by_reason(gone)}",
            explanation=f"{len(gone)} messages expired in the queue and were cancelled by the "
            f"cleanup ({_places(told, gone)})",
            after="expired",
            more=("cleanup",),
        )


def _replayed(told: Told) -> Iterator[Finding]:
    """One Message-ID from two hosts is no SMTP retry: two spools held the message."""
    entries = [
        entry
        for entry in told.ledger.of(Outcome.SMTP_DUPLICATE)
        if len(set(entry.copies[0].hosts)) > 1
    ]
    if entries:
        hosts = sorted({host for entry in entries for host in entry.copies[0].hosts})
        yield _of_entries(
            told,
            entries,
            rule="same-message-from-two-hosts",
            expected="each queued message is sent exactly once",
            observed=f"{len(entries)} arrived under one Message-ID from {', '.join(hosts)}",
            explanation=f"{len(entries)} messages lay in two spools and left both "
            f"({_places(told, entries)})",
            after="sent by two hosts",
            more=tuple(hosts[:5]),
        )


def _misdirected(told: Told, copies: Sequence[Copy]) -> Finding:
    names = sorted({copy.delivery for copy in copies})
    readers = sorted({reader for copy in copies for reader in (copy.recipient, copy.instead_of)})
    ids = [copy.message_id for copy in copies]
    return Finding(
        rule="content-of-another-reader",
        subject=_subject(told, names),
        expected="each reader gets the content that was made for them",
        observed=f"{len(copies)} mails hold the content of another reader",
        explanation=f"{copies[0].recipient} received what was made for {copies[0].instead_of}",
        witness=_witness(told, len(copies), names, [*readers, *ids]),
        before="own content",
        after="content of another reader",
        records=told.records,
    )


def _of_entries(
    told: Told,
    entries: Sequence[Entry],
    *,
    rule: str,
    expected: str,
    observed: str,
    explanation: str,
    after: str,
    before: str = "queued",
    more: tuple[str, ...] = (),
) -> Finding:
    names = sorted({entry.original.delivery for entry in entries})
    ids = dict.fromkeys(text for entry in entries for text in _names_of(told, entry))
    return Finding(
        rule=rule,
        subject=_subject(told, names),
        expected=expected,
        observed=observed,
        explanation=explanation,
        witness=_witness(told, len(entries), names, [*more, *ids]),
        before=before,
        after=after,
        records=told.records,
    )


def _names_of(told: Told, entry: Entry) -> Iterator[str]:
    """The row, the Message-IDs met or else the one it would bear, and a reader who got copies."""
    original = entry.original
    yield original.id
    if entry.copies:
        yield from (copy.message_id for copy in entry.copies if copy.received)
        yield original.recipient
    elif told.ledger.suffix is not None:
        yield message_id_of(original.id, original.delivery, told.ledger.suffix) or original.id


def _witness(
    told: Told, count: int, deliveries: Sequence[str], ids: Iterable[str]
) -> tuple[str, ...]:
    known = told.ledger.deliveries
    places = [text for d in deliveries[:20] for text in (d, *_texts(known, d))]
    every = dict.fromkeys(text for text in (str(count), told.instance, *places, *ids) if text)
    return tuple(every)[: MAX_WITNESS + 2 + len(places)]


def _texts(known: Mapping[str, Delivery], delivery: str) -> tuple[str, ...]:
    found = known.get(delivery)
    return (found.name, found.label) if found else ()


def _subject(told: Told, deliveries: Sequence[str]) -> str:
    if len(deliveries) != 1 or deliveries[0] == EVENTS:
        return f"instance:{told.instance}"
    known = told.ledger.deliveries.get(deliveries[0])
    return f"delivery {known.name or known.id}" if known else f"delivery {deliveries[0]}"


def _places(told: Told, entries: Sequence[Entry]) -> str:
    """`D1 60, D2 80`: how many of which delivery."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.original.delivery] = counts.get(entry.original.delivery, 0) + 1
    known = told.ledger.deliveries
    labels = {d: known[d].label or known[d].name if d in known else d for d in counts}
    return ", ".join(f"{labels[d]} {counts[d]}" for d in sorted(counts)[:20])


def _by_reason(entries: Sequence[Entry]) -> str:
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.why] = counts.get(entry.why, 0) + 1
    return "; ".join(f"{count} {why}" for why, count in sorted(counts.items())[:10])
