# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How a session with Campaign is opened: by an operator's password, or by a bearer token.

The token comes from Adobe's identity service for client credentials (RFC 6749 4.4); what that
service does says nothing about the instance. Neither its request nor its reply is ever recorded.
"""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from wavegate import clock
from wavegate.estate.model import Credentials, Ims, Instance
from wavegate.estate.policy import Policy
from wavegate.estate.secrets import resolve
from wavegate.observe.campaign_soap import Parameter, element
from wavegate.observe.contact import REASON, barred
from wavegate.observe.http_client import Exchange, HttpClient, HttpLimits
from wavegate.observe.redact import Secrets
from wavegate.observe.routes import NoRouteError
from wavegate.record.campaign_view import BEARER_LOGON, LOGON

NO_CREDENTIALS = "the estate names no credentials"
UNCARRIED = "operator or password holds what XML cannot carry"
SHORTEST = 60.0
"""Seconds that a token is used at least: one that lasts shorter is asked for anew each time."""
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A call that opens a session, once. body: how it is told in a record, without any secret."""

    action: str
    body: str
    parameters: tuple[tuple[str, Parameter], ...]


@dataclass(frozen=True, slots=True)
class NoBearer:
    """No bearer token could be had; why. It is no fault of the instance."""

    reason: str


def by_password(operator: str, password: str) -> Way:
    """Logon. Parameters are positional."""
    parameters: list[tuple[str, Parameter]] = [("login", operator), ("password", password)]
    return Way(
        action=LOGON,
        body="operator and password",
        parameters=(*parameters, ("parameters", element("parameters"))),
    )


def by_bearer(token: str) -> Way:
    """BearerTokenLogon, whose reply is that of Logon."""
    return Way(action=BEARER_LOGON, body="bearer token", parameters=(("bearerToken", token),))


def no_way(instance: Instance) -> str | None:
    """Why the estate alone allows no session; None where it names what one needs."""
    if instance.url is None:
        return "the estate names no url"
    return None if instance.credentials is not None else NO_CREDENTIALS


class Entrance:
    """The door to one instance; safe to use from many threads.

    Raises MissingError (a reference that leads nowhere) and ValueError (what XML cannot carry).
    """

    def __init__(
        self, credentials: Credentials, base: Path, policy: Policy, secrets: Secrets
    ) -> None:
        self._grant: _Grant | None = None
        self._operator = self._password = ""
        if credentials.ims is not None:
            self._grant = _Grant.of(credentials.ims, base, policy, secrets)
            return
        self._operator = resolve(credentials.operator or "", base)
        self._password = resolve(credentials.password or "", base)
        element("check").text = self._operator + self._password
        secrets.learn_name(self._operator)
        secrets.learn(self._password)

    def way(self) -> Way | NoBearer:
        """The call that opens a session now; asks for a token where one is needed."""
        if self._grant is None:
            return by_password(self._operator, self._password)
        token = self._grant.token()
        return token if isinstance(token, NoBearer) else by_bearer(token)


@dataclass(slots=True, kw_only=True)
class _Grant:
    """Client credentials, and the token that they last gave."""

    ims: Ims
    client_id: str
    client_secret: str
    policy: Policy
    secrets: Secrets
    _token: str = ""
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, ims: Ims, base: Path, policy: Policy, secrets: Secrets) -> "_Grant":
        client_id, secret = resolve(ims.client_id, base), resolve(ims.client_secret, base)
        secrets.learn_name(client_id)
        secrets.learn(secret)
        return cls(
            ims=ims, client_id=client_id, client_secret=secret, policy=policy, secrets=secrets
        )

    def token(self) -> str | NoBearer:
        """The token, asked for anew when half its time is over."""
        with self._lock:
            if self._token and clock.monotonic() < self._until:
                return self._token
            got = self._ask()
            told = _members(got) if isinstance(got, Exchange) else {}
            token = told.get("access_token")
            if isinstance(got, NoBearer) or not isinstance(token, str) or not token:
                return got if isinstance(got, NoBearer) else self._refused(got, told)
            self.secrets.learn(token)
            self._token, self._until = token, clock.monotonic() + _seconds(told) / 2
            return token

    def _ask(self) -> Exchange | NoBearer:
        host = urlsplit(self.ims.url).hostname or ""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            private = barred((str(address[0]) for *_, address in found), self.policy)
            if private is not None:
                return self._none(f"{private} {REASON}")
            limits = HttpLimits(seconds=self.policy.too_slow.total_seconds())
            with HttpClient(limits) as http:
                return http.send("POST", self.ims.url, headers=FORM, body=self._form())
        except NoRouteError as error:
            return self._none(error.reason)
        except (OSError, UnicodeError):
            return self._none("host name not found")

    def _form(self) -> bytes:
        return urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "scope": self.ims.scopes,
            }
        ).encode("ascii")

    def _refused(self, got: Exchange, told: Mapping[str, object]) -> NoBearer:
        error = told.get("error")
        word = error if isinstance(error, str) else got.failure or got.content_type
        status = f"HTTP {got.status} " if got.status is not None else ""
        return self._none(f"{status}{self.secrets.cut_text(word[:80])}".strip())

    def _none(self, why: str) -> NoBearer:
        return NoBearer(f"no bearer token from {urlsplit(self.ims.url).hostname}: {why}")


def _members(got: Exchange) -> dict[str, object]:
    """The reply as JSON; empty for anything else."""
    try:
        found = json.loads(got.body) if got.failure is None else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(told: Mapping[str, object]) -> float:
    """How long the token lasts; nothing where that is not said, so that it is used once."""
    found = told.get("expires_in")
    lasts = float(found) if isinstance(found, int) and not isinstance(found, bool) else 0.0
    return lasts if SHORTEST < lasts < 1e9 else 0.0
