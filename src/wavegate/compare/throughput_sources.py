# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Other sources on the rate than the statistics, a part of `throughput`: the log and the reports.

Both speak of deliveries that the statistics know, so each is held against them. The log is counted
by unit: how much of what was relayed it tells at all (two sources agree or do not), and how much of
it has left the spool (where its feedback tells accepted from delivered, as on v8). Only a change
between before and after counts, so that what a source has always left out changes nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from wavegate.clock import format_duration
from wavegate.compare.statistics import LEAST_UNITS, Matched
from wavegate.compare.throughput_looks import Look, look
from wavegate.compare.throughput_units import Span, deferred, in_order
from wavegate.record.queue import Meaning
from wavegate.record.rate_witnesses import REPORT, LogCount, ReportCount, Witnesses
from wavegate.record.rates import Bucket, Deferral
from wavegate.verdict import NotCompared, Verdict

LOG = "the log's counts"
LEAST_MESSAGES = 100
"""Units with fewer messages tell nothing of shares."""
COVERED = 0.5
"""A log that holds so little of the mail is no witness of its rate."""
REPORT_TOLERANCE = 0.02
_EDGE = timedelta(milliseconds=1)
"""Campaign's dates have milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two sources that cannot both be right.

    denies: the other source saw so much more after that there would be no slow-down.
    """

    source: str
    text: str
    denies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """How much of what was relayed had left the spool, after against before, and that it fell."""

    look: Look
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the other sources say."""

    disagreements: tuple[Disagreement, ...] = ()
    spool: Spool | None = None
    shown: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """All buckets of the statistics before and after, in order of time, and what they stand in."""

    before: Sequence[Bucket]
    after: Sequence[Bucket]
    deferrals: Sequence[Deferral]
    span: Span


def hear(found: Witnesses, sides: Sides, floor: float) -> Heard:
    """Hold each source against the statistics. floor: the least ratio that keeps the promise."""
    if not (found.counted or found.report or found.trunc or found.silent):
        why = "no capture asked for them"
        return Heard(not_compared=(NotCompared(what=f"{LOG} and the {REPORT}", reason=why),))
    sides = replace(sides, deferrals=in_order(sides.deferrals))
    log, report = _log(found, sides, floor), _report(found, sides, floor)
    silent = [NotCompared(what=source, reason=why) for source, why in found.silent]
    return Heard(
        disagreements=(*log.disagreements, *report.disagreements),
        spool=log.spool,
        shown=(*log.shown, *report.shown),
        not_compared=(*log.not_compared, *report.not_compared, *silent),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """Messages of one unit: relayed by the statistics, told by the log, waiting in the spool."""

    relayed: int
    told: int
    waiting: int
    deferred: bool

    @property
    def share_told(self) -> float:
        return math.log(max(self.told, 0.5) / self.relayed)

    @property
    def share_left(self) -> float:
        return math.log(max(self.told - self.waiting, 0.5) / self.relayed)


def _log(found: Witnesses, sides: Sides, floor: float) -> Heard:
    """Whether the log tells of as much mail as the statistics, and how much of it arrived."""
    if not found.counted:
        return Heard()
    before, after = (_units(found, sides, side) for side in (sides.before, sides.after))
    short = _why_not(found, sides, before, after)
    if short:
        return Heard(not_compared=(NotCompared(what=LOG, reason=short),))
    told = [[u.share_told for u in side] for side in (before, after)]
    fell, rose = _look(told, floor), _look([[-x for x in side] for side in told], floor)
    if Verdict.FAILED in (fell.verdict, rose.verdict):
        return Heard(disagreements=(_differ(before, after, rose.verdict is Verdict.FAILED),))
    return _arrived(before, after, fell, floor)


def _units(found: Witnesses, sides: Sides, side: Sequence[Bucket]) -> list[_Unit]:
    """The units of a side that were counted and had mail enough."""
    if not side:
        return []
    first, last = side[0].start - _EDGE, side[-1].end + _EDGE
    known = {d for b in (*sides.before, *sides.after) for d, _ in b.by_delivery}
    logged = {row.delivery for row in found.log} & known
    units = [
        _unit([b for b in side if since - _EDGE <= b.start < until - _EDGE], rows, logged, sides)
        for since, until in found.counted
        if first <= since and until <= last
        for rows in ([row for row in found.log if (row.start, row.end) == (since, until)],)
    ]
    return [unit for unit in units if unit.relayed >= LEAST_MESSAGES]


def _unit(
    buckets: Sequence[Bucket], rows: Iterable[LogCount], logged: set[str], sides: Sides
) -> _Unit:
    mine = [row for row in rows if row.delivery in logged]
    return _Unit(
        relayed=sum(n for b in buckets for d, n in b.by_delivery if d in logged),
        told=sum(row.count for row in mine),
        waiting=sum(row.count for row in mine if row.status is Meaning.ACCEPTED),
        deferred=any(deferred(b, sides.deferrals) for b in buckets),
    )


def _why_not(
    found: Witnesses, sides: Sides, before: Sequence[_Unit], after: Sequence[_Unit]
) -> str | None:
    """Why the log is no witness here, or None."""
    logged = {row.delivery for row in found.log}
    sent = [(d, n) for b in (*sides.before, *sides.after) for d, n in b.by_delivery]
    covered = sum(n for d, n in sent if d in logged)
    if covered < COVERED * sum(n for _, n in sent):
        return "it holds under half of the mail that the statistics count: other logs have the rest"
    if min(len(before), len(after)) < LEAST_UNITS:
        return (
            f"{len(before)} units before and {len(after)} after were counted with mail enough; "
            f"{LEAST_UNITS} a side are needed"
        )
    return None


def _look(values: Sequence[Sequence[float]], floor: float) -> Look:
    before, after = (tuple(side) for side in values)
    return look(Matched(before=before, after=after, plain=before), floor)


def _differ(before: Sequence[_Unit], after: Sequence[_Unit], more: bool) -> Disagreement:
    relayed, told = sum(u.relayed for u in after), sum(u.told for u in after)
    usual = sum(u.told for u in before) / sum(u.relayed for u in before)
    return Disagreement(
        source=LOG,
        text=f"the statistics count {relayed} messages over {len(after)} units after, the log "
        f"{told}, {'more' if more else 'fewer'} than the {usual:.0%} of before",
        denies=more,
    )


def _arrived(before: Sequence[_Unit], after: Sequence[_Unit], agreed: Look, floor: float) -> Heard:
    """The share that has left the spool, in units in which no receiver put mail off."""
    ratio = agreed.ratio.value if agreed.ratio else 1.0
    shown = [f"the log tells {ratio:.3f} of what the statistics do, against before"]
    if not any(u.waiting for u in (*before, *after)):
        return Heard(shown=tuple(shown))
    calm = [[u for u in side if not u.deferred] for side in (before, after)]
    put_off = len(before) + len(after) - len(calm[0]) - len(calm[1])
    notes = [_put_off(put_off)] if put_off else []
    if min(map(len, calm)) < LEAST_UNITS:
        return Heard(shown=tuple(shown), not_compared=tuple(notes))
    found = _look([[u.share_left for u in side] for side in calm], floor)
    if found.verdict is Verdict.FAILED:
        waiting = sum(u.waiting for u in calm[1])
        return Heard(spool=Spool(look=found, waiting=waiting), not_compared=tuple(notes))
    left = found.ratio.value if found.ratio else 1.0
    shown.append(f"{left:.3f} of it arrived by its feedback, against before")
    return Heard(shown=tuple(shown), not_compared=tuple(notes))


def _put_off(units: int) -> NotCompared:
    why = "a receiver put mail off in them, by its own replies: what waits is its doing"
    return NotCompared(what=f"arrivals by the log's feedback in {units} units", reason=why)


def _report(found: Witnesses, sides: Sides, floor: float) -> Heard:
    """Whether the throughput report counts what the statistics do, side by side."""
    if found.trunc is None:
        return Heard()
    if found.trunc > sides.span.unit:
        why = (
            f"too coarse: its buckets of {format_duration(found.trunc)} are longer than the unit "
            f"of evidence, {format_duration(sides.span.unit)}"
        )
        return Heard(not_compared=(NotCompared(what=f"the {REPORT}", reason=why),))
    pairs = [_counted(found.report, side) for side in (sides.before, sides.after)]
    if not any(map(any, pairs)):
        why = "no bucket of it lies on one side of the window among those that were read"
        return Heard(not_compared=(NotCompared(what=f"the {REPORT}", reason=why),))
    shares = [(theirs + 0.5) / (mine + 0.5) for theirs, mine in pairs]
    if all(abs(share - 1) <= REPORT_TOLERANCE for share in shares):
        agreed = sum(theirs for theirs, _ in pairs)
        return Heard(shown=(f"the {REPORT} agrees on {agreed} messages",))
    text = "; ".join(
        f"{name}: the statistics count {mine} messages, the {REPORT} {theirs}"
        for name, (theirs, mine) in zip(("before", "after"), pairs, strict=True)
    )
    denies = shares[1] * floor >= shares[0]
    return Heard(disagreements=(Disagreement(source=REPORT, text=text, denies=denies),))


def _counted(report: Iterable[ReportCount], side: Sequence[Bucket]) -> tuple[int, int]:
    """Messages by the report and by the statistics, in the report's buckets inside a side."""
    theirs = mine = 0
    for row in report:
        inside = [b for b in side if row.start - _EDGE <= b.start and b.end <= row.end + _EDGE]
        whole = side and side[0].start <= row.start + _EDGE and row.end <= side[-1].end + _EDGE
        if whole and all(b.length <= row.length for b in side):
            theirs += row.sent
            mine += sum(n for b in inside for d, n in b.by_delivery if d == row.delivery)
    return theirs, mine
