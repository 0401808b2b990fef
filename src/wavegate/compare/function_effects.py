# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The effect of a function, not only its answer: progress, queue, constant bytes, clock, session.

Each check takes the samples of one function from one vantage, before the window and in the span
that is judged (from the opening to the end of settle), and yields what it has to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from wavegate.clock import format_instant
from wavegate.compare.clock_skew import SkewBounds, skew, went_back
from wavegate.compare.spans import NOTHING, Span, minute, spelled
from wavegate.compare.watching import COMMAND, as_instant
from wavegate.record.timeline import Sample, Watched
from wavegate.verdict import Cleared, Finding, Missing, NotCompared, On

Said = Finding | Missing | Cleared | NotCompared

SCHEDULED = frozenset({"workflow", "tracking_log"})
FLOWS = frozenset({"sms", "push"})
CONSTANT = frozenset({"resource", "sftp"})
CERTIFICATE = "certificate"
CLICKS = "tracking_log"
ALL_WORKFLOWS = "workflow"
"""The asking itself; each workflow is a part of its answer."""
TELLS_TIME = frozenset({"soap", "ping"})
"""Functions that answer with the application server's own time, which no cache keeps."""
SCHEDULE_FACTOR = 2
FLOW_FACTOR = 3
OVERDUE_FACTOR = 1.5
SESSION_LIVES = timedelta(hours=24)
_SESSION_LOST = "XSV-350008"
_QUEUE = re.compile(r"^\s*(\d{1,12})/(\d{1,12})\b")
_LEEWAY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One function as one vantage saw it.

    subject: the function and where it is asked, for findings. before, during: its samples as they
    count, before the opening and in the span. close: of the window. began: when the
    watch began. ended: whether the
    watch is over, so that nothing more will come. server: how far the server's clock is off.
    stepped: whether our own clock was, so that it measures nothing.
    clicked: whether the watch itself clicked a seed link. event: what was said of its last event.
    """

    watched: Watched
    subject: str
    before: tuple[Sample, ...]
    during: tuple[Sample, ...]
    span: Span
    close: datetime
    confirm: int
    tolerance: timedelta
    began: datetime
    ended: bool
    vantage: str = ""
    server: SkewBounds | None = None
    stepped: bool = False
    clicked: bool = False
    event: str | None = None
    records: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """What kind of function it is: the name before the slash."""
        return self.watched.name.partition("/")[0].replace("-", "_").lower()

    @property
    def name(self) -> str:
        """The function's name."""
        return self.watched.name

    @property
    def all(self) -> tuple[Sample, ...]:
        """All samples as they count."""
        return (*self.before, *self.during)

    def finding(
        self, rule: str, expected: str, observed: str, *witness: str, **state: str
    ) -> Finding:
        """A finding about this function. state: before and after, normalised."""
        return Finding(
            rule=rule,
            subject=self.subject,
            expected=expected,
            observed=observed,
            explanation=f"{self.name}: {observed}",
            witness=(self.name, *witness),
            before=state.get("before"),
            after=state.get("after"),
            records=self.records,
        )


def effects(look: Look) -> Iterator[Said]:
    """Everything that the effect checks have to say of a function."""
    yield from progress(look)
    yield from queue(look)
    yield from constant(look)
    yield from certificate(look)
    yield from clock(look)
    yield from session(look)


# Progress: a workflow that is started and makes none; clicks that are answered and not recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A mark of progress that stayed the same from one look to another, and since when."""

    value: str
    since: datetime
    first: Sample
    last: Sample

    @property
    def least(self) -> timedelta:
        """The least time without progress that it shows."""
        return max(NOTHING, self.last.sent - self.since)


def stands(samples: tuple[Sample, ...], measured: SkewBounds | None) -> tuple[Stand, ...]:
    """The marks of progress in order, each with the time it surely stood.

    A mark that is an instant of the server's clock stood since then, on ours by the measured
    skew; any other since it was first heard.
    """
    marked = [sample for sample in samples if sample.state == "ok" and sample.value is not None]
    groups = [tuple(same) for _, same in groupby(marked, key=lambda sample: sample.value)]
    return tuple(_stand(group, measured) for group in groups)


def _stand(group: tuple[Sample, ...], measured: SkewBounds | None) -> Stand:
    first, last = group[0], group[-1]
    told = as_instant(first.value)
    behind = measured.least if measured else NOTHING
    since = first.ended if told is None else min(first.ended, told - behind)
    return Stand(value=first.value or "", since=since, first=first, last=last)


def learned_period(before: tuple[Stand, ...], fewest: int) -> timedelta | None:
    """The longest time between two marks before the window; None where too few were seen."""
    gaps = [later.since - earlier.since for earlier, later in pairwise(before)]
    if as_instant(before[0].value if before else None) is None:
        gaps = gaps[1:]
    found = [gap for gap in gaps if gap > NOTHING]
    return max(found) if len(found) >= fewest else None


def progress(look: Look) -> Iterator[Said]:
    """Whether a function that works by its own schedule, or steadily, went on working.

    Clicks are a flow unless the watch makes them itself: without readers there are none.
    """
    flow = look.family in FLOWS or (look.family == CLICKS and not look.clicked)
    scheduled = look.family in SCHEDULED and look.name != ALL_WORKFLOWS
    if not flow and not scheduled and look.watched.period is None:
        return
    old, found = stands(look.before, look.server), stands(look.all, look.server)
    period = learned_period(old, 2 if flow else 1)
    if period is None and not flow:
        period = look.watched.period
    if period is None or not old:
        yield _no_period(look, old)
    elif any(sample.state == "ok" for sample in look.during):
        yield from _stood(look, found, period, FLOW_FACTOR if flow else SCHEDULE_FACTOR)


def _no_period(look: Look, old: tuple[Stand, ...]) -> NotCompared:
    seen = f"{len(old)} marks of progress" if old else "no mark of progress"
    return NotCompared(
        what=f"{look.name}: progress",
        reason=f"its period is not known: {seen} before the window, too few to learn it from",
    )


def _no_mark(look: Look) -> Missing:
    return Missing(
        what=f"a mark of progress of {look.name}: none of its answers carried one",
        on=On.US,
        rule="no-progress-mark",
        subject=look.subject,
        command=COMMAND,
    )


def _stood(look: Look, found: tuple[Stand, ...], period: timedelta, factor: int) -> Iterator[Said]:
    opening, end = look.span.since, look.span.until
    still = [stand for stand in found if stand.last.sent >= opening]
    worst = max(still, key=lambda stand: (stand.least, stand.since), default=None)
    if worst is None:
        yield _no_mark(look)
    elif opening - worst.since >= factor * period:
        yield NotCompared(
            what=f"{look.name}: progress in the window",
            reason=f"it made none before either, since {format_instant(worst.since)}",
        )
    elif worst.least >= factor * period:
        yield _stood_still(look, worst, period)
    elif found[-1].since + period > end:
        if found[-1].since < opening:
            yield NotCompared(
                what=f"{look.name}: progress in the window",
                reason=f"no run was due: it works every {spelled(period)}, and last did "
                f"{format_instant(found[-1].since)}",
            )
    elif found[-1].least > OVERDUE_FACTOR * period and factor == SCHEDULE_FACTOR:
        yield _overdue(look, found[-1], period)


def _stood_still(look: Look, stand: Stand, period: timedelta) -> Finding:
    opening = look.span.since
    since, until = format_instant(stand.since), format_instant(stand.last.sent)
    resumed = next((s for s in look.during if s.value and s.sent > stand.last.sent), None)
    again = f", again {minute(resumed.sent, opening)}" if resumed else ""
    return look.finding(
        "no-progress",
        f"progress every {spelled(period)}, as before the window",
        f"no progress from {minute(stand.since, opening)} to "
        f"{minute(stand.last.sent, opening)}{again}: its mark stood at {stand.value}, though it "
        f"works every {spelled(period)}",
        stand.value,
        since,
        until,
        *([minute(resumed.sent, opening)] if resumed else []),
        before="progressing",
        after="standing still",
    )


def _overdue(look: Look, stand: Stand, period: timedelta) -> Missing:
    due = stand.since + period
    return Missing(
        what=f"a run of {look.name} that was due {format_instant(due)}: the watch ended before "
        "it was late enough to say that it stands still",
        on=On.US if look.ended else On.TIME,
        rule="run-overdue",
        subject=look.subject,
        settles_by=None if look.ended else stand.since + SCHEDULE_FACTOR * period,
        command=COMMAND,
    )


# The queue of events: it may grow while no mail leaves, and must drain afterwards


def queue(look: Look) -> Iterator[Said]:
    """Whether a queue that grew in the window drains after it."""
    sizes = [(sample, size) for sample in look.during if (size := _size(sample))]
    usual = [size[0] for sample in look.before if (size := _size(sample))]
    tail = sizes[-look.confirm :]
    if len(tail) < look.confirm or tail[0][0].sent < look.close:
        return
    limit = tail[-1][1][1]
    normal = max(usual, default=sizes[0][1][0]) + limit // _LEEWAY
    if min(size[0] for _, size in tail) <= normal:
        return
    highest = max(size[0] for _, size in sizes)
    now, at = tail[-1][1][0], tail[-1][0].sent
    if now < highest:
        yield Missing(
            what=f"{look.name} to drain: {now}/{limit} at {format_instant(at)}, at most {normal} "
            "is what it held before",
            on=On.US if look.ended else On.TIME,
            rule="queue-draining",
            subject=look.subject,
            command=COMMAND,
        )
        return
    yield look.finding(
        "queue-not-draining",
        f"a queue that drains to what it held before, at most {normal}",
        f"the queue stands at {now}/{limit}, {minute(at, look.span.since)}, and does not drain: "
        "events stay Pending",
        f"{now}/{limit}",
        "Pending",
        format_instant(at),
        *([look.event] if look.event else []),
        before="draining",
        after="pending",
    )


def _size(sample: Sample) -> tuple[int, int] | None:
    found = _QUEUE.match(sample.value or "")
    return (int(found[1]), int(found[2])) if found else None


# What must stay the same: bytes of a resource, a host key


def constant(look: Look) -> Iterator[Said]:
    """Whether what must not change stayed the same."""
    if look.family not in CONSTANT:
        return
    known = [sample.value for sample in look.before if sample.state == "ok" and sample.value]
    if not known:
        yield NotCompared(
            what=f"{look.name}: the same as before",
            reason="nothing of it was heard before the window",
        )
        return
    row: list[Sample] = []
    for sample in look.during:
        if sample.value is None:
            continue
        row = [*row, sample] if sample.value not in known else []
        if len(row) >= look.confirm:
            yield _changed(look, known[-1], row[0])
            return


def _changed(look: Look, known: str, sample: Sample) -> Finding:
    new = sample.value or ""
    return look.finding(
        "changed",
        f"{known}, as before the window",
        f"since {minute(sample.sent, look.span.since)} it answers {new} instead of {known}",
        known,
        new,
        format_instant(sample.sent),
        before=known,
        after=new,
    )


def certificate(look: Look) -> Iterator[Said]:
    """A certificate that changed and is still good was renewed; a bad one is a wrong answer.

    But one that no longer holds names that each one before held serves somebody no more.
    """
    if look.family != CERTIFICATE:
        return
    known = [sample.value for sample in look.before if sample.value]
    new = [s for s in look.during if s.value and s.state == "ok" and known and s.value not in known]
    lost = [sample for sample in new if _names_lost(known, sample.value or "")]
    if len(lost) >= look.confirm:
        yield _fewer_names(look, known, lost[0])
    elif new:
        yield Cleared(
            rule="certificate-renewed",
            subject=look.subject,
            before=known[-1],
            after=new[-1].value or "",
            explanation=f"{look.name}: another certificate since "
            f"{minute(new[0].sent, look.span.since)}, a renewal: valid for the name and by the "
            "chain",
        )


def _names_lost(known: list[str], value: str) -> tuple[str, ...]:
    """Names that all certificates before held, and this one does not."""
    before = [_names(old) for old in known]
    always = frozenset.intersection(*before) if before else frozenset()
    return tuple(sorted(always - _names(value))) if always and _names(value) else ()


def _names(value: str) -> frozenset[str]:
    """The names of a certificate, after `for`; empty where they were too many to be kept."""
    told = value.partition(" for ")[2]
    return frozenset() if not told or " " in told.replace(", ", "") else frozenset(told.split(", "))


def _fewer_names(look: Look, known: list[str], sample: Sample) -> Finding:
    names = _names_lost(known, sample.value or "")
    shown = ", ".join(names)
    return look.finding(
        "certificate-names-lost",
        f"a certificate that holds {shown} too, as before the window",
        f"since {minute(sample.sent, look.span.since)} the certificate does not hold {shown}: "
        f"{sample.value}",
        *names,
        format_instant(sample.sent),
        before=shown,
        after="not held",
    )


# The server's clock and our session


def clock(look: Look) -> Iterator[Said]:
    """Whether the server's time went on, never back, and without a leap."""
    found = went_back((*look.before[-1:], *look.during), look.tolerance)
    if found is None:
        yield from _leapt(look)
        return
    when = found.later.sent
    yield look.finding(
        "server-time-went-back",
        "a server's time that never goes back",
        f"its clock went back by {spelled(found.back)} at {minute(when, look.span.since)}",
        format_instant(when),
        spelled(found.back),
        before="advancing",
        after="went back",
    )


def _leapt(look: Look) -> Iterator[Said]:
    """Answers since the opening whose clock is further ahead than those before allow."""
    old = skew(look.name, look.before)
    if look.name not in TELLS_TIME or look.stepped or old is None or old.stepped:
        return
    bounds = [(s, bound) for s in look.during if (bound := skew(look.name, [s]))]
    ahead = [(s, b.least - old.most) for s, b in bounds if b.least - old.most > look.tolerance]
    if len(ahead) < look.confirm:
        return
    (first, leap), when = ahead[0], minute(ahead[0][0].sent, look.span.since)
    yield look.finding(
        "server-time-leapt",
        "a server's time that goes on as ours does",
        f"at {when} its clock was {spelled(leap)} further ahead than before the window",
        format_instant(first.sent),
        spelled(leap),
        before="advancing",
        after="leapt",
    )


def session(look: Look) -> Iterator[Said]:
    """A session younger than its lifetime that the server no longer knows was dropped."""
    lost = next((s for s in look.during if s.state == "wrong" and _SESSION_LOST in s.detail), None)
    if lost is None or any(_SESSION_LOST in sample.detail for sample in look.before):
        return
    if lost.sent - look.began >= SESSION_LIVES:
        return
    yield look.finding(
        "session-dropped",
        f"a session that lives for {SESSION_LIVES // timedelta(hours=1)} h",
        f"the session was refused with {_SESSION_LOST} at {minute(lost.sent, look.span.since)}",
        _SESSION_LOST,
        minute(lost.sent, look.span.since),
        format_instant(lost.sent),
        before="session kept",
        after=f"session refused, {_SESSION_LOST}",
    )
