# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The two parts of SMTP that are worth reading faster than line by line: data and plain paths."""

import asyncio
import re
from collections.abc import AsyncIterator

LAST = b".\r\n"
_PLAIN_PATH = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)>(?: +(\S.*))?")


async def read_data(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    r"""The message up to the lone dot, with dots unstuffed (RFC 5321 4.5.2); None beyond limit.

    Only CRLF ends a line: a lone dot between bare line feeds is part of the message and never its
    end, so that nothing can be smuggled behind it. What is too long is read over and not kept.
    """
    data = bytearray()
    too_long = False
    async for part in _parts(reader):
        too_long = too_long or len(data) + len(part) > limit + len(LAST)
        if too_long:
            data.clear()
        else:
            data += part
    return None if too_long else _unstuffed(data)


async def _parts(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The stuffed message in pieces, its last line included, which is the lone dot."""
    while True:
        begin = await reader.readexactly(1)
        if begin == b".":
            begin += await reader.readexactly(2)
        yield begin
        if begin == LAST:
            return
        chunk, at_dot = begin, False
        while not at_dot:
            before = chunk[-1:]
            chunk, at_dot = await _chunk(reader)
            yield chunk
        if (before + chunk).endswith(b"\r\n" + LAST):
            return


async def _chunk(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Bytes up to a line that seems to be the last, or as many as come before one."""
    try:
        return await reader.readuntil(b"\n" + LAST), True
    except asyncio.LimitOverrunError as over:
        return await reader.readexactly(over.consumed), False


def _unstuffed(data: bytearray) -> bytes:
    del data[-len(LAST) :]
    if data.startswith(b"."):
        del data[0]
    return bytes(data).replace(b"\r\n.", b"\r\n")


def plain_path(argument: str) -> tuple[str, str] | None:
    """Address and parameters of a path such as `<a@b.example> SIZE=3`; None for any other form."""
    match = _PLAIN_PATH.fullmatch(argument)
    return (match[1], match[2] or "") if match else None
