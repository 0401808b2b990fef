# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The Campaign side of an instance: `/r/test` of several fronts, and one SOAP session.

Logon, GetUserInfo, GetOption and ExecuteQuery only read; Logoff ends every session.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from wavegate.errors import MissingError
from wavegate.estate.secrets import resolve
from wavegate.observe.campaign_client import MAX_PAGES, CampaignClient
from wavegate.observe.campaign_login import NO_CREDENTIALS, UNCARRIED, Entrance, NoBearer
from wavegate.observe.http_client import HttpClient, HttpLimits, own_context
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task
from wavegate.observe.redact import Secrets
from wavegate.observe.routes import NoRouteError
from wavegate.record.campaign_view import (
    BEARER_LOGON,
    LOGON,
    OPTION,
    QUERY,
    R_TEST,
    USER_INFO,
)
from wavegate.record.observation import Observation

LOOKS = 24
"""Looks at /r/test, each over a new connection: so many before tell a front's share well enough,
and so many after exclude chance, for one of two that answers no more to be a finding."""
STANDARD_OPTIONS = ("NmsServer_LastPostUpgrade", "NmsEmail_DefaultErrorAddr")
WORKFLOW = ("@internalName", "@state")
PAGE = 200


class Companion(Protocol):
    """Further questions that ride on the probe's session."""

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked at least, in words."""

    def ask(self, client: CampaignClient, task: Task, notes: Notes) -> None:
        """Ask on an open session, until `notes.stopped` is set."""


class CampaignProbe:
    """Asks Campaign. limits: default from the estate's `too_slow`. companions: ask more on it."""

    name = "campaign"

    def __init__(
        self, limits: HttpLimits | None = None, companions: Sequence[Companion] = ()
    ) -> None:
        self._limits = limits
        self._companions = tuple(companions)

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked, in words."""
        if task.instance.url is None:
            return ()
        found = [f"GET {R_TEST} ({look} of {LOOKS})" for look in range(1, LOOKS + 1)]
        credentials = task.instance.credentials
        if credentials is not None:
            options = (f"{OPTION} {name}" for name in _options(task))
            queries = (f"{QUERY} nms:delivery count", f"{QUERY} xtk:workflow")
            logon = BEARER_LOGON if credentials.ims else LOGON
            found += [logon, USER_INFO, *options, *queries]
            found += [text for more in self._companions for text in more.questions(task)]
        return tuple(found)

    def look(self, task: Task) -> Looked:
        """Ask everything about one instance."""
        notes = Notes(task.vantage)
        self.look_into(task, notes)
        return notes.looked()

    def look_into(self, task: Task, notes: Notes) -> None:
        """Ask everything, noting as it goes, until `notes.stopped` is set."""
        url = task.instance.url
        if url is None:
            notes.leave_out("Campaign", "the estate names no url")
            return
        try:
            context = _trust(task)
        except (MissingError, ssl.SSLError, ValueError) as error:
            notes.leave_out(f"Campaign at {url}", f"tls.ca cannot be used: {_told(error)}")
            return
        too_slow = task.estate.policy.too_slow.total_seconds()
        limits = self._limits or HttpLimits(seconds=too_slow)
        try:
            with HttpClient(limits, context) as http:
                _Session(task, notes, http, self._companions).everything(url.rstrip("/"))
        except NoRouteError as error:
            notes.leave_out(f"Campaign at {url}", error.reason)


class _Session:
    """One look at one instance."""

    def __init__(
        self, task: Task, notes: Notes, http: HttpClient, companions: Sequence[Companion] = ()
    ) -> None:
        self._companions = companions
        self._task = task
        self._notes = notes
        self._http = http

    def everything(self, url: str) -> None:
        secrets = Secrets()
        entrance = self._entrance(secrets)
        client = CampaignClient(url, self._http, secrets)
        for look in range(1, LOOKS + 1):
            if self._notes.stopped.is_set():
                return
            self._notes.observe(client.redir(look))
        if entrance is not None and not self._notes.stopped.is_set():
            self._soap(client, entrance)

    def _entrance(self, secrets: Secrets) -> Entrance | None:
        """How to log on; without a way only /r/test is looked at, and that is noted."""
        credentials, policy = self._task.instance.credentials, self._task.estate.policy
        if credentials is None:
            self._notes.leave_out("SOAP", NO_CREDENTIALS)
            return None
        try:
            return Entrance(credentials, self._task.base, policy, secrets)
        except MissingError as error:
            self._notes.leave_out("SOAP", _told(error))
        except ValueError:
            self._notes.leave_out("SOAP", UNCARRIED)
        return None

    def _soap(self, client: CampaignClient, entrance: Entrance) -> None:
        way = entrance.way()
        if isinstance(way, NoBearer):
            self._notes.leave_out("SOAP", way.reason)
            return
        self._notes.observe(client.enter(way).observation)
        if not client.logged_on:
            return
        try:
            for ask in self._questions(client):
                if self._notes.stopped.is_set():
                    return
                self._notes.observe(ask())
            self._workflows(client)
            for companion in self._companions:
                if not self._notes.stopped.is_set():
                    companion.ask(client, self._task, self._notes)
        finally:
            self._notes.observe(client.logoff().observation)

    def _questions(self, client: CampaignClient) -> Iterator[Callable[[], Observation]]:
        yield lambda: client.user_info().observation
        for name in _options(self._task):
            yield lambda name=name: client.option(name).observation  # type: ignore[misc] # binds the loop's name
        yield lambda: client.count("nms:delivery").observation

    def _workflows(self, client: CampaignClient) -> None:
        pages = 0
        for called in client.query("xtk:workflow", WORKFLOW, page_size=PAGE):
            self._notes.observe(called.observation)
            pages += 1
            if self._notes.stopped.is_set():
                return
        if pages == MAX_PAGES:
            self._notes.leave_out("xtk:workflow", f"more than {MAX_PAGES * PAGE} rows")


def _options(task: Task) -> tuple[str, ...]:
    """The options that the policy names, and a few safe ones that every instance has."""
    return tuple(dict.fromkeys((*STANDARD_OPTIONS, *task.estate.policy.options)))


def _trust(task: Task) -> ssl.SSLContext | None:
    """The instance's own trust, or None for the process's. Raises MissingError, ssl.SSLError."""
    tls = task.instance.tls
    return None if tls is None else own_context(resolve(tls.ca, task.base))


def _told(error: Exception) -> str:
    """An error in one line; a reference may stand in it, a value never does."""
    if isinstance(error, MissingError):
        return f"{error.where}: {error.message}" if error.where else error.message
    return type(error).__name__
