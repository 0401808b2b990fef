# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""From one night to the next: what broke, what recovered, what stays undecided. Pure.

What must be known of earlier nights stands in the night.json of the night before, which is sealed;
so each night rests on one other, and the same two nights give the same transitions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from wavegate.clock import format_instant
from wavegate.estate.model import Estate, ExpectedChange
from wavegate.evidence.night_file import (
    BadEntry,
    ChangeEntry,
    ExpectedEntry,
    FlipEntry,
    Night,
    StandingEntry,
    UnstableEntry,
)
from wavegate.evidence.verdicts import CellEntry, Verdicts
from wavegate.plugin.night import key_of
from wavegate.verdict import Verdict

PATIENCE = timedelta(days=3)
"""How long something may stay undecided before it is told, once."""
FLIPS, SPAN = 3, timedelta(days=30)
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What leads to a night: its verdicts, the night before, and what was accepted in between.

    accepted: instances of which a baseline was accepted since the night before.
    """

    estate: Estate
    verdicts: Verdicts
    night: date
    before: Night | None
    accepted: frozenset[str] = frozenset()

    @property
    def at(self) -> datetime:
        """The run's instant."""
        return self.verdicts.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What a step came to."""

    changed: bool
    transitions: tuple[ChangeEntry, ...]
    expected: tuple[ExpectedEntry, ...]
    standing: tuple[StandingEntry, ...]
    bad: tuple[BadEntry, ...]
    flips: tuple[FlipEntry, ...]
    unstable: tuple[UnstableEntry, ...]


def turn(step: Step) -> Turned:
    """What a night changed."""
    standing, transitions = _standing(step)
    bad = tuple(_bad(step.verdicts))
    flips = tuple(_flips(step, bad))
    return Turned(
        changed=_changed(step, bad),
        transitions=transitions,
        expected=tuple(_expected(step, change) for change in step.estate.expected_changes),
        standing=standing,
        bad=bad,
        flips=flips,
        unstable=tuple(
            UnstableEntry(instance=f.instance, promise=f.promise, flips=len(f.nights))
            for f in flips
            if len(f.nights) >= FLIPS
        ),
    )


# What stands otherwise than the night before


def _bad(verdicts: Verdicts) -> Iterator[BadEntry]:
    for name, texts in sorted(verdicts.holds.items()):
        if texts:
            yield BadEntry(instance=name, promise="", verdict="HOLD", causes=texts)
    for cell in verdicts.cells:
        if _is_bad(cell):
            causes = tuple(sorted(item.cause for item in cell.findings or cell.missing))
            yield BadEntry(
                instance=cell.instance,
                promise=cell.promise,
                verdict=str(cell.verdict),
                causes=tuple(dict.fromkeys(causes)),
            )


def _is_bad(cell: CellEntry) -> bool:
    good = cell.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    return not good and not (cell.waiver and cell.waiver.in_force)


def _changed(step: Step, bad: Sequence[BadEntry]) -> bool:
    """Whether a cell stands otherwise; what was made good by accepting it is no news."""
    if step.before is None:
        return bool(bad)
    gone = set(step.before.bad) - set(bad)
    return bool(set(bad) - set(step.before.bad)) or any(
        entry.instance not in step.accepted for entry in gone
    )


# Causes that stand


def _standing(step: Step) -> tuple[tuple[StandingEntry, ...], tuple[ChangeEntry, ...]]:
    before = {_key(entry): entry for entry in (step.before.standing if step.before else ())}
    now = _causes(step.verdicts)
    standing: list[StandingEntry] = []
    changes: list[ChangeEntry] = []
    for key, (kind, instances) in now.items():
        entry = _entry(step, key, kind, instances, before.get(key))
        changes += _told(step, entry, before.get(key))
        late = entry.kind == "undecided" and _late(step, entry)
        standing.append(entry.model_copy(update={"told": entry.told or late}))
    for key, entry in before.items():
        if key in now:
            continue
        unclear = _unclear(step, entry)
        if unclear:
            standing.append(entry.model_copy(update={"instances": unclear}))
        elif entry.told and not _replaced(step, entry):
            changes += _change(step, "recovered", entry, since=step.at, began=entry.since)
    return tuple(standing), tuple(changes)


def _key(entry: StandingEntry) -> Key:
    return entry.promise, entry.cause, entry.customer


def _causes(verdicts: Verdicts) -> Mapping[Key, tuple[str, tuple[str, ...]]]:
    """The causes of the bad cells of a night, each with its instances, per customer."""
    found: dict[Key, tuple[str, list[str]]] = {}
    for cell in verdicts.cells:
        if not _is_bad(cell) or not cell.judged:
            continue
        kind = "failed" if cell.verdict is Verdict.FAILED else "undecided"
        covered = set(cell.waiver.covers or ()) if cell.waiver else set()
        for item in cell.findings or cell.missing:
            if item.cause not in covered:
                key = (cell.promise, item.cause, cell.customer)
                found.setdefault(key, (kind, []))[1].append(cell.instance)
    return {key: (kind, tuple(sorted(set(names)))) for key, (kind, names) in found.items()}


def _entry(
    step: Step, key: Key, kind: str, instances: tuple[str, ...], before: StandingEntry | None
) -> StandingEntry:
    promise, cause, customer = key
    return StandingEntry(
        kind="failed" if kind == "failed" else "undecided",
        cause=cause,
        promise=promise,
        customer=customer,
        instances=instances,
        since=before.since if before else step.at,
        night=before.night if before else step.night.isoformat(),
        told=before.told if before else kind == "failed",
    )


def _told(step: Step, entry: StandingEntry, before: StandingEntry | None) -> list[ChangeEntry]:
    if entry.kind == "failed" and before is None:
        return _change(step, "broke", entry, since=step.at)
    if entry.kind == "undecided" and not entry.told and _late(step, entry):
        return _change(step, "undecided", entry, since=entry.since)
    return []


def _late(step: Step, entry: StandingEntry) -> bool:
    return step.night - date.fromisoformat(entry.night) >= PATIENCE


def _unclear(step: Step, entry: StandingEntry) -> tuple[str, ...]:
    """The instances of which it cannot be told whether a cause is gone."""
    cells = {c.instance: c for c in step.verdicts.cells if c.promise == entry.promise}
    return tuple(name for name in entry.instances if name in cells and _open(cells[name], entry))


def _open(cell: CellEntry, entry: StandingEntry) -> bool:
    causes = {f.cause for f in cell.findings} | {gap.cause for gap in cell.missing}
    if entry.cause in causes:
        return True  # it stands, under a waiver
    return entry.kind == "failed" and (
        not cell.judged or cell.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)
    )


def _replaced(step: Step, entry: StandingEntry) -> bool:
    """Whether a cause went for another reason than that the world is as it was.

    Somebody accepted it or took the instance out of the estate, or what could not be told is bad.
    """
    if set(entry.instances) <= step.accepted:
        return True
    cells = [c for c in step.verdicts.cells if c.promise == entry.promise]
    mine = [c for c in cells if c.instance in entry.instances]
    return not mine or (entry.kind == "undecided" and any(_is_bad(cell) for cell in mine))


def _change(
    step: Step, kind: str, entry: StandingEntry, *, since: datetime, began: datetime | None = None
) -> list[ChangeEntry]:
    """The transition, once for each owner of the instances."""
    owners: dict[str | None, list[str]] = {}
    known = {instance.name: instance for instance in step.estate.instances}
    for name in entry.instances:
        owner = known[name].owner if name in known else None
        owners.setdefault(owner, []).append(name)
    return [
        ChangeEntry.model_validate(
            {
                "kind": kind,
                "cause": entry.cause,
                "promise": entry.promise,
                "customer": entry.customer,
                "owner": owner,
                "instances": tuple(names),
                "lines": tuple(_lines(step, kind, entry)),
                "since": since,
                "broken_since": began,
            }
        )
        for owner, names in owners.items()
    ]


def _lines(step: Step, kind: str, entry: StandingEntry) -> Iterator[str]:
    """What to say of a transition; N before and after are the states, not the sentences."""
    if kind == "recovered":
        yield "It is as it was accepted again."
    cells = [c for c in step.verdicts.cells if c.promise == entry.promise]
    for cell in cells:
        if cell.instance in entry.instances and cell.customer == entry.customer:
            yield from _of_cell(cell, entry)
            break
    yield from _turns(step, entry)


def _of_cell(cell: CellEntry, entry: StandingEntry) -> Iterator[str]:
    for finding in cell.findings:
        if finding.cause == entry.cause:
            yield finding.explanation
            yield f"before: {finding.before or 'nothing'}"
            yield f"after: {finding.after or 'nothing'}"
            return
    for gap in cell.missing:
        if gap.cause == entry.cause:
            yield f"missing: {gap.what}"
            yield f"it could not be told since {format_instant(entry.since)}"
            return


def _turns(step: Step, entry: StandingEntry) -> Iterator[str]:
    """How often it went to and fro before, where that is often."""
    for flip in step.before.flips if step.before else ():
        if flip.promise == entry.promise and flip.instance in entry.instances:
            count = len(_recent(flip.nights, step.night)) + 1
            if count >= FLIPS:
                yield f"unstable: it turned {count} times in 30 nights"
                return


# Flips


def _flips(step: Step, bad: Sequence[BadEntry]) -> Iterator[FlipEntry]:
    """A verdict turned where nothing was accepted and no change was expected."""
    before = {(f.instance, f.promise): f.nights for f in (step.before.flips if step.before else ())}
    was = {(e.instance, e.promise): e.verdict for e in (step.before.bad if step.before else ())}
    now = {(e.instance, e.promise): e.verdict for e in bad}
    for cell in step.verdicts.cells:
        key = (cell.instance, cell.promise)
        nights = _recent(before.get(key, ()), step.night)
        known = step.before is not None and cell.judged
        quiet = cell.instance in step.accepted or cell.verdict is Verdict.NOT_APPLICABLE
        if known and not quiet and was.get(key) != now.get(key):
            nights.append(step.night.isoformat())
        if nights:
            yield FlipEntry(instance=key[0], promise=key[1], nights=tuple(nights))


def _recent(nights: Iterable[str], night: date) -> list[str]:
    return [found for found in nights if night - date.fromisoformat(found) < SPAN]


# Expected changes


def _expected(step: Step, change: ExpectedChange) -> ExpectedEntry:
    key = key_of(change)
    before = (
        next((e for e in step.before.expected_changes if e.key == key), None)
        if (step.before)
        else None
    )
    state, at, run = _state(step, change, before)
    return ExpectedEntry.model_validate(
        {
            "key": key,
            "promise": change.promise,
            "instances": change.instances,
            "ticket": change.ticket,
            "state": state,
            "at": at,
            "run": run,
        }
    )


def _state(
    step: Step, change: ExpectedChange, before: ExpectedEntry | None
) -> tuple[str, datetime | None, str | None]:
    seen, unclear = _seen(step.verdicts, change)
    if before is None or before.state == "waiting":
        if seen and change.between.start <= step.at <= change.between.end:
            return "consumed", step.at, step.verdicts.run
        late = step.at > change.between.end
        return ("expired" if late else "waiting"), None, None
    if before.state == "consumed" and not seen and not unclear:
        return "spent", before.at, before.run
    return before.state, before.at, before.run


def _seen(verdicts: Verdicts, change: ExpectedChange) -> tuple[bool, bool]:
    """Whether the difference that was expected is there; whether that cannot be told."""
    cells = [
        cell
        for cell in verdicts.cells
        if cell.promise == change.promise and cell.instance in change.instances
    ]
    seen = any(
        (f.before, f.after) == (change.before, change.after) for c in cells for f in c.findings
    )
    unclear = any(c.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE) for c in cells)
    return seen, unclear
