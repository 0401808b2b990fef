# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bounded connection to an IMAP server, under IMAPClient: in size, in time, and read-only.

A server may drip, announce gigabytes, or never stop sending lines: what one command may bring is
bounded, no literal is read that is larger than what was asked for, and a time limit shuts the
socket wherever the conversation stands.
"""

import imaplib
import ipaddress
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient, SocketTimeout

from wavegate.clock import monotonic
from wavegate.errors import InputError
from wavegate.observe.time_limit import limit

SECONDS = 600.0
"""A whole look into one mailbox takes no longer."""
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
MAX_ANSWER = 2 * 1024 * 1024
"""Bytes that the answer to one command may have, besides a message that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPlace:
    """Where a mailbox is. tls: from the first byte; otherwise by STARTTLS. user: if the URL has it.

    Read from `imaps://[user@]host[:port]/Folder`; `imap://` begins in clear and asks for STARTTLS.
    """

    host: str
    port: int
    folder: str
    tls: bool
    user: str | None

    @classmethod
    def parse(cls, text: str) -> "ImapPlace":
        """Read a URL, or a host name alone. Raises InputError."""
        try:
            parts = urlsplit(text if "//" in text else f"imaps://{text}")
            port = parts.port
        except ValueError as error:
            raise _no_place(text) from error
        if parts.scheme not in ("imap", "imaps") or not parts.hostname:
            raise _no_place(text)
        tls = parts.scheme == "imaps"
        return cls(
            host=parts.hostname,
            port=port or (993 if tls else 143),
            folder=unquote(parts.path.strip("/")) or "INBOX",
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
        )

    @property
    def loopback(self) -> bool:
        """Whether the server is this machine by its address, where TLS protects nothing."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _no_place(text: str) -> InputError:
    return InputError(
        "not the place of an IMAP mailbox",
        where=text,
        cure="write imaps://user@host/INBOX",
    )


class TooMuchError(imaplib.IMAP4.abort):
    """The server sends more than it was asked for."""


class _Guard:
    """Shuts a connection when its time is up, whatever wraps its socket by then."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._twin: socket.socket | None = None
        self._limit = limit(monotonic() + seconds, self.expire)

    def watch(self, sock: socket.socket) -> None:
        self._twin = sock.dup()
        if self.expired:
            self.expire()

    def expire(self) -> None:
        self.expired = True
        if self._twin:
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self._limit.lift()
        if self._twin:
            self._twin.close()


class _BoundedImap(imaplib.IMAP4):
    """imaplib with a budget. allow: bytes that may still come for the command under way."""

    def __init__(self, place: ImapPlace, context: ssl.SSLContext | None, guard: _Guard) -> None:
        self.allow = MAX_ANSWER
        self._context = context
        self._guard = guard
        super().__init__(place.host, place.port, timeout=CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = socket.create_connection((self.host, self.port), timeout)
        try:
            self._guard.watch(sock)
            return (
                self._context.wrap_socket(sock, server_hostname=self.host)
                if self._context
                else sock
            )
        except BaseException:
            sock.close()
            raise

    def read(self, size: int) -> bytes:
        self._spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._spend(len(line))
        return line

    def _spend(self, size: int) -> None:
        if size > self.allow:
            raise TooMuchError("the server sends more than it was asked for")
        self.allow -= size


class BoundedClient(IMAPClient):  # type: ignore[misc] # the library has no types
    """An IMAPClient that is bounded; use it with `with`. seconds: for all that is done with it.

    Raises OSError (no connection, no TLS) and imaplib's errors.
    """

    def __init__(self, place: ImapPlace, context: ssl.SSLContext, seconds: float = SECONDS) -> None:
        self._place = place
        self._context = context
        self._guard = _Guard(seconds)
        try:
            timeout = SocketTimeout(CONNECT_SECONDS, READ_SECONDS)
            super().__init__(place.host, place.port, ssl=place.tls, timeout=timeout)
            self.normalise_times = False
            if not place.tls:
                self._secure()
        except BaseException:
            self._guard.release()
            raise

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - the library's name
        context = self._context if self._place.tls else None
        return _BoundedImap(self._place, context, self._guard)

    def _secure(self) -> None:
        """Ask for STARTTLS; without it go on in clear on this machine only."""
        if self.has_capability("STARTTLS"):
            self.starttls(self._context)
        elif not self._place.loopback:
            self.shutdown()
            raise imaplib.IMAP4.error("the server offers no TLS, and a password would be readable")

    @property
    def expired(self) -> bool:
        """Whether the time was up."""
        return self._guard.expired

    def expect(self, size: int = 0) -> None:
        """Before a command: how large a message it may bring, besides the answer itself."""
        self._imap.allow = MAX_ANSWER + size

    def __exit__(self, kind: object, *error: object) -> None:
        """Say goodbye, unless something went wrong, and close in any case."""
        try:
            self.expect()
            if kind is None:
                super().__exit__(kind, *error)
            else:
                with suppress(OSError, imaplib.IMAP4.error):
                    self.shutdown()
        finally:
            self._guard.release()
