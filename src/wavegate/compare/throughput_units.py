# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Buckets to comparable points: units, hours, what is set aside (backlog burst, deferrals).

A unit before counts back from the opening, one after counts on from the close; hours are absolute,
so that a night is held against nights. Nothing is dropped without being named.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

from wavegate.clock import format_instant
from wavegate.compare.statistics import LEAST_UNITS, Matched, Point, match
from wavegate.record.rates import Bucket, Deferral, Part, reply_code
from wavegate.verdict import NotCompared

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLOTS = (24, 6)
"""Cells of a unit: hours, or 4-hour blocks where too few hours are met on both sides."""
BURST = 1.25
"""A leading stretch that is so much faster than before, and than what follows, is a burst."""
DEFERRED_SHARE = 0.05
DEFERRED_LEAST = 10
_HALF_A_MESSAGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Opening and close of the window, and the length of a unit."""

    opening: datetime
    close: datetime
    unit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The buckets of both sides that say something about capacity, and what was set aside.

    burst: the rate per minute of the burst that was set aside, None without one. unloaded: messages
    in buckets after that showed demand only. only_backlog: after shows nothing but backlog.
    """

    before: tuple[Bucket, ...]
    after: tuple[Bucket, ...]
    set_aside: tuple[NotCompared, ...]
    burst: float | None
    unloaded: int
    only_backlog: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """A planned load step of the estate: what it says, from when to when."""

    text: str
    since: datetime
    until: datetime

    def touches(self, bucket: Bucket) -> bool:
        """Whether some of a bucket lies in it."""
        return bucket.start < self.until and bucket.end > self.since


def sort_out(
    before: Sequence[Bucket],
    after: Sequence[Bucket],
    deferrals: Sequence[Deferral],
    span: Span,
    steps: Sequence[LoadStep] = (),
) -> Sorted:
    """Keep loaded buckets outside bursts, receivers' deferrals and load steps; name the rest."""
    stepped = _step_notes((*before, *after), steps)
    before, after = (
        [b for b in side if not any(step.touches(b) for step in steps)] for side in (before, after)
    )
    ordered = in_order(deferrals)
    put_off = {b.start: who for b in (*before, *after) if (who := deferred(b, ordered))}
    old = [b for b in before if b.loaded and b.start not in put_off]
    new = [b for b in after if b.loaded and b.start not in put_off]
    lead = _lead(old, new, span.unit)
    burst = [b for b in new if b.backlog] + [b for b in lead if not b.backlog]
    steady = [b for b in new if b not in burst]
    early = _only_fast(old, steady, span.unit)
    notes = [_deferral_note(b, put_off[b.start]) for b in (*before, *after) if b.start in put_off]
    notes += stepped
    notes += _load_notes(before, after) + ([_burst_note(burst)] if burst else [])
    return Sorted(
        before=tuple(old),
        after=() if early else tuple(steady),
        set_aside=tuple(notes),
        burst=geometric(burst) if burst else None,
        unloaded=sum(b.sent for b in after if not b.loaded),
        only_backlog=bool(new) and (early or not steady),
    )


def _step_notes(buckets: Sequence[Bucket], steps: Sequence[LoadStep]) -> list[NotCompared]:
    return [
        NotCompared(
            what=f"the planned load step {step.text!r}: {count} buckets from "
            f"{format_instant(step.since)} to {format_instant(step.until)}",
            reason="left out: the load was another one; `availability_after` judges it",
        )
        for step in steps
        if (count := sum(step.touches(b) for b in buckets))
    ]


def tried_again(before: Sequence[Bucket], after: Sequence[Bucket]) -> tuple[Bucket, ...]:
    """The buckets after with far more failed and repeated tries than before.

    Somebody put mail off in them; without a reply that was read, nobody can tell who.
    """
    usual = _repeated(before)
    return tuple(b for b in after if _repeated([b]) > usual + DEFERRED_SHARE)


def _repeated(buckets: Sequence[Bucket]) -> float:
    """The share of tries that failed or were not the first."""
    tried = sum(b.sent + b.errors for b in buckets)
    return sum(b.errors + b.again for b in buckets) / tried if tried else 0.0


def deferred(bucket: Bucket, deferrals: Sequence[Deferral]) -> tuple[str, str] | None:
    """The receiver that put off so much of a bucket that its rate is the receiver's, and its code.

    deferrals: in order of time.
    """
    first = bisect_left(deferrals, bucket.start, key=_when)
    inside = deferrals[first : bisect_left(deferrals, bucket.end, key=_when)]
    counts: dict[str, list[str]] = {}
    for found in inside:
        counts.setdefault(found.receiver, []).append(found.reply)
    need = max(DEFERRED_LEAST, DEFERRED_SHARE * bucket.sent)
    for receiver, replies in sorted(counts.items()):
        if len(replies) >= need:
            return receiver, reply_code(replies[0])
    return None


def in_order(deferrals: Iterable[Deferral]) -> list[Deferral]:
    """In order of time, as `deferred` wants them."""
    return sorted(deferrals, key=_when)


def _when(found: Deferral) -> datetime:
    return found.at


def _deferral_note(bucket: Bucket, who: tuple[str, str]) -> NotCompared:
    return NotCompared(
        what=f"the {bucket.length} from {bucket.start.isoformat()}",
        reason=f"{who[0]} put mail off ({who[1]}): the receiver's doing, by its own replies",
    )


def _lead(old: list[Bucket], new: list[Bucket], unit: timedelta) -> list[Bucket]:
    """The leading buckets of one unit at most that are far faster than before and what follows."""
    if not old or not new:
        return []
    bar = BURST * geometric(old)
    count = next((n for n, b in enumerate(new) if rate(b.sent, b.length) < bar), len(new))
    lead, rest = new[:count], new[count:]
    if not lead or len(rest) < 2 or lead[-1].end - lead[0].start > unit:
        return []
    return lead if geometric(rest) * BURST < geometric(lead) else []


def _only_fast(old: list[Bucket], steady: list[Bucket], unit: timedelta) -> bool:
    """Less than a unit, all of it far faster than before: a burst may not be over."""
    if not old or not steady or steady[-1].end - steady[0].start >= unit:
        return False
    return all(rate(b.sent, b.length) >= BURST * geometric(old) for b in steady)


def _burst_note(burst: list[Bucket]) -> NotCompared:
    return NotCompared(
        what=f"the burst after the window: {len(burst)} buckets at {geometric(burst):.0f}/min",
        reason="backlog of the window; set aside, it is not steady sending",
    )


def _load_notes(before: Sequence[Bucket], after: Sequence[Bucket]) -> list[NotCompared]:
    return [
        NotCompared(
            what=f"{len(idle)} of {len(side)} buckets {name}",
            reason="no mail was waiting through them: they show demand, not capacity",
        )
        for name, side in (("before", before), ("after", after))
        if (idle := [b for b in side if not b.loaded])
    ]


def rate(count: float, length: timedelta) -> float:
    """Messages a minute; half a message where there was none, so that it has a logarithm."""
    return max(count, _HALF_A_MESSAGE) / (length / timedelta(minutes=1))


def geometric(buckets: Iterable[Bucket]) -> float:
    """The geometric mean of the rates, messages a minute."""
    return math.exp(fmean(math.log(rate(b.sent, b.length)) for b in buckets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The matched units of both sides, and the rates in words: messages a minute.

    observed: of the matched buckets after. slot: the share of a unit that counts as a like hour.
    """

    matched: Matched
    observed: float | None

    @property
    def units(self) -> tuple[int, int]:
        """Matched units before and after."""
        return len(self.matched.before), len(self.matched.after)


def pair(before: Sequence[Bucket], after: Sequence[Bucket], span: Span, part: str = "") -> Paired:
    """Match all messages, or one part of them; by hours, else by 4-hour blocks."""
    found = [_pair(before, after, span, part, slots) for slots in SLOTS]
    return next((p for p in found if min(p.units) >= LEAST_UNITS), max(found, key=_most))


def _most(paired: Paired) -> tuple[int, int]:
    return min(paired.units), sum(paired.units)


def _pair(
    before: Sequence[Bucket], after: Sequence[Bucket], span: Span, part: str, slots: int
) -> Paired:
    old = [p for b in before if (p := _point(b, _unit_before(b, span), span, part, slots))]
    new = [p for b in after if (p := _point(b, _unit_after(b, span), span, part, slots))]
    cells = {p.cell for p in old}
    seen = [p.x for p in new if p.cell in cells]
    return Paired(matched=match(old, new), observed=math.exp(fmean(seen)) if seen else None)


def _unit_before(bucket: Bucket, span: Span) -> int:
    return -1 - (span.opening - bucket.end) // span.unit


def _unit_after(bucket: Bucket, span: Span) -> int:
    return (bucket.start - span.close) // span.unit


def _point(bucket: Bucket, unit: int, span: Span, part: str, slots: int) -> Point | None:
    count = bucket.sent
    if part:
        found = _part(bucket, part)
        if found is None or not found.loaded:
            return None
        count = found.sent
    slot = (bucket.start - EPOCH) % span.unit * slots // span.unit
    x = math.log(rate(count, bucket.length))
    return Point(unit=unit, cell=f"{slot} {bucket.mix}", x=x)


def _part(bucket: Bucket, name: str) -> Part | None:
    return next((part for part in bucket.parts if part.name == name), None)


def parts(before: Iterable[Bucket], after: Iterable[Bucket]) -> tuple[str, ...]:
    """The names of the parts that both sides have, sorted."""
    old, new = ({part.name for b in side for part in b.parts} for side in (before, after))
    return tuple(sorted(old & new))
