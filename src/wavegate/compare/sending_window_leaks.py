# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Mail that left inside the window, by the peer's connection on the receiver's clock, not Date.

Mail that was written before and came from a spool left in the window too; it is told apart.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from wavegate.clock import format_instant
from wavegate.compare.clock_skew import SkewBounds, written
from wavegate.compare.senders import address, binding
from wavegate.compare.sending_window_case import Said, WindowCase
from wavegate.compare.spans import NOTHING, minute, spelled
from wavegate.estate.model import Window
from wavegate.record.message import Received
from wavegate.verdict import Cleared, Finding, Missing, On

WITNESSES = 3
EDGE_PART = 20


class Left(Enum):
    """When a mail left, as far as the receiving side can tell."""

    OUTSIDE = "outside"
    IN_FLIGHT = "in flight at the opening"
    HANDED_ON = "handed on by the receiver"
    EDGE = "in the skew edge"
    SENT = "sent in the window"
    SPOOLED = "delivered from a spool in the window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The window on the receiver's clock: surely inside between opens and closes.

    first, last: where it may begin at the earliest and end at the latest. in_flight: how long a
    transaction that was open at the opening may go on.
    """

    first: datetime
    opens: datetime
    closes: datetime
    last: datetime
    in_flight: timedelta


def edges(window: Window, measured: SkewBounds | None, too_slow: timedelta) -> Edges:
    """The window as the receiver's clock shows it, widened by the measured skew and no more."""
    least, most = (measured.least, measured.most) if measured else (NOTHING, NOTHING)
    return Edges(
        first=window.start + least,
        opens=window.start + most,
        closes=window.end + least,
        last=window.end + most,
        in_flight=min(too_slow, (window.end - window.start) / EDGE_PART),
    )


def leaks(case: WindowCase, window: Window, measured: SkewBounds | None) -> Iterator[Said]:
    """What mail in the window has to say, per sending IP."""
    found = edges(window, measured, case.estate.policy.too_slow)
    by_kind: dict[tuple[str, Left], list[Received]] = {}
    for mail, kind in when_left(case, found):
        by_kind.setdefault((address(mail.peer), kind), []).append(mail)
    for (ip, kind), mails in sorted(
        by_kind.items(), key=lambda item: (item[0][0], item[0][1].value)
    ):
        if kind in (Left.SENT, Left.SPOOLED):
            yield _leak(ip, kind, mails, window)
        elif kind is Left.EDGE:
            yield _edge(ip, mails, window, measured)
        elif kind is not Left.OUTSIDE:
            yield _cleared(ip, kind, mails, window, found)
    yield from _strangers(case, window, found)


def when_left(case: WindowCase, found: Edges) -> Iterable[tuple[Received, Left]]:
    """Each mail of the instance, and when it left."""
    open_connections: set[tuple[str, datetime]] = set()
    for mail in case.mails:
        connection = (address(mail.peer), mail.connected)
        first = connection not in open_connections
        if mail.ended >= found.opens:
            open_connections.add(connection)
        yield mail, _left(case, mail, found, first_in_window=first)


def _left(case: WindowCase, mail: Received, found: Edges, *, first_in_window: bool) -> Left:
    if mail.ended < found.first or mail.connected >= found.last:
        return Left.OUTSIDE
    handed = case.taken_over(mail)
    if handed is not None and handed < found.first:
        return Left.HANDED_ON
    if mail.connected < found.opens and first_in_window:
        return _over_the_opening(mail, found)
    at = max(mail.connected, found.opens) if mail.connected < found.opens else mail.connected
    if at >= found.closes:
        return Left.EDGE if found.closes < found.last else Left.OUTSIDE
    wrote = written(mail)
    return Left.SPOOLED if wrote is not None and wrote < found.first else Left.SENT


def _over_the_opening(mail: Received, found: Edges) -> Left:
    """A connection from before the opening, or from its skew edge."""
    surely_before = mail.connected < found.first
    if surely_before and mail.ended - found.opens <= found.in_flight:
        return Left.IN_FLIGHT
    return Left.EDGE


def _leak(ip: str, kind: Left, mails: list[Received], window: Window) -> Finding:
    first, count = mails[0], len(mails)
    wrote = written(first)
    source = (
        f"; it was written {format_instant(wrote)}, before the window, and came from a spool"
        if kind is Left.SPOOLED and wrote
        else ""
    )
    named = f" (binding {bound})" if (bound := binding(first)) else ""
    at, last = shown_at(first, window), shown_at(mails[-1], window)
    when = f"{minute(at, window.start)}, {format_instant(at)}"
    return Finding(
        rule="spool-delivered-in-window" if kind is Left.SPOOLED else "sent-in-window",
        subject=ip,
        expected=f"no mail from {ip} between {_span(window)}",
        observed=f"{first.message_id} came from {ip}{named} at {when}",
        explanation=f"{count} messages left {ip}{named} inside the window, the first, "
        f"{first.message_id}, at {when}, the last at {minute(last, window.start)}"
        f"{source}",
        witness=tuple(_witness(ip, mails[:WITNESSES], window)),
        before="silent in the window",
        after=kind.value,
        records=tuple(mail.digest for mail in mails[:WITNESSES]),
    )


def shown_at(mail: Received, window: Window) -> datetime:
    """When it left: its connection, or the end of its data on a connection from before."""
    return mail.connected if mail.connected >= window.start else mail.ended


def _span(window: Window) -> str:
    return f"{format_instant(window.start)} and {format_instant(window.end)}"


def _witness(ip: str, mails: list[Received], window: Window) -> Iterator[str]:
    yield ip
    for mail in mails:
        yield mail.message_id
        yield format_instant(shown_at(mail, window))
        yield minute(shown_at(mail, window), window.start)
    if bound := binding(mails[0]):
        yield bound


def _edge(ip: str, mails: list[Received], window: Window, measured: SkewBounds | None) -> Missing:
    width = spelled(measured.most - measured.least) if measured else "an unknown skew"
    first = mails[0]
    return Missing(
        what=f"a clock that tells whether {first.message_id} from {ip} left outside the window: "
        f"it came at {minute(first.connected, window.start)} by the receiving side's clock, "
        f"which is known to {width} only",
        on=On.RECEIVER,
        rule="in-the-skew-edge",
        subject=ip,
        count=len(mails),
        after="at the edge",
    )


def _cleared(ip: str, kind: Left, mails: list[Received], window: Window, found: Edges) -> Cleared:
    first = mails[0]
    why = (
        f"its transaction was open when the window opened and ended within "
        f"{spelled(found.in_flight)}"
        if kind is Left.IN_FLIGHT
        else "a trusted receiver had taken it over before the window, and handed it on later"
    )
    return Cleared(
        rule=kind.name.lower().replace("_", "-"),
        subject=ip,
        before="left before the window",
        after=f"received {minute(first.ended, window.start)}",
        explanation=f"{len(mails)} messages, edge cases, such as {first.message_id}: {why}",
    )


def _strangers(case: WindowCase, window: Window, found: Edges) -> Iterator[Missing]:
    """Mail in the window that anyone may have sent convicts nobody."""
    inside = [
        mail
        for mail in case.strangers
        if found.opens <= mail.connected < found.closes
        and ((handed := case.taken_over(mail)) is None or handed >= found.first)
    ]
    for ip in sorted({address(mail.peer) for mail in inside}):
        mail = next(mail for mail in inside if address(mail.peer) == ip)
        yield Missing(
            what=f"a valid signature in mail from {ip}, or a seed address that cannot be guessed: "
            f"{mail.message_id} came in the window ({minute(mail.connected, window.start)}), but "
            "anyone may have sent it",
            on=On.OPERATOR,
            rule="in-window-unproven",
            subject=ip,
            after="sending in the window",
        )
