# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A sink that runs in a thread of its own, on a free port of this machine."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from wavegate.observe.sink import run_sink
from wavegate.observe.sink_desk import SinkCounts
from wavegate.observe.sink_settings import Door, SinkLimits, SinkSettings
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import MailReading, read_mails
from wavegate.record.mail_writer import Bounds, Keep
from wavegate.record.message import Received

LOCAL = Door(host="127.0.0.1", port=0)
SETTINGS = SinkSettings(doors=(LOCAL,), bounds=Bounds(reserve=0))
MESSAGE = b"From: a@news.acme.example\r\nSubject: seed\r\n\r\n.dot\r\nbody\r\n"


@dataclass
class Running:
    """A sink that runs in a thread, and what it said."""

    store: LocalStore
    places: tuple[str, ...]
    counts: list[SinkCounts]
    end: Callable[[], SinkCounts]

    @property
    def port(self) -> int:
        """The port of the first door."""
        return int(self.places[0].rpartition(":")[2])

    def client(self, source: str = "127.0.0.1") -> smtplib.SMTP:
        """A connection from a source address."""
        return smtplib.SMTP(
            "127.0.0.1", self.port, "client.example", 10, source_address=(source, 0)
        )

    def send(self, message: bytes = MESSAGE, *, source: str = "127.0.0.1") -> None:
        """One message on a connection of its own."""
        with self.client(source) as client:
            client.sendmail("b@news.acme.example", ["x@seed.example"], message)

    def dialogue(self, *lines: bytes) -> bytes:
        """Say raw lines at once and hear everything until the sink closes."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            sock.sendall(b"".join(lines))
            heard = b""
            while data := sock.recv(4096):
                heard += data
            return heard

    def mails(self) -> tuple[Received, ...]:
        """What was recorded, ended or not."""
        return read_mails(self.store).messages

    def finish(self) -> MailReading:
        """End the sink and read everything."""
        self.end()
        return read_mails(self.store)


@contextmanager
def running(
    folder: Path, settings: SinkSettings = SETTINGS, *, keep: Keep | None = None
) -> Iterator[Running]:
    """A sink in a thread of its own, ended on leaving."""
    store = LocalStore.open(folder / "store", create=True)
    counts: list[SinkCounts] = []
    places: list[tuple[str, ...]] = []
    is_ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def ready(bound: tuple[str, ...]) -> None:
        places.append(bound)
        is_ready.set()

    async def main() -> SinkCounts:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        return await run_sink(
            settings,
            store.folder("mail"),
            ready=ready,
            progress=counts.append,
            keep=keep,
            stop=stop,
        )

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(asyncio.run, main())
        assert is_ready.wait(10)

        def end() -> SinkCounts:
            loop, stop = loops[0]
            if not future.done():
                loop.call_soon_threadsafe(stop.set)
            return future.result(15)

        try:
            yield Running(store, places[0], counts, end)
        finally:
            end()


def with_limits(**limits: float) -> SinkSettings:
    """Settings with other limits."""
    return replace(SETTINGS, limits=replace(SinkLimits(), **limits))  # type: ignore[arg-type]  # the names are those of SinkLimits


def proxied(*networks: str) -> SinkSettings:
    """Settings with a door that believes proxies from networks."""
    return replace(SETTINGS, doors=(replace(LOCAL, proxy_from=networks),))
