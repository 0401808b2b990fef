# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Others who deliver to an instance: receivers that bring bounces to its mail exchanger."""

import asyncio
from contextlib import suppress
from datetime import timedelta

PATIENCE = 5.0


async def bring(address: str, count: int, within: timedelta) -> int:
    """Come so many times, evenly over a span; how many of them were greeted."""
    greeted = 0
    for _ in range(count):
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                greeted += await _visit(address)
        await asyncio.sleep(within.total_seconds() / count)
    return greeted


async def _visit(address: str) -> bool:
    """Say hello as a server with a bounce does (RFC 5321 3.2)."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        greeting = await reader.readline()
        writer.write(b"EHLO mx.big.example\r\n")
        await reader.readline()
    finally:
        writer.close()
    return greeting.startswith(b"220")
