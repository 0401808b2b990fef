# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The estate: what was agreed. Customers, instances, waves, windows, notices, limits, waivers.

Frozen data without verbs of its own; `load` reads it, `agreed` digests it, `grid` lays it out.
"""

from typing import Literal

from pydantic import Field

from wavegate.estate.policy import Environment, Policy, Strict
from wavegate.estate.values import (
    Domain,
    Duration,
    EndOfDay,
    Instant,
    Ip,
    Name,
    Network,
    Reference,
    Resolver,
    Selector,
    Server,
    Zone,
)

Product = Literal["campaign-v7", "campaign-v8"]
Hosting = Literal["hosted", "hybrid", "managed", "on-premise"]


class Customer(Strict):
    """A customer, and the reference to the secret that proves their extract complete."""

    name: Name
    secret: Reference | None = None
    """Without it an extract says "completeness not provable"."""


class SenderDomain(Strict):
    """A domain that an instance sends from."""

    name: Domain
    selectors: tuple[Selector, ...] = ()
    """DKIM selectors (RFC 6376 3.1)."""
    primary: bool = False
    """Reverse DNS, reply-to and bounces of the other domains derive from this one."""


class Tls(Strict):
    """How to trust the instance's certificates."""

    ca: Reference


class Ims(Strict):
    """OAuth client credentials at Adobe's identity service."""

    client_id: Reference
    client_secret: Reference
    scopes: str = (
        "openid,AdobeID,campaign_sdk,campaign_config_server_general,deliverability_service_general"
    )
    url: str = "https://ims-na1.adobelogin.com/ims/token/v3"


class Credentials(Strict):
    """References to an operator's name and password, or to IMS client credentials."""

    operator: Reference | None = None
    password: Reference | None = None
    ims: Ims | None = None


class MailSource(Strict):
    """One source of received mail; exactly one of sink, imap, maildir, mbox, dmarc_reports."""

    sink: bool = False
    """Mail that `wavegate sink` received."""
    listen: str | None = None
    """Where the sink of this instance listens; default: what `sink --listen` says."""
    proxy_from: tuple[Network, ...] = ()
    """Networks from which the PROXY protocol is believed."""
    recipients: tuple[str, ...] | None = None
    """Patterns of recipients that are accepted; unset: any, and the report says so."""
    imap: str | None = None
    maildir: str | None = None
    mbox: str | None = None
    dmarc_reports: str | None = None
    trusted_receiver: Domain | None = None
    """The host whose Received header is believed, for mail read from a mailbox."""


class MovedWhen(Strict):
    """A sign that the move happened."""

    received_by: str | None = None
    """A regular expression that the `by` host of a Received header matches after the move."""


class FunctionProbe(Strict):
    """How one Campaign function is probed; every key overrides a default of the product."""

    url: str | None = None
    contains: str | None = None
    event_type: str | None = None
    seed: str | None = None
    every: Duration | None = None
    host: Server | None = None
    name: str | None = None


class Mask(Strict):
    """A daily disturbance declared beforehand: the 06:00 restart, the 04:00 clean-up."""

    function: str
    daily_at: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    length: Duration = Field(alias="for")
    reason: str


class Planned(Strict):
    """A planned stop of a node or a load step, which availability_after may rest on."""

    stop: str | None = None
    load: str | None = None
    node: str | None = None
    at: Instant
    length: Duration = Field(alias="for")


class Instance(Strict):
    """One Campaign server."""

    name: Name
    customer: Name
    product: Product
    hosting: Hosting
    environment: Environment
    wave: Literal["unplanned"] | None = None
    """Only for an affected instance that deliberately moves later."""
    url: str | None = None
    """Without it, DNS and mail only."""
    tls: Tls | None = None
    credentials: Credentials | None = None
    sending_ips: tuple[Ip, ...] = ()
    domains: tuple[SenderDomain, ...] = ()
    mail: tuple[MailSource, ...] = ()
    moved_when: MovedWhen | None = None
    functions: dict[str, FunctionProbe | Literal[False]] = Field(default_factory=dict)
    masks: tuple[Mask, ...] = ()
    planned: tuple[Planned, ...] = ()

    @property
    def affected(self) -> bool:
        """Whether the migration concerns it: all but v7 on-premise (design, `scope`)."""
        return self.hosting != "on-premise"


class Window(Strict):
    """The announced window."""

    start: Instant
    end: Instant


class Notice(Strict):
    """A notice to a customer."""

    customer: Name
    sent: Instant
    reference: str
    announces: Window | None = None
    """The window it announces; default: the wave's."""


class Closed(Strict):
    """A claim that a wave ended before Wavegate was used."""

    at: Instant
    approved_by: str = Field(min_length=1)
    reference: str


class Wave(Strict):
    """Instances that move together in one window."""

    name: Name
    window: Window | None = None
    """May be absent only where `closed` stands."""
    announced_duration: Duration | None = None
    decide_by: Instant | None = None
    """Until when a person can still roll back."""
    instances: tuple[Name, ...] = ()
    notices: tuple[Notice, ...] = ()
    closed: Closed | None = None


class Limit(Strict):
    """What is declared beforehand, with an approver, to be unknowable."""

    promise: str
    instances: tuple[Name, ...]
    reason: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)


class Waiver(Strict):
    """A waiver of a cause, or of a promise for an instance."""

    cause: str | None = None
    promise: str | None = None
    instance: Name | None = None
    reason: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    until: EndOfDay


class Estate(Strict):
    """The whole estate file."""

    version: Literal[1]
    policy: Policy = Policy()
    resolvers: tuple[Resolver, ...] = ()
    """Default: the system's."""
    authoritative: dict[Zone, tuple[Server, ...]] = Field(default_factory=dict)
    """Where to ask instead of following NS."""
    customers: tuple[Customer, ...] = ()
    instances: tuple[Instance, ...] = ()
    waves: tuple[Wave, ...] = ()
    limits: tuple[Limit, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def instance(self, name: str) -> Instance:
        """The instance of that name. Raises KeyError."""
        for found in self.instances:
            if found.name == name:
                return found
        raise KeyError(name)

    def wave(self, name: str) -> Wave:
        """The wave of that name. Raises KeyError."""
        for found in self.waves:
            if found.name == name:
                return found
        raise KeyError(name)
