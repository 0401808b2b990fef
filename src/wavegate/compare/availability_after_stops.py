# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a stop of a node did: which sending IPs fell silent, for how long, and what else stopped.

That something is redundant cannot be seen from outside; that it survived a removal can. Mail that
is too sparse to show a silence proves nothing.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from wavegate.compare.coverage import chance_of_missing
from wavegate.compare.senders import address
from wavegate.compare.spans import Span
from wavegate.record.message import Received
from wavegate.record.timeline import Sample, Timeline
from wavegate.record.trace import sender_lines

LEAST_MAILS = 5
SPARSE, USUAL = 3, 0.95
LOOK_BACK = 10
"""How long before a removal counts as just before, in the longest silences allowed."""
_BY = re.compile(r"\bby\s+([^\s;()<>]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A stop to look at: its name, the node where it names one, from when to when."""

    name: str
    node: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What was seen of a removal.

    silent: per sending IP that was silent too long, how long. judged: IPs with mail enough to tell.
    sparse: IPs with too little. went_on: the node itself kept sending, so it was not stopped.
    halted: functions that surely failed too long, with how long.
    """

    removal: Removal
    silent: tuple[tuple[str, timedelta], ...]
    judged: tuple[str, ...]
    sparse: tuple[str, ...]
    went_on: bool
    halted: tuple[tuple[str, timedelta], ...]


def sending_host(mail: Received) -> str | None:
    """The host that wrote the sender's last Received header (RFC 5321 4.4), in lower case.

    Those of the receiving side are not looked at.
    """
    match = _BY.search(next(iter(sender_lines(mail)), ""))
    return match[1].lower().rstrip(".") if match else None


def is_node(host: str | None, node: str | None) -> bool:
    """Whether a host is a node, by its whole name or its first label."""
    if not host or not node:
        return False
    wanted = node.lower().rstrip(".")
    return wanted in (host, host.partition(".")[0])


def effect(
    removal: Removal,
    mails: Sequence[Received],
    timelines: Iterable[Timeline],
    within: timedelta,
    others: Sequence[Removal] = (),
    *,
    alpha: float,
) -> Effect:
    """What a removal did to each sending IP and function. within: the longest silence allowed.

    mails: of after, all of them. others: further removals, whose silences are not usual. alpha: the
    chance below which a silence is none by chance.
    """
    instants = _by_ip(mails)
    newest = max((m.ended for m in mails), default=removal.until)
    spans = (removal, *others)
    enough = [ip for ip in sorted(instants) if _tells(instants[ip], spans, within)]
    gaps = {ip: _silence(instants[ip], removal, newest) for ip in enough}
    silent = {ip: gap for ip, gap in gaps.items() if gap.length > within}
    if len(silent) < len(gaps):
        lucky = [ip for ip, gap in silent.items() if _by_chance(ip, gap, instants, alpha)]
        silent = {ip: gap for ip, gap in silent.items() if ip not in lucky}
        enough = [ip for ip in enough if ip not in lucky]
    return Effect(
        removal=removal,
        silent=tuple((ip, gap.length) for ip, gap in silent.items()),
        judged=tuple(enough),
        sparse=tuple(ip for ip in sorted(instants) if ip not in enough),
        went_on=_went_on(mails, removal, within),
        halted=tuple(_halted(timelines, removal, within)),
    )


def _by_chance(
    ip: str, gap: Span, instants: Mapping[str, Sequence[datetime]], alpha: float
) -> bool:
    """Whether the IP's turn may just not have come: too few mails of others came meanwhile."""
    before = {at: sum(t <= gap.since for t in found) for at, found in instants.items()}
    meanwhile = sum(gap.since < t < gap.until for found in instants.values() for t in found)
    share = before[ip] / max(sum(before.values()), 1)
    return chance_of_missing([share], meanwhile) > alpha


def _by_ip(mails: Iterable[Received]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for mail in mails:
        found.setdefault(address(mail.peer), []).append(mail.ended)
    return {ip: sorted(instants) for ip, instants in found.items()}


def _tells(instants: list[datetime], spans: Sequence[Removal], within: timedelta) -> bool:
    """Whether an IP sent often enough just before a removal for its silence to mean something.

    It was never silent for so long, and but for one gap in twenty for a third of it at most.
    spans: the removal, and others whose silences are not usual.
    """
    since = spans[0].since
    before = [at for at in instants if since - LOOK_BACK * within <= at < since]
    gaps = sorted(
        b - a
        for a, b in pairwise(before)
        if not any(a < span.until and b > span.since for span in spans)
    )
    if len(before) < LEAST_MAILS or not gaps:
        return False
    usual = gaps[math.ceil(USUAL * len(gaps)) - 1]
    return SPARSE * usual <= within and gaps[-1] <= within


def _silence(instants: list[datetime], removal: Removal, newest: datetime) -> Span:
    """The longest gap that touches the removal, from it on; an open one lasts to the last mail."""
    end = max(removal.until, newest)
    gaps = [
        Span(since=max(a, removal.since), until=b)
        for a, b in pairwise([*instants, *([end] if instants[-1] < end else [])])
        if b > removal.since and a < removal.until
    ]
    nothing = Span(since=removal.since, until=removal.since)
    return max(gaps, key=lambda gap: gap.length, default=nothing)


def _went_on(mails: Iterable[Received], removal: Removal, within: timedelta) -> bool:
    """The node sent mail although its stop had had time to take effect."""
    late = removal.since + min(within, (removal.until - removal.since) / 2)
    return any(
        is_node(sending_host(mail), removal.node) and late < mail.connected < removal.until
        for mail in mails
    )


def _halted(
    timelines: Iterable[Timeline], removal: Removal, within: timedelta
) -> Iterable[tuple[str, timedelta]]:
    """Functions that surely failed for longer than allowed while something was stopped."""
    for timeline in timelines:
        for function in timeline.functions:
            if function.period is None:
                lasted = _surely_bad(timeline.of(function.name), removal)
                if lasted > within:
                    yield function.name, lasted


def _surely_bad(samples: Sequence[Sample], removal: Removal) -> timedelta:
    """The longest time from giving up on a first bad probe to sending the last of a row."""
    longest, first = timedelta(), None
    for sample in samples:
        if not sample.heard or not removal.since <= sample.sent:
            continue
        if sample.state == "ok":
            first = None
            if sample.sent > removal.until:
                break
        elif first is None:
            first = sample.ended if sample.sent <= removal.until else None
        else:
            longest = max(longest, sample.sent - first)
    return longest


def incidents(
    mails: Sequence[Received], removals: Sequence[Removal], within: timedelta, alpha: float
) -> tuple[Removal, ...]:
    """Hosts that stopped by themselves for longer than chance explains, while mail went on.

    A host with its share of the mails before would have been met in those after, but for a chance
    of alpha.
    """
    hosts = [(mail.ended, sending_host(mail)) for mail in sorted(mails, key=lambda m: m.ended)]
    found = []
    for host in sorted({name for _, name in hosts if name}):
        mine = [at for at, name in hosts if name == host]
        last = mine[-1]
        before, after = sum(at <= last for at, _ in hosts), sum(at > last for at, _ in hosts)
        gone = after and chance_of_missing([len(mine) / before], after) <= alpha
        planned = any(is_node(host, removal.node) for removal in removals)
        if gone and len(mine) >= LEAST_MAILS and not planned and hosts[-1][0] - last > within:
            found.append(Removal(name="incident", node=host, since=last, until=last + within))
    return tuple(found)
