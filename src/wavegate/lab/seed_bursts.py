# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The operator's part in seed delay: bursts of seeds as a plan orders them, dated by their delay.

A delay is in the Date header: the message says that it was written so long before it comes. So a
queue of minutes is played without waiting for it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from wavegate.clock import now
from wavegate.lab.letters import Letter, compose
from wavegate.lab.mta import streams
from wavegate.lab.smtp_client import DeliveryError, Envelope, deliver
from wavegate.lab.world import InstanceState, Phase

DELIVERY = {"before": 7000, "window": 7300, "after": 7600}
NUMBER = 0xA000
JITTER = 0.618
"""Runs differ by up to a tenth, in no order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """So many bursts of an instance, each to all of the addresses."""

    instance: str
    domain: str
    runs: int
    addresses: tuple[str, ...]


def ordered(path: Path, phase: Phase) -> tuple[Order, ...]:
    """The bursts that a seed plan orders for a phase; none where there is no plan."""
    if not path.exists():
        return ()
    told = json.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Order(
            instance=str(row["instance"]),
            domain=str(row["domain"]),
            runs=len(row["slots"]),
            addresses=tuple(map(str, row["addresses"])),
        )
        for row in told["seeds"]
        if row["phase"] == phase and row["burst"]
    )


async def send(
    state: InstanceState, orders: Sequence[Order], phase: Phase, target: tuple[str, int]
) -> int:
    """Send all bursts; how many messages were taken."""
    taken = 0
    for order in orders:
        for letter in letters(state, order, phase):
            envelope = Envelope(
                source=letter.route.ip,
                helo=letter.helo,
                mail_from=letter.sender.mail_from,
                recipient=letter.recipient,
            )
            try:
                await deliver(target, envelope, compose(letter))
            except DeliveryError:
                continue  # one that was not taken is one that did not come
            taken += 1
    return taken


def letters(state: InstanceState, order: Order, phase: Phase) -> Iterator[Letter]:
    """The messages of all bursts, each written as long ago as its delay is."""
    flow = state.mailing
    ways = [way for way in streams(flow) if way.domain == order.domain]
    for run in range(order.runs):
        for place, address in enumerate(order.addresses):
            way = ways[(run + place) % len(ways)]
            yield Letter(
                instance=state.name,
                sender=flow.sender(way.domain),
                route=way.route,
                mta=way.mta,
                x_mailer=flow.x_mailer,
                recipient=address,
                number=NUMBER + 100 * run + place,
                delivery=DELIVERY[phase] + run,
                at=now() - delay(flow.seed_delay or 0.0, run, place / len(order.addresses)),
                binding="transactional",
            )


def delay(most: float, run: int, share: float) -> timedelta:
    """How long a seed waits: evenly up to a most, that differs a little from run to run."""
    return timedelta(seconds=most * (0.9 + 0.2 * (run * JITTER % 1)) * (0.2 + 0.8 * share))
