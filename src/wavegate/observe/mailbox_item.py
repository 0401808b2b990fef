# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a mailbox holds, piece by piece: raw messages, and what could not be read."""

from dataclasses import dataclass
from datetime import datetime

from wavegate.errors import MissingError

MAX_MESSAGES = 100_000
"""So many messages of one mailbox are read in one look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """One message. where: its file, line or number. stored: when the mailbox took it, if told.

    mark: how far a look has got with it, for mailboxes that can be asked for what is newer.
    """

    where: str
    data: bytes
    stored: datetime | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """One message that could not be read, and why."""

    where: str
    reason: str
    mark: str | None = None


Item = RawMessage | Unread


class MailboxError(MissingError):
    """A mailbox or folder is not there, cannot be reached, or broke off: the look is not whole."""


def printable(text: str, longest: int = 200) -> str:
    """Text of another side, fit for a terminal and a record: short, without control characters."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:longest])
