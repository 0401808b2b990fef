# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SMS and push: sent by other processes than e-mail, so they must go on in the window.

Nothing is sent for it: the delivery logs show the newest message of the channel.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from wavegate.clock import format_instant
from wavegate.observe.functions.answer import Asked, Function, Lacking, ok
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session, newest, value_of
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.record.campaign_view import Row, server_date
from wavegate.record.timeline import Watched

CEILING = timedelta(minutes=10)
CHANNELS = {"sms": (1,), "push": (41, 42)}
"""messageType of the deliveries of a channel; 41 is iOS, 42 Android."""
LOGS = {"sms": ("nms:broadLogRcp",), "push": ("nms:broadLogAppSubRcp", "nms:broadLogRcp")}
"""Where the deliveries of a channel are logged; the first that the instance has."""
DELIVERIES = 20


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    for name in CHANNELS:
        expects = "its newest delivery log advances as before"
        if isinstance(session, str):
            yield facing.not_probed(name, expects, session)
            continue
        watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
        ask = partial(newest_sent, session, name)
        yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def newest_sent(session: Session, name: str) -> Asked:
    """When the newest delivery log of a channel was written."""
    kinds = ", ".join(map(str, CHANNELS[name]))
    where = (f"@messageType IN ({kinds})",)
    found = session.rows(newest("nms:delivery", (), where, lines=DELIVERIES))
    if isinstance(found, Refused):
        return Lacking(found.answer.detail) if found.code in UNKNOWN else (found.answer,)
    if not found:
        return Lacking("no delivery of this channel")
    return _logged(session, name, [value_of(row, "@id") for row in found])


def _logged(session: Session, name: str, deliveries: list[str]) -> Asked:
    where = (f"[@delivery-id] IN ({', '.join(deliveries)})",)
    rows: tuple[Row, ...] | Refused = ()
    for log in LOGS[name]:
        rows = session.rows(newest(log, ("@eventDate",), where))
        if not (isinstance(rows, Refused) and rows.code in UNKNOWN):
            break
    if isinstance(rows, Refused):
        return Lacking(rows.answer.detail) if rows.code in UNKNOWN else (rows.answer,)
    dates = [server_date(value_of(row, "@eventDate")) for row in rows]
    known = [date for date, zone_known in dates if date is not None and zone_known]
    if not known:
        return (ok("nothing was logged by this channel yet"),)
    shown = format_instant(max(known))
    return (ok(f"newest {shown}", value=shown),)
