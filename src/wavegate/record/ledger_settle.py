# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Settling one key of the ledger: its originals, its copies, and what became of each original.

Copies that bear an original's own id are its own. The others are paired in time order with
originals that have none, by equal content where both contents are known. What is left over and has
the content of an original that has its copy is a second sending; what has another content is
another issue. All pure, and the same whatever the order of the input.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from wavegate.record.ledger_entry import Copy, Entry, Original, Outcome, Terms
from wavegate.record.queue import CANCELLED_STATES, Meaning

PAUSED = frozenset({71, 72, 75})
OPEN = (Meaning.PENDING, Meaning.ACCEPTED, Meaning.SENT, Meaning.UNKNOWN, Meaning.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is known of contents beyond single mails.

    shared: the one content of a delivery that several recipients got alike. alike: pairs of
    deliveries of which some recipient got the same content from both.
    """

    shared: dict[str, str] = field(default_factory=dict)
    alike: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class _Slot:
    """An original while its copies are being found."""

    original: Original
    copies: list[Copy]
    fuzzy: bool = False
    doubt: bool = False

    @property
    def known(self) -> frozenset[str]:
        return frozenset(copy.content for copy in self.copies if copy.content)


def settle(
    originals: Iterable[Original], copies: Iterable[Copy], terms: Terms, contents: Contents
) -> tuple[Entry, ...]:
    """The entries of the originals that share a recipient and a label, in the order of their ids.

    Originals that were delivered before and did not come again are left out.
    """
    slots = [_Slot(o, []) for o in sorted(originals, key=lambda o: (o.id, o.delivery))]
    left = _own(slots, sorted(copies, key=_in_time))
    left = _pair(slots, left, contents, sure=True)
    left = _pair(slots, left, contents, sure=False)
    for copy in left:
        _second(slots, copy, contents)
    entries = (_entry(slot, terms) for slot in slots)
    return tuple(entry for entry in entries if entry is not None)


def _in_time(copy: Copy) -> tuple[datetime, str, str]:
    return copy.at, copy.message_id, copy.row


def _own(slots: Sequence[_Slot], copies: Iterable[Copy]) -> list[Copy]:
    """Give each original the copies that bear its id; the copies that are left."""
    by_id = {(slot.original.id, slot.original.delivery): slot for slot in reversed(slots)}
    left = []
    for copy in copies:
        mine = by_id.get((copy.row, copy.delivery))
        if mine is not None:
            mine.copies.append(copy)
        else:
            left.append(copy)
    return left


def _same_delivery(slot: _Slot, copy: Copy) -> bool:
    return slot.original.delivery == copy.delivery


def _pair(
    slots: Sequence[_Slot], copies: Iterable[Copy], contents: Contents, *, sure: bool
) -> list[Copy]:
    """Give copies to queued originals that have none; sure: only where the content is known."""
    left = []
    wanting = [slot for slot in slots if slot.original.queued and not slot.copies]
    wanted = True if sure else None
    for copy in copies:
        places = (n for n, s in enumerate(wanting) if _same(s, copy, contents) is wanted)
        place = next(places, None)
        if place is None:
            left.append(copy)
            continue
        slot = wanting.pop(place)
        slot.copies.append(copy)
        slot.fuzzy = not sure
    return left


def _same(slot: _Slot, copy: Copy, contents: Contents) -> bool | None:
    """Whether a copy has the content of an original; None where that cannot be told."""
    if _same_delivery(slot, copy):
        return True
    shared = contents.shared
    known = slot.known or {shared[d] for d in (slot.original.delivery,) if d in shared}
    mine = copy.content or shared.get(copy.delivery)
    if known and mine is not None:
        return mine in known
    if (slot.original.delivery, copy.delivery) in contents.alike:
        return True
    return None


def _second(slots: Sequence[_Slot], copy: Copy, contents: Contents) -> None:
    """A copy that is left over: a second sending, perhaps one, or another issue."""
    having = [s for s in slots if s.copies or not s.original.queued]
    having.sort(key=lambda s: (not s.original.queued, len(s.copies)))
    for slot in having:
        if _same(slot, copy, contents) is True:
            slot.copies.append(copy)
            return
    for slot in having:
        if _same(slot, copy, contents) is None:
            slot.copies.append(copy)
            slot.doubt = True
            return


def _entry(slot: _Slot, terms: Terms) -> Entry | None:
    found = _of_copies(slot, terms) if slot.original.queued else _of_delivered(slot)
    if found is None:
        return None
    outcome, why = found
    return Entry(
        original=slot.original,
        outcome=outcome,
        why=why,
        copies=tuple(slot.copies),
        fuzzy=slot.fuzzy,
    )


def _of_delivered(slot: _Slot) -> tuple[Outcome, str] | None:
    """An original that was delivered before: out of scope unless it came again."""
    own = [copy for copy in slot.copies if copy.row == slot.original.id]
    again = [copy for copy in slot.copies if copy.row != slot.original.id]
    if slot.doubt:
        return Outcome.UNTOLD, "delivered before; a mail like it came, its content is not known"
    if again or len(own) > 1:
        return Outcome.TWICE, "delivered before the window, and sent again"
    return None


def _of_copies(slot: _Slot, terms: Terms) -> tuple[Outcome, str]:
    copies = slot.copies
    if not copies:
        return _of_status(slot.original, terms)
    if slot.doubt:
        return Outcome.UNTOLD, "a second mail like it came, its content is not known"
    if len(copies) > 1:
        return Outcome.TWICE, f"{len(copies)} copies were sent"
    return _of_one(slot.original, copies[0], terms)


def _of_one(original: Original, copy: Copy, terms: Terms) -> tuple[Outcome, str]:
    if copy.received and original.valid_until is not None and copy.at > original.valid_until:
        return Outcome.EXPIRED, "arrived after its validity had ended"
    if len(copy.hosts) > 1:
        return Outcome.SMTP_DUPLICATE, f"arrived {len(copy.hosts)} times under one Message-ID"
    if not copy.received and not terms.feedback and terms.at < row_deadline(original, terms):
        return Outcome.QUEUED, "relayed; Sent does not say that it was delivered"
    match terms.phase(copy.at):
        case "before":
            return Outcome.DELIVERED_BEFORE, "delivered between the look and the opening"
        case "window":
            return Outcome.IN_WINDOW, "sent in the window"
        case "after":
            return Outcome.RESENT, "sent once after the close"


def row_deadline(original: Original, terms: Terms) -> datetime:
    """Until when a message may come: the deadline, or the end of its validity if that is sooner."""
    if original.valid_until is None:
        return terms.deadline
    return min(terms.deadline, max(original.valid_until, terms.close))


def _of_status(original: Original, terms: Terms) -> tuple[Outcome, str]:
    """What the log says of an original without a copy."""
    match original.after:
        case Meaning.FAILED:
            return Outcome.BOUNCED, original.reason or "failed, no reason given"
        case Meaning.CANCELLED if original.state in CANCELLED_STATES:
            who = f"by {original.changed_by}" if original.changed_by else "by nobody that it names"
            return Outcome.CANCELLED, f"its delivery was cancelled {who}"
        case Meaning.CANCELLED | Meaning.EXPIRED:
            return Outcome.EXPIRED, f"cancelled by the cleanup{_validity(original)}"
    return _of_nothing(original, terms)


def _validity(original: Original) -> str:
    return "" if original.valid_until is None else " after its validity"


def _of_nothing(original: Original, terms: Terms) -> tuple[Outcome, str]:
    state = _last_state(original)
    if terms.at < row_deadline(original, terms):
        return Outcome.QUEUED, state
    if not _can_tell(original, terms):
        return Outcome.UNTOLD, f"{state}, {_what_is_missing(original)}"
    still = original.after in (Meaning.PENDING, Meaning.ACCEPTED)
    if still and original.valid_until is not None and original.valid_until <= terms.at:
        return Outcome.EXPIRED, f"its validity ended while it was {state}"
    return Outcome.LOST, state


def _last_state(original: Original) -> str:
    if original.after is None:
        return "its log row is not there"
    if original.state in PAUSED:
        return f"still {original.after}, its delivery is paused"
    if original.after is Meaning.SENT:
        return "the log says Sent, and it has not arrived"
    return f"still {original.after}"


def _can_tell(original: Original, terms: Terms) -> bool:
    """Ours: control mail reached its mailbox or its domain. Others: a look after the deadline."""
    if original.ours:
        domain = "@" + original.recipient.rpartition("@")[2]
        return original.recipient in terms.controls or domain in terms.controls
    return terms.looked_at is not None and terms.looked_at >= row_deadline(original, terms)


def _what_is_missing(original: Original) -> str:
    return "no control mail shows its mailbox" if original.ours else "nobody looked since"
