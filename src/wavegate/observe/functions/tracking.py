# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Tracking: the redirection server answers, a seed link leads to its target, clicks are recorded.

`/r/test` may be asked once a second (Adobe's documentation of monitoring); a click on the seed link
is recorded like any other, so it is clicked less often.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from wavegate.clock import format_instant
from wavegate.observe.functions.answer import (
    MILLISECOND_US,
    SECOND_US,
    Answer,
    Asked,
    Function,
    Lacking,
    described,
    ok,
    stamped,
    wrong,
)
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session, newest, value_of
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.observe.http_client import Exchange
from wavegate.record.campaign_view import NotSeen, read_redir, server_date
from wavegate.record.safe_xml import attribute
from wavegate.record.timeline import Watched

R_TEST = "/r/test"
TEST_CEILING = timedelta(seconds=1)
CLICK_CEILING = timedelta(seconds=30)
LOG_CEILING = timedelta(minutes=10)
LOG_PERIOD = timedelta(hours=1)
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    yield _tracking(facing)
    yield _seed_link(facing)
    yield _log(facing, session)


def _tracking(facing: Facing) -> Function:
    name, expects = "tracking", "<redir status='OK'>"
    url = facing.absolute(facing.given(name).url or R_TEST)
    if url is None:
        return facing.not_probed(name, expects, "the estate names no url")
    watched = Watched(name=name, every=facing.every(name, TEST_CEILING), expects=expects)
    return Function(watched=watched, host=netloc(url), ask=partial(redirection, facing, url))


def redirection(facing: Facing, url: str) -> Asked:
    """Ask the redirection server whether it is well."""
    got = facing.get(url)
    if isinstance(got, Answer):
        return (got,)
    return (stamped(_test(got), got),)


def _test(got: Exchange) -> Answer:
    found = read_redir(got.body) if got.status == 200 else NotSeen("")
    if isinstance(found, NotSeen):
        return wrong(f"{described(got)}, no <redir>")
    status = attribute(found, "status") or "none"
    date, zone_known = server_date(attribute(found, "date"))
    fine = SECOND_US if date and date.microsecond == 0 else MILLISECOND_US
    clock = {"stamp": date, "resolution_us": fine} if date and zone_known else {}
    if status.upper() != "OK":
        return wrong(f"status {status[:40]!r}", **clock)
    return ok("status OK", **clock)


def _seed_link(facing: Facing) -> Function:
    name = "seed_link"
    given = facing.given(name)
    target = given.contains
    expects = f"a redirect to {target}" if target else "a redirect"
    url = facing.absolute(given.url) if given.url else None
    if url is None:
        return facing.not_probed(name, expects, "the estate names no seed link")
    watched = Watched(name=name, every=facing.every(name, CLICK_CEILING), expects=expects)
    return Function(watched=watched, host=netloc(url), ask=partial(click, facing, url, target))


def click(facing: Facing, url: str, target: str | None) -> Asked:
    """Ask for a tracked link and see where it leads; it is not followed."""
    got = facing.get(url)
    if isinstance(got, Answer):
        return (got,)
    place = facing.secrets.cut_text(got.headers.get("location", "")[:300])
    shown = place.partition("?")[0]
    if got.status not in REDIRECTS or not place:
        answer = wrong(f"{described(got)}, no redirect")
    elif target is not None and target not in place:
        answer = wrong(f"a redirect to {shown}, not to {target}", value=shown)
    else:
        answer = ok(f"{got.status} to {shown}", value=shown)
    return (stamped(answer, got),)


def _log(facing: Facing, session: Session | str) -> Function:
    name, expects = "tracking_log", "the newest recorded click advances"
    if isinstance(session, str):
        return facing.not_probed(name, expects, session)
    every = facing.every(name, LOG_CEILING)
    period = LOG_PERIOD if every >= LOG_CEILING else None
    watched = Watched(name=name, every=every, expects=expects, period=period)
    return Function(
        watched=watched, host=netloc(facing.url or ""), ask=partial(newest_click, session)
    )


def newest_click(session: Session) -> Asked:
    """When the newest recorded click was made: the effect, not the answer, of the redirection."""
    rows = session.rows(newest("nms:trackingLogRcp", ("@logDate",)))
    if isinstance(rows, Refused):
        return Lacking(rows.answer.detail) if rows.code in UNKNOWN else (rows.answer,)
    if not rows:
        return (ok("no click is recorded yet"),)
    date, zone_known = server_date(value_of(rows[0], "@logDate"))
    if date is None or not zone_known:
        return (ok(f"row {value_of(rows[0], '@id')}", value=value_of(rows[0], "@id")),)
    return (ok(f"newest click {format_instant(date)}", value=format_instant(date)),)
