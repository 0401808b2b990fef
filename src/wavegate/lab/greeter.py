# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail exchanger that takes an instance's bounces and replies: it greets, and takes nothing."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

LIMIT = 1_024
PATIENCE = 10.0


class Greeter:
    """An SMTP greeter on a free port. able: whether it greets now or says 421 (RFC 5321 3.8)."""

    def __init__(self, host: str, able: Callable[[], bool]) -> None:
        self.address = ""
        self._host = host
        self._able = able

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen on 127.0.0.1; closed with the stack."""
        server = await asyncio.start_server(self._greet, "127.0.0.1", 0, limit=LIMIT)
        stack.callback(server.close)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(self._said().encode())
                await reader.readline()
                writer.write(b"221 2.0.0 bye\r\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # a caller that leaves without a word
        finally:
            writer.close()

    def _said(self) -> str:
        if self._able():
            return f"220 {self._host} ESMTP\r\n"
        return f"421 4.3.2 {self._host} is not accepting mail\r\n"
