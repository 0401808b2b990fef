# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether what comes in is handled: bounces counted by inMail, events by Message Center.

A sample tells the oldest that waits, `<id> since <instant>`. It may wait for three times as long as
ever before, and at least for three probes. Events end in mail, so they may wait until the close
besides; a backlog that goes down after it is no standstill.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import format_instant
from wavegate.compare.function_effects import FLOW_FACTOR, Look, Said
from wavegate.compare.spans import NOTHING, minute, spelled
from wavegate.compare.watching import COMMAND, as_instant
from wavegate.record.timeline import Sample
from wavegate.verdict import Missing, NotCompared, On

BOUNCES, EVENTS = "inbound_mail/bounces", "message_center/handled"
_WAITS = re.compile(r"(?P<id>\S{1,40}) since (?P<since>\S{1,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The oldest that waited when a sample was taken, and for how long at the least."""

    sample: Sample
    id: str
    since: datetime
    waited: timedelta


def waits(look: Look) -> Iterator[Said]:
    """What waits for longer than it ever did before."""
    if look.name not in (BOUNCES, EVENTS):
        return
    told = [sample for sample in look.all if sample.state == "ok" and sample.value]
    if not told:
        yield NotCompared(what=look.name, reason="nothing came that could have been handled")
        return
    usual = max((found.waited for found in _waiting(look, look.before, None)), default=NOTHING)
    patience = FLOW_FACTOR * max(usual, look.watched.every)
    if patience >= look.span.length:
        reason = f"it waited for {spelled(usual)} before the window already"
        yield NotCompared(what=look.name, reason=reason)
        return
    until = look.close if look.name == EVENTS else None
    found = _waiting(look, look.during, until)
    yield from _judged(look, [one for one in found if one.waited >= patience], patience)


def _waiting(look: Look, samples: tuple[Sample, ...], until: datetime | None) -> list[Waiting]:
    """What waited at each sample. until: an instant up to which waiting is allowed."""
    found = (_one(look, sample, until) for sample in samples if sample.state == "ok")
    return [one for one in found if one is not None]


def _one(look: Look, sample: Sample, until: datetime | None) -> Waiting | None:
    read = _WAITS.match(sample.value or "")
    told = as_instant(read["since"]) if read else None
    if read is None or told is None:
        return None
    since = told - (look.server.least if look.server else NOTHING)
    began = since if until is None else max(since, until)
    waited = max(NOTHING, sample.sent - began)
    return Waiting(sample=sample, id=read["id"], since=since, waited=waited)


def _judged(look: Look, late: list[Waiting], patience: timedelta) -> Iterator[Said]:
    """A bounce that waits too long in `confirm` samples convicts, an event only if to the end."""
    if len(late) < look.confirm:
        return
    if look.name == BOUNCES:
        stuck = max(([one for one in late if one.id == same] for same in _ids(late)), key=len)
        if len(stuck) >= look.confirm:
            yield _stuck(look, stuck, patience)
    elif _still(look, late[-1]):
        stuck = [one for one in late if one.id == late[-1].id]
        if look.ended and len(stuck) >= look.confirm:
            yield _stuck(look, stuck, patience)
        else:
            yield _draining(look, late[-1])


def _ids(late: list[Waiting]) -> Iterator[str]:
    """The ids of what waits, each once, in order."""
    yield from dict.fromkeys(one.id for one in late)


def _still(look: Look, last: Waiting) -> bool:
    """Whether nothing was heard since that shows it handled."""
    return not any(s.sent > last.sample.sent and s.value for s in look.during)


def _stuck(look: Look, stuck: list[Waiting], patience: timedelta) -> Said:
    last = stuck[-1]
    since, at = format_instant(last.since), minute(last.sample.sent, look.span.since)
    who = "inMail" if look.name == BOUNCES else "Pending"
    return look.finding(
        "not-handled",
        f"{look.watched.expects}; at most {spelled(patience)}, three times as long as before",
        f"{last.id} waits since {since}, still {at}: {last.sample.detail}",
        last.id,
        who,
        since,
        at,
        last.sample.detail,
        before="handled",
        after="waiting",
    )


def _draining(look: Look, last: Waiting) -> Missing:
    return Missing(
        what=f"{look.name}: what waits to be handled; at the last look, "
        f"{format_instant(last.sample.sent)}, {last.sample.detail}",
        on=On.US if look.ended else On.TIME,
        rule="still-waiting",
        subject=look.subject,
        command=COMMAND,
    )
