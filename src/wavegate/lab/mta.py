# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail flow of an instance: a burst when a phase begins, then a steady trickle.

Addresses, domains and hosts take turns in proportion to their weights, each message on its own
connection. What is not taken is tried again until somebody listens.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import now
from wavegate.lab.letters import Letter, compose
from wavegate.lab.smtp_client import DeliveryError, Envelope, deliver
from wavegate.lab.world import Mailing, Mta, Phase, Route, Scene

RETRY = 0.1
IDLE = 0.02
FULL_WEIGHT = 100
Pair = tuple[str, str]
"""A sending address and a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One way that a message can take: host, address, domain."""

    mta: Mta
    route: Route
    domain: str


def streams(mailing: Mailing) -> tuple[Stream, ...]:
    """All ways, ordered so that taking turns goes round the addresses first."""
    return tuple(
        Stream(mta=mta, route=route, domain=sender.domain)
        for mta in mailing.mtas
        for sender in mailing.senders
        for route in mailing.routes
        if sender.domain in route.domains
    )


def pairs(mailing: Mailing) -> tuple[Pair, ...]:
    """Each address with each domain that it carries."""
    return tuple((route.ip, domain) for route in mailing.routes for domain in route.domains)


def burst_size(mailing: Mailing) -> int:
    """How many messages the burst has in all."""
    weights = sum(route.weight * len(route.domains) for route in mailing.routes)
    whole = mailing.burst * weights // FULL_WEIGHT
    return min(whole, mailing.cap) if mailing.cap else whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The window as the senders know it.

    guard: how long before the opening mail already stops. pace: seconds between two messages of
    one address after the burst.
    """

    opens: datetime
    guard: timedelta
    pace: float


class MailFlow:
    """The running mail flow of one instance. `show` exchanges phase and scene."""

    def __init__(
        self,
        name: str,
        scene: Scene,
        timing: Timing,
        *,
        moves: bool,
        target: tuple[str, int],
        recipient: str,
        progress: asyncio.Event,
    ) -> None:
        self.name = name
        self.recipient = recipient
        self.problem = ""
        self.delivered: Counter[Pair] = Counter()
        self._target = target
        self._timing = timing
        self._moves = moves
        self._progress = progress
        self._number = 0x1200
        self.show("before", scene)

    def show(self, phase: Phase, scene: Scene) -> None:
        """Go on in another phase; its burst begins anew."""
        self.phase = phase
        self.mailing = scene.instance(self.name).mailing
        self.delivered = Counter()
        self.problem = ""
        self._taken: Counter[Stream] = Counter()
        self._streams = streams(self.mailing)

    @property
    def waiting(self) -> tuple[Pair, ...]:
        """The pairs that have not delivered in this phase, or all while the burst goes on."""
        if not self.mailing.flowing or self._spent:
            return ()
        missing = tuple(pair for pair in pairs(self.mailing) if not self.delivered[pair])
        if missing or self.delivered.total() >= burst_size(self.mailing):
            return missing
        return pairs(self.mailing)

    @property
    def _spent(self) -> bool:
        """Whether the phase's messages have all been sent."""
        return 0 < self.mailing.cap <= self.delivered.total()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            if not self._open():
                await asyncio.sleep(IDLE)
                continue
            stream = min(self._streams, key=self._turn)
            await self._send(stream, self.delivered, self._taken)

    def _open(self) -> bool:
        """Whether mail leaves now: before the opening it stops by itself, a moment early."""
        early = self._moves and self.phase == "before"
        closing = early and now() >= self._timing.opens - self._timing.guard
        able = self.mailing.flowing and bool(self._streams) and not self._spent
        return able and not closing

    def _turn(self, stream: Stream) -> float:
        return (self._taken[stream] + 1) / stream.route.weight

    async def _send(self, stream: Stream, delivered: Counter[Pair], taken: Counter[Stream]) -> None:
        letter = self._letter(stream)
        envelope = Envelope(
            source=stream.route.ip,
            helo=letter.helo,
            mail_from=letter.sender.mail_from,
            recipient=self.recipient,
        )
        taken[stream] += 1
        try:
            await deliver(self._target, envelope, compose(letter))
        except DeliveryError as error:
            self.problem = str(error)
            await asyncio.sleep(RETRY)
            return
        delivered[stream.route.ip, stream.domain] += 1
        self._progress.set()
        if delivered.total() >= burst_size(self.mailing):
            await asyncio.sleep(self._timing.pace / len(self.mailing.routes))

    def _letter(self, stream: Stream) -> Letter:
        self._number += 1
        sender = self.mailing.sender(stream.domain)
        every = sender.signing.unsigned_every
        return Letter(
            instance=self.name,
            sender=sender,
            route=stream.route,
            mta=stream.mta,
            x_mailer=stream.mta.x_mailer or self.mailing.x_mailer,
            recipient=self.recipient,
            number=self._number,
            delivery=4005,
            at=now(),
            large=bool(every) and self._number % every == 0,
        )
