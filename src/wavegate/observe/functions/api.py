# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The API: the router tells its time, operators can log on, a session goes on being known."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from wavegate.clock import format_instant
from wavegate.observe.functions.answer import (
    MILLISECOND_US,
    Answer,
    Asked,
    Function,
    ok,
    stamped,
    wrong,
)
from wavegate.observe.functions.campaign import EXPIRED, Refused, Router, Session, Spoken
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.record.campaign_view import USER_INFO, server_date
from wavegate.record.safe_xml import attribute, find
from wavegate.record.soap import Reply, read
from wavegate.record.timeline import Watched

SERVER_TIME = "xtk:session#GetServerTime"
CEILING = timedelta(minutes=1)
LOGON_CEILING = timedelta(minutes=5)


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    yield _soap(facing)
    yield _of_session(facing, session, "logon", LOGON_CEILING, "tokens and a build number")
    yield _of_session(facing, session, "session", CEILING, "the session stays known")


def _soap(facing: Facing) -> Function:
    name, expects = "soap", "the server's time, which never goes back"
    if facing.url is None:
        return facing.not_probed(name, expects, "the estate names no url")
    watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
    ask = Liveness(Router(facing), facing.policy.clock_tolerance).ask
    return Function(watched=watched, host=netloc(facing.url), ask=ask)


class Liveness:
    """Asks for the server's time, and remembers the latest. Safe to use from many threads."""

    def __init__(self, router: Router, tolerance: timedelta) -> None:
        self._router = router
        self._tolerance = tolerance
        self._latest: datetime | None = None
        self._lock = threading.Lock()

    def ask(self) -> Asked:
        """The server's time, anonymously, over a connection of its own."""
        found = self._router.call(SERVER_TIME, fresh=True)
        if isinstance(found, Refused):
            return (found.answer,)
        date, zone_known = server_date(_iso(found.reply.text(0)))
        if date is None:
            return (stamped(wrong("GetServerTime gave no time"), found.exchange),)
        clock = {"stamp": date, "resolution_us": MILLISECOND_US} if zone_known else {}
        back = self._back(date)
        if back is not None:
            return (wrong(f"the server's time went back by {back.total_seconds():.3f} s", **clock),)
        return (stamped(ok(format_instant(date), **clock), found.exchange),)

    def _back(self, date: datetime) -> timedelta | None:
        """How far the time went back, beyond what fronts may differ by."""
        with self._lock:
            latest = self._latest
            self._latest = date if latest is None else max(latest, date)
        if latest is not None and latest - date > self._tolerance:
            return latest - date
        return None


def _iso(text: str) -> str:
    """A date of XML Schema as the other dates of a server are written."""
    return text.strip().replace("T", " ", 1)


def _of_session(
    facing: Facing, session: Session | str, name: str, ceiling: timedelta, expects: str
) -> Function:
    if isinstance(session, str):
        return facing.not_probed(name, expects, session)
    watched = Watched(name=name, every=facing.every(name, ceiling), expects=expects)
    ask = partial(logon if name == "logon" else reuse, session)
    return Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def logon(session: Session) -> Asked:
    """Log on beside the kept session, and off again."""
    found = session.logon()
    if isinstance(found, Answer):
        return (found,)
    tokens, exchange = found
    session.logoff(tokens)
    reply = read(exchange.body)
    server = find(reply.element, "serverInfo") if isinstance(reply, Reply) else None
    build = attribute(server, "buildNumber") if server is not None else None
    if build is None:
        return (stamped(wrong("a Logon reply without a build number"), exchange),)
    return (stamped(ok(f"build {build}"), exchange),)


def reuse(session: Session) -> Asked:
    """Use the kept session; one that the instance forgot, whoever met it, is told by its code."""
    found = session.call(USER_INFO)
    if session.take_lost():
        return (wrong(f"{EXPIRED}: the instance forgot the session"),)
    if isinstance(found, Spoken):
        return (stamped(ok("the session is known"), found.exchange),)
    return (found.answer,)
