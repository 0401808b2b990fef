# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`notice`: every customer was told early enough, about this very window.

Instants are compared, never local dates; a notice that announces another window does not count;
the first notice that does count is enough.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import format_instant
from wavegate.compare.waves import no_window
from wavegate.estate.model import Estate, Instance, Notice, Wave, Window
from wavegate.verdict import Finding, Judgement, inconclusive, judgement

PROMISE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCase:
    """What `notice` is judged on. at: the run's instant."""

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime


def compare_notice(case: NoticeCase) -> Judgement:
    """Judge `notice` for one instance: what its customer was told."""
    window = case.wave.window
    if window is None:
        return inconclusive(no_window(case.wave))
    days = getattr(case.estate.policy.notice_days, case.instance.environment)
    wanted = timedelta(days=days)
    mine = [n for n in case.wave.notices if n.customer == case.instance.customer]
    wrong = [(notice, _wrong(notice, window, wanted, case)) for notice in mine]
    good = [notice for notice, finding in wrong if finding is None]
    findings = [f for _, f in wrong if f] or [_none_sent(case, window, wanted)]
    first = min(good, key=lambda notice: notice.sent, default=None)
    return judgement(
        findings=() if first else findings,
        shown=_shown(first, window) if first else "-",
        could_hide="whether the notice was received and read: the estate says that it was sent",
    )


def spell(length: timedelta) -> str:
    """A length for a person, in days, hours and minutes: `6 d 23 h`."""
    minutes = abs(length) // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [f"{n} {u}" for n, u in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(parts) or "0 d"


def _shown(first: Notice, window: Window) -> str:
    return (
        f"{first.reference} told {first.customer} on {format_instant(first.sent)}, "
        f"{spell(window.start - first.sent)} before the window opens"
    )


def _wrong(notice: Notice, window: Window, wanted: timedelta, case: NoticeCase) -> Finding | None:
    if notice.sent > case.at:
        return _in_future(notice, case.at)
    if notice.announces is not None and notice.announces != window:
        return _other_window(notice, notice.announces, window)
    if window.start - notice.sent < wanted:
        return _too_late(notice, window, wanted)
    return None


def _in_future(notice: Notice, at: datetime) -> Finding:
    sent = format_instant(notice.sent)
    return Finding(
        rule="notice-in-future",
        subject=f"notice:{notice.reference}",
        expected=f"{notice.customer} has been told",
        observed=f"{notice.reference} is dated {sent}, after this run ({format_instant(at)})",
        explanation=f"notice {notice.reference} to {notice.customer} is planned, not sent",
        witness=(notice.customer, notice.reference, sent),
    )


def _other_window(notice: Notice, announced: Window, window: Window) -> Finding:
    told, real = _span(announced), _span(window)
    return Finding(
        rule="notice-of-another-window",
        subject=f"notice:{notice.reference}",
        expected=f"a notice that announces {real}",
        observed=f"{notice.reference} announces {told}",
        explanation=f"notice {notice.reference} to {notice.customer} announces another window; "
        "a moved window restarts the clock",
        witness=(notice.customer, notice.reference, format_instant(announced.start)),
        before=told,
        after=real,
    )


def _span(window: Window) -> str:
    return f"{format_instant(window.start)} to {format_instant(window.end)}"


def _too_late(notice: Notice, window: Window, wanted: timedelta) -> Finding:
    early = window.start - notice.sent
    side = "before" if early >= timedelta() else "after"
    return Finding(
        rule="notice-too-late",
        subject=f"notice:{notice.reference}",
        expected=f"a notice at least {spell(wanted)} before {format_instant(window.start)}",
        observed=f"{notice.reference} was sent {format_instant(notice.sent)}, "
        f"{spell(early)} {side} the opening",
        explanation=f"{notice.customer} was told {spell(early)} {side} the opening, "
        f"{spell(wanted)} before was promised",
        witness=(notice.customer, notice.reference, spell(early)),
    )


def _none_sent(case: NoticeCase, window: Window, wanted: timedelta) -> Finding:
    customer = case.instance.customer
    return Finding(
        rule="no-notice",
        subject=f"customer:{customer}",
        expected=f"a notice to {customer} {spell(wanted)} before {format_instant(window.start)}",
        observed="the wave lists no notice to this customer",
        explanation=f"{customer} was not told of the window of {case.wave.name}",
        witness=(customer, case.wave.name),
    )
