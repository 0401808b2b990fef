# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Asking one DNS server one question: UDP with bounded retry, TCP on truncation.

One connected UDP socket per server, so that the kernel drops what comes from elsewhere; replies
are matched by random id and question, so that a late or forged answer never counts. Answers that
come after a retry still count: they answer the same question.
"""

import asyncio
import errno
import secrets
import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import dns.rcode

from wavegate.errors import InternalError
from wavegate.estate.values import split_host_port
from wavegate.observe import dns_wire
from wavegate.observe.routes import raise_if_ours

RECEIVE_BUFFER = 4 * 1024 * 1024
DRAIN = 512
SILENT_AFTER = 6
MAX_UDP = 65_535
RETRY_WITHOUT_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP})


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsLimits:
    """How patient and how polite. timeout: seconds per try. tries: datagrams per question.

    A server that left six questions in a row unanswered gets one datagram per question until it
    answers again. per_server, total: questions in flight. sockets: kept open while idle.
    """

    timeout: float = 1.5
    tries: int = 3
    per_server: int = 48
    total: int = 400
    sockets: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of a question: the bytes of the response, or why there are none.

    wire: the response, or the truncated one that TCP could not complete; None for silence.
    failure: `timeout`, `connection refused`, `truncated, no TCP`; None where wire is an answer.
    ignored: datagrams that matched no id and question.
    """

    wire: bytes | None
    failure: str | None
    transport: str
    edns: bool
    tries: int
    ignored: int


@dataclass(frozen=True, slots=True)
class _Query:
    """A question section and how it is asked."""

    question: bytes
    recursion: bool
    dnssec: bool

    def message(self, message_id: int, *, edns: bool) -> bytes:
        return dns_wire.query(
            message_id, self.question, recursion=self.recursion, edns=edns, dnssec=self.dnssec
        )


@dataclass(slots=True)
class _Waiting:
    """One question in flight; event holds the reply, an error of the socket, or None: time up."""

    question: bytes
    event: "asyncio.Future[bytes | OSError | None]"


@dataclass(slots=True)
class _Server:
    """The state of one server: its socket while questions are in flight, and how silent it is."""

    address: tuple[str, int]
    gate: asyncio.Semaphore
    sock: socket.socket | None = None
    waiting: dict[int, _Waiting] = field(default_factory=dict)
    in_use: int = 0
    silent: int = 0
    ignored: int = 0


class DnsClient:
    """Asks any number of servers from one event loop. Use as an async context manager."""

    def __init__(self, limits: DnsLimits | None = None) -> None:
        self.limits = limits or DnsLimits()
        self._servers: dict[str, _Server] = {}
        self._opened = 0
        self._gate = asyncio.Semaphore(self.limits.total)

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Close all sockets."""
        for server in self._servers.values():
            self._close(server)

    async def ask(
        self, server: str, question: dns_wire.Question, *, recursion: bool, dnssec: bool = False
    ) -> Heard:
        """One question to one server (`host:port`), retried within the limits.

        dnssec: ask for signatures too.
        Raises NoRouteError or InternalError for faults of this machine, nothing for the server's.
        """
        state = self._server(server)
        async with state.gate, self._gate:
            state.in_use += 1
            try:
                self._open(server, state)
                return await self._ask(server, state, _Query(question.wire, recursion, dnssec))
            finally:
                state.in_use -= 1
                self._close_if_idle(state)

    async def _ask(self, server: str, state: _Server, query: _Query) -> Heard:
        heard = await self._udp(server, state, query, edns=True)
        if heard.wire is not None and dns_wire.rcode(heard.wire) in RETRY_WITHOUT_EDNS:
            heard = await self._udp(server, state, query, edns=False)
        if heard.wire is None or not dns_wire.truncated(heard.wire):
            return heard
        return await self._tcp(server, state, query, heard)

    # UDP

    def _server(self, server: str) -> _Server:
        if server not in self._servers:
            gate = asyncio.Semaphore(self.limits.per_server)
            self._servers[server] = _Server(split_host_port(server, default=53), gate)
        return self._servers[server]

    def _open(self, server: str, state: _Server) -> None:
        if state.sock is not None:
            return
        family = socket.AF_INET6 if ":" in state.address[0] else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            raise_if_ours(error, server)
            raise InternalError(f"cannot open a socket: {error}", where=server) from error
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.connect(state.address)
        except OSError as error:
            sock.close()
            raise_if_ours(error, server)
            raise InternalError(f"cannot ask a server: {error}", where=server) from error
        state.sock = sock
        self._opened += 1
        asyncio.get_running_loop().add_reader(sock, self._drain, state)

    def _close_if_idle(self, state: _Server) -> None:
        if state.in_use == 0 and self._opened > self.limits.sockets:
            self._close(state)

    def _close(self, state: _Server) -> None:
        if state.sock is not None:
            asyncio.get_running_loop().remove_reader(state.sock)
            state.sock.close()
            state.sock = None
            self._opened -= 1

    def _drain(self, state: _Server) -> None:
        """Read all that waits before any timer fires: a busy loop must not look like silence."""
        for _ in range(DRAIN):
            if state.sock is None:
                return
            try:
                data = state.sock.recv(MAX_UDP)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._fail(state, error)
                return
            self._accept(state, data)

    def _accept(self, state: _Server, data: bytes) -> None:
        waiting = state.waiting.get(dns_wire.message_id(data))
        if waiting is None or not dns_wire.answers(data, waiting.question):
            state.ignored += 1
        elif not waiting.event.done():
            waiting.event.set_result(data)

    def _fail(self, state: _Server, error: OSError) -> None:
        for waiting in state.waiting.values():
            if not waiting.event.done():
                waiting.event.set_result(error)

    async def _udp(self, server: str, state: _Server, query: _Query, *, edns: bool) -> Heard:
        message_id = self._free_id(state)
        data = query.message(message_id, edns=edns)
        tries = 1 if state.silent >= SILENT_AFTER else self.limits.tries
        ignored = state.ignored
        got: bytes | OSError | None = None
        count = 0
        try:
            while count < tries and not isinstance(got, bytes):
                count += 1
                got = await self._try(server, state, message_id, query.question, data)
        finally:
            state.waiting.pop(message_id, None)
        state.silent = 0 if isinstance(got, bytes) else state.silent + 1
        return Heard(
            wire=got if isinstance(got, bytes) else None,
            failure=_failure(got),
            transport="udp",
            edns=edns,
            tries=count,
            ignored=state.ignored - ignored,
        )

    def _free_id(self, state: _Server) -> int:
        while (found := secrets.randbelow(65_536)) in state.waiting:
            pass
        return found

    async def _try(
        self, server: str, state: _Server, message_id: int, question: bytes, data: bytes
    ) -> bytes | OSError | None:
        """One datagram and the wait for its answer: the bytes, the socket's error, or None."""
        loop = asyncio.get_running_loop()
        event: asyncio.Future[bytes | OSError | None] = loop.create_future()
        state.waiting[message_id] = _Waiting(question, event)
        refused = await self._send(server, state, data)
        timer = loop.call_later(self.limits.timeout, _time_up, event)
        try:
            got = refused or await event
        finally:
            timer.cancel()
        if isinstance(got, OSError):
            await asyncio.sleep(self.limits.timeout / 4)
        return got

    async def _send(self, server: str, state: _Server, data: bytes) -> OSError | None:
        for _ in range(50):
            if state.sock is None:
                raise InternalError("a DNS socket was closed while in use", where=server)
            try:
                state.sock.send(data)
            except (BlockingIOError, InterruptedError):
                await asyncio.sleep(0.01)
            except OSError as error:
                if error.errno != errno.ENETUNREACH:  # once connected, it is a router's word
                    raise_if_ours(error, server)
                return error
            else:
                return None
        raise InternalError("this machine's sockets are overloaded", where=server)

    # TCP

    async def _tcp(self, server: str, state: _Server, query: _Query, over_udp: Heard) -> Heard:
        """The same question over TCP; without an answer, the truncated one and why."""
        message_id = secrets.randbelow(65_536)
        data = query.message(message_id, edns=over_udp.edns)
        wire: bytes | None = None
        failure: str | None = None
        try:
            async with asyncio.timeout(self.limits.timeout * self.limits.tries):
                wire = await _over_tcp(state.address, data, message_id, query.question)
        except TimeoutError:
            failure = "truncated, no TCP (timeout)"
        except (OSError, EOFError, struct.error) as error:
            if isinstance(error, OSError):
                raise_if_ours(error, server)
            failure = "truncated, no TCP"
        return Heard(
            wire=wire or over_udp.wire,
            failure=failure
            or ("truncated over TCP" if wire and dns_wire.truncated(wire) else None),
            transport="tcp",
            edns=over_udp.edns,
            tries=over_udp.tries,
            ignored=over_udp.ignored,
        )


def _time_up(event: "asyncio.Future[bytes | OSError | None]") -> None:
    if not event.done():
        event.set_result(None)


def _failure(got: bytes | OSError | None) -> str | None:
    match got:
        case bytes():
            return None
        case None:
            return "timeout"
        case ConnectionRefusedError():
            return "connection refused"
        case OSError():
            return f"unreachable ({got.strerror or type(got).__name__})"


async def _over_tcp(
    address: tuple[str, int], data: bytes, message_id: int, question: bytes
) -> bytes:
    """The first matching message of a TCP connection (RFC 7766: two octets of length)."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(struct.pack("!H", len(data)) + data)
        await writer.drain()
        while True:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            wire = await reader.readexactly(length)
            if dns_wire.message_id(wire) == message_id and dns_wire.answers(wire, question):
                return wire
    finally:
        writer.close()
