# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One connection of the sink: SMTP by aiosmtpd (RFC 5321), and what is recorded of it.

The peer is what the socket saw; from a named proxy, what its PROXY header says (versions 1 and 2)
and nothing else. A message is acknowledged when it is durable, never before.
"""

import asyncio
import ipaddress
from contextlib import suppress
from datetime import datetime
from typing import Literal

from aiosmtpd.proxy_protocol import V2_CMD, ProxyData
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from wavegate.canonical import digest
from wavegate.clock import now
from wavegate.errors import InternalError
from wavegate.observe.sink_desk import Desk, plain_address
from wavegate.observe.sink_settings import Address, Door
from wavegate.observe.sink_wire import plain_path, read_data
from wavegate.record.greeting import greeting
from wavegate.record.message import Received

CHUNK = 64 * 1024
NULL_PATH = "<>"


class Visit:
    """The handler of one connection: who it is, what it may do, what is kept of it."""

    def __init__(self, desk: Desk, door: Door, peer: Address) -> None:
        self._desk = desk
        self._door = door
        self._peer: str | None = str(peer)
        self._peer_by: Literal["socket", "proxy"] = "socket"
        self.connected: datetime = now()

    async def handle_PROXY(  # noqa: N802 - aiosmtpd names its hooks so
        self, _server: SMTP, _session: Session, _envelope: Envelope, said: ProxyData
    ) -> bool:
        """Believe a valid header. Without an address (LOCAL, UNKNOWN) the peer is not known."""
        source = said.src_addr if said.command != V2_CMD.LOCAL else None
        known = isinstance(source, ipaddress.IPv4Address | ipaddress.IPv6Address)
        self._peer = str(plain_address(str(source))) if known else None
        self._peer_by = "proxy"
        return True

    async def handle_EHLO(  # noqa: N802 - aiosmtpd names its hooks so
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer everything but AUTH: nobody has a password here."""
        session.host_name = hostname
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names its hooks so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Begin a message, where there is room for one."""
        if self._peer is None:
            return self._refuse("554 5.7.1 the proxy did not say who sends")
        if not _is_text(address):
            return self._refuse("553 5.1.7 the address is not UTF-8")
        if not self._desk.committer.writer.has_room:
            return self._put_off("452 4.3.1 insufficient system storage")
        if self._desk.too_fast(self._peer):
            return self._put_off("451 4.7.1 too many messages, slow down")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient of the list; 550 for any other."""
        if address == NULL_PATH or not _is_text(address):
            return self._refuse("553 5.1.3 no such address")
        if not self._door.takes(address):
            return self._refuse("550 5.1.1 no such recipient here")
        if len(envelope.rcpt_tos) >= self._desk.settings.limits.recipients:
            return self._put_off("452 4.5.3 too many recipients")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd names its hooks so
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Answer 250 once the message is durable."""
        try:
            await self._desk.committer.commit(self._received(session, envelope))
        except (InternalError, ValueError) as error:
            self._desk.trouble(str(error))
            return self._put_off("452 4.3.1 the message could not be written down")
        return "250 2.0.0 OK"

    async def handle_exception(self, error: Exception) -> str:
        """A fault of our own: the sender keeps the message; no detail goes out.

        A failed handshake or a connection that ends is none.
        """
        if isinstance(error, TLSSetupException | EOFError):
            return self._refuse("454 4.7.0 the connection is of no use")
        self._desk.trouble(f"in a session: {type(error).__name__}: {error}")
        return "451 4.3.0 local error"

    def too_large(self) -> str:
        """The reply to a message beyond the bound."""
        return self._refuse("552 5.3.4 too much mail data")

    def _received(self, session: Session, envelope: Envelope) -> Received:
        raw = bytes(envelope.original_content or b"")
        sender = envelope.mail_from or ""
        return Received(
            source="sink",
            peer=self._peer or "",
            peer_by=self._peer_by,
            helo=_printable(session.host_name or ""),
            mail_from="" if sender == NULL_PATH else sender,
            recipients=tuple(envelope.rcpt_tos),
            connected=self.connected,
            ended=now(),
            tls=session.ssl is not None,
            raw=raw,
            digest=digest(raw),
            journal="",
        )

    def _refuse(self, reply: str) -> str:
        self._desk.count(refused=1)
        return reply

    def _put_off(self, reply: str) -> str:
        self._desk.count(put_off=1)
        return reply


class SinkSession(SMTP):
    """The SMTP side of one connection."""

    line_length_limit = CHUNK
    """How much is read ahead. Lines of messages may be longer: that is recorded, not refused."""

    def __init__(self, desk: Desk, door: Door, peer: Address) -> None:
        limits = desk.settings.limits
        self._visit = Visit(desk, door, peer)
        super().__init__(
            self._visit,
            data_size_limit=limits.message,
            enable_SMTPUTF8=True,
            hostname=desk.settings.hostname,
            ident=greeting(self._visit.connected),
            tls_context=desk.tls,
            timeout=limits.idle,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            proxy_protocol_timeout=limits.proxy if door.is_proxy(peer) else None,
            loop=asyncio.get_running_loop(),
        )
        self._desk = desk
        self._busy = False
        self._gone = False
        desk.enter(self, door, peer)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone; aiosmtpd may say so twice after a failed handshake."""
        if self._gone:
            return
        self._gone = True
        self._desk.leave(self)
        super().connection_lost(error)

    async def smtp_PROXY(self, _arg: str | None) -> None:  # noqa: N802 - named after the command
        """Refuse a PROXY header of a peer that is no named proxy, and whatever follows it."""
        self._desk.count(refused=1)
        await self.push("554 5.7.1 PROXY is not taken from this address")
        self.drop_gently()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - named after the command
        """Receive a message, a bounded number of them at once."""
        if await self.check_helo_needed():
            return
        if arg or self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        self._busy = True
        try:
            async with self._desk.receiving:
                await self._receive(self.envelope)
        finally:
            self._busy = False
        if self._desk.closing:
            self.drop_gently()

    async def _receive(self, envelope: Envelope) -> None:
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        raw = await read_data(self._reader, self._desk.settings.limits.message)
        if raw is None:
            reply = self._visit.too_large()
        else:
            envelope.content = envelope.original_content = raw
            reply = await self._call_handler_hook("DATA")
        self.envelope = self._create_envelope()
        await self.push(reply)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Address and parameters of a command; a plain path needs no full parser."""
        return plain_path(arg) or super()._getaddr(arg)

    def part(self) -> None:
        """End as soon as no message is under way."""
        leaving = self.transport is None or self.transport.is_closing()
        if not self._busy and not leaving:
            self._writer.write(b"421 4.3.2 shutting down\r\n")
            self.drop_gently()

    def drop_gently(self) -> None:
        """End once everything written has gone out."""
        if self.transport is not None:
            self.transport.close()

    def drop(self) -> None:
        """End at once."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        """A peer that vanishes in the middle is no fault of ours."""
        with suppress(ConnectionError):
            await super()._handle_client()


class Doorkeeper(asyncio.Protocol):
    """Looks at who comes in by a door, and hands the connection to a session or refuses it."""

    def __init__(self, desk: Desk, door: Door) -> None:
        self._desk = desk
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in, or say why not and close."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a connection without a stream")
        peer = plain_address(transport.get_extra_info("peername")[0])
        refusal = self._desk.refusal(self._door, peer)
        if refusal:
            self._desk.count(put_off=1)
            transport.write(f"{refusal}\r\n".encode("ascii"))
            transport.close()
            return
        session = SinkSession(self._desk, self._door, peer)
        transport.set_protocol(session)
        session.connection_made(transport)


def _is_text(address: str) -> bool:
    """Whether an address is Unicode; aiosmtpd keeps other bytes as lone surrogates."""
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    """A HELO name as it came; bytes that are not UTF-8 are shown by their numbers."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
