# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which waivers of the estate apply to a cell; a waiver never changes a verdict."""

from collections.abc import Iterable
from datetime import datetime

from wavegate.decision import AppliedWaiver, GridCell
from wavegate.estate.model import Waiver
from wavegate.verdict import Judgement


def applied(
    waivers: Iterable[Waiver], cell: GridCell, judgement: Judgement, at: datetime
) -> AppliedWaiver | None:
    """The waiver beside a cell: one of promise and instance if there is one, else by its causes.

    Waivers in force go before expired ones, which are shown but change nothing. Several waivers
    by cause are shown as one, in force until the first of them ends.
    """
    items = judgement.findings or judgement.missing
    causes = {item.cause(cell.promise) for item in items}
    fitting = [waiver for waiver in waivers if _fits(waiver, cell, causes)]
    in_force = [waiver for waiver in fitting if at <= waiver.until]
    return _join(in_force or fitting)


def _fits(waiver: Waiver, cell: GridCell, causes: set[str]) -> bool:
    if waiver.cause is not None and waiver.cause not in causes:
        return False
    if waiver.promise is not None and waiver.promise != cell.promise:
        return False
    return waiver.instance is None or waiver.instance == cell.instance


def _join(waivers: list[Waiver]) -> AppliedWaiver | None:
    if not waivers:
        return None
    whole = [waiver for waiver in waivers if waiver.cause is None]
    chosen = whole[:1] or waivers
    return AppliedWaiver(
        reason="; ".join(dict.fromkeys(waiver.reason for waiver in chosen)),
        approved_by=", ".join(dict.fromkeys(waiver.approved_by for waiver in chosen)),
        until=min(waiver.until for waiver in chosen),
        covers=None if whole else frozenset(w.cause for w in chosen if w.cause),
    )
