# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""When a payload says itself that it was made, by the signer's own clock.

That proves nothing for the signer, but what by its own word came after the end of its key does not
count. It may have been signed later than it says, and by a later key: a record says when it ended,
and a customer's part of a plan says when the plan was made.
"""

from datetime import datetime

from wavegate.canonical import loads
from wavegate.clock import parse_instant
from wavegate.errors import DamagedError


def claimed(payload: bytes) -> datetime | None:
    """The instant `at` or `ended` of a verified payload; None where it tells of neither."""
    try:
        found = loads(payload)
    except DamagedError:
        return None
    predicate = found.get("predicate") if isinstance(found, dict) else None
    if not isinstance(predicate, dict):
        return None
    return _instant(predicate.get("at")) or _instant(predicate.get("ended"))


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
