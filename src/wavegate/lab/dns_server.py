# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sockets of the lab's DNS: each server on its own 127.x address, UDP and TCP on one port.

All servers share one port number, so that whoever follows NS can use the resolver's port.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import cast

import dns.exception
import dns.message

from wavegate.clock import monotonic
from wavegate.errors import InternalError
from wavegate.lab.dns_resolver import recurse
from wavegate.lab.dns_rules import PLAIN_SIZE, Ask, Memory, Reply, Transport, react
from wavegate.lab.dns_state import DnsServer
from wavegate.lab.world import Scene

RESOLVER = "127.53.0.53"
TRIES = 20
IDLE = 5.0
ID = 2
"""Octets of a message's id, which come first (RFC 1035 4.1.1)."""
MOST_ANSWERS = 1 << 17
Handler = Callable[[bytes, Transport, str], Reply | None]


class Dns:
    """The running servers. `scene` may be exchanged at any time; the next answer shows it."""

    def __init__(self, scene: Scene, *, seed: int = 1) -> None:
        self._published = _Published(scene)
        self.port = 0
        self.asked = 0
        self._memories = {
            server.name: Memory(dice=random.Random(f"{seed}/{server.name}"))  # noqa: S311 - a reproducible dice, no secret
            for server in scene.servers
        }

    @property
    def scene(self) -> Scene:
        """What the servers publish."""
        return self._published.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        self._published = _Published(scene)

    @property
    def resolver(self) -> str:
        """Where the recursive resolver listens, host:port."""
        return f"{RESOLVER}:{self.port}"

    def address(self, name: str) -> str:
        """Where a server listens, host:port. Raises KeyError."""
        return f"{self.scene.server(name).address}:{self.port}"

    async def start(self, stack: AsyncExitStack) -> None:
        """Bind every address on one free port; closed with the stack. Raises InternalError."""
        handlers: dict[str, Handler] = {
            server.address: partial(self._authoritative, server.name)
            for server in self.scene.servers
        }
        handlers[RESOLVER] = self._recursive
        sockets = _bind(tuple(handlers))
        self.port = sockets[0][0].getsockname()[1]
        for (datagram, stream), handler in zip(sockets, handlers.values(), strict=True):
            await _listen(stack, datagram, stream, handler)

    def _authoritative(
        self, name: str, data: bytes, transport: Transport, client: str
    ) -> Reply | None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        published = self._published
        server = published.by_name[name]
        if server.rules:
            return self._react(server, query, transport, client)
        key = (published.served[name], transport, data[ID:])
        held = published.answers.get(key)
        if held is None:
            reply = self._react(server, query, transport, client)
            if reply is None:
                return None
            held = published.keep(key, reply.data[ID:])
        return Reply(data=data[:ID] + held)

    def _react(
        self, server: DnsServer, query: dns.message.Message, transport: Transport, client: str
    ) -> Reply | None:
        self.asked += 1
        zones = self._published.zones[server.name]
        ask = Ask(query=query, transport=transport, client=client, now=monotonic())
        return react(server, zones, ask, self._memories[server.name])

    def _recursive(self, data: bytes, transport: Transport, client: str) -> Reply | None:
        del client
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        full = recurse(query, self._published.roots, self._ask_host)
        limit = max(PLAIN_SIZE, query.payload) if query.edns >= 0 else PLAIN_SIZE
        if transport == "udp" and len(full) > limit:
            return Reply(data=_truncated(query))
        return Reply(data=full)

    def _ask_host(self, host: str, query: dns.message.Message) -> dns.message.Message | None:
        server = self._published.by_host.get(host)
        if server is None:
            return None
        transports: tuple[Transport, ...] = ("udp", "tcp")
        for transport in transports:
            reply = self._react(server, query, transport, RESOLVER)
            if reply is None:
                continue
            found = dns.message.from_wire(reply.data)
            if not found.flags & dns.flags.TC:
                return found
        return None


class _Published:
    """A scene, ready to be looked up in.

    served: per server a number that servers of the same zones share. answers: what servers without
    rules said, less the id of the question; nothing can make them say anything else in this scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.answers: dict[tuple[int, Transport, bytes], bytes] = {}
        sorts = {server.zones: place for place, server in enumerate(scene.servers)}
        self.served = {server.name: sorts[server.zones] for server in scene.servers}
        self.roots = tuple(server.host for server in scene.servers if "." in server.zones)
        self.by_name = {server.name: server for server in scene.servers}
        self.by_host = {server.host: server for server in reversed(scene.servers)}
        origins = {zone.origin: zone for zone in scene.zones}
        self.zones = {
            server.name: tuple(origins[name] for name in server.zones if name in origins)
            for server in scene.servers
        }

    def keep(self, key: tuple[int, Transport, bytes], answer: bytes) -> bytes:
        """Keep an answer for the next who asks the same."""
        if len(self.answers) >= MOST_ANSWERS:
            self.answers.clear()
        self.answers[key] = answer
        return answer


def _truncated(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC
    return response.to_wire()


def _bind(addresses: tuple[str, ...]) -> list[tuple[socket.socket, socket.socket]]:
    """A UDP and a TCP socket for each address, all on one free port."""
    for _ in range(TRIES):
        bound: list[socket.socket] = []
        try:
            return _bind_all(addresses, bound)
        except OSError as error:
            for sock in bound:
                sock.close()
            last = error
    raise InternalError(
        f"no free port for the lab's name servers: {last}",
        where=", ".join(addresses),
        cure="the lab needs Linux, where all of 127.0.0.0/8 can be bound",
    )


def _bind_all(
    addresses: tuple[str, ...], bound: list[socket.socket]
) -> list[tuple[socket.socket, socket.socket]]:
    port, pairs = 0, []
    for address in addresses:
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound += [stream, datagram]
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        datagram.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        stream.bind((address, port))
        port = port or stream.getsockname()[1]
        datagram.bind((address, port))
        for sock in (stream, datagram):
            sock.setblocking(False)
        pairs.append((datagram, stream))
    return pairs


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query, at once or after the reply's delay; silence is an answer too."""
        reply = self._handler(data, "udp", addr[0])
        if reply is None or self._transport is None:
            return
        if reply.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(reply.delay, self._send, reply.data, addr)
        else:
            self._send(reply.data, addr)

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


async def _listen(
    stack: AsyncExitStack, datagram: socket.socket, stream: socket.socket, handler: Handler
) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(handler), sock=datagram)
    stack.callback(transport.close)
    server = await asyncio.start_server(partial(_converse, handler), sock=stream)
    stack.push_async_callback(_close, server)


async def _close(server: asyncio.Server) -> None:
    server.close()
    await asyncio.sleep(0)


async def _converse(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Several queries on one TCP connection (RFC 7766); silence cuts it."""
    peer = writer.get_extra_info("peername")
    try:
        while True:
            async with asyncio.timeout(IDLE):
                length = int.from_bytes(await reader.readexactly(2), "big")
                data = await reader.readexactly(length)
            reply = handler(data, "tcp", peer[0])
            if reply is None:
                writer.transport.abort()
                return
            await asyncio.sleep(reply.delay)
            writer.write(len(reply.data).to_bytes(2, "big") + reply.data)
            await writer.drain()
    except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
