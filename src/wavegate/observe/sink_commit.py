# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Group commit: mails of many sessions are written and synced together, then each is answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from wavegate.errors import InternalError
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.message import Received

BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Waiting:
    mail: Received
    written: "asyncio.Future[None]"


@dataclass(slots=True)
class Committer:
    """Writes what waits, one batch after the other, off the loop.

    wrote: called with the number of mails and of bytes after each batch. While one batch is being
    synced the next one gathers.
    """

    writer: MailJournalWriter
    wrote: Callable[[int, int], None]
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ending: bool = False

    async def commit(self, mail: Received) -> None:
        """Return when the mail is durable. Raises what the writer raises; then it is not kept."""
        if self._ending:
            raise InternalError("the sink is ending")
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(mail, written))
        self._wake.set()
        await written

    async def heartbeat(self) -> None:
        """Write a sign of life. Raises InternalError."""
        async with self._writing:
            await asyncio.to_thread(self.writer.heartbeat)

    async def run(self) -> None:
        """Write batches until `end` is called and nothing waits any more."""
        while not (self._ending and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                await self._write(batch)

    def end(self) -> None:
        """Take nothing more; `run` writes what waits and returns."""
        self._ending = True
        self._wake.set()

    def _take(self) -> list[_Waiting]:
        """The next batch; a session that has gone since is not waited for any more."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size < BATCH_BYTES):
            one = self._waiting.popleft()
            if not one.written.cancelled():
                batch.append(one)
                size += len(one.mail.raw)
        return batch

    async def _write(self, batch: list[_Waiting]) -> None:
        mails = [one.mail for one in batch]
        failure: Exception | None = None
        try:
            async with self._writing:
                await asyncio.to_thread(self.writer.append, mails)
            self.wrote(len(mails), sum(len(mail.raw) for mail in mails))
        except Exception as error:  # noqa: BLE001 - whatever failed, each sender must be told
            failure = error
        for one in batch:
            if one.written.cancelled():
                continue
            if failure:
                one.written.set_exception(failure)
            else:
                one.written.set_result(None)
