# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_window`: no mail leaves in the window, sending is back after it, it keeps its length.

Judged by the receiving side's clock, within its measured skew, per sending IP. Needs the timeline
of a watch and a receiving side that demonstrably listened: silence proves nothing otherwise.
"""

from collections.abc import Iterator

from wavegate.compare.clock_skew import SkewBounds, receiver_skew
from wavegate.compare.coverage import rogue_bound
from wavegate.compare.sending_window_back import HOUR, stopped_and_back
from wavegate.compare.sending_window_case import Said, WindowCase
from wavegate.compare.sending_window_leaks import leaks
from wavegate.compare.spans import Span, clip, holes, merge, place, spelled, total
from wavegate.compare.watching import (
    gap_in_watch,
    no_timeline,
    not_yet,
    off_track,
    unwatched,
)
from wavegate.compare.waves import no_window
from wavegate.estate.model import Window
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
)

PROMISE = "sending_window"

__all__ = ["PROMISE", "WindowCase", "compare_sending_window"]


def compare_sending_window(case: WindowCase) -> Judgement:
    """Judge `sending_window` for one instance."""
    window = case.wave.window
    if window is None:
        return inconclusive(no_window(case.wave))
    early = not_yet(window, case.instance.name, case.at)
    if early is not None and case.at < window.start:
        return inconclusive(early)
    measured = case.skew or receiver_skew(case.mails)
    said: list[Said] = [*([early] if early else []), *_overrun(case, window)]
    said += [*_watched(case, window), *_listened(case, window), *_mail(case)]
    said += [*leaks(case, window, measured), *stopped_and_back(case, window, measured)]
    missing = tuple(item for item in said if isinstance(item, Missing))
    return judgement(
        findings=[item for item in said if isinstance(item, Finding)],
        missing=missing,
        cleared=[item for item in said if isinstance(item, Cleared)],
        not_compared=[
            *(item for item in said if isinstance(item, NotCompared)),
            *_announced_elsewhere(case, window),
        ],
        shown=_shown(case, window),
        could_hide=_could_hide(case, measured),
        off_track=off_track(missing),
        records=case.digests,
    )


# The length that was announced


def _overrun(case: WindowCase, window: Window) -> Iterator[Finding]:
    """A window stretched to fit: the announced length is the promise."""
    announced, length = case.wave.announced_duration, window.end - window.start
    if announced is None or length <= announced:
        return
    told, real = spelled(announced), spelled(length)
    yield Finding(
        rule="window-longer-than-announced",
        subject=f"wave:{case.wave.name}",
        expected=f"a window of {told}, as announced",
        observed=f"the window is {real} long, {spelled(length - announced)} more than announced",
        explanation=f"the window of {case.wave.name} lasts {real}; {told} was announced",
        witness=(real, told),
        before="as announced",
        after="longer than announced",
    )


def _announced_elsewhere(case: WindowCase, window: Window) -> Iterator[NotCompared]:
    """A notice of another window is the business of `notice`; here it is said which one counts."""
    mine = [n for n in case.wave.notices if n.customer == case.instance.customer]
    for notice in mine:
        if notice.announces is not None and notice.announces != window:
            yield NotCompared(
                what=f"the window that {notice.reference} announced",
                reason="the window was moved; judged is the one of the estate, and the promise "
                "`notice` judges whether it was told",
            )


# Whether anybody looked and listened


def _watched(case: WindowCase, window: Window) -> Iterator[Missing]:
    if not case.timelines:
        yield no_timeline(case.instance.name)
        return
    for hole, reason in unwatched(window, case.timelines, case.hides, case.at):
        yield gap_in_watch(case.instance.name, hole, reason, window)


def _listened(case: WindowCase, window: Window) -> Iterator[Missing]:
    """Silence because nobody listened is no silence."""
    name = case.instance.name
    if not case.instance.mail:
        yield _gap("no-mail-source", name, f"a mail source of {name}, or an approved limit")
        return
    within = Span(since=window.start, until=min(window.end, case.at))
    for hole in holes(merge(case.listening), within):
        if hole.length > case.hides:
            where = place(hole, window.start)
            what = f"a receiving side that listened: the sink of {name} did not from {where}"
            yield _gap("sink-not-listening", name, what)


def _mail(case: WindowCase) -> Iterator[Missing]:
    """Mail before and after shows that mail of the window would have been seen."""
    name = case.instance.name
    if not case.mine_before:
        what = f"mail of {name} from before the window: none was received, and none can follow"
        yield _gap("no-mail-before", name, what)
    if not case.mine_after and case.at >= case.close:
        what = f"mail of {name} from after the window: none was received"
        yield _gap("no-mail-after", name, what)


def _gap(rule: str, name: str, what: str) -> Missing:
    return Missing(
        what=what,
        on=On.OPERATOR,
        rule=rule,
        subject=f"instance:{name}",
        command="wavegate sink",
    )


# What a pass says


def _shown(case: WindowCase, window: Window) -> str:
    ips = sorted(case.ips)
    return (
        f"no mail left in the {spelled(window.end - window.start)} of the window, and it flowed "
        f"before and again after it from {len(ips)} addresses: {', '.join(ips)} "
        f"({len(case.mine_before)} messages before, {len(case.mine_after)} after)"
    )


def _could_hide(case: WindowCase, measured: SkewBounds | None) -> str:
    clock = (
        f"edges blurred by {spelled(measured.most - measured.least)} of measured clock skew"
        if measured
        else "the receiving side's clock, which no mail allowed to measure"
    )
    expected = _expected(case)
    return (
        f"a leak of up to {rogue_bound(expected):.1%} of the mail (95 %): at the rate of the hour "
        f"before, {expected} messages would have come in the window; mail to receivers other than "
        f"ours; a watch or sink away for {spelled(case.hides)} or "
        f"less; {clock}"
    )


def _expected(case: WindowCase) -> int:
    """How many messages the window would have seen at the rate of the heard hour before it."""
    hour = Span(since=case.opening - HOUR, until=case.opening)
    heard = total(clip(case.listening, hour))
    came = sum(hour.holds(mail.ended) for mail in case.mine_before)
    return int(came * ((case.close - case.opening) / heard)) if heard else 0
