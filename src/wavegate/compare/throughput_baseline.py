# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a baseline of `throughput` is good for, told while it can still be made longer.

`plan`, `capture --phase before` and `ready` print it: after the move a short one cannot be cured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import stdev

from wavegate.clock import format_duration
from wavegate.compare.statistics import LEAST_UNITS, POWER, baseline_units, units_after
from wavegate.compare.throughput_looks import BASELINE_TOO_SHORT
from wavegate.compare.throughput_units import Span, pair
from wavegate.estate.policy import Policy
from wavegate.record.rates import Bucket

PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The loaded units before. spread: of the logarithm of their rate, None below three units.

    least, enough: units below which it is hopeless, and from which it is comfortable; None where
    that cannot be said, or where no number is enough. margin: as a share.
    """

    units: int
    spread: float | None
    margin: float
    unit: str
    least: int | None = None
    enough: int | None = None

    @property
    def hint(self) -> str | None:
        """What is too short, in a sentence, or None."""
        if not self.units:
            return f"{BASELINE_TOO_SHORT}: no hour under load before"
        if self.spread is None:
            return (
                f"{BASELINE_TOO_SHORT}: {self.units} loaded units of {self.unit} before, at least "
                f"{LEAST_UNITS} are needed"
            )
        if self.margin <= 0:
            return f"{BASELINE_TOO_SHORT}: a margin of 0 % cannot be shown by any amount of data"
        if self.least is None or self.enough is None:
            return None
        if self.units < self.least:
            return (
                f"{BASELINE_TOO_SHORT}: {self.units} loaded units of {self.unit} that vary by "
                f"{self.spread:.0%}, {self.least} at least, {self.enough} do"
            )
        if self.units < self.enough:
            return (
                f"{self.units} loaded units of {self.unit} before are few for a margin of "
                f"{self.margin:.0%}: {self.enough} do"
            )
        return None

    @property
    def promises(self) -> str | None:
        """How long after has to be, if the rate stays; None where no length would do."""
        if self.spread is None:
            return None
        wait = units_after(self.spread, self.margin, self.units)
        if wait is None:
            return None
        return (
            f"{self.units} loaded units of {self.unit} before vary by {self.spread:.0%}: "
            f"{wait} after would show an unchanged rate with {POWER:.0%}"
        )


def baseline(buckets: Sequence[Bucket], policy: Policy) -> Baseline:
    """What the buckets before allow; the last one ends the baseline."""
    margin = policy.throughput_margin / PPM
    unit = format_duration(policy.throughput_unit)
    kept = [b for b in buckets if b.loaded]
    if not kept:
        return Baseline(units=0, spread=None, margin=margin, unit=unit)
    end = max(b.end for b in buckets)
    span = Span(opening=end, close=end, unit=policy.throughput_unit)
    matched = pair(kept, kept, span).matched
    units = len(matched.before)
    if units < LEAST_UNITS:
        return Baseline(units=units, spread=None, margin=margin, unit=unit)
    spread = stdev(matched.plain)
    least, enough = baseline_units(spread, margin) if 0 < margin < 1 else (None, None)
    return Baseline(
        units=units, spread=spread, margin=margin, unit=unit, least=least, enough=enough
    )
