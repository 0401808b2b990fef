# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Words of a watch that its board and its lines share."""

from datetime import datetime, timedelta

from wavegate.clock import format_duration
from wavegate.estate.model import Window
from wavegate.observe.watch_tally import Tally

SECOND = timedelta(seconds=1)


def countdown(window: Window, at: datetime) -> str:
    """Where an instant stands to the window."""
    if at < window.start:
        return f"the window opens in {_length(window.start - at)}"
    if at < window.end:
        return f"the window is open; it closes in {_length(window.end - at)}"
    return f"the window closed {_length(at - window.end)} ago; settling"


def _length(length: timedelta) -> str:
    return format_duration(length // SECOND * SECOND)


def amount(tally: Tally) -> str:
    """What there is so far, in one line. The words are provisional: the gate judges."""
    found = [f for functions in tally.functions.values() for f in functions.values()]
    probed = [one for one in found if not one.watched.not_probed]
    bad = sum(one.worst_row >= tally.confirm for one in probed)
    return (
        f"{tally.samples} samples of {len(probed)} functions; {bad} disrupted so far, "
        f"{tally.gaps} gaps (provisional)"
    )
