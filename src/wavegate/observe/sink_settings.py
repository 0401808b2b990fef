# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a sink needs to know: where it listens, whose mail it takes, and its bounds."""

import fnmatch
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from wavegate.errors import InputError
from wavegate.estate.model import Estate, MailSource
from wavegate.estate.values import join_host_port, split_host_port
from wavegate.record.mail_writer import Bounds

DEFAULT_LISTEN = "127.0.0.1:2525"
HEARTBEAT = timedelta(seconds=5)
SHORTEST_HEARTBEAT = timedelta(milliseconds=200)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One address to listen on, and who may come in by it.

    port 0: any free one. recipients: patterns such as `*@seed.example`; None takes any.
    proxy_from: networks that must, and alone may, speak the PROXY protocol.
    """

    host: str
    port: int
    recipients: tuple[str, ...] | None = None
    proxy_from: tuple[str, ...] = ()

    def takes(self, recipient: str) -> bool:
        """Whether mail to an address is taken; case does not matter."""
        if self.recipients is None:
            return True
        address = recipient.lower()
        return any(fnmatch.fnmatchcase(address, one.lower()) for one in self.recipients)

    def is_proxy(self, peer: Address) -> bool:
        """Whether a peer is a proxy that says whom it speaks for."""
        return any(peer in ipaddress.ip_network(network) for network in self.proxy_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkLimits:
    """Bounds on what strangers can make a sink do.

    message: bytes of one message. recipients: of one message. connections: at once, of all and of
    one peer; a proxy counts as many peers. per_minute: messages of one peer. receiving: messages
    whose data come in at once, so that memory is bounded by this times `message`. idle: seconds
    without a command. grace: seconds that a message under way gets when the sink ends.
    """

    message: int = 25 * 1024 * 1024
    recipients: int = 1000
    connections: int = 1000
    connections_per_peer: int = 50
    per_minute: int = 60_000
    receiving: int = 64
    idle: float = 300.0
    proxy: float = 5.0
    grace: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """Everything `run_sink` is told.

    hostname: what the sink calls itself. vantage: from where it is looked at. heartbeat: how
    often it writes down that it listens. bounds: how much the journals may take.
    """

    doors: tuple[Door, ...]
    hostname: str = "wavegate-sink"
    vantage: str = "sink"
    heartbeat: timedelta = HEARTBEAT
    limits: SinkLimits = field(default_factory=SinkLimits)
    bounds: Bounds = field(default_factory=Bounds)


def settings_for(
    estate: Estate,
    listen: Sequence[str] = (),
    proxy_from: Sequence[str] = (),
    *,
    vantage: str = "sink",
) -> SinkSettings:
    """The settings of the sink that an estate's instances need.

    listen: where the instances without a `listen` of their own are served, and what is listened
    on besides; there every instance's recipients are taken. proxy_from: networks added to those
    of the estate. Where instances share an address their patterns are joined; one without any
    takes all. The heartbeat is never rarer than the probes of the window.

    Raises InputError (no instance has a sink, no address, no network).
    """
    sources = tuple(
        source for instance in estate.instances for source in instance.mail if source.sink
    )
    if not sources:
        raise InputError(
            "no instance of the estate has a sink",
            cure="add `mail: [{sink: true}]` to the instances whose seed mail comes here",
        )
    extra = tuple(_network(text) for text in proxy_from)
    given = tuple(_address(text) for text in listen)
    by_address: dict[tuple[str, int], list[MailSource]] = {}
    for source in sources:
        own = (_address(source.listen),) if source.listen else given
        for address in own or (_address(DEFAULT_LISTEN),):
            by_address.setdefault(address, []).append(source)
    for address in given:
        by_address.setdefault(address, list(sources))
    interval = min(HEARTBEAT, estate.policy.probe_interval)
    return SinkSettings(
        doors=tuple(_door(*place, found, extra) for place, found in by_address.items()),
        vantage=vantage,
        heartbeat=max(interval, SHORTEST_HEARTBEAT),
    )


def _door(host: str, port: int, sources: Iterable[MailSource], extra: tuple[str, ...]) -> Door:
    patterns: list[str] | None = []
    networks = list(extra)
    for source in sources:
        networks += source.proxy_from
        if source.recipients is None or patterns is None:
            patterns = None
        else:
            patterns += source.recipients
    return Door(
        host=host,
        port=port,
        recipients=None if patterns is None else tuple(dict.fromkeys(patterns)),
        proxy_from=tuple(dict.fromkeys(networks)),
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if port == "0" and host:
        return host.strip("[]"), 0
    try:
        return split_host_port(text)
    except ValueError as error:
        raise InputError(
            f"no address to listen on: {error}",
            where=f"listen {text!r}",
            cure=f"write HOST:PORT, such as {DEFAULT_LISTEN} or {join_host_port('::1', 2525)}",
        ) from error


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise InputError(
            str(error), where=f"proxy-from {text!r}", cure="write a network such as 10.0.0.0/8"
        ) from error
