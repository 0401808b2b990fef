# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A mailbox behind IMAP (RFC 9051, RFC 3501), read with EXAMINE and BODY.PEEK: nothing is marked.

Messages are met in the order of their UIDs, so that a look can go on where the last one ended. No
size that a server tells is believed: no more than the bound is asked for, and where a message is
not as long as it was said to be, its end is asked for.
"""

import imaplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from wavegate.errors import MissingError
from wavegate.estate.secrets import resolve
from wavegate.observe.imap_connection import SECONDS, BoundedClient, ImapPlace
from wavegate.observe.mailbox_item import (
    MAX_MESSAGES,
    Item,
    MailboxError,
    RawMessage,
    Unread,
    printable,
)
from wavegate.observe.mailbox_message import MAX_MESSAGE

STRIDE = 20_000
"""UIDs asked for by one SEARCH, whose answer must stay a line of bearable length."""
AT_ONCE = 100
"""Messages whose size and instant are asked for at once."""
TAIL = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How to log in; all are references, and the user may stand in the URL. ca: a PEM file."""

    user: str | None
    password: str | None
    ca: str | None
    base: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapMailbox:
    """A folder on an IMAP server. since: older messages are not asked for. after: the last mark."""

    place: ImapPlace
    login: Login
    since: datetime | None = None
    after: str | None = None
    seconds: float = SECONDS

    def items(self) -> Iterator[Item]:
        """The messages that are newer than the mark, oldest first.

        Raises MailboxError where there is no way in, or the conversation broke off.
        """
        where = f"{self.place.host}:{self.place.port}/{self.place.folder}"
        client: BoundedClient | None = None
        try:
            with self._connected() as client:
                self._log_in(client)
                yield from self._messages(client)
        except (MissingError, GeneratorExit):
            raise
        except Exception as error:  # a hostile server can make the parser raise anything
            late = client is not None and client.expired
            what = f"it took longer than {self.seconds:g} s" if late else _reason(error)
            raise MailboxError(
                f"the IMAP server cannot be read: {what}",
                where=where,
                cure="check host, TLS and credentials; what was read is kept, look again",
            ) from error

    def _connected(self) -> BoundedClient:
        context = ssl.create_default_context()
        if self.login.ca:
            context.load_verify_locations(cadata=resolve(self.login.ca, self.login.base))
        return BoundedClient(self.place, context, self.seconds)

    def _log_in(self, client: BoundedClient) -> None:
        user, password = self.login.user, self.login.password
        name = resolve(user, self.login.base) if user else self.place.user
        if name is None or password is None:
            raise MailboxError(
                "no credentials are named",
                where=self.place.host,
                cure="add credentials: {user: env:IMAP_USER, password: env:IMAP_PASSWORD}",
            )
        secret = resolve(password, self.login.base)
        try:
            client.login(name, secret)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:  # its text is the server's, and could hold anything
            raise MailboxError(
                "the server refused the login", where=self.place.host, cure="check the credentials"
            ) from None

    def _messages(self, client: BoundedClient) -> Iterator[Item]:
        client.expect()
        state = client.select_folder(self.place.folder, readonly=True)
        validity = int(state.get(b"UIDVALIDITY", 0))
        first = _first(self.after, validity, self.since)
        met = 0
        for low, high in _ranges(first, int(state.get(b"UIDNEXT", 0))):
            uids = self._search(client, low, high)
            for start in range(0, len(uids), AT_ONCE):
                for uid, item in self._fetch(client, uids[start : start + AT_ONCE]):
                    if met >= MAX_MESSAGES:
                        raise MailboxError(f"more than {MAX_MESSAGES} messages: look again")
                    met += 1
                    yield replace(item, mark=_mark(validity, uid, self.since))

    def _search(self, client: BoundedClient, low: int, high: str) -> list[int]:
        """The UIDs in a range, rising. SINCE means days of the server, so one more is asked for.

        `n:*` finds the last message even where it is below n.
        """
        criteria: list[Any] = ["UID", f"{low}:{high}"]
        if self.since:
            criteria += ["SINCE", (self.since - timedelta(days=1)).date()]
        client.expect()
        return sorted(uid for uid in set(client.search(criteria)) if uid >= low)

    def _fetch(self, client: BoundedClient, uids: list[int]) -> Iterator[tuple[int, Item]]:
        client.expect()
        facts = client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
        for uid in uids:
            told = facts.get(uid, {})
            size = told.get(b"RFC822.SIZE")
            if isinstance(size, int) and size > MAX_MESSAGE:
                yield uid, Unread(where=f"UID {uid}", reason=f"larger than {MAX_MESSAGE} bytes")
                continue
            yield uid, self._message(client, uid, size, told)

    def _message(
        self, client: BoundedClient, uid: int, size: object, told: Mapping[bytes, object]
    ) -> Item:
        where = f"UID {uid}"
        data = _part(client, uid, 0, MAX_MESSAGE + 1)
        if data is None:
            return Unread(where=where, reason="the server gave no message")
        if len(data) > MAX_MESSAGE:
            return Unread(where=where, reason=f"larger than {MAX_MESSAGE} bytes")
        if size != len(data) and _part(client, uid, len(data), TAIL):
            return Unread(where=where, reason="the server cut it short")
        stored = told.get(b"INTERNALDATE")
        if not isinstance(stored, datetime) or stored.tzinfo is None:
            stored = None
        return RawMessage(where=where, data=data, stored=stored)


def _ranges(first: int, after: int) -> Iterator[tuple[int, str]]:
    """The UIDs from one on in ranges that a SEARCH can bear. after: UIDNEXT, 0 where not told."""
    if not after:
        yield first, "*"
    for low in range(first, after, STRIDE):
        yield low, str(min(low + STRIDE, after) - 1)


def _part(client: BoundedClient, uid: int, begin: int, size: int) -> bytes | None:
    """Bytes of a message from a place on; None where the server gives none."""
    client.expect(size)
    answer = client.fetch([uid], [f"BODY.PEEK[]<{begin}.{size}>"]).get(uid, {})
    found = answer.get(b"BODY[]<%d>" % begin)
    return found if isinstance(found, bytes) else None


def _mark(validity: int, uid: int, since: datetime | None) -> str:
    return f"{validity}:{uid}:{since.date().isoformat() if since else ''}"


def _first(mark: str | None, validity: int, since: datetime | None) -> int:
    """The first UID to ask for: behind the mark, if it is of this mailbox and reaches as far back.

    UIDs mean nothing under another UIDVALIDITY (RFC 9051 2.3.1.1).
    """
    parts = (mark or "").split(":")
    if len(parts) != 3 or not parts[1].isdigit() or parts[0] != str(validity):
        return 1
    reach = since.date().isoformat() if since else ""
    return int(parts[1]) + 1 if parts[2] <= reach else 1


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {printable(error.verify_message)}"
    if isinstance(error, OSError):
        return printable(error.strerror or str(error) or type(error).__name__)
    if isinstance(error, imaplib.IMAP4.error):
        return printable(str(error))
    return f"its answer makes no sense ({type(error).__name__})"
