# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DNS of an instance: every name of its mail identity, at every authoritative server.

Which names: `dns_names`. Answers lead to further names (MX hosts, SPF terms, CNAME and PTR
targets), which are asked too. See `record.dns_view` for what the recorded bytes say.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from wavegate.estate.model import Estate
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_names import plan
from wavegate.observe.dns_run import DnsRun
from wavegate.observe.dns_walk import Extra, Walk
from wavegate.observe.mta_sts import Fetch
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task

LONGEST_TRY = 1.5
SHORTEST_TRY = 0.5
TRIES = 3

Look = Callable[[Task, Notes], Awaitable[None]]


class DnsProbe:
    """Asks the DNS. limits: default from the estate's `too_slow`, shared by all tries."""

    name = "dns"

    def __init__(self, limits: DnsLimits | None = None) -> None:
        self._limits = limits

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked at each server; answers lead to more (MX hosts, SPF terms)."""
        return tuple(f"{name.to_text()} {rdtype}" for name, rdtype in plan(task.instance))

    def look(self, task: Task) -> Looked:
        """Ask everything about one instance, in an event loop of its own."""

        async def alone() -> Looked:
            notes = Notes(task.vantage)
            async with self.opened(task.estate) as look:
                await look(task, notes)
            return notes.looked()

        return asyncio.run(alone())

    @asynccontextmanager
    async def opened(self, estate: Estate) -> AsyncIterator[Look]:
        """A run in which equal questions of many instances are asked once."""
        async with DnsRun(estate, self._limits or limits_of(estate)) as run:
            files = Fetch(estate.policy)

            async def look(task: Task, notes: Notes) -> None:
                policy = task.estate.policy
                extra = Extra(blocklists=policy.blocklists, heard=task.heard, files=files)
                await Walk(run, task.instance, notes, extra).everything()

            yield look


def limits_of(estate: Estate) -> DnsLimits:
    """All tries together stay within `policy.too_slow`, each between 0.5 s and 1.5 s."""
    share = estate.policy.too_slow / timedelta(seconds=TRIES)
    return DnsLimits(timeout=min(LONGEST_TRY, max(SHORTEST_TRY, share)), tries=TRIES)
