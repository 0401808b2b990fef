# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Event loops in threads of their own, and what runs on them from outside."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager

START_LIMIT = 60.0


def run_on(loop: asyncio.AbstractEventLoop, what: Coroutine[object, object, None]) -> None:
    """Run something to its end on a loop of another thread."""
    asyncio.run_coroutine_threadsafe(what, loop).result(START_LIMIT)


@contextmanager
def background(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own; everything on it has ended when the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        run_on(loop, _last_tasks())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _last_tasks() -> None:
    """End what connections still hold, and let closed transports say goodbye."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)
