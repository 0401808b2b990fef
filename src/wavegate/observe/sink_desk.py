# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What all connections of a sink share: who is in, the bounds, the counts, the way to the disk."""

import asyncio
import ipaddress
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from wavegate.clock import monotonic
from wavegate.observe.sink_commit import Committer
from wavegate.observe.sink_settings import Address, Door, SinkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkCounts:
    """What a sink has done so far. refused: replies with 5xx or a closed door; put_off: with 4xx.

    problem: the last trouble of our own, as a sentence, or None.
    """

    messages: int = 0
    bytes: int = 0
    refused: int = 0
    put_off: int = 0
    problem: str | None = None


class Connection(Protocol):
    """A session as the desk sees it."""

    def part(self) -> None:
        """End as soon as no message is under way."""

    def drop(self) -> None:
        """End at once."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """The shared state of a running sink; used from its loop only."""

    settings: SinkSettings
    committer: Committer
    tls: ssl.SSLContext
    progress: Callable[[SinkCounts], None]
    receiving: asyncio.Semaphore
    counts: SinkCounts = field(default_factory=SinkCounts)
    closing: bool = False
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    _inside: dict[Connection, str | None] = field(default_factory=dict)
    _per_peer: Counter[str] = field(default_factory=Counter)
    _minute: int = 0
    _this_minute: Counter[str] = field(default_factory=Counter)

    def refusal(self, door: Door, peer: Address) -> str | None:
        """Why a connection cannot come in now, as an SMTP reply, or None."""
        limits = self.settings.limits
        if self.closing:
            return "421 4.3.2 shutting down"
        if len(self._inside) >= limits.connections:
            return "421 4.7.0 too many connections"
        if door.is_proxy(peer) or self._per_peer[str(peer)] < limits.connections_per_peer:
            return None
        return "421 4.7.0 too many connections from your address"

    def enter(self, connection: Connection, door: Door, peer: Address) -> None:
        """A connection has come in."""
        known = None if door.is_proxy(peer) else str(peer)
        self._inside[connection] = known
        self.empty.clear()
        if known:
            self._per_peer[known] += 1

    def leave(self, connection: Connection) -> None:
        """A connection is gone; a second time does nothing."""
        if connection not in self._inside:
            return
        known = self._inside.pop(connection)
        if known:
            self._per_peer[known] -= 1
            if not self._per_peer[known]:
                del self._per_peer[known]
        if not self._inside:
            self.empty.set()

    def too_fast(self, peer: str) -> bool:
        """Count a message of a peer; whether it is beyond the bound of this minute."""
        minute = int(monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._this_minute.clear()
        self._this_minute[peer] += 1
        return self._this_minute[peer] > self.settings.limits.per_minute

    def part_all(self) -> None:
        """Let nobody in any more, and ask everybody to go."""
        self.closing = True
        if not self._inside:
            self.empty.set()
        for connection in tuple(self._inside):
            connection.part()

    def drop_all(self) -> None:
        """Send everybody away at once."""
        for connection in tuple(self._inside):
            connection.drop()

    def count(
        self, *, messages: int = 0, size: int = 0, refused: int = 0, put_off: int = 0
    ) -> None:
        """Add to the counts and tell them."""
        self.counts = replace(
            self.counts,
            messages=self.counts.messages + messages,
            bytes=self.counts.bytes + size,
            refused=self.counts.refused + refused,
            put_off=self.counts.put_off + put_off,
        )
        self.progress(self.counts)

    def trouble(self, problem: str) -> None:
        """Tell a trouble of our own."""
        self.counts = replace(self.counts, problem=problem)
        self.progress(self.counts)


def plain_address(text: str) -> Address:
    """An address without zone; an IPv4 address in IPv6 form as IPv4. Raises ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
