# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sink: a daemon that receives mail and records each message with the peer its socket saw.

It sends nothing, judges nothing and verifies nothing while it receives, so that it never slows
the sender that is measured. It ends on SIGTERM or SIGINT with nothing acknowledged lost.
"""

import asyncio
import errno
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from wavegate.errors import InputError, InternalError
from wavegate.estate.values import join_host_port
from wavegate.observe.sink_commit import Committer
from wavegate.observe.sink_desk import Desk, SinkCounts
from wavegate.observe.sink_session import Doorkeeper
from wavegate.observe.sink_settings import Door, SinkSettings
from wavegate.observe.sink_tls import ephemeral_context
from wavegate.record.listening import Listener
from wavegate.record.mail_writer import Checkpoint, Keep, MailJournalWriter

BACKLOG = 1024
Bound = tuple[Door, socket.socket]


async def run_sink(
    settings: SinkSettings,
    folder: Path,
    *,
    ready: Callable[[tuple[str, ...]], None] = lambda _: None,
    progress: Callable[[SinkCounts], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
    keep: Keep | None = None,
    stop: asyncio.Event | None = None,
) -> SinkCounts:
    """Receive mail into the journals of a folder until SIGTERM, SIGINT or `stop`; return counts.

    folder: the store's `mail` folder. ready: called once with the bound addresses, in the order
    of the doors. progress: called with the counts as they grow and at each heartbeat.
    checkpoint: called off the loop with a segment and its head, at most once a minute and at its
    end; it must not raise. keep: what is written down of a mail. Signals are taken only in the
    main thread.

    Raises InputError (port in use, privileged or not ours; nothing is written then) and
    InternalError (the first journal cannot be written).
    """
    ending = stop or asyncio.Event()
    with ExitStack() as stack:
        bound = _bind(settings.doors, stack)
        stack.enter_context(_signals(ending))
        tls = ephemeral_context(settings.hostname)
        writer = _writer(settings, folder, bound, checkpoint, keep)
        desk = _desk(settings, writer, tls, progress)
        await _serve(desk, bound, lambda: ready(_places(bound)), ending)
    return desk.counts


def _writer(
    settings: SinkSettings,
    folder: Path,
    bound: Sequence[Bound],
    checkpoint: Checkpoint | None,
    keep: Keep | None,
) -> MailJournalWriter:
    return MailJournalWriter(
        folder,
        Listener(listen=_places(bound), vantage=settings.vantage, heartbeat=settings.heartbeat),
        bounds=settings.bounds,
        checkpoint=checkpoint,
        keep=keep,
    )


def _desk(
    settings: SinkSettings,
    writer: MailJournalWriter,
    tls: ssl.SSLContext,
    progress: Callable[[SinkCounts], None],
) -> Desk:
    logging.getLogger("mail").addHandler(logging.NullHandler())
    desk = Desk(
        settings=settings,
        committer=Committer(writer, lambda mails, size: desk.count(messages=mails, size=size)),
        tls=tls,
        progress=progress,
        receiving=asyncio.Semaphore(settings.limits.receiving),
    )
    return desk


async def _serve(
    desk: Desk, bound: Sequence[Bound], ready: Callable[[], None], ending: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(_factory(desk, door), sock=sock, backlog=BACKLOG)
        for door, sock in bound
    ]
    committing = asyncio.create_task(desk.committer.run())
    beating = asyncio.create_task(_beat(desk, desk.settings.heartbeat.total_seconds()))
    try:
        ready()
        await ending.wait()
    finally:
        beating.cancel()
        for server in servers:
            server.close()
        await _end(desk, committing)


def _factory(desk: Desk, door: Door) -> Callable[[], Doorkeeper]:
    return lambda: Doorkeeper(desk, door)


async def _beat(desk: Desk, every: float) -> None:
    """Write down again and again that the sink listens; trouble is told and tried again."""
    while True:
        await asyncio.sleep(every)
        try:
            await desk.committer.heartbeat()
        except InternalError as error:
            desk.trouble(str(error))
        else:
            desk.count()


async def _end(desk: Desk, committing: "asyncio.Task[None]") -> None:
    """Let messages under way come to their end, write what waits, say goodbye to the journal."""
    desk.part_all()
    with suppress(TimeoutError):
        await asyncio.wait_for(desk.empty.wait(), desk.settings.limits.grace)
    desk.committer.end()
    await committing
    desk.drop_all()
    try:
        await asyncio.to_thread(desk.committer.writer.close)
    except InternalError as error:
        desk.trouble(str(error))


@contextmanager
def _signals(ending: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT end the sink, where this thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    ends = (signal.SIGTERM, signal.SIGINT)
    for one in ends:
        loop.add_signal_handler(one, ending.set)
    try:
        yield
    finally:
        for one in ends:
            loop.remove_signal_handler(one)


def _bind(doors: Sequence[Door], stack: ExitStack) -> list[Bound]:
    """Sockets for all doors, closed with the stack. Raises InputError."""
    bound: list[Bound] = []
    for door in doors:
        for sock in _sockets(door):
            stack.callback(sock.close)
            bound.append((door, sock))
    return bound


def _sockets(door: Door) -> list[socket.socket]:
    """One socket per address of the door's host; an address family we lack is left out."""
    found: list[socket.socket] = []
    failed: OSError | None = None
    try:
        places = socket.getaddrinfo(
            door.host, door.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in dict.fromkeys(places):
            try:
                found.append(_socket(family, kind, protocol, address))
            except OSError as error:
                failed = error
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    break
    except OSError as error:
        failed = error
    if failed and (not found or failed.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}):
        for sock in found:
            sock.close()
        raise _bind_error(door, failed) from failed
    return found


def _socket(family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)  # two may bind one port, but only one may listen
    except OSError:
        sock.close()
        raise
    return sock


def _bind_error(door: Door, error: OSError) -> InputError:
    place = join_host_port(door.host, door.port)
    cures = {
        errno.EADDRINUSE: f"see who holds it with `ss -ltnp 'sport = :{door.port}'` and end that "
        "process, or choose another port with --listen",
        errno.EACCES: "ports below 1024 need privilege: listen on 2525 and redirect port 25 to it, "
        "or give the interpreter CAP_NET_BIND_SERVICE",
        errno.EADDRNOTAVAIL: "listen on an address of this machine (`ip address`), or on 0.0.0.0",
    }
    return InputError(
        f"cannot listen: {error.strerror or error}",
        where=place,
        cure=cures.get(error.errno or 0, "check the address given to --listen"),
    )


def _places(bound: Sequence[Bound]) -> tuple[str, ...]:
    names = (sock.getsockname() for _, sock in bound)
    return tuple(join_host_port(host, port) for host, port, *_ in names)
