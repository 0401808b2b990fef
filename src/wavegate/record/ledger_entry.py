# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The words of the mail ledger: what is reckoned by, an original, a copy, an entry, its outcome."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from wavegate.record.queue import Meaning

Phase = Literal["before", "window", "after"]


class Outcome(StrEnum):
    """What became of a queued message; every one of them has exactly one.

    QUEUED: may still come, its deadline is not reached. UNTOLD: its deadline is past and what we
    have does not tell: nobody looked since, or no control mail shows that its mailbox is reached.
    """

    DELIVERED_BEFORE = "delivered before"
    IN_WINDOW = "sent in the window"
    RESENT = "resent once"
    LOST = "lost"
    TWICE = "sent twice"
    SMTP_DUPLICATE = "same message twice"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    QUEUED = "still queued"
    CANCELLED = "cancelled by a person"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a queue is reckoned by.

    deadline: until when a message may come, shorter where its validity is. feedback: Sent means
    delivered (v8), not only relayed (v7). looked_at: when the last complete look after the close
    was taken, None where there is none. controls: recipients and domains (`@seed.example`) that
    mail reached after the close. heard_since: from when on a mail source listened, None if none.
    """

    opening: datetime
    close: datetime
    at: datetime
    deadline: datetime
    feedback: bool
    looked_at: datetime | None
    controls: frozenset[str] = frozenset()
    heard_since: datetime | None = None

    def phase(self, instant: datetime) -> Phase:
        """In which phase an instant lies."""
        if instant < self.opening:
            return "before"
        return "window" if instant < self.close else "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A message that the log knew before the window.

    queued: it belongs to the queue; else it was delivered before and is out of scope unless it
    comes again. ours: its recipient is one that our sources receive, so it must arrive there.
    after: what the last look after says, None where it shows no such row. state, changed_by: of
    its delivery after. valid_until: end of its own validity.
    """

    id: str
    delivery: str
    recipient: str
    queued: bool
    ours: bool
    before: Meaning
    after: Meaning | None
    reason: str = ""
    state: int | None = None
    changed_by: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One message that was sent: received by a source of ours, or only told by the log.

    row: the broadLog id that its Message-ID or log row names, or empty. message_id: empty for a
    copy that only the log tells. content: its content hash, None where there is none. hosts: of
    the sending side that wrote it, one per arrival. instead_of: another recipient for whom its
    content was made, or empty.
    """

    recipient: str
    delivery: str
    row: str
    message_id: str
    content: str | None
    at: datetime
    hosts: tuple[str, ...] = ()
    instead_of: str = ""

    @property
    def received(self) -> bool:
        """Whether a source of ours received it."""
        return bool(self.message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One original in the ledger, with the copies that were found of it.

    why: in a few words. fuzzy: a copy was paired by recipient and label alone, without content.
    """

    original: Original
    outcome: Outcome
    why: str
    copies: tuple[Copy, ...] = ()
    fuzzy: bool = False
