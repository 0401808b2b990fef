# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bad wire before a good server: a forwarder that loses, delays, holds or cuts."""

import asyncio
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from tests.real.daemons import free_port

Address = tuple[str, int]
SEED = 7
CHUNK = 65_536
STARTS_WITHIN = 10


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What happens to what is carried, either way.

    loss: the share of datagrams that vanish. delay: seconds that each datagram or piece of a
    stream waits. holds: connections are taken and nothing comes back. cuts: they are reset.
    """

    loss: float = 0.0
    delay: float = 0.0
    holds: bool = False
    cuts: bool = False


@dataclass
class Wire:
    """The forwarder: where it listens, what it leads to, and its weather, which may change."""

    address: Address
    behind: Address
    weather: Weather = field(default_factory=Weather)
    lost: int = 0

    @property
    def place(self) -> str:
        """Host and port of the near end."""
        return f"{self.address[0]}:{self.address[1]}"

    def __post_init__(self) -> None:
        """The dice are seeded, so that a run can be repeated as far as the other side lets it."""
        self._dice = random.Random(SEED)  # noqa: S311 - for weather, not for secrets

    def loses(self) -> bool:
        """Whether this datagram vanishes."""
        gone = self._dice.random() < self.weather.loss
        self.lost += gone
        return gone


class _Far(asyncio.DatagramProtocol):
    """The far end of one client's datagrams; what comes back goes to the client."""

    def __init__(self, near: "_Near", client: Address) -> None:
        self._near = near
        self._client = client

    def datagram_received(self, data: bytes, _: Address) -> None:
        """An answer."""
        self._near.carry(self._near.transport, data, self._client)


class _Near(asyncio.DatagramProtocol):
    """The near end of all datagrams; each client has a far end of its own."""

    transport: asyncio.DatagramTransport

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._far: dict[Address, asyncio.Task[asyncio.DatagramTransport]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Listening."""
        self.transport = transport  # type: ignore[assignment] # a datagram endpoint has one

    def datagram_received(self, data: bytes, client: Address) -> None:
        """A question."""
        if client not in self._far:
            self._far[client] = asyncio.ensure_future(self._open(client))
        self._far[client].add_done_callback(lambda far: self.carry(far.result(), data, None))

    async def _open(self, client: Address) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Far(self, client), remote_addr=self._wire.behind
        )
        return transport

    def carry(self, transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
        """Send on, unless it is lost; late, where the weather is so."""
        if not self._wire.loses():
            loop = asyncio.get_running_loop()
            loop.call_later(self._wire.weather.delay, transport.sendto, data, to)

    def close(self) -> None:
        """Close both ends."""
        self.transport.close()
        for far in self._far.values():
            far.result().close()


async def _connection(
    wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, carried both ways until either side ends it."""
    if wire.weather.cuts:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        writer.transport.abort()
        return
    with closing(writer.transport), suppress(OSError):
        if wire.weather.holds:
            await reader.read()  # until the client gives up
            return
        far_reader, far_writer = await asyncio.open_connection(*wire.behind)
        with closing(far_writer.transport):
            await asyncio.gather(_pipe(wire, reader, far_writer), _pipe(wire, far_reader, writer))


async def _pipe(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        await asyncio.sleep(wire.weather.delay)
        writer.write(data)
        await writer.drain()
    writer.close()


@contextmanager
def forwarder(behind: Address, address: str = "127.0.0.1") -> Iterator[Wire]:
    """A forwarder by UDP and TCP on one free port, in a thread of its own."""
    wire = Wire(address=(address, free_port(address)), behind=behind)
    ready, ended = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_forward(wire, ready, ended)))
    thread.start()
    try:
        assert ready.wait(STARTS_WITHIN)
        yield wire
    finally:
        ended.set()
        thread.join()


async def _forward(wire: Wire, ready: threading.Event, ended: threading.Event) -> None:
    loop = asyncio.get_running_loop()
    _, near = await loop.create_datagram_endpoint(lambda: _Near(wire), local_addr=wire.address)
    server = await asyncio.start_server(
        lambda reader, writer: _connection(wire, reader, writer), *wire.address
    )
    ready.set()
    await asyncio.to_thread(ended.wait)
    server.close()
    near.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # closed transports say goodbye
