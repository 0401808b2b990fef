# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A running lab: DNS, Campaign, senders and the control port, on one loop and free ports."""

import asyncio
import json
import os
import random
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from secrets import token_hex

from wavegate.clock import format_instant, now
from wavegate.errors import InternalError
from wavegate.lab import mailbox, seed_bursts, visitors
from wavegate.lab.campaign_server import Campaign, RequestLog
from wavegate.lab.campaign_state import Secure
from wavegate.lab.clockwork import Clockwork, period
from wavegate.lab.dns_server import Dns
from wavegate.lab.estate import SEEDS as OWN_READERS
from wavegate.lab.estate import Account, Place, write_estate
from wavegate.lab.greeter import Greeter
from wavegate.lab.live import Live
from wavegate.lab.live_rates import LoadStep
from wavegate.lab.loops import background
from wavegate.lab.mta import BIG, MailFlow, Timing
from wavegate.lab.reference import reference_names
from wavegate.lab.ssh_host import SshHost
from wavegate.lab.tls_front import Authority, TlsFront
from wavegate.lab.world import PHASES, InstanceState, Phase, Scene, World

PORTS = range(20_000, 32_000)
"""Below the ports that the kernel gives to outgoing connections."""
PATIENCE = timedelta(seconds=30)
SEEDS = "seeds.json"
"""Where a play has `plan --seeds` write its orders, beside the estate."""
MESSAGES = 30
"""A second, of all addresses together, once the bursts are over."""
QUEUE_SHOWS, AFTERMATH = 3.0, 0.6
"""In window lengths: from the opening until a lost message is overdue; and from the last step until
it can be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """What a move of the world came to.

    phase: where the world is now. at: the instant of the move. delivered: messages per
    `instance ip domain`. undelivered: what an address of the phase could not deliver, with the
    last reason. silent: agreed addresses that the world itself keeps from sending. writes: calls
    that would have changed an instance; must be empty.
    """

    phase: str
    at: datetime
    delivered: tuple[tuple[str, int], ...]
    undelivered: tuple[str, ...]
    silent: tuple[str, ...]
    writes: tuple[str, ...]


class Lab:
    """The miniature of one migration while it runs."""

    def __init__(
        self,
        world: World,
        directory: Path,
        *,
        title: str,
        faults: tuple[str, ...],
        opens_in: timedelta,
        window: timedelta,
    ) -> None:
        self.world = world
        self.directory = directory
        self.title = title
        self.faults = faults
        self.phase: Phase = "before"
        self.moved_at = now()
        self.log = RequestLog()
        self.dns = Dns(world.before)
        self.campaigns = {
            item.name: Campaign(item.name, world.before, self.log)
            for item in world.before.instances
        }
        self.flows: dict[str, MailFlow] = {}
        self.lives: dict[str, Live] = {}
        self.greeters = {
            name: Greeter(f"inbound.{name}.example", self._greets(name)) for name in self.campaigns
        }
        self.fronts: dict[str, TlsFront] = {}
        self.sftp = {name: SshHost(self._host_key(name)) for name in self.campaigns}
        self.recipients = {name: f"s-{token_hex(10)}@seed.example" for name in self.campaigns}
        self.control = ""
        self.token = token_hex(16)
        self.smtp = f"127.0.0.1:{_free_port()}"
        self._opens_in = opens_in
        self._window = window
        self._moving = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._seeded: set[tuple[str, Phase]] = set()
        self._visits: set[asyncio.Task[int]] = set()
        self._progress = asyncio.Event()
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Where everything listens. Raises InternalError before the start."""
        if self._place is None:
            raise InternalError("the lab has not been started")
        return self._place

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen, begin to send, write the estate; all is undone with the stack."""
        await self._start_dns(stack)
        for campaign in self.campaigns.values():
            await campaign.start(stack)
        for greeter in self.greeters.values():
            await greeter.start(stack)
        for host in self.sftp.values():
            await host.start(stack)
        opens = _rounded(now() + self._opens_in)
        await self._secure(stack, opens)
        self._place = self._settle(opens)
        self._enliven()
        write_estate(self.estate_file, self.world.agreed, self.place)
        for name in self.campaigns:
            await self._send_mail(stack, name)

    async def _start_dns(self, stack: AsyncExitStack) -> None:
        """The name servers answer from a thread of their own: no slow page makes them silent."""
        loop = stack.enter_context(background("wavegate-lab-dns"))
        listening = AsyncExitStack()
        stack.push_async_callback(_closed, loop, listening)
        await _elsewhere(loop, self.dns.start(listening))

    @property
    def estate_file(self) -> Path:
        """Where the estate stands."""
        return self.directory / "estate.yaml"

    def _greets(self, name: str) -> Callable[[], bool]:
        """Whether the mail exchanger of an instance greets at the moment."""

        def able() -> bool:
            found = self.campaigns[name].state.functions
            clock = self.lives[name].clock if name in self.lives else None
            return found.inbound and not (clock and clock.within(now(), found.restart))

        return able

    def _host_key(self, name: str) -> Callable[[], str | None]:
        """Which host key the SFTP host of an instance shows at the moment."""

        def key() -> str | None:
            found = self.campaigns[name].state.functions.host_key
            return None if found is None else f"{name}, {found}"

        return key

    def _enliven(self) -> None:
        """Let queue, clicks, events and workflows of each instance begin to move."""
        place, began = self.place, now()
        clock = Clockwork(
            opens=place.opens,
            closes=place.closes,
            period=period(self._opens_in, self._window),
        )
        for state in self.world.before.instances:
            planned = self.world.agreed.instance(state.name).planned
            self.lives[state.name] = Live(
                state,
                clock,
                token=token_hex(8),
                began=began,
                steps=tuple(
                    LoadStep(
                        factor=step.load,
                        since=clock.share(step.since),
                        until=clock.share(step.until),
                    )
                    for step in planned
                    if step.load is not None
                ),
            )
            self.campaigns[state.name].live = self.lives[state.name]

    async def _secure(self, stack: AsyncExitStack, opens: datetime) -> None:
        """Put a TLS front before each instance that has one in the world."""
        states = self.world.before.instances
        names = [state.name for state in states if state.campaign.secure is not None]
        if not names:
            return
        authority = Authority(self.directory, opens)
        authority.publish()
        for name in names:
            front = TlsFront(authority, self._shown(name), self.campaigns[name].url)
            await front.start(stack)
            self.fronts[name] = front

    def _shown(self, name: str) -> Callable[[], Secure]:
        """How the TLS front of an instance shakes hands at the moment."""
        return lambda: self.campaigns[name].state.secure or Secure()

    def _settle(self, opens: datetime) -> Place:
        secrets = self.directory / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        accounts = {
            name: Account(
                url=campaign.url,
                operator=_secret(secrets / f"{name}.operator", campaign.sessions.operator),
                password=_secret(secrets / f"{name}.password", campaign.sessions.password),
            )
            for name, campaign in self.campaigns.items()
        }
        return Place(
            opens=opens,
            window=self._window,
            resolver=self.dns.resolver,
            authoritative=dict(self._authoritative()),
            accounts=accounts,
            secrets={
                name: _secret(secrets / f"{name}.extract", token_hex(32))
                for name in self.world.agreed.customers
            },
            smtp=self.smtp,
            seeds=dict(self.recipients),
            exchangers={name: greeter.address for name, greeter in self.greeters.items()},
            sftp={name: host.address for name, host in self.sftp.items()},
            mailboxes=self._mailboxes(),
            recipients=self._recipients(),
            secure={name: front.url for name, front in self.fronts.items()},
        )

    def _settled(self) -> datetime:
        """When all that is queued or planned after the window has shown what becomes of it."""
        steps = (step.until for item in self.world.agreed.instances for step in item.planned)
        windows = max((QUEUE_SHOWS, *steps)) + AFTERMATH
        return self.place.opens + windows * self.place.window

    def _authoritative(self) -> Iterator[tuple[str, list[str]]]:
        for zone in self.world.before.zones:
            servers = [
                self.dns.address(server.name)
                for server in self.world.before.servers
                if zone.origin in server.zones
            ]
            if servers:
                yield zone.origin, servers

    async def _send_mail(self, stack: AsyncExitStack, name: str) -> None:
        host, port = self.smtp.split(":")
        timing = Timing(
            opens=self.place.opens,
            guard=min(timedelta(seconds=0.3), self._opens_in / 10, self._window / 10),
            pace=pace(self.world.before, self._window),
            window=self._window,
        )
        flow = MailFlow(
            name,
            self.world.before,
            timing,
            moves=name in self.world.agreed.waves[0].instances,
            target=(host, int(port)),
            recipient=self.recipients[name],
            progress=self._progress,
            backlog=self.lives[name].backlog,
            left=self.lives[name].left,
        )
        self.flows[name] = flow
        task = asyncio.create_task(flow.run())
        stack.push_async_callback(_cancelled, task)

    async def move(self, phase: Phase, patience: timedelta = PATIENCE) -> PhaseResult:
        """Move the world on to a phase, not before the estate's instant, and wait for its mail.

        `before` waits for the mail only. A phase already reached is not left. A window that was
        opened closes by itself at its end, so that no late call makes sending resume late.
        """
        await self._reach(phase)
        await self._seed(phase)
        await self._delivered(patience if phase != "window" else timedelta())
        return self.result()

    async def _reach(self, phase: Phase) -> None:
        """Show each phase up to one, each at its instant or, if that is past, now."""
        async with self._moving:
            for step in PHASES[PHASES.index(self.phase) + 1 : PHASES.index(phase) + 1]:
                await _until(self.place.opens if step == "window" else self.place.closes)
                self._show(step)
        if self.phase == "window" and self._closing is None:
            self._closing = asyncio.create_task(self._reach("after"))

    def _show(self, phase: Phase) -> None:
        scene = self.world.scene(phase)
        self.phase = phase
        self.moved_at = now()
        self.dns.scene = scene
        for campaign in self.campaigns.values():
            campaign.scene = scene
            if campaign.state.functions.sessions_dropped:
                campaign.sessions.open.clear()
        for name, live in self.lives.items():
            live.show(phase, scene.instance(name), self.moved_at)
        for flow in self.flows.values():
            flow.show(phase, scene)
        for state in scene.instances:
            self._receive(state)
        if phase == "after" and self.world.agreed_after != self.world.agreed:
            write_estate(self.estate_file, self.world.agreed_after, self.place)
        self.publish()

    def _receive(self, state: InstanceState) -> None:
        """What others do with an instance in a phase: bring bounces, hand mail over late."""
        place, flow = self.place, state.mailing
        if state.bounces:
            coming = visitors.bring(place.exchangers[state.name], state.bounces, place.window)
            self._visits.add(asyncio.create_task(coming))
        if flow.mailbox and flow.dated is not None:
            taken = place.opens + flow.dated * place.window
            folder = self.directory / place.mailboxes[state.name]
            mailbox.hand_over(folder, state.name, flow, self.recipients[state.name], taken)

    def _recipients(self) -> tuple[str, ...]:
        """Patterns of all that mail is sent to."""
        states = self.world.before.instances
        far = any(state.mailing.elsewhere for state in states)
        return (OWN_READERS, f"*@{BIG}") if far else (OWN_READERS,)

    def _mailboxes(self) -> dict[str, str]:
        """The mailboxes of the world, made; each by its path from the estate file."""
        scenes = (self.world.scene(phase) for phase in PHASES)
        used = {
            state.name for scene in scenes for state in scene.instances if state.mailing.mailbox
        }
        for name in used:
            mailbox.make(self.directory / "mailbox" / name)
        return {name: f"mailbox/{name}" for name in sorted(used)}

    async def _seed(self, phase: Phase) -> None:
        """Send the bursts of seeds that a plan has ordered, where the world delays them."""
        orders = seed_bursts.ordered(self.directory / SEEDS, phase)
        host, port = self.smtp.split(":")
        for state in self.world.scene(phase).instances:
            if state.mailing.seed_delay is not None and (state.name, phase) not in self._seeded:
                self._seeded.add((state.name, phase))
                mine = [order for order in orders if order.instance == state.name]
                await seed_bursts.send(state, mine, phase, (host, int(port)))

    async def _delivered(self, patience: timedelta) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                while any(flow.waiting for flow in self.flows.values()):
                    self._progress.clear()
                    await self._progress.wait()

    def result(self) -> PhaseResult:
        """How things stand."""
        return PhaseResult(
            phase=self.phase,
            at=self.moved_at,
            delivered=tuple(
                (f"{name} {ip} {domain}", count)
                for name, flow in self.flows.items()
                for (ip, domain), count in sorted(flow.delivered.items())
            ),
            undelivered=tuple(
                f"{name}: {ip} for {domain}: {flow.problem or 'not yet'}"
                for name, flow in self.flows.items()
                for ip, domain in flow.waiting
            ),
            silent=tuple(self._silent()),
            writes=tuple(self.log.writes),
        )

    def _silent(self) -> Iterator[str]:
        for name, flow in self.flows.items():
            used = {ip_address(route.ip) for route in flow.mailing.routes}
            for ip in self.world.agreed.instance(name).sending_ips:
                if ip_address(ip) not in used:
                    yield f"{name}: {ip}"

    def publish(self) -> None:
        """Write lab.json, whole or not at all; only the owner can read it."""
        path = self.directory / "lab.json"
        draft = self.directory / f".lab.json.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(self._told(), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)

    def _told(self) -> dict[str, object]:
        place = self.place
        servers = {name.name: self.dns.address(name.name) for name in self.world.before.servers}
        return {
            "phase": self.phase,
            "wave": self.world.agreed.waves[0].name,
            "estate": str(self.estate_file.resolve()),
            "dns": [self.dns.resolver, *servers.values()],
            "resolver": self.dns.resolver,
            "servers": servers,
            "instances": {
                name: {
                    "url": campaign.url,
                    "operator": campaign.sessions.operator,
                    "password": campaign.sessions.password,
                    "ims": campaign.sessions.ims.told(campaign.url),
                    "recipient": self.flows[name].recipient,
                }
                for name, campaign in self.campaigns.items()
            },
            "smtp": self.smtp,
            "window": {
                "start": format_instant(place.opens),
                "end": format_instant(place.closes),
            },
            "settled": format_instant(self._settled()),
            "scenario": self.title,
            "faults": list(self.faults),
            "names": reference_names(),
            "control": {"url": self.control, "token": self.token},
            "pid": os.getpid(),
            "writes": list(self.log.writes),
        }


def pace(scene: Scene, window: timedelta) -> float:
    """Seconds between two messages of one address: the more addresses, the slower each.

    So many in a window that a pause of half of it shows, and in the whole lab no more than a busy
    machine can sign.
    """
    seconds = window / timedelta(seconds=1)
    addresses = sum(len(state.mailing.routes) for state in scene.instances)
    usual = min(max(seconds / 20, 0.5), 5.0)
    return max(usual, min(addresses / MESSAGES, max(seconds / 8, 5.0)))


def _free_port() -> int:
    """A port that nobody listens on, for the sink that will."""
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise InternalError("no free port for the sink", cure="end other programs that listen")


def _secret(path: Path, value: str) -> str:
    """Write a secret for the owner only; its path relative to the estate file."""
    path.touch(mode=0o600)
    path.write_text(value + "\n", encoding="utf-8")
    return f"secrets/{path.name}"


def _rounded(at: datetime) -> datetime:
    """Up to the next tenth of a second: easier to read."""
    return at + timedelta(microseconds=-at.microsecond % 100_000)


async def _until(at: datetime) -> None:
    """Sleep until an instant is past by the lab's clock."""
    await asyncio.sleep(max((at - now()).total_seconds() + 0.001, 0))


async def _elsewhere(
    loop: asyncio.AbstractEventLoop, what: Coroutine[object, object, None]
) -> None:
    """Await something that runs on another loop."""
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(what, loop))


async def _closed(loop: asyncio.AbstractEventLoop, stack: AsyncExitStack) -> None:
    await _elsewhere(loop, stack.aclose())


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
