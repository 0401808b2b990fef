# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The SFTP host of an instance as far as anybody sees it without logging on: its host key.

It greets, exchanges keys (RFC 4253 7 and 8, RFC 8731, RFC 8709) and hangs up; nobody logs on.
"""

import asyncio
import os
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

PATIENCE = 10.0
LIMIT = 64 * 1024
MOST = 35_000
GREETING = b"SSH-2.0-lab_sftp"
_KEXINIT, _ECDH_INIT, _ECDH_REPLY = 20, 30, 31
_LISTS = (
    b"curve25519-sha256,curve25519-sha256@libssh.org",
    b"ssh-ed25519",
    *[b"aes256-ctr,aes128-ctr"] * 2,
    *[b"hmac-sha2-256"] * 2,
    *[b"none"] * 2,
    *[b""] * 2,
)


class SshHost:
    """An SSH server on a free port. key: the name of its host key now, None: it cuts the line."""

    def __init__(self, key: Callable[[], str | None]) -> None:
        self.address = ""
        self._key = key

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen on 127.0.0.1; closed with the stack."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, limit=LIMIT)
        stack.callback(server.close)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = self._key()
        try:
            if key is None:
                writer.transport.abort()
                return
            async with asyncio.timeout(PATIENCE):
                await _exchange(reader, writer, host_key(key))
        except (OSError, TimeoutError, ValueError, EOFError, struct.error):
            pass  # a caller that has seen enough
        finally:
            writer.close()


def host_key(name: str) -> Ed25519PrivateKey:
    """The host key of a name, which follows from it."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"host/{name}".encode()).digest())


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: Ed25519PrivateKey
) -> None:
    writer.write(GREETING + b"\r\n")
    theirs = (await reader.readuntil(b"\n")).rstrip(b"\r\n")
    lists = b"".join(map(_string, _LISTS))
    mine = bytes([_KEXINIT]) + os.urandom(16) + lists + bytes(5)
    writer.write(_packet(mine))
    offer = await _payload(reader, _KEXINIT)
    (size,) = struct.unpack(">I", (init := await _payload(reader, _ECDH_INIT))[1:5])
    ephemeral = X25519PrivateKey.generate()
    point, answer = init[5 : 5 + size], ephemeral.public_key().public_bytes_raw()
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(point))
    blob = _string(b"ssh-ed25519") + _string(key.public_key().public_bytes_raw())
    parts = (theirs, GREETING, offer, mine, blob, point, answer)
    hashed = sha256(b"".join(map(_string, parts)) + _mpint(secret)).digest()
    signature = _string(b"ssh-ed25519") + _string(key.sign(hashed))
    reply = b"".join(map(_string, (blob, answer, signature)))
    writer.write(_packet(bytes([_ECDH_REPLY]) + reply))
    await writer.drain()
    await reader.read(1)  # whoever has the key hangs up


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _mpint(data: bytes) -> bytes:
    """An unsigned number as SSH writes it (RFC 4251 5)."""
    number = data.lstrip(b"\0")
    return _string(b"\0" + number if number and number[0] & 0x80 else number)


def _packet(payload: bytes) -> bytes:
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


async def _payload(reader: asyncio.StreamReader, kind: int) -> bytes:
    """The next packet's payload. Raises ValueError for another kind or an odd size."""
    size, padding = struct.unpack(">IB", await reader.readexactly(5))
    if not padding + 1 < size <= MOST:
        raise ValueError(f"a packet of {size} bytes")
    payload = (await reader.readexactly(size - 1))[: size - 1 - padding]
    if payload[0] != kind:
        raise ValueError(f"message {payload[0]} where {kind} was due")
    return payload
