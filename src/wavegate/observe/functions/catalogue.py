# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""All functions of an instance: the families in one order, what is switched off, what is not there.

To add a family: write a module with `functions(facing, ...)`, and name it here.
"""

from collections.abc import Iterator
from dataclasses import replace

from wavegate.observe.functions import (
    api,
    certificate,
    inbound_mail,
    message_center,
    mobile,
    pages,
    ping,
    report,
    sftp,
    tracking,
    workflows,
)
from wavegate.observe.functions.answer import Function
from wavegate.observe.functions.campaign import Session
from wavegate.observe.functions.facing import Facing

OFF = "the estate switches it off"


def functions_of(facing: Facing, session: Session | str) -> tuple[Function, ...]:
    """Every function of an instance, those that are not probed among them, with their reason.

    session: the instance's session, or why it can have none.
    """
    known = tuple(_known(facing, session))
    names = {_key(found) for found in known}
    own = tuple(sorted(set(facing.instance.functions) - names))
    everything = (*known, *(f for f in pages.functions(facing, own) if f.watched.name in own))
    return tuple(_unless_off(facing, found) for found in everything)


def _known(facing: Facing, session: Session | str) -> Iterator[Function]:
    yield from tracking.functions(facing, session)
    yield from pages.functions(facing, ())
    yield from api.functions(facing, session)
    yield from ping.functions(facing, session)
    yield from workflows.functions(facing, session)
    yield from message_center.functions(facing, session)
    yield from mobile.functions(facing, session)
    yield from report.functions(facing, session)
    yield from inbound_mail.functions(facing, session)
    yield from sftp.functions(facing)
    yield from certificate.functions(facing)


def _key(found: Function) -> str:
    """The key of a function in the estate: the family before the slash."""
    return found.watched.name.partition("/")[0]


def _unless_off(facing: Facing, found: Function) -> Function:
    if not facing.switched_off(_key(found)):
        return found
    return Function(watched=replace(found.watched, not_probed=OFF))
