# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A small SMTP sink for the lab's senders, and one lab that many tests may read."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from wavegate.lab.running import Lab
from wavegate.lab.serve import running


@dataclass
class Mail:
    """One message as the sink received it."""

    peer: str
    helo: str
    mail_from: str
    recipient: str
    raw: bytes


@dataclass
class Sink:
    """What has arrived so far."""

    mails: list[Mail] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP connection, closed however it ends."""
        try:
            await self._converse(reader, writer)
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Perhaps announced by PROXY; a client is never refused."""
        mail = Mail(writer.get_extra_info("peername")[0], "", "", "", b"")
        if mail.peer == "127.0.0.1":
            mail.peer = (await reader.readline()).split()[2].decode()
        writer.write(b"220 sink\r\n")
        while line := (await reader.readline()).decode().strip():
            match line.split(maxsplit=1)[0].upper():
                case "EHLO":
                    mail.helo = line.split()[1]
                    writer.write(b"250-sink\r\n250 8BITMIME\r\n")
                case "MAIL":
                    mail.mail_from = line.partition("<")[2].strip("<>")
                    writer.write(b"250 OK\r\n")
                case "RCPT":
                    mail.recipient = line.partition("<")[2].strip("<>")
                    writer.write(b"250 OK\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    mail.raw = body[:-3].replace(b"\r\n..", b"\r\n.")
                    self.mails.append(mail)
                    writer.write(b"250 kept\r\n")
                case _:
                    writer.write(b"221 bye\r\n")
                    break


@contextmanager
def _listening(address: str) -> Iterator[Sink]:
    host, port = address.split(":")
    sink, loop, ready = Sink(), asyncio.new_event_loop(), threading.Event()

    async def listen() -> None:
        server = await asyncio.start_server(sink.converse, host, int(port), limit=1 << 20)
        ready.set()
        await stop.wait()
        server.close()
        await asyncio.sleep(0)  # let each conversation begin, so that its end closes it
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # let closed transports say goodbye

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(listen()))
    thread.start()
    assert ready.wait(10)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.fixture
def listening() -> Callable[[str], AbstractContextManager[Sink]]:
    """A sink that listens at `host:port` for the length of a block."""
    return _listening


@pytest.fixture(scope="module")
def calm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose window is far away; nobody may move it."""
    folder = tmp_path_factory.mktemp("calm")
    with running("small", folder, opens_in=timedelta(hours=1)) as lab:
        yield lab
