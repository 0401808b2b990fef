# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The greeting of our sink: it tells the time by its own clock, as other mail servers' do. Pure."""

from datetime import datetime

from wavegate.clock import format_instant, parse_instant
from wavegate.record.observation import Observation, Seen

SINK = "Wavegate sink; "


def greeting(at: datetime) -> str:
    """What the sink calls itself when somebody connects."""
    return SINK + format_instant(at)


def greeted_at(seen: Observation) -> datetime | None:
    """The sink's clock in an observation of its greeting; None where there is none."""
    if seen.kind != "smtp" or not isinstance(seen.outcome, Seen):
        return None
    _, found, told = seen.outcome.value.decode("ascii", "replace").partition(SINK)
    try:
        return parse_instant(told.strip()) if found else None
    except ValueError:
        return None
