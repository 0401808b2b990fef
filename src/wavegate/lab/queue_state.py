# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail that waits when the window opens, and what becomes of it: frozen state."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Fate = Literal[
    "sent",
    "lost",
    "left",
    "twice",
    "anew",
    "late",
    "slow",
    "expired",
    "bounced",
    "cancelled",
    "dropped",
    "swapped",
]
"""What becomes of a queued message.

sent: delivered once after the window. lost: relayed, and never delivered. left: nobody touches it,
its delivery is paused. twice: delivered, and sent again under new ids. anew: delivered once, under
new ids. late: delivered after its validity. slow: delivered once, long after the one before it,
and still in time. swapped: with the next one of its kind, each to the other's reader. expired:
cancelled by the clean-up. bounced: refused by its receiver. cancelled: its delivery was cancelled
by a person. dropped: its row is gone.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery with mail that waits.

    id: its delivery id; its rows have ids from 20 x id on. place: which of the instance's domains
    it writes from. valid_for: until when it is valid, in window lengths after the close; None for
    five days. fates: of so many messages, first to last; the rest is sent. readers: another
    delivery whose subject it has, and whose first readers are its own; None for its own.
    """

    id: int
    name: str
    label: str
    count: int
    place: int = 0
    valid_for: float | None = None
    fates: tuple[tuple[Fate, int], ...] = ()
    readers: int | None = None

    def each(self) -> Iterator[Fate]:
        """The fate of each message in order."""
        told: list[Fate] = [fate for fate, count in self.fates for _ in range(count)]
        rest: list[Fate] = ["sent"] * (self.count - len(told))
        yield from (*told[: self.count], *rest)

    def fated(self, *fates: tuple[Fate, int]) -> "Waiting":
        """The same delivery with other fates."""
        return replace(self, fates=fates)


def usual_queue(instance: str) -> tuple[Waiting, ...]:
    """Three deliveries with a few dozen messages."""
    return tuple(
        Waiting(id=4101 + place, name=f"DM{101 + place}", label=f"{instance} {what}", count=count)
        for place, (what, count) in enumerate(
            (("spring offer", 18), ("loyalty letter", 12), ("reminder", 9))
        )
    )
