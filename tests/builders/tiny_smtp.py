# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An SMTP sink of a few lines on a free port of loopback."""

import asyncio
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session


class TinySmtp:
    """Takes every mail until left. got: each as a parsed message, in order; rcpt: to whom.

    answer: the reply to DATA.
    """

    def __init__(self, answer: str = "250 OK") -> None:
        self.got: list[EmailMessage] = []
        self.rcpt: list[tuple[str, ...]] = []
        self.port = 0
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.got.append(message_from_bytes(content, policy=policy.default))
        self.rcpt.append(tuple(envelope.rcpt_tos))
        return self._answer

    def url(self, to: str) -> str:
        """The apprise URL by which a mail to somebody comes here."""
        return f"mailto://127.0.0.1:{self.port}/?from=wavegate@night.example&to={to}&mode=insecure"

    async def _start(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: SMTP(self, loop=self._loop), "127.0.0.1", 0)

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
