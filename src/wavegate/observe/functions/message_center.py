# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Message Center intake: a probe event is taken in. Only where the estate allows one and names it.

Such an event makes a message to the seed address; that is why nothing is pushed without both.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from lxml import etree

from wavegate.observe.functions.answer import Asked, Function, Lacking, ok, stamped, wrong
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.record.timeline import Watched

NAME = "message_center"
PUSH = "nms:rtEvent#PushEvent"
CEILING = timedelta(minutes=1)


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    expects = "an event id above 0"
    given = facing.given(NAME)
    if not (given.event_type and given.seed):
        reason = "the estate allows no probe event (event_type and seed)"
        yield facing.not_probed(NAME, expects, reason)
    elif isinstance(session, str):
        yield facing.not_probed(NAME, expects, session)
    else:
        watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
        ask = partial(push, session, given.event_type, given.seed)
        yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def push(session: Session, event_type: str, seed: str) -> Asked:
    """Push a probe event. Its id is a number of 64 bits and kept as text; 0 is a refusal."""
    event = etree.Element("rtEvent", type=event_type, email=seed, wishedChannel="0")
    etree.SubElement(event, "ctx")
    found = session.call(PUSH, (("domEvent", event),))
    if isinstance(found, Refused):
        return Lacking(found.answer.detail) if found.code in UNKNOWN else (found.answer,)
    given = found.reply.text(0).strip()
    if not given.lstrip("-").isdecimal():
        return (stamped(wrong("PushEvent gave no id"), found.exchange),)
    if not given.strip("-0"):
        return (stamped(wrong("the event was refused: id 0"), found.exchange),)
    return (stamped(ok(f"event {given[:24]}"), found.exchange),)
