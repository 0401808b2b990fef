# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Ping and mcPing: web server, application server and database answer; the event queue has room.

Not more than once a minute (Adobe's documentation of monitoring). A full queue is told by a body of
`Error` over HTTP 200.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from wavegate.observe.functions.answer import (
    MILLISECOND_US,
    Answer,
    Asked,
    Function,
    Lacking,
    described,
    ok,
    stamped,
    wrong,
)
from wavegate.observe.functions.campaign import Session
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.observe.http_client import Exchange
from wavegate.record.campaign_view import USER_INFO, server_date
from wavegate.record.timeline import Watched

PING = "/nl/jsp/ping.jsp"
MC_PING = "/nl/jsp/mcPing.jsp"
CEILING = timedelta(minutes=1)
_QUEUE = re.compile(r"\b(\d{1,12})/(\d{1,12})\b")


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    yield _pinged(facing, session, "ping", PING, "OK and a time")
    yield _pinged(facing, session, "mcping", MC_PING, "OK and a queue below its threshold")


def _pinged(facing: Facing, session: Session | str, name: str, path: str, expects: str) -> Function:
    if isinstance(session, str):
        return facing.not_probed(name, expects, session)
    watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
    ask = partial(ping, facing, session, path)
    return Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def ping(facing: Facing, session: Session, path: str) -> Asked:
    """Ask a ping page in the kept session."""
    got = _get(facing, session, path)
    if isinstance(got, Exchange) and got.status in (401, 403):
        session.call(USER_INFO)  # a session that was lost is opened anew by it
        got = _get(facing, session, path)
    if isinstance(got, Answer):
        return (got,)
    if got.status == 404 and path == MC_PING:
        return Lacking("HTTP 404: no Message Center execution instance")
    return (stamped(pinged(got, queued=path == MC_PING), got),)


def _get(facing: Facing, session: Session, path: str) -> Exchange | Answer:
    tokens = session.tokens()
    if isinstance(tokens, Answer):
        return tokens
    return facing.get(f"{facing.url}{path}", fresh=False, headers=tokens.headers)


def pinged(got: Exchange, *, queued: bool) -> Answer:
    """What the two or three lines of a ping page say."""
    lines = got.body[:2000].decode("utf-8", "replace").split("\n")
    first = lines[0].strip().lower()
    second = lines[1].strip() if len(lines) > 1 else ""
    queue = _QUEUE.search(" ".join(lines[1:]))
    value = f"{queue[1]}/{queue[2]}" if queue and queued else None
    if got.status == 200 and first == "error":
        return wrong(" ".join(second.split())[:120] or "Error", value=value)
    if got.status != 200 or first != "ok":
        return wrong(f"{described(got)}, neither OK nor Error")
    date, zone_known = server_date(second)
    clock = {"stamp": date, "resolution_us": MILLISECOND_US} if date and zone_known else {}
    if date is None:
        return wrong("OK without a time")
    if queued and queue is None:
        return wrong("OK without a queue")
    return ok(f"OK, {value} pending events" if value else "OK", value=value, **clock)
