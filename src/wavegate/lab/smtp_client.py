# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A plain SMTP client that leaves from a chosen address (RFC 5321).

Addresses of 127.0.0.0/8 are the source of the connection itself; all others announce themselves
by the PROXY protocol, version 1, from 127.0.0.1.
"""

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

PATIENCE = 10.0
LOOPBACK = ip_network("127.0.0.0/8")


class DeliveryError(Exception):
    """The message was not taken; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From where and as whom a message is handed over."""

    source: str
    helo: str
    mail_from: str
    recipient: str


async def deliver(
    target: tuple[str, int], envelope: Envelope, message: bytes, *, held: float = 0.0
) -> None:
    """Hand one message over on a connection of its own. Raises DeliveryError.

    held: seconds between the beginning of the message and its end.
    """
    try:
        async with asyncio.timeout(PATIENCE + held):
            await _deliver(target, envelope, message, held)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from error


async def _deliver(
    target: tuple[str, int], envelope: Envelope, message: bytes, held: float
) -> None:
    address = ip_address(envelope.source)
    bound = address in LOOPBACK
    source = envelope.source if bound else "127.0.0.1"
    reader, writer = await asyncio.open_connection(*target, local_addr=(source, 0))
    try:
        if not bound:
            writer.write(_proxy(envelope.source, target[1]))
        await _expect(reader, 2)
        await _say(reader, writer, f"EHLO {envelope.helo}", 2)
        await _say(reader, writer, f"MAIL FROM:<{envelope.mail_from}>", 2)
        await _say(reader, writer, f"RCPT TO:<{envelope.recipient}>", 2)
        await _say(reader, writer, "DATA", 3)
        writer.write(message.replace(b"\r\n.", b"\r\n.."))
        await asyncio.sleep(held)
        writer.write(b".\r\n")
        await _expect(reader, 2)
        writer.write(b"QUIT\r\n")
    finally:
        writer.close()


def _proxy(source: str, port: int) -> bytes:
    family, here = ("TCP6", "::1") if ":" in source else ("TCP4", "127.0.0.1")
    return f"PROXY {family} {source} {here} 40000 {port}\r\n".encode("ascii")


async def _say(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str, kind: int
) -> None:
    writer.write(f"{line}\r\n".encode("ascii"))
    await _expect(reader, kind)


async def _expect(reader: asyncio.StreamReader, kind: int) -> None:
    """Read a reply, all of its lines, and insist on its first digit."""
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if line[:1] != str(kind).encode():
        raise DeliveryError(line.decode("ascii", "replace").strip() or "connection closed")
