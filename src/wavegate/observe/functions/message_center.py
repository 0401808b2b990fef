# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Message Center: a probe event is taken in, and handled. Only where the estate allows one.

Such an event makes a message to the seed address; that is why nothing is pushed without both. That
it is handled is read back from its status: it may wait while no mail leaves, and not for longer.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from lxml import etree

from wavegate.observe.functions.answer import Asked, Function, Lacking, ok, stamped, wrong
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.observe.functions.waiting import text, waiting
from wavegate.record.queue import Meaning
from wavegate.record.timeline import Watched

NAME = "message_center"
PUSH = "nms:rtEvent#PushEvent"
CEILING = timedelta(minutes=1)
HANDLED = "message_center/handled"
PENDING = (Meaning.PENDING, Meaning.ACCEPTED)
GOES_ON = "no probe event stays pending while mail may leave"


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    expects = "an event id above 0"
    given = facing.given(NAME)
    if not (given.event_type and given.seed):
        reason = "the estate allows no probe event (event_type and seed)"
        yield facing.not_probed(NAME, expects, reason)
        yield facing.not_probed(HANDLED, GOES_ON, reason)
    elif isinstance(session, str):
        yield facing.not_probed(NAME, expects, session)
        yield facing.not_probed(HANDLED, GOES_ON, session)
    else:
        watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
        ask = partial(push, session, given.event_type, given.seed)
        yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)
        watched = Watched(name=HANDLED, every=facing.every(NAME, CEILING), expects=GOES_ON)
        ask = partial(handled, session, given.event_type)
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


def handled(session: Session, event_type: str) -> Asked:
    """What has become of the probe events: the oldest that is pending."""
    where = (f"@type = {text(event_type)}",)
    return waiting(session, "nms:rtEvent", where, "@created", PENDING, "probe events")
