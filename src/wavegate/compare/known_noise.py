# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Known noise: masks declared before the run, the same before and in the window.

What a mask covers does not convict; a masked failure that is longer than any masked one before is
a finding all the same.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta

from wavegate.compare.function_effects import Look, Said
from wavegate.compare.outages import Outage, outages
from wavegate.compare.spans import NOTHING, Span, merge, spelled
from wavegate.estate.model import Mask
from wavegate.record.timeline import Sample
from wavegate.verdict import Cleared

DAY = timedelta(days=1)
MOST_DAYS = 400


def masks_of(masks: Iterable[Mask], function: str) -> tuple[Mask, ...]:
    """The masks of a function; one of `workflow` holds for `workflow/cleanup` too."""
    return tuple(
        m for m in masks if function == m.function or function.startswith(f"{m.function}/")
    )


def mask_spans(masks: Iterable[Mask], function: str, samples: Iterable[Sample]) -> tuple[Span, ...]:
    """When the masks of a function hold, over the days that its samples span."""
    instants = [sample.sent for sample in samples]
    if not instants:
        return ()
    first, last = min(instants), max(instants)
    return merge(span for mask in masks_of(masks, function) for span in daily(mask, first, last))


def daily(mask: Mask, first: datetime, last: datetime) -> Iterator[Span]:
    """The days of a mask from a day before the first instant to the last."""
    hour, _, minute = mask.daily_at.partition(":")
    at = time(int(hour), int(minute), tzinfo=UTC)
    start = datetime.combine(first.astimezone(UTC).date(), at) - DAY
    for day in range(min((last - start) // DAY + 1, MOST_DAYS)):
        since = start + day * DAY
        yield Span(since=since, until=since + mask.length)


def unmasked(samples: Iterable[Sample], masks: tuple[Span, ...]) -> tuple[Sample, ...]:
    """The samples that no mask touches."""
    return tuple(s for s in samples if not any(_touches(s, mask) for mask in masks))


def _touches(sample: Sample, mask: Span) -> bool:
    return sample.sent < mask.until and sample.ended >= mask.since


def masked_too_long(
    masks: Iterable[Mask], look: Look, samples: tuple[Sample, ...]
) -> Iterator[Said]:
    """What happened inside masks: cleared as known noise, or longer than known."""
    if not samples:
        return
    for mask in masks_of(masks, look.name):
        spans = tuple(daily(mask, samples[0].sent, samples[-1].sent))
        now = [s for s in spans if s.until > look.span.since and s.since <= look.span.until]
        mine = [found for span in now for found in _inside(samples, span)]
        if mine:
            earlier = [s for s in spans if s.until <= look.span.since and _looked(samples, s)]
            yield _known(mask, look, mine, earlier, samples)


def _looked(samples: tuple[Sample, ...], span: Span) -> bool:
    return any(_touches(sample, span) for sample in samples)


def _inside(samples: tuple[Sample, ...], span: Span) -> tuple[Outage, ...]:
    """Outages that begin in a mask; their edges are known from the samples around."""
    return tuple(f for f in outages(samples) if _touches(f.samples[0], span))


def _known(
    mask: Mask,
    look: Look,
    mine: list[Outage],
    earlier: list[Span],
    samples: tuple[Sample, ...],
) -> Said:
    before = [found for span in earlier for found in _inside(samples, span)]
    longest = max((found.longest or found.shortest for found in before), default=NOTHING)
    worst = max(mine, key=lambda found: found.shortest)
    if earlier and worst.shortest > longest:
        return look.finding(
            "masked-longer-than-before",
            f"in the mask {mask.daily_at} at most {spelled(longest)}, as on "
            f"{len(earlier)} days before",
            f"bad for {worst.lasted} in the mask {mask.daily_at} ({mask.reason}), "
            f"longer than ever before ({spelled(longest)})",
            mask.daily_at,
            str(worst.start),
            str(worst.end),
            before="short disturbance",
            after="longer disturbance",
        )
    return Cleared(
        rule="known-noise",
        subject=look.subject,
        before=f"mask {mask.daily_at}",
        after=f"bad in the mask {mask.daily_at}",
        explanation=f"{look.name}: {mask.daily_at}, as known noise ({mask.reason}): bad for "
        f"{worst.lasted}",
    )
