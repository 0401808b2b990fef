# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The estate: what was agreed. Customers, instances, waves, windows, notices, limits, waivers.

Frozen data without verbs of its own; `load` reads it, `agreed` digests it, `grid` lays it out.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from wavegate.estate.policy import Environment, Policy, Strict
from wavegate.estate.values import (
    Cause,
    DailyAt,
    Domain,
    EndOfDay,
    HttpUrl,
    Id,
    Instant,
    Ip,
    Listen,
    Mailbox,
    Name,
    Network,
    PositiveDuration,
    Recipients,
    Reference,
    Regex,
    Resolver,
    Selector,
    Server,
    Text,
    UnreadableError,
    UrlReference,
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
    primary: StrictBool = False
    """Reverse DNS, reply-to and bounces of the other domains derive from this one."""


class Tls(Strict):
    """How to trust the instance's certificates."""

    ca: Reference


class Ims(Strict):
    """OAuth client credentials at Adobe's identity service."""

    client_id: Reference
    client_secret: Reference
    scopes: Text = (
        "openid,AdobeID,campaign_sdk,campaign_config_server_general,deliverability_service_general"
    )
    url: HttpUrl = "https://ims-na1.adobelogin.com/ims/token/v3"


class Credentials(Strict):
    """References to an operator's name and password, or to IMS client credentials."""

    operator: Reference | None = None
    password: Reference | None = None
    ims: Ims | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pair = (self.operator is not None, self.password is not None)
        if (self.ims is None and all(pair)) or (self.ims is not None and not any(pair)):
            return self
        raise UnreadableError(
            "credentials are an operator and a password, or ims",
            "give operator and password, both as references, or only ims",
        )


class MailboxCredentials(Strict):
    """References to the name and password of an IMAP mailbox; the user may stand in its URL."""

    user: Reference | None = None
    password: Reference


MailPlaceKind = Literal["imap", "maildir", "mbox", "eml", "dmarc_reports"]
_PLACES: tuple[MailPlaceKind, ...] = ("imap", "maildir", "mbox", "eml", "dmarc_reports")


class MailSource(Strict):
    """One source of mail; exactly one of sink, imap, maildir, mbox, eml, dmarc_reports."""

    sink: StrictBool = False
    """Mail that `wavegate sink` received."""
    listen: Listen | None = None
    """Where the sink of this instance listens; default: what `sink --listen` says."""
    proxy_from: tuple[Network, ...] = ()
    """Networks from which the PROXY protocol is believed."""
    recipients: tuple[Recipients, ...] | None = None
    """Patterns of recipients that are accepted; unset: any, and the report says so."""
    imap: Mailbox | None = None
    """A folder on an IMAP server, `imaps://user@host/INBOX`; only read, nothing is marked."""
    maildir: Mailbox | None = None
    """A Maildir, relative to this file."""
    mbox: Mailbox | None = None
    """An mbox file, relative to this file."""
    eml: Mailbox | None = None
    """A `.eml` file or a folder of them, relative to this file."""
    dmarc_reports: Mailbox | None = None
    """A DMARC aggregate report (.xml, .gz, .zip) or a folder of them, relative to this file."""
    trusted_receiver: Domain | None = None
    """The host whose Received header is believed, for mail read from a mailbox."""
    credentials: MailboxCredentials | None = None
    """Of an IMAP mailbox."""
    tls: Tls | None = None
    """How to trust the certificates of an IMAP server."""

    @property
    def places(self) -> tuple[tuple[MailPlaceKind, str], ...]:
        """The places besides the sink that are named here; a valid source names one, or a sink."""
        named = ((kind, getattr(self, kind)) for kind in _PLACES)
        return tuple((kind, where) for kind, where in named if where is not None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of source that are named here; a valid source names one."""
        found = tuple(kind for kind, _ in self.places)
        return ("sink", *found) if self.sink else found

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.kinds) != 1:
            raise UnreadableError(
                f"a mail source of {len(self.kinds)} kinds",
                "name exactly one of sink: true, imap, maildir, mbox, eml, dmarc_reports",
            )
        return self


class MovedWhen(Strict):
    """A sign that the move happened."""

    received_by: Regex | None = None
    """A regular expression that the `by` host of a Received header matches after the move."""


class FunctionProbe(Strict):
    """How one Campaign function is probed; every key overrides a default of the product."""

    url: UrlReference | None = None
    """Absolute, or relative to the instance's `url`."""
    contains: Text | None = None
    """Text that the answer must hold."""
    event_type: Text | None = None
    """The Message Center event that may be pushed."""
    seed: Text | None = None
    """The seed address that the event goes to; of `inbound_mail`, one that always bounces."""
    every: PositiveDuration | None = None
    """Distance between two probes; overrides policy and documented ceilings."""
    host: Server | None = None
    """The server to ask, for functions that are no web page."""
    name: Text | None = None
    """The internal name of what is probed, such as a workflow's."""


def _off_or_probe(value: object) -> str:
    return "off" if isinstance(value, bool) else "probe"


Function = Annotated[
    Annotated[Literal[False], Tag("off")] | Annotated[FunctionProbe, Tag("probe")],
    Discriminator(_off_or_probe),
]
"""How a function is probed, or `false`: switched off."""


class Mask(Strict):
    """A daily disturbance declared beforehand: the 06:00 restart, the 04:00 clean-up."""

    function: Id
    """The function that is disturbed."""
    daily_at: DailyAt
    """When it begins, UTC."""
    length: PositiveDuration = Field(alias="for")
    """How long it lasts."""
    reason: Text


class Planned(Strict):
    """A planned stop of a node or a load step, which availability_after may rest on."""

    stop: Text | None = None
    """What is stopped."""
    load: Text | None = None
    """What load is added."""
    node: Text | None = None
    at: Instant
    length: PositiveDuration = Field(alias="for")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.stop is None) == (self.load is None):
            raise UnreadableError("neither or both of stop and load", "name one of them")
        return self


class Hours(Strict):
    """Hours of each day, UTC; they may go over midnight."""

    start: DailyAt = Field(alias="from")
    end: DailyAt = Field(alias="to")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise UnreadableError("hours that end as they start", "write another end", at=("to",))
        return self


class Instance(Strict):
    """One Campaign server."""

    name: Name
    customer: Name
    product: Product
    hosting: Hosting
    environment: Environment
    wave: Literal["unplanned"] | None = None
    """Only for an affected instance that deliberately moves later."""
    owner: Text | None = None
    """Who is told what the nightly finds: a name, an address or a team."""
    asleep: tuple[Hours, ...] = ()
    """When it is stopped every day; the nightly takes no silence in them for an alarm."""
    url: HttpUrl | None = None
    """Without it, DNS and mail only."""
    tls: Tls | None = None
    credentials: Credentials | None = None
    sending_ips: tuple[Ip, ...] = ()
    domains: tuple[SenderDomain, ...] = ()
    mail: tuple[MailSource, ...] = ()
    moved_when: MovedWhen | None = None
    functions: dict[Id, Function] = Field(default_factory=dict)
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

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start >= self.end:
            raise UnreadableError(
                "a window that ends before it starts, or has no length",
                "write an end later than the start",
                at=("end",),
            )
        return self


class Notice(Strict):
    """A notice to a customer."""

    customer: Name
    sent: Instant
    reference: Text
    announces: Window | None = None
    """The window it announces; default: the wave's."""


class Closed(Strict):
    """A claim that a wave ended before Wavegate was used."""

    at: Instant
    approved_by: Text
    reference: Text


class Wave(Strict):
    """Instances that move together in one window."""

    name: Name
    window: Window | None = None
    """May be absent only where `closed` stands."""
    announced_duration: PositiveDuration | None = None
    decide_by: Instant | None = None
    """Until when a person can still roll back."""
    instances: tuple[Name, ...] = ()
    notices: tuple[Notice, ...] = ()
    closed: Closed | None = None

    @model_validator(mode="after")
    def _window_or_closed(self) -> Self:
        if self.window is None and self.closed is None:
            raise UnreadableError(
                "a wave with neither window nor closed",
                "add `window: {start: ..., end: ...}`, or `closed:` if it ended before",
            )
        return self

    @property
    def end(self) -> datetime | None:
        """The window's end; None where only `closed` stands."""
        return self.window.end if self.window else None

    @property
    def open_ended(self) -> bool:
        """Whether it is the nightly: no window, and no claim to be closed."""
        return self.window is None and self.closed is None


class Limit(Strict):
    """What is declared beforehand, with an approver, to be unknowable."""

    promise: Id
    instances: tuple[Name, ...] = Field(min_length=1)
    reason: Text
    approved_by: Text


class Waiver(Strict):
    """A waiver of a cause, or of a promise for an instance; with a cause, both only narrow it."""

    cause: Cause | None = None
    """The id of a cause, as reports print it."""
    promise: Id | None = None
    instance: Name | None = None
    reason: Text
    approved_by: Text
    until: EndOfDay

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.cause is not None or (self.promise is not None and self.instance is not None):
            return self
        raise UnreadableError(
            "a waiver covers a cause, or a promise of an instance",
            "name its cause, or both promise and instance",
        )


class Between(Strict):
    """From one instant to another; a date as the end means the end of that day."""

    start: Instant = Field(alias="from")
    end: EndOfDay = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start >= self.end:
            raise UnreadableError(
                "it ends before it starts, or has no length",
                "write an end later than the start",
                at=("to",),
            )
        return self


class ExpectedChange(Strict):
    """A change that the nightly is told of beforehand; it is used once, and moves no baseline."""

    instances: tuple[Name, ...] = Field(min_length=1)
    promise: Id
    before: Text = Field(alias="from")
    """The state before, as a finding of the nightly prints it."""
    after: Text = Field(alias="to")
    """The state after, as a finding of the nightly prints it."""
    ticket: Text
    between: Between


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
    expected_changes: tuple[ExpectedChange, ...] = ()
    """Changes that the nightly is told of beforehand."""

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
