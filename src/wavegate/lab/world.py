# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The state of a miniature migration: what was agreed, and what the world is like in each phase.

All of it is frozen data. A fault is a function from one world to another; the servers publish
whatever scene they are shown and decide nothing by themselves.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from wavegate.lab.campaign_state import CampaignState
from wavegate.lab.dns_state import DnsServer, Zone
from wavegate.lab.queue_state import Waiting

Phase = Literal["before", "window", "after"]
PHASES: tuple[Phase, ...] = ("before", "window", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mta:
    """A sending host.

    name: `old-a`, `new-b`. host: what it calls itself in its Received line. helo: what it says in
    EHLO instead of the name that belongs to the address. key: the DKIM key it signs with instead
    of the sender's. x_mailer: what it writes instead of the instance's X-mailer. weight: its share
    of the mail, beside the others'. behind: seconds that its clock is slow, in its Received line.
    """

    name: str
    host: str
    helo: str | None = None
    key: str | None = None
    x_mailer: str | None = None
    weight: int = 100
    behind: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How mail of a domain is DKIM-signed.

    domain: d=. selector: s=. key: the name of the private key. canon: header/body
    canonicalisation. headers: h=, in order. identity: i=, left out where None. unsigned_every:
    each so-many-th message is large and bears no signature; 0 for none.
    """

    domain: str
    selector: str
    key: str
    canon: str = "relaxed/relaxed"
    headers: tuple[str, ...] = (
        "From",
        "Subject",
        "Date",
        "To",
        "MIME-Version",
        "Message-ID",
        "List-Unsubscribe",
        "Content-Type",
    )
    identity: str | None = None
    unsigned_every: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A domain that an instance writes mail from: From domain, error address, signature."""

    domain: str
    mail_from: str
    signing: Signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A sending address in use: its IP, its EHLO name, the domains it carries, its weight."""

    ip: str
    helo: str
    domains: tuple[str, ...]
    weight: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A span in which an address or a host sends nothing; everything where neither is named.

    since, until: in window lengths from the opening; 1.0 is the close.
    """

    since: float
    until: float
    ip: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """The mail flow of an instance.

    flowing: whether mail leaves at all. burst: how many messages each address sends quickly for
    each domain once a phase begins. cap: after how many messages of a phase it sends no more; 0
    for never. pauses: when some of it stands still. binding: the group of senders that X-MSFBL
    names. dated: when its messages were written, in window lengths from the opening; None for just
    now. in_flight: of before, one message is under way when the window opens. mailbox: of the
    window, so many messages that were taken before it are put into a mailbox. stream: messages per
    announced minute once the burst is over, None for a trickle. elsewhere: the share of them that
    goes to another receiver. seed_delay: seconds within which 95 % of a burst of seeds come.
    """

    flowing: bool
    mtas: tuple[Mta, ...]
    senders: tuple[Sender, ...]
    routes: tuple[Route, ...]
    x_mailer: str
    burst: int = 20
    cap: int = 0
    pauses: tuple[Pause, ...] = ()
    binding: str = "marketing"
    dated: float | None = None
    in_flight: bool = False
    mailbox: int = 0
    stream: float | None = None
    elsewhere: float = 0.0
    seed_delay: float | None = None

    def sender(self, domain: str) -> Sender:
        """The sender of that domain. Raises KeyError."""
        for found in self.senders:
            if found.domain == domain:
                return found
        raise KeyError(domain)

    def route(self, ip: str) -> Route:
        """The route over that address. Raises KeyError."""
        for found in self.routes:
            if found.ip == ip:
                return found
        raise KeyError(ip)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """One instance in one phase: its Campaign server, its mail flow, the mail that waits.

    bounces: how many times others come to its mail exchanger while the phase is shown.
    """

    name: str
    campaign: CampaignState
    mailing: Mailing
    queue: tuple[Waiting, ...] = ()
    bounces: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The whole world in one phase, as the servers publish it."""

    zones: tuple[Zone, ...]
    servers: tuple[DnsServer, ...]
    instances: tuple[InstanceState, ...]

    def zone(self, origin: str) -> Zone:
        """The zone of that origin, which has its final dot. Raises KeyError."""
        for found in self.zones:
            if found.origin == origin:
                return found
        raise KeyError(origin)

    def server(self, name: str) -> DnsServer:
        """The DNS server of that name. Raises KeyError."""
        for found in self.servers:
            if found.name == name:
                return found
        raise KeyError(name)

    def instance(self, name: str) -> InstanceState:
        """The instance of that name. Raises KeyError."""
        for found in self.instances:
            if found.name == name:
                return found
        raise KeyError(name)

    def with_zone(self, zone: Zone) -> "Scene":
        """The scene with one zone exchanged."""
        return replace(
            self, zones=tuple(zone if old.origin == zone.origin else old for old in self.zones)
        )

    def with_server(self, server: DnsServer) -> "Scene":
        """The scene with one DNS server exchanged."""
        return replace(
            self, servers=tuple(server if old.name == server.name else old for old in self.servers)
        )

    def with_instance(self, state: InstanceState) -> "Scene":
        """The scene with one instance exchanged."""
        return replace(
            self,
            instances=tuple(state if old.name == state.name else old for old in self.instances),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedDomain:
    """A sender domain as the estate lists it."""

    name: str
    selectors: tuple[str, ...]
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedStep:
    """A planned stop of a host, or a load step where `load` says how many times the usual load.

    node: the host's own name. since, until: in window lengths from the opening.
    """

    since: float
    until: float
    node: str | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedInstance:
    """An instance as the estate lists it."""

    name: str
    customer: str
    product: str
    hosting: str
    environment: str
    sending_ips: tuple[str, ...]
    domains: tuple[AgreedDomain, ...]
    moves: bool = True
    """Whether the estate names the sign of its move."""
    planned: tuple[AgreedStep, ...] = ()
    """Stops and load steps after the window."""
    bounce_seeds: bool = False
    """Whether an address that always bounces is mailed to, and told."""
    masked: tuple[str, ...] = ()
    """Functions whose daily restart falls into the window, as was declared before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedNotice:
    """A notice.

    sent: relative to the opening of the wave under test (negative is earlier). announces: how far
    the announced window lies from the wave's own, None for the same. zone_hours: the offset from
    UTC in which its instants are written.
    """

    customer: str
    sent: timedelta
    reference: str
    announces: timedelta | None = None
    zone_hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedWave:
    """A wave. opens, closed: relative to the opening of the wave under test; None where absent.

    longer: by how many announced lengths its window is longer than announced.
    """

    name: str
    instances: tuple[str, ...]
    opens: timedelta | None = None
    closed: timedelta | None = None
    notices: tuple[AgreedNotice, ...] = ()
    zone_hours: int = 0
    longer: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the estate file says; waves[0] is the wave under test.

    earliest_prod: relative to the opening of the wave under test, None for the policy's default.
    queue_deadline: of the policy, in window lengths. limits: promises that are declared unknowable
    for every instance of that wave. probed: whether the functions of the instances are.
    """

    customers: tuple[str, ...]
    instances: tuple[AgreedInstance, ...]
    waves: tuple[AgreedWave, ...]
    earliest_prod: timedelta | None = None
    queue_deadline: float = 2.0
    limits: tuple[str, ...] = ()
    probed: bool = True

    def instance(self, name: str) -> AgreedInstance:
        """The instance of that name. Raises KeyError."""
        for found in self.instances:
            if found.name == name:
                return found
        raise KeyError(name)

    def wave_of(self, instance: str) -> AgreedWave:
        """The first wave that lists an instance. Raises KeyError."""
        for wave in self.waves:
            if instance in wave.instances:
                return wave
        raise KeyError(instance)

    def with_instance(self, changed: AgreedInstance) -> "Agreement":
        """The agreement with one instance exchanged."""
        return replace(
            self,
            instances=tuple(changed if old.name == changed.name else old for old in self.instances),
        )

    def with_wave(self, changed: AgreedWave) -> "Agreement":
        """The agreement with one wave exchanged."""
        return replace(
            self,
            waves=tuple(changed if old.name == changed.name else old for old in self.waves),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A migration: what was agreed before and after, and the scene of each phase."""

    agreed: Agreement
    agreed_after: Agreement
    before: Scene
    window: Scene
    after: Scene

    def scene(self, phase: Phase) -> Scene:
        """The scene of a phase."""
        match phase:
            case "before":
                return self.before
            case "window":
                return self.window
            case "after":
                return self.after
