# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Time: the only module that reads a clock, and the text forms of instants and durations.

Everything is UTC and aware. A date means 00:00 UTC (design, rule 9). Instants are written as
RFC 3339 with microseconds only where there are any.
"""

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(us|ms|s|m|h|d))")
_UNITS = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class _Error:
    """How far this process's clock is ahead of the machine's."""

    ahead = timedelta()


def now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC) + _Error.ahead


def go_wrong(ahead: timedelta) -> None:
    """Let this process's clock be wrong, as a host's can be; only `wavegate.lab.skewed` calls it.

    No option and no setting leads here, so that no record is dated otherwise by accident.
    """
    _Error.ahead = ahead


def monotonic() -> float:
    """Seconds on a clock that never goes back, for measuring how long something took."""
    return time.monotonic()


_DAY = len("2024-01-16")


@lru_cache(maxsize=4_096)
def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with a Z: `2024-01-16T22:00:00Z`, or with six digits of fraction.

    Raises ValueError for a naive instant.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=4_096)
def parse_instant(text: str) -> datetime:
    """RFC 3339 text, or a date that means 00:00 UTC, to an aware UTC instant.

    Raises ValueError for anything else, a missing zone included.
    """
    if len(text) == _DAY and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """`85h`, `60m`, `1d12h`, `250ms`, `2.5s` to a timedelta.

    Raises ValueError for anything else.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 5s, 60m, 85h or 15d")
    return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())


def format_duration(length: timedelta) -> str:
    """The text that `parse_duration` reads back: `3d 12h` is written `3d12h`; zero is `0s`."""
    micros = length // timedelta(microseconds=1)
    if micros < 0:
        return "-" + format_duration(-length)
    text = ""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, micros = divmod(micros, _UNITS[unit] // timedelta(microseconds=1))
        text += f"{count}{unit}" if count else ""
    return text or "0s"
