# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail source interface: an independent side from which received mail is known.

The sink's journals are one (`SinkJournals`); IMAP, Maildir, mbox and DMARC reports are others.
A source hands over what it received, whole, and never judges. See CONTRIBUTING for how to add one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wavegate.record.mail_journal import stream_mails
from wavegate.record.message import Received
from wavegate.record.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class MailProblem:
    """Something that a source could not read: where, and a sentence. It is never an absence."""

    source: str
    where: str
    detail: str


class MailSource(Protocol):
    """One place where mail of an instance is received."""

    @property
    def name(self) -> str:
        """`sink`, `imap`, `maildir`, `mbox`: as `Received.source` says it."""

    def read(
        self, since: datetime | None, note: Callable[[MailProblem], None]
    ) -> Iterator[Received]:
        """What was received from an instant on (None: ever), one by one, in bounded memory.

        What cannot be read goes to `note`. Raises InternalError only for faults of this machine,
        MissingError where the source is not there at all.
        """


@dataclass(frozen=True, slots=True)
class SinkJournals:
    """The mail that `wavegate sink` recorded in a store."""

    store: Store

    @property
    def name(self) -> str:
        """As the sink writes it."""
        return "sink"

    def read(
        self, since: datetime | None, note: Callable[[MailProblem], None]
    ) -> Iterator[Received]:
        """The journalled mails whose end of data is not before an instant."""
        mails = stream_mails(
            self.store,
            lambda found: note(
                MailProblem(
                    source=self.name,
                    where=f"{found.journal}#{found.n}",
                    detail=f"{found.kind}: {found.detail}",
                )
            ),
        )
        return (mail for mail in mails if since is None or mail.ended >= since)
