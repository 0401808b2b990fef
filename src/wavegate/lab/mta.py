# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail flow of an instance: a burst when a phase begins, then a steady trickle.

Addresses, domains and hosts take turns in proportion to their weights, each message on its own
connection. What is not taken is tried again until somebody listens.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wavegate.clock import now
from wavegate.lab.backlog import Backlog, Row
from wavegate.lab.letters import Letter, compose
from wavegate.lab.smtp_client import DeliveryError, Envelope, deliver
from wavegate.lab.world import Mailing, Mta, Pause, Phase, Route, Scene

RETRY = 0.1
IDLE = 0.02
FULL_WEIGHT = 100
BIG = "big.example"
MINUTES = 60
"""Announced minutes of a window."""
CROSSING = 0.02
"""How long before and after the opening a message is under way that crosses it, in windows."""
Pair = tuple[str, str]
"""A sending address and a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One way that a message can take: host, address, domain."""

    mta: Mta
    route: Route
    domain: str

    @property
    def weight(self) -> float:
        """Its share of the mail, beside those of the others."""
        return self.route.weight * self.mta.weight / FULL_WEIGHT


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

    guard: how long before the opening mail already stops, and waits after the close. pace: seconds
    between two messages of one address after the burst. window: its length.
    """

    opens: datetime
    guard: timedelta
    pace: float
    window: timedelta

    def guards(self, phase: Phase, at: datetime) -> bool:
        """Whether an instant is too near to the window for a phase's mail."""
        match phase:
            case "before":
                return at >= self.opens - self.guard
            case "window":
                return False
            case "after":
                return at < self.opens + self.window + self.guard

    def holds(self, pause: Pause, at: datetime) -> bool:
        """Whether an instant lies in a pause."""
        return pause.since <= (at - self.opens) / self.window < pause.until


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
        backlog: Backlog | None = None,
        left: list[datetime] | None = None,
    ) -> None:
        self.name = name
        self._backlog = backlog
        self._left = [] if left is None else left
        self.recipient = recipient
        self.problem = ""
        self.delivered: Counter[Pair] = Counter()
        self._target = target
        self._timing = timing
        self._moves = moves
        self._progress = progress
        self._number = 0x1200
        self._crossed = False
        self._next_at = timing.opens - timing.window * MINUTES
        self.show("before", scene)

    def show(self, phase: Phase, scene: Scene) -> None:
        """Go on in another phase; its burst begins anew."""
        self.phase = phase
        self.mailing = scene.instance(self.name).mailing
        self.delivered = Counter()
        self.problem = ""
        self._taken: Counter[Stream] = Counter()
        self._fresh = 0
        self._floor = 0.0
        self._streams = streams(self.mailing)

    @property
    def waiting(self) -> tuple[Pair, ...]:
        """The pairs that have not delivered in this phase, or all while burst or queue last."""
        if not self.mailing.flowing or (self._spent and not self._queueing):
            return ()
        missing = tuple(pair for pair in pairs(self.mailing) if not self.delivered[pair])
        if missing or (self._fresh >= burst_size(self.mailing) and not self._queueing):
            return missing
        return pairs(self.mailing)

    @property
    def _queueing(self) -> bool:
        """Whether mail that waited is still to be sent at once."""
        return self._backlog is not None and self.phase == "after" and self._backlog.busy

    @property
    def _spent(self) -> bool:
        """Whether the phase's messages have all been sent."""
        return 0 < self.mailing.cap <= self._fresh

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            at = now()
            if self._crosses(at):
                await self._cross(self._next(self._streams), at)
            able = self._able(at) if self._open(at) else ()
            if not able:
                await asyncio.sleep(IDLE)
                continue
            row = self._backlog.next(at) if self._backlog and self.phase == "after" else None
            if row is not None:
                able = self._carrying(able, row)
            await self._send(self._next(able), row, self.delivered)

    def _crosses(self, at: datetime) -> bool:
        """Whether the message that is under way at the opening is to be begun."""
        begins = self._timing.opens - CROSSING * self._timing.window
        return self.mailing.in_flight and not self._crossed and begins <= at < self._timing.opens

    async def _cross(self, stream: Stream, at: datetime) -> None:
        """Begin a message before the opening, and end it after."""
        self._crossed = True
        until = self._timing.opens + CROSSING * self._timing.window
        await self._send(stream, None, self.delivered, held=(until - at).total_seconds())

    def _open(self, at: datetime) -> bool:
        """Whether mail leaves now: it stops by itself a moment before the opening.

        After the close it waits as long, so that no clock can take it for mail of the window.
        """
        guarded = self._moves and self._timing.guards(self.phase, at)
        return self.mailing.flowing and (self._queueing or not self._spent) and not guarded

    def _able(self, at: datetime) -> tuple[Stream, ...]:
        """The ways that no pause closes."""
        pauses = [pause for pause in self.mailing.pauses if self._timing.holds(pause, at)]
        if not pauses:
            return self._streams
        return tuple(s for s in self._streams if not any(_closes(p, s) for p in pauses))

    def _carrying(self, able: tuple[Stream, ...], row: Row) -> tuple[Stream, ...]:
        """The ways of the domain that a queued message is written from, or all where none is."""
        domain = self.mailing.senders[row.place % len(self.mailing.senders)].domain
        return tuple(stream for stream in able if stream.domain == domain) or able

    def _next(self, able: tuple[Stream, ...]) -> Stream:
        """The way whose turn it is; one that was closed does not make up for its turns."""
        stream = min(able, key=self._turn)
        self._floor = self._turn(stream)
        self._taken[stream] = round(self._floor * stream.weight)
        return stream

    def _turn(self, stream: Stream) -> float:
        return max(self._floor, (self._taken[stream] + 1) / stream.weight)

    async def _send(
        self, stream: Stream, row: Row | None, delivered: Counter[Pair], held: float = 0.0
    ) -> None:
        letter = self._letter(stream) if row is None else self._queued(stream, row)
        envelope = Envelope(
            source=stream.route.ip,
            helo=letter.helo,
            mail_from=letter.sender.mail_from,
            recipient=letter.recipient,
        )
        try:
            await deliver(self._target, envelope, compose(letter), held=held)
        except DeliveryError as error:
            self.problem = str(error)
            if self._backlog and row is not None:
                self._backlog.back(row)
            await asyncio.sleep(RETRY)
            return
        if self._backlog and row is not None:
            self._backlog.done(row, now())
        delivered[stream.route.ip, stream.domain] += 1
        if row is None and delivered is self.delivered:
            self._fresh += 1
            self._left.append(now())
        self._progress.set()
        if self._fresh >= burst_size(self.mailing) and not self._queueing:
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """Seconds until the next message, the burst being over."""
        if self.mailing.stream is None:
            return self._timing.pace / len(self.mailing.routes)
        every = self._timing.window / (MINUTES * self.mailing.stream)
        self._next_at = max(self._next_at + every, now())
        return max((self._next_at - now()).total_seconds(), 0.0)

    def _reader(self) -> str:
        """Whom the next message is for: one share goes to another receiver."""
        share = self.mailing.elsewhere
        turn = int(self._number * share) > int((self._number - 1) * share)
        local = self.recipient.partition("@")[0]
        return f"{local}@{BIG}" if turn else self.recipient

    def _queued(self, stream: Stream, row: Row) -> Letter:
        """What a row of the queue says: its own ids, reader and subject."""
        return replace(
            self._letter(stream),
            recipient=row.to or row.recipient,
            number=row.id,
            delivery=row.delivery,
            subject=row.subject,
            large=False,
        )

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
            recipient=self._reader(),
            number=self._number,
            delivery=4005,
            at=self._written(),
            large=bool(every) and self._number % every == 0,
            binding=self.mailing.binding,
        )

    def _written(self) -> datetime:
        """When a message was written: now, unless the world's messages are older."""
        dated = self.mailing.dated
        return now() if dated is None else self._timing.opens + dated * self._timing.window


def _closes(pause: Pause, stream: Stream) -> bool:
    ip = pause.ip is None or pause.ip == stream.route.ip
    return ip and (pause.node is None or pause.node == stream.mta.name)
