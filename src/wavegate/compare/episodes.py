# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""When bad samples convict (design, rule 15), and when nights before excuse them.

Wrong answers and silences convict by the same two counts: so many in a row, or a share beyond
chance. Nights before are compared by episodes, never by samples: bad samples come in bursts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from wavegate.compare.binomial import at_least
from wavegate.compare.outages import Outage, in_order, outages
from wavegate.compare.spans import NOTHING, Span, clip, holes, spelled, total
from wavegate.record.timeline import Sample

CHANCE = 0.01
BEYOND_CHANCE = 1e-4
MORE_THAN_BEFORE = 0.01
NIGHTS = 7
DAY = timedelta(days=1)
HEARD_SHARE = 0.9
_OURS = re.compile(r"XSV-350013|\bHTTP 429\b|^429\b")


class By(StrEnum):
    """What convicts."""

    ROW = "in a row"
    SHARE = "share beyond chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conviction:
    """Bad samples that cannot be an accident.

    by: which of the two counts. bad, n: how many of how many. longest_row: bad ones in a row.
    """

    by: By
    bad: int
    n: int
    longest_row: int

    def __str__(self) -> str:
        return f"{self.bad} of {self.n} samples bad, {self.longest_row} in a row"


def about_us(sample: Sample) -> bool:
    """Whether a bad answer tells of our access instead of the instance: refused, or throttled."""
    return sample.state != "ok" and _OURS.search(sample.detail) is not None


def counts(sample: Sample) -> bool:
    """Whether a sample is in n: silence only where the vantage was heard; refusals of us never."""
    return not about_us(sample) and (sample.heard or sample.state != "silent")


def taken_as(samples: Iterable[Sample], too_slow: timedelta) -> tuple[Sample, ...]:
    """The samples as they count, by sending: a right answer that came too late is silence.

    An answer, right or wrong, needs no witness that the vantage could hear: it is one.
    """
    return tuple(_taken(sample, too_slow) for sample in in_order(samples) if counts(sample))


def _taken(sample: Sample, too_slow: timedelta) -> Sample:
    took = sample.ended - sample.sent
    if sample.state != "ok" or took <= too_slow:
        return sample
    return replace(sample, state="silent", detail=f"answered only after {spelled(took)}")


def longest_row(samples: Iterable[Sample]) -> int:
    """The most bad samples in a row."""
    longest = row = 0
    for sample in samples:
        row = 0 if sample.state == "ok" else row + 1
        longest = max(longest, row)
    return longest


def beyond_chance(bad: int, n: int) -> bool:
    """Whether so many bad ones of n are more than one percent noise makes: p < 1e-4."""
    if bad <= n * CHANCE:
        return False
    return at_least(bad, n, CHANCE) < BEYOND_CHANCE


def convicts(samples: Iterable[Sample], confirm: int) -> Conviction | None:
    """Whether samples (as they count) convict; by the row if both counts do."""
    counted = in_order(samples)
    bad, row = sum(sample.state != "ok" for sample in counted), longest_row(counted)
    if row >= confirm:
        by = By.ROW
    elif beyond_chance(bad, len(counted)):
        by = By.SHARE
    else:
        return None
    return Conviction(by=by, bad=bad, n=len(counted), longest_row=row)


def convicts_by_wrong(samples: Iterable[Sample], confirm: int) -> Conviction | None:
    """Whether the definite wrong answers alone convict, silences set aside."""
    return convicts((sample for sample in samples if sample.state != "silent"), confirm)


def episodes(samples: Iterable[Sample], confirm: int) -> tuple[Outage, ...]:
    """The outages that are episodes: at least `confirm` bad samples."""
    return tuple(found for found in outages(samples) if len(found.samples) >= confirm)


def more_episodes(
    during: int, before: int, time_during: timedelta, time_before: timedelta
) -> float:
    """P(so many of all episodes fall into `during` by chance), by its part of the time.

    `binomtest(during, during + before, d/(d+b), greater)`; 1 where there was no episode.
    """
    if during + before == 0:
        return 1.0
    part = time_during / (time_during + time_before)
    return at_least(during, during + before, part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """Nights before that were no better: how many, with how many episodes of which length."""

    nights: int
    before: int
    during: int
    longest_before: timedelta


def excuse(samples: Iterable[Sample], span: Span, every: timedelta, confirm: int) -> Excuse | None:
    """Whether the same hours of at least seven nights before were no better.

    Needs a night of the same weekday. The episodes must not be more than before allows (p of
    `more_episodes`), nor any longer than the longest before; one is judged by its length alone.
    """
    counted = in_order(samples)
    nights = _nights(counted, span, every)
    if len(nights) < NIGHTS or not any(
        (span.since - night.since) % (7 * DAY) == NOTHING for night in nights
    ):
        return None
    during = episodes(_within(counted, span), confirm)
    before = [found for night in nights for found in episodes(_within(counted, night), confirm)]
    if not during or not before:
        return None
    known = max(found.longest or found.shortest for found in before)
    if max(found.shortest for found in during) > known:
        return None
    chance = more_episodes(len(during), len(before), span.length, len(nights) * span.length)
    if len(during) > 1 and chance < MORE_THAN_BEFORE:
        return None
    return Excuse(nights=len(nights), before=len(before), during=len(during), longest_before=known)


def _nights(counted: tuple[Sample, ...], span: Span, every: timedelta) -> list[Span]:
    """The same hours of days before that were looked at."""
    if not counted:
        return []
    days = (span.since - counted[0].sent) // DAY + 1
    looks = covered(counted, every)
    nights = (
        Span(since=span.since - day * DAY, until=span.until - day * DAY)
        for day in range(1, days + 1)
        if day * DAY >= span.length
    )
    return [night for night in nights if heard_share(looks, night) >= HEARD_SHARE]


def _within(counted: tuple[Sample, ...], span: Span) -> tuple[Sample, ...]:
    return tuple(sample for sample in counted if span.since <= sample.sent <= span.until)


def covered(samples: Iterable[Sample], every: timedelta) -> tuple[Span, ...]:
    """The time that samples speak for: each until the next is due, or until it was given up."""
    return tuple(
        Span(since=sample.sent, until=max(sample.ended, sample.sent + every)) for sample in samples
    )


def heard_share(looks: Iterable[Span], within: Span, masks: Iterable[Span] = ()) -> float:
    """The share of a span, less its masks, that was looked at; 1 for an empty span."""
    masked = tuple(masks)
    left = holes(masked, within)
    if not left:
        return 1.0
    seen = clip(looks, within)
    missed = [hole for part in left for hole in holes(seen, part)]
    return 1.0 - total(missed) / total(left)
