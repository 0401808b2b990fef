# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How far the harness's clock is from the clocks that answered: HTTP Date, /r/test, Logon, sink.

Each answer bounds the difference from both sides (it was written between asking and hearing), so
that slow answers and whole-second dates do not look like skew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median

from wavegate.record.campaign_view import CampaignView, NotSeen
from wavegate.record.greeting import greeted_at
from wavegate.record.observation import Observation
from wavegate.record.snapshot import Snapshot

HTTP_RESOLUTION = timedelta(seconds=1)
SINK_RESOLUTION = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """The least difference that the answers of one source allow; positive: their clock is ahead."""

    source: str
    least: timedelta


def skews(snapshot: Snapshot, view: CampaignView) -> tuple[Skew, ...]:
    """One skew per source that told its time, by the median of its answers."""
    found: dict[str, list[timedelta]] = {}
    for seen in snapshot.observations:
        date = _http_date(seen)
        if date is not None:
            least = _least(seen, date, HTTP_RESOLUTION)
            found.setdefault("HTTP Date", []).append(least)
        told = greeted_at(seen)
        if told is not None:
            found.setdefault("the sink", []).append(_least(seen, told, SINK_RESOLUTION))
    for redir in view.redir:
        if redir.date is not None and redir.zone_known:
            least = _least(redir.source, redir.date, HTTP_RESOLUTION)
            found.setdefault("/r/test date", []).append(least)
    logon = view.logon
    if not isinstance(logon, NotSeen) and logon.server_date is not None:
        least = _least(logon.source, logon.server_date, HTTP_RESOLUTION)
        found.setdefault("Logon serverDate", []).append(least)
    return tuple(
        Skew(source=source, least=_median(values)) for source, values in sorted(found.items())
    )


def _median(values: list[timedelta]) -> timedelta:
    return timedelta(seconds=median(value.total_seconds() for value in values))


def _http_date(seen: Observation) -> datetime | None:
    """The Date header (RFC 9110 6.6.1), aware, or None."""
    try:
        found = parsedate_to_datetime(seen.heard["date"])
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _least(seen: Observation, told: datetime, resolution: timedelta) -> timedelta:
    """How far `told` lies outside of [asked, heard], given that it was cut to a resolution."""
    heard = seen.at + timedelta(microseconds=seen.took_us)
    if told > heard:
        return told - heard
    if told + resolution < seen.at:
        return told + resolution - seen.at
    return timedelta()
