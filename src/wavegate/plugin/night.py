# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is different about a cell of the nightly, once it was judged.

An instance that is stopped by the estate is not blamed for its silence, only for a difference. A
change that was expected stays FAILED, and is waived by its ticket. Cures name the nightly's verbs.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from wavegate.canonical import digest, dumps
from wavegate.decision import AppliedWaiver, Cell
from wavegate.estate.model import Estate, ExpectedChange
from wavegate.estate.nightly import asleep
from wavegate.verdict import Finding, Judgement, Missing, Verdict, not_applicable

ASLEEP_RULES = frozenset(
    {"build-not-seen-after", "front-not-seen-after", "no-mail-after", "ip-not-met"}
)
"""What cannot be told of a server that is stopped."""
_ADDRESS = re.compile(r":\d+$")
"""Ends the subject where a DNS or mail server was silent, which are not stopped."""
_CURES = (
    ("wavegate capture --phase before", "wavegate nightly accept --by NAME --why TEXT"),
    ("wavegate capture", "wavegate nightly"),
    ("wavegate gate", "wavegate nightly"),
)
_WORDS = (
    ("; none can follow", ""),
    ("nothing was seen, none can follow", "nothing was seen"),
    (": none was received, and none can follow", ": none was received"),
    (", which cannot be had later", ""),
    ("from before the window", "that was accepted"),
    ("from after the window", "of this night"),
    ("before the window", "when it was accepted"),
    ("after the window", "in this night"),
)


def key_of(change: ExpectedChange) -> str:
    """The identity of an expected change: a digest of all that it says."""
    return digest(dumps(change.model_dump(mode="json", by_alias=True)))


def night_cells(
    cells: Iterable[Cell], estate: Estate, at: datetime, spent: Collection[str] = ()
) -> tuple[Cell, ...]:
    """The cells of a night. spent: keys of the expected changes that were used before."""
    return tuple(_cell(cell, estate, at, spent) for cell in cells)


def expects(change: ExpectedChange, cell: Cell, finding: Finding) -> bool:
    """Whether a finding in a cell is the change that was expected, at whatever time."""
    return (
        cell.grid.promise == change.promise
        and cell.grid.instance in change.instances
        and (finding.before, finding.after) == (change.before, change.after)
    )


def _cell(cell: Cell, estate: Estate, at: datetime, spent: Collection[str]) -> Cell:
    if cell.judgement is None:
        return cell
    judged = _in_nightly_words(cell.judgement)
    known = {instance.name: instance for instance in estate.instances}
    instance = known.get(cell.grid.instance)
    hours = asleep(instance, at) if instance else None
    if hours and _only_silent(judged):
        text = f"asleep by the estate, {hours.start} to {hours.end} UTC: {judged.reason}"
        return replace(cell, judgement=not_applicable(text), waiver=None)
    whole = replace(cell, judgement=judged)
    return _expected(whole, estate, at, spent)


def _in_nightly_words(judged: Judgement) -> Judgement:
    """No window was there; sentences are no part of a cause, so it stays the same."""
    missing = tuple(map(_missing, judged.missing))
    return replace(judged, reason=_without_window(judged.reason), missing=missing)


def _missing(item: Missing) -> Missing:
    command = item.command or ""
    cure = next((new for old, new in _CURES if command.startswith(old)), item.command)
    return replace(item, what=_without_window(item.what), command=cure)


def _without_window(text: str) -> str:
    for old, new in _WORDS:
        text = text.replace(old, new)
    return text


def _only_silent(judged: Judgement) -> bool:
    """Whether nothing is missing but what a stopped server cannot give; its DNS is not stopped."""
    return judged.verdict is Verdict.INCONCLUSIVE and all(
        item.rule in ASLEEP_RULES
        or (item.rule == "silent-after" and not _ADDRESS.search(item.subject))
        for item in judged.missing
    )


def _expected(cell: Cell, estate: Estate, at: datetime, spent: Collection[str]) -> Cell:
    judged = cell.judgement
    if judged is None or judged.verdict is not Verdict.FAILED or cell.waived(at):
        return cell
    hits = [
        (change, finding.cause(cell.grid.promise))
        for change in estate.expected_changes
        if change.between.start <= at <= change.between.end and key_of(change) not in spent
        for finding in judged.findings
        if expects(change, cell, finding)
    ]
    if not hits:
        return cell
    tickets = ", ".join(dict.fromkeys(change.ticket for change, _ in hits))
    waiver = AppliedWaiver(
        reason=f"expected change {tickets}",
        approved_by=tickets,
        until=min(change.between.end for change, _ in hits),
        covers=frozenset(cause for _, cause in hits),
    )
    return replace(cell, waiver=_joined(cell.waiver, waiver, at))


def _joined(old: AppliedWaiver | None, new: AppliedWaiver, at: datetime) -> AppliedWaiver:
    if old is None or old.covers is None or at > old.until or new.covers is None:
        return new
    return AppliedWaiver(
        reason=f"{old.reason}; {new.reason}",
        approved_by=f"{old.approved_by}, {new.approved_by}",
        until=min(old.until, new.until),
        covers=old.covers | new.covers,
    )
