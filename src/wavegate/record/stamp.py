# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a trusted timestamp says of a record: that it existed by an instant (RFC 3161)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.record.snapshot import Phase, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A token over the signed statement of a record.

    name: its place in the store. record: digest of the record. at: when the authority saw it,
    give or take `accuracy`. authority: who says so.
    """

    name: str
    record: str
    at: datetime
    accuracy: timedelta
    authority: str

    @property
    def earliest(self) -> datetime:
        """The first instant that it may mean."""
        return self.at - self.accuracy

    @property
    def latest(self) -> datetime:
        """The last instant that it may mean."""
        return self.at + self.accuracy

    def supports(self, phase: Phase, opening: datetime, close: datetime) -> bool:
        """Whether it bears out a capture: `before` existed before the opening.

        Of `after` a timestamp can only contradict: it shows that the record is not younger.
        """
        return self.latest < opening if phase == "before" else self.latest > close

    def contradicts(self, phase: Phase, opening: datetime, close: datetime) -> bool:
        """Whether it lies on the wrong side of the window, whatever its accuracy."""
        return self.earliest >= opening if phase == "before" else self.latest <= close


def stamps_of(taken: Snapshot, stamps: tuple[Stamp, ...]) -> tuple[Stamp, ...]:
    """Those of one snapshot."""
    return tuple(stamp for stamp in stamps if stamp.record == taken.digest)
