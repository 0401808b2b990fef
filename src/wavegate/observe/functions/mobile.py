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
from wavegate.record.campaign_view import server_date
from wavegate.record.timeline import Watched

CEILING = timedelta(minutes=10)
CHANNELS = {"sms": (1,), "push": (41, 42)}
"""messageType of the deliveries of a channel; 41 is iOS, 42 Android."""
LOGS = {1: "nms:broadLogRcp", 41: "nms:broadLogAppSubRcp", 42: "nms:broadLogAppSubRcp"}
"""Where the deliveries of a type are logged."""


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    for name, types in CHANNELS.items():
        expects = "its newest delivery log advances as before"
        if isinstance(session, str):
            yield facing.not_probed(name, expects, session)
            continue
        watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
        ask = partial(newest_sent, session, types)
        yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def newest_sent(session: Session, types: tuple[int, ...]) -> Asked:
    """When the newest delivery log of a channel was written."""
    dates, lacking = [], []
    for kind in types:
        where = (f"[delivery/@messageType] = {kind}",)
        rows = session.rows(newest(LOGS[kind], ("@eventDate",), where))
        if isinstance(rows, Refused):
            if rows.code not in UNKNOWN:
                return (rows.answer,)
            lacking.append(rows.answer.detail)
            continue
        found = [server_date(value_of(row, "@eventDate")) for row in rows]
        dates += [date for date, zone_known in found if date is not None and zone_known]
    if len(lacking) == len(types):
        return Lacking(lacking[0])
    if not dates:
        return (ok("nothing was sent by this channel yet"),)
    newest_date = format_instant(max(dates))
    return (ok(f"newest {newest_date}", value=newest_date),)
