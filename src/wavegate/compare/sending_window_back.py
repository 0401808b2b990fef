# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Per sending IP: not stopped early, and back within `resume_within`; back when it flows.

auto: three times the longest gap between consecutive mails of that IP in the part of the hour
before the opening in which the sink was heard. Edges are not gaps; fewer than five mails are too
few.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from wavegate.clock import format_instant
from wavegate.compare.clock_skew import SkewBounds
from wavegate.compare.senders import address
from wavegate.compare.sending_window_case import Said, WindowCase
from wavegate.compare.spans import NOTHING, Span, clip, holes, merge, minute, spelled
from wavegate.estate.model import Window
from wavegate.verdict import Finding, Missing, On

HOUR = timedelta(hours=1)
FEWEST = 5
GAPS = 3
SHOWN_AT_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The mail of one sending IP, by its instants on the receiver's clock.

    before: those of the hour before the opening; after: those from the close on, on our clock.
    limit: how long it may be silent; heard: when the receiving side listened. blur: by how much
    measured skew can move an instant. until: to where sending is followed after the close.
    """

    ip: str
    before: tuple[datetime, ...]
    after: tuple[datetime, ...]
    limit: timedelta
    heard: tuple[Span, ...]
    blur: timedelta
    until: datetime
    opening: datetime
    close: datetime


def mails_in_the_hour(length: timedelta) -> tuple[int, int]:
    """Mails of an IP in the hour before by which its return is judged: evenly spaced, at random.

    length: of the window. Three times the longest gap must be at most half of it. Of n mails at
    random the longest gap is about (ln n + 0.58)/n of the hour (Euler's constant).
    """
    evenly = max(FEWEST, math.ceil(HOUR * GAPS * 2 / length))
    spread = evenly
    while spread / (math.log(spread) + 0.58) < HOUR * GAPS * 2 / length:
        spread += 1
    return evenly, spread


def stopped_and_back(
    case: WindowCase, window: Window, measured: SkewBounds | None
) -> Iterator[Said]:
    """What each sending IP has to say: how it stopped, and how it came back."""
    for ip in sorted(case.ips):
        found = flow(case, window, measured, ip)
        if isinstance(found, Missing):
            yield found
            continue
        if not found.before:
            yield _too_few(found.ip, 0)  # what did not send before cannot be back
            continue
        yield from _stopped(found)
        if case.at >= window.end:
            yield from _back(found, case)


def flow(case: WindowCase, window: Window, measured: SkewBounds | None, ip: str) -> Flow | Missing:
    """The flow of an IP with its limit, or why it has none."""
    heard = merge(case.listening)
    hour = Span(since=window.start - HOUR, until=window.start)
    instants = tuple(mail.ended for mail in case.mails if address(mail.peer) == ip)
    before = tuple(at for at in instants if hour.holds(at))
    limit = _limit(case, before, clip(heard, hour))
    if limit is None:
        return _too_few(ip, len(before))
    if limit > (window.end - window.start) / 2:
        return _seeds_needed(ip, limit, window)
    return Flow(
        ip=ip,
        before=before,
        after=tuple(at for at in instants if at >= window.end),
        limit=limit,
        heard=heard,
        blur=measured.most - measured.least if measured else NOTHING,
        until=min(case.at, max((t.ended for t in case.timelines), default=window.end)),
        opening=window.start,
        close=window.end,
    )


def _limit(
    case: WindowCase, before: tuple[datetime, ...], heard: tuple[Span, ...]
) -> timedelta | None:
    """How long the IP may be silent; None where too little mail tells it."""
    agreed = case.estate.policy.resume_within
    if agreed != "auto":
        return agreed
    if len(before) < FEWEST:
        return None
    gaps = [
        later - earlier
        for earlier, later in pairwise(before)
        if not holes(heard, Span(since=earlier, until=later))
    ]
    return GAPS * max(gaps) if gaps else None


def _too_few(ip: str, seen: int) -> Missing:
    return Missing(
        what=f"{FEWEST - seen} more messages from {ip} in the hour before the window, heard by "
        f"the sink: {seen} are too few to know how long it is silent between two; none can follow"
        if seen < FEWEST
        else f"an hour before the window in which the sink heard {ip} without a break",
        on=On.OPERATOR,
        rule="too-little-mail-before",
        subject=ip,
        count=max(1, FEWEST - seen),
        command="wavegate plan --seeds OUT",
    )


def _seeds_needed(ip: str, limit: timedelta, window: Window) -> Missing:
    return Missing(
        what=f"seeds needed: {ip} may be silent for {spelled(limit)}, more than half of the "
        f"window ({spelled(window.end - window.start)}), so its silence shows nothing",
        on=On.OPERATOR,
        rule="seeds-needed",
        subject=ip,
        command="wavegate plan --seeds OUT",
    )


# Not stopped early


def _stopped(found: Flow) -> Iterator[Said]:
    last = found.before[-1]
    silent = found.opening - last
    if silent <= found.limit:
        return
    if _deaf(found, last, found.opening):
        yield _not_heard(found, "whether it stopped early")
    elif silent <= found.limit + found.blur:
        yield _in_the_blur(found, "stopped early")
    else:
        yield _early(found, last, silent)


def _deaf(found: Flow, since: datetime, until: datetime) -> bool:
    """Whether the silence may be the receiving side's: less than the limit of it was heard."""
    heard = clip(found.heard, Span(since=since, until=until))
    return not any(span.length > found.limit for span in heard)


def _early(found: Flow, last: datetime, silent: timedelta) -> Finding:
    when = minute(last, found.opening)
    return Finding(
        rule="stopped-early",
        subject=found.ip,
        expected=f"mail from {found.ip} until the window opens, never silent for more than "
        f"{spelled(found.limit)}",
        observed=f"the last mail from {found.ip} came at {when} ({format_instant(last)})",
        explanation=f"{found.ip} stopped sending {spelled(silent)} before the window opened "
        f"({when})",
        witness=(found.ip, when, format_instant(last), spelled(silent)),
        before="sending until the opening",
        after="stopped early",
    )


# Back, from every IP, and flowing


def _back(found: Flow, case: WindowCase) -> Iterator[Said]:
    deadline = found.close + found.limit
    first = found.after[0] if found.after else None
    if first is None or first > deadline:
        yield from _late(found, first, case.at)
    if first is not None:
        yield from _flapping(found, case)
        yield from _flowing(found, case)


def _late(found: Flow, first: datetime | None, at: datetime) -> Iterator[Said]:
    deadline = found.close + found.limit
    reached = first or at
    if first is None and at <= deadline:
        yield _wait(found, deadline)
    elif _deaf(found, found.close, reached):
        yield _not_heard(found, "when it was back")
    elif reached <= deadline + found.blur:
        yield _in_the_blur(found, "back late")
    elif first is None:
        yield _never_back(found, at)
    else:
        yield _back_late(found, first)


def _back_late(found: Flow, first: datetime) -> Finding:
    when, late = minute(first, found.opening), spelled(first - found.close)
    return Finding(
        rule="resumed-late",
        subject=found.ip,
        expected=f"mail from {found.ip} within {spelled(found.limit)} of the close",
        observed=f"the first mail from {found.ip} came at {when} ({format_instant(first)})",
        explanation=f"{found.ip} was back {late} after the close ({when}); at most "
        f"{spelled(found.limit)} is agreed",
        witness=(found.ip, when, format_instant(first), late),
        before="back at the close",
        after="back late",
    )


def _never_back(found: Flow, at: datetime) -> Finding:
    since = spelled(at - found.close)
    return Finding(
        rule="not-back",
        subject=found.ip,
        expected=f"mail from {found.ip} within {spelled(found.limit)} of the close",
        observed=f"no mail from {found.ip} came in {since} after the close",
        explanation=f"{found.ip} has not sent since the window, for {since}",
        witness=(found.ip, since),
        before="back at the close",
        after="not back",
    )


def _flapping(found: Flow, case: WindowCase) -> Iterator[Said]:
    """Silences after it was back: sending is back when it flows, not at the first message."""
    seen = tuple(at for at in found.after if at <= found.until)
    ends = (*seen, found.until) if seen else ()
    silences = [
        Span(since=earlier, until=later)
        for earlier, later in pairwise(ends)
        if later - earlier > found.limit + found.blur
    ]
    real = [span for span in silences if not _explained(span, found, case)]
    if real:
        yield _flaps(found, real)


def _explained(span: Span, found: Flow, case: WindowCase) -> bool:
    """Whether nobody listened, or a node was stopped as planned, for most of a silence."""
    policy = case.estate.policy
    planned = [
        Span(since=p.at, until=p.at + p.length + policy.failover_within)
        for p in case.instance.planned
        if p.stop is not None
    ]
    heard = [part for hole in holes(planned, span) for part in clip(found.heard, hole)]
    return not any(part.length > found.limit for part in heard)


def _flaps(found: Flow, silences: list[Span]) -> Finding:
    shown = silences[:SHOWN_AT_MOST]
    named = ", ".join(
        f"{minute(s.since, found.opening)} to {minute(s.until, found.opening)}" for s in shown
    )
    return Finding(
        rule="stopped-again",
        subject=found.ip,
        expected=f"mail from {found.ip} that flows again after the close, never silent for more "
        f"than {spelled(found.limit)}",
        observed=f"{found.ip} was silent again: {named}",
        explanation=f"{found.ip} came back and stopped again {len(silences)} times: {named}",
        witness=(
            found.ip,
            *(minute(s.since, found.opening) for s in shown),
            *(format_instant(s.since) for s in shown),
        ),
        before="flowing",
        after="stopping again",
    )


def _flowing(found: Flow, case: WindowCase) -> Iterator[Said]:
    """One message is no flow."""
    if len(found.after) >= FEWEST:
        return
    more = FEWEST - len(found.after)
    waiting = case.at <= found.close + FEWEST * found.limit
    yield Missing(
        what=f"{more} more messages from {found.ip} after the window: back is when it flows, and "
        f"{len(found.after)} are no flow",
        on=On.TIME if waiting else On.OPERATOR,
        rule="not-flowing-yet",
        subject=found.ip,
        count=more,
        settles_by=found.close + FEWEST * found.limit if waiting else None,
    )


def _wait(found: Flow, deadline: datetime) -> Missing:
    return Missing(
        what=f"mail from {found.ip} after the window: it has until {format_instant(deadline)}",
        on=On.TIME,
        rule="not-back-yet",
        subject=found.ip,
        settles_by=deadline,
    )


def _not_heard(found: Flow, question: str) -> Missing:
    return Missing(
        what=f"a sink that listened: {question} cannot be told of {found.ip}",
        on=On.OPERATOR,
        rule="nobody-listened",
        subject=found.ip,
        command="wavegate sink",
    )


def _in_the_blur(found: Flow, question: str) -> Missing:
    return Missing(
        what=f"a clock that tells whether {found.ip} was {question}: it is a matter of less than "
        f"the measured skew, {spelled(found.blur)}",
        on=On.RECEIVER,
        rule="in-the-skew-edge",
        subject=found.ip,
        before=question,
    )
