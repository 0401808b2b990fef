# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One instance as a watch faces it: its pooled connections, its url, what the estate says of it."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from wavegate.estate.model import Estate, FunctionProbe, Instance
from wavegate.estate.policy import Policy
from wavegate.observe.contact import REASON, barred
from wavegate.observe.functions.answer import Answer, Function, not_counted, silent, trouble
from wavegate.observe.http_client import Exchange, HttpClient, HttpLimits
from wavegate.observe.redact import Secrets
from wavegate.record.timeline import Watched

DEFAULT_PORTS = {"http": 80, "https": 443}


class Connections:
    """HTTP clients of one instance, each used by one thread at a time and kept for the next."""

    def __init__(self, limits: HttpLimits, context: ssl.SSLContext | None) -> None:
        self._limits = limits
        self._context = context
        self._idle: list[HttpClient] = []
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[HttpClient]:
        """A client that nobody else uses meanwhile."""
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or HttpClient(self._limits, self._context)
        try:
            yield client
        finally:
            with self._lock:
                self._idle.append(client)

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for client in idle:
            client.__exit__()


@dataclass(frozen=True, kw_only=True)
class Facing:
    """An instance, and everything its probes need.

    window: its length. base: the folder that `file:` references start from. context: how its
    certificates are trusted, None for the system's way. secrets: cut from every detail.
    """

    estate: Estate
    instance: Instance
    window: timedelta
    base: Path
    context: ssl.SSLContext | None = None
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def policy(self) -> Policy:
        """The estate's policy."""
        return self.estate.policy

    @property
    def seconds(self) -> float:
        """After how long an answer is silence."""
        return self.policy.too_slow.total_seconds()

    @property
    def url(self) -> str | None:
        """The instance's url without a final slash."""
        return self.instance.url.rstrip("/") if self.instance.url else None

    @cached_property
    def connections(self) -> Connections:
        """Its pooled connections."""
        return Connections(HttpLimits(seconds=self.seconds), self.context)

    def given(self, name: str) -> FunctionProbe:
        """What the estate says of a function; an empty probe where it says nothing."""
        found = self.instance.functions.get(name)
        return found if isinstance(found, FunctionProbe) else FunctionProbe()

    def switched_off(self, name: str) -> bool:
        """Whether the estate switches a function off."""
        return self.instance.functions.get(name) is False

    def absolute(self, url: str) -> str | None:
        """A url of the estate, absolute; None where it is relative and the instance has none."""
        if urlsplit(url).netloc:
            return url
        return urljoin(self.url + "/", url) if self.url else None

    def get(
        self, url: str, *, fresh: bool = True, headers: Mapping[str, str] | None = None
    ) -> Exchange | Answer:
        """GET a page; an Answer where that already says what is wrong (`trouble`, `barred`).

        fresh: over a connection of its own, to meet whichever front answers.
        """
        host = urlsplit(url).hostname or ""
        barred = self.barred(host)
        if barred is not None:
            return barred
        extra = {"Connection": "close"} if fresh else {}
        with self.connections.one() as http:
            got = http.send("GET", url, headers={**extra, **(headers or {})}, fresh=fresh)
        return trouble(got, host) or got

    def barred(self, host: str) -> Answer | None:
        """Why a host must not be contacted, or cannot be found; None where it may be.

        Private addresses only where they are the instance's own, or in `reachable_private`.
        """
        if host == urlsplit(self.url or "").hostname:
            return None
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return silent("host name not found", looked_up=host)
        private = barred((str(address[0]) for *_, address in found), self.policy)
        if private is not None:
            return replace(not_counted(f"{private} {REASON}"), forbidden=True)
        return None

    def every(self, name: str, ceiling: timedelta) -> timedelta:
        """The distance between two probes of a function."""
        return interval(self.given(name).every, ceiling, self.policy.probe_interval, self.window)

    def not_probed(self, name: str, expects: str, reason: str) -> Function:
        """A function that is not looked at, and why."""
        every = self.given(name).every or self.policy.probe_interval
        return Function(watched=Watched(name=name, every=every, expects=expects, not_probed=reason))


NO_CEILINGS_BELOW = timedelta(minutes=10)


def interval(
    given: timedelta | None, ceiling: timedelta, policy: timedelta, window: timedelta
) -> timedelta:
    """How often a function is probed.

    What the estate gives for it; else the policy's interval, unless the documented ceiling is
    slower, which does not bind in windows under ten minutes.
    """
    if given is not None:
        return given
    return policy if window < NO_CEILINGS_BELOW else max(policy, ceiling)


def netloc(url: str) -> str:
    """Host and port of a url, the port always told: the key of a host's budget."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    return f"{(parts.hostname or '').lower()}:{port}"
