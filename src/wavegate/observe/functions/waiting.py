# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What waits to be handled: the oldest row of a table that should have gone on by now.

The value is `<id> since <instant>` of the oldest that waits, or `none` where all were handled; no
value where there is nothing to tell it by.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.observe.functions.answer import Answer, Asked, Lacking, ok
from wavegate.observe.functions.campaign import UNKNOWN, Refused, Session, newest, value_of
from wavegate.record.campaign_view import Row, server_date
from wavegate.record.queue import Meaning, meaning

NEWEST = 50
"""So many of the newest rows are read."""
NONE = "none"


def text(value: str) -> str:
    """A text as it stands in a condition."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def waiting(
    session: Session,
    schema: str,
    where: Sequence[str],
    date: str,
    waits: Iterable[Meaning],
    what: str,
) -> Asked:
    """Ask for the newest rows and tell the oldest of them that waits.

    date: the column with the instant since which a row waits. waits: what its status means then.
    what: the rows, in words.
    """
    asked = newest(schema, ("@status", date), where, lines=NEWEST)
    for node in asked.iterfind("select/node[@expr='@status']"):
        node.set("analyze", "true")  # its name too: numbers are not all documented
    rows = session.rows(asked)
    if isinstance(rows, Refused):
        return Lacking(rows.answer.detail) if rows.code in UNKNOWN else (rows.answer,)
    if not rows:
        return (ok(f"there is no {what} yet"),)
    found = frozenset(waits)
    return (_oldest(rows, [row for row in rows if _means(row) in found], date, what),)


def _oldest(rows: Sequence[Row], still: Sequence[Row], date: str, what: str) -> Answer:
    dated = [(at, row) for row in still if (at := _since(row, date)) is not None]
    if still and not dated:
        return ok(f"{len(still)} of {len(rows)} {what} wait, since when is not told")
    if not dated:
        return ok(f"none of {len(rows)} {what} waits", value=NONE)
    since, row = min(dated, key=lambda found: (found[0], value_of(found[1], "@id")))
    told = f"{value_of(row, '@id')[:24]} since {format_instant(since)}"
    name = row.values.get("statusName", "") or value_of(row, "@status")
    return ok(f"{len(still)} of {len(rows)} {what} wait ({name[:30]}), {told}", value=told)


def _means(row: Row) -> Meaning:
    number = value_of(row, "@status")
    return meaning(int(number) if number.isdecimal() else -1, row.values.get("statusName", ""))


def _since(row: Row, date: str) -> datetime | None:
    found, zone_known = server_date(value_of(row, date))
    return found if zone_known else None
