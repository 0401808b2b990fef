# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A DNS server of a few lines on a free port of loopback, whose answers a test scripts."""

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Literal, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

Transport = Literal["udp", "tcp"]
Handler = Callable[[dns.message.Message, Transport], bytes | Sequence[bytes] | None]


class TinyDns:
    """Answers by a handler until left. asked: `name type transport` of each question, in order."""

    def __init__(self, handler: Handler, *, tcp: bool = True, host: str = "127.0.0.1") -> None:
        self._handler = handler
        self._host = host
        self._tcp_wanted = tcp
        self.asked: list[str] = []
        self._left = threading.Event()

    def __enter__(self) -> Self:
        self._udp, self._tcp = _bound(self._host)
        self.port: int = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve_udp, daemon=True)]
        if self._tcp_wanted:
            self._tcp.listen(512)
            self._threads.append(threading.Thread(target=self._serve_tcp, daemon=True))
        else:
            self._tcp.close()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._left.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", (self._host, self.port))
        if self._tcp_wanted:
            socket.create_connection((self._host, self.port)).close()
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()

    @property
    def server(self) -> str:
        """host:port."""
        return f"{self._host}:{self.port}"

    def _answers(self, data: bytes, transport: Transport) -> list[bytes]:
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{question.name.to_text()} {kind} {transport}")
        found = self._handler(query, transport)
        if found is None:
            return []
        return [found] if isinstance(found, bytes) else list(found)

    def _serve_udp(self) -> None:
        while True:
            data, peer = self._udp.recvfrom(65_535)
            if not data:
                return
            for answer in self._answers(data, "udp"):
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        """One connection after another; a client that hangs up is not the bell."""
        while not self._left.is_set():
            connection, _ = self._tcp.accept()
            with suppress(OSError), connection, connection.makefile("rb") as stream:
                self._converse(connection, stream.read(2), stream)

    def _converse(self, connection: socket.socket, head: bytes, stream: BinaryIO) -> None:
        if len(head) == 2:
            data = stream.read(int.from_bytes(head, "big"))
            for answer in self._answers(data, "tcp"):
                connection.sendall(struct.pack("!H", len(answer)) + answer)


def _bound(host: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one free port."""
    for _ in range(20):
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind((host, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((host, tcp.getsockname()[1]))
        except OSError:
            tcp.close()
            udp.close()
        else:
            return udp, tcp
    raise OSError("no port that is free for UDP and TCP")


def reply(
    query: dns.message.Message,
    *answers: str,
    rcode: str = "NOERROR",
    flags: str = "AA",
    authority: Sequence[str] = (),
) -> bytes:
    """A response; a record is `owner type text`. flags: such as `AA TC RA`, empty for none."""
    message = dns.message.make_response(query)
    for name in flags.split():
        message.flags |= dns.flags.Flag[name]
    message.set_rcode(dns.rcode.from_text(rcode))
    for section, records in ((message.answer, answers), (message.authority, authority)):
        for record in records:
            owner, kind, text = record.split(" ", 2)
            section.append(dns.rrset.from_text(dns.name.from_text(owner), 300, "IN", kind, text))
    return message.to_wire(max_size=65_535)


class Zone:
    """A handler over records `owner type text`, with NXDOMAIN and NODATA as they should be.

    Names end with a dot. A CNAME answers every type, and is not followed.
    """

    def __init__(self, *records: str, flags: str = "AA") -> None:
        self._records = [record.split(" ", 2) for record in records]
        self._flags = flags

    def __call__(self, query: dns.message.Message, transport: Transport) -> bytes:
        """The answer of a server that is responsible for everything."""
        del transport
        name = query.question[0].name.to_text().lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        found = self._matching(name, kind)
        if found:
            return reply(query, *found, flags=self._flags)
        names = {row[0] for row in self._records}
        exists = any(other == name or other.endswith("." + name) for other in names)
        return reply(query, rcode="NOERROR" if exists else "NXDOMAIN", flags=self._flags)

    def _matching(self, name: str, kind: str) -> list[str]:
        rows = [row for row in self._records if row[0] == name]
        return [" ".join(row) for row in rows if row[1] in (kind, "CNAME")]
