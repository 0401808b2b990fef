# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SFTP: the server greets and shows the same host key. Nothing is logged on to.

The key exchange goes just far enough to be shown the host key (RFC 4253 7 and 8, RFC 5656 4,
RFC 8731); what we send as our public value is random and opens nothing.
"""

import os
import struct
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from hashlib import sha256

from wavegate.estate.values import split_host_port
from wavegate.observe.functions.answer import Answer, Function, ok, wrong
from wavegate.observe.functions.facing import Facing
from wavegate.observe.functions.wire import Line, talk
from wavegate.record.timeline import Watched

NAME = "sftp"
PORT = 22
CEILING = timedelta(minutes=1)
MAX_PACKET = 64 * 1024
MAX_PACKETS = 8
_HELLO = b"SSH-2.0-wavegate\r\n"
_KEXINIT, _ECDH_INIT, _ECDH_REPLY, _DISCONNECT = 20, 30, 31, 1
_LISTS = (
    b"curve25519-sha256,curve25519-sha256@libssh.org",
    b"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,rsa-sha2-512,rsa-sha2-256,ssh-rsa",
    *[b"aes128-ctr,aes256-ctr,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"] * 2,
    *[b"hmac-sha2-256,hmac-sha2-512,hmac-sha2-256-etm@openssh.com"] * 2,
    *[b"none"] * 2,
    *[b""] * 2,
)
"""The name lists of KEXINIT in their order (RFC 4253 7.1)."""


def functions(facing: Facing) -> Iterator[Function]:
    """The functions of this family."""
    expects = "an SSH greeting and the same host key"
    given = facing.given(NAME).host
    if given is None:
        yield facing.not_probed(NAME, expects, "the estate names no SFTP host")
        return
    host, port = split_host_port(given, default=PORT)
    watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
    ask = partial(talk, facing, host, port, host_key)
    yield Function(watched=watched, host=f"{host}:{port}", ask=ask)


def host_key(line: Line) -> Answer:
    """Read greeting and host key; the value is the key's fingerprint as `ssh-keygen -l` prints it.

    A server that speaks no exchange of ours has shown its greeting only, and has no value.
    """
    greeting = _greeting(line)
    if greeting is None:
        return wrong("no SSH greeting")
    try:
        key = _exchange(line)
    except (ValueError, ConnectionError, struct.error):
        key = None
    if key is None:
        return ok(f"{greeting}, host key not shown")
    print_of_key = "SHA256:" + b64encode(sha256(key).digest()).decode("ascii").rstrip("=")
    return ok(f"{greeting}, {print_of_key}", value=print_of_key)


def _greeting(line: Line) -> str | None:
    """The identification; a server may say other lines before it (RFC 4253 4.2)."""
    try:
        for _ in range(20):
            found = line.line()
            if found.startswith(b"SSH-"):
                return found[:80].decode("ascii", "replace")
    except ValueError:
        return None
    return None


def _exchange(line: Line) -> bytes | None:
    lists = b"".join(_string(names) for names in _LISTS)
    hello = bytes([_KEXINIT]) + os.urandom(16) + lists + b"\0" + b"\0\0\0\0"
    line.send(_HELLO + _packet(hello))
    line.send(_packet(bytes([_ECDH_INIT]) + _string(os.urandom(32))))
    for _ in range(MAX_PACKETS):
        payload = _payload(line)
        if payload[0] == _ECDH_REPLY:
            (size,) = struct.unpack(">I", payload[1:5])
            return payload[5 : 5 + size] if 0 < size <= len(payload) - 5 else None
        if payload[0] == _DISCONNECT:
            return None
    return None


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _packet(payload: bytes) -> bytes:
    """The binary packet before encryption (RFC 4253 6): padded to a multiple of eight."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def _payload(line: Line) -> bytes:
    size, padding = struct.unpack(">IB", line.exactly(5))
    if not padding + 1 < size <= MAX_PACKET:
        raise ValueError(f"an SSH packet of {size} bytes")
    return line.exactly(size - 1)[: size - 1 - padding]
