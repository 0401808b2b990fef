# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which snapshots of an instance count: no rerun until green (design, rule 14).

Pure. `before`: the last complete capture that ended before the opening. `after`: the first one
taken after the close, unless a later one declares a fix. Other captures fill silences only; an
answer is never replaced by a later one, and every attempt is kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wavegate.record.observation import Observation, Unreachable
from wavegate.record.snapshot import Phase, Snapshot

FIX = "fix:"

Identity = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The snapshot that counts for a phase, and how it came about.

    snapshot: the base record with its silences filled; its digest is that of the base record.
    used: digests of the records in it, the base first. attempts: every snapshot of the phase, in
    order, those on the wrong side of the window included. filled: silences filled from other
    captures. kept: answers of an earlier, incomplete `after` that a later one does not replace.
    volatile_with: the other `before` captures younger than the maximum age, for A/A.
    fix: the text that declared the fix (`fix:CHG-123`), or None. superseded: what counted before
    that fix, or None where nothing did.
    """

    snapshot: Snapshot
    used: tuple[str, ...]
    attempts: tuple[Snapshot, ...]
    filled: int = 0
    kept: int = 0
    volatile_with: tuple[Snapshot, ...] = ()
    fix: str | None = None
    superseded: "Chosen | None" = None


def choose_before(
    snapshots: Iterable[Snapshot], *, opening: datetime, max_age: timedelta
) -> Chosen | None:
    """What counts as the state before a window that opens at `opening`; None without a capture.

    A base older than max_age still counts, so that its age can be judged and shown; it is only
    filled from, and compared with, captures that are younger. One taken on the wrong side counts
    only if there is no right one.
    """
    attempts = _attempts(snapshots, "before")
    pool = _right_or_all(attempts, lambda taken: taken.ended <= opening)
    if not pool:
        return None
    base = next((taken for taken in reversed(pool) if taken.complete), pool[-1])
    others = [
        taken for taken in reversed(pool) if taken is not base and opening - taken.ended <= max_age
    ]
    merged = _fill(base, others)
    return replace(merged, attempts=attempts, volatile_with=tuple(reversed(others)))


def choose_after(snapshots: Iterable[Snapshot], *, close: datetime) -> Chosen | None:
    """What counts as the state after a window that closed at `close`; None without a capture.

    Each complete capture that declares a fix (`because` is `fix:` and a reference) begins a new
    epoch; the last epoch counts, and the one before it is its `superseded`.
    """
    attempts = _attempts(snapshots, "after")
    pool = _right_or_all(attempts, lambda taken: taken.began >= close)
    chosen: Chosen | None = None
    for epoch in _epochs(pool):
        base = next((taken for taken in epoch if taken.complete), epoch[0])
        at = epoch.index(base)
        kept = _keep(base, epoch[:at])
        merged = _fill(kept.snapshot, epoch[at + 1 :])
        chosen = replace(
            merged,
            used=tuple(dict.fromkeys((*kept.used, *merged.used))),
            kept=kept.kept,
            attempts=attempts,
            fix=fix_of(base),
            superseded=chosen,
        )
    return chosen


def fix_of(taken: Snapshot) -> str | None:
    """The text by which a capture declares a fix, or None; `fix:` alone names no fix."""
    because = taken.because or ""
    named = because.startswith(FIX) and because.removeprefix(FIX).strip()
    return because if named else None


def _attempts(snapshots: Iterable[Snapshot], phase: Phase) -> tuple[Snapshot, ...]:
    found = [taken for taken in snapshots if taken.phase == phase]
    return tuple(sorted(found, key=lambda taken: (taken.sequence, taken.began, taken.digest)))


def _right_or_all(
    attempts: tuple[Snapshot, ...], on_right_side: Callable[[Snapshot], bool]
) -> tuple[Snapshot, ...]:
    """The captures on the right side of the window, or, where there is none, all."""
    right = tuple(taken for taken in attempts if not taken.forced and on_right_side(taken))
    return right or attempts


def _epochs(pool: tuple[Snapshot, ...]) -> list[list[Snapshot]]:
    epochs: list[list[Snapshot]] = []
    for taken in pool:
        if not epochs or (taken.complete and fix_of(taken)):
            epochs.append([])
        epochs[-1].append(taken)
    return epochs


def _fill(base: Snapshot, others: Iterable[Snapshot]) -> Chosen:
    """The base with each silence filled from the first of the others that has an answer."""
    silent = {found.identity for found in base.observations} - _answers(base).keys()
    fills: dict[Identity, Observation] = {}
    used = [base.digest]
    for other in others:
        answers = _answers(other)
        news = {key: answers[key] for key in silent & answers.keys() if key not in fills}
        fills |= news
        used += [other.digest] if news else []
    merged = tuple(fills.get(found.identity, found) for found in base.observations)
    return Chosen(
        snapshot=replace(base, observations=merged),
        used=tuple(used),
        attempts=(base,),
        filled=len(fills),
    )


def _keep(base: Snapshot, earlier: Iterable[Snapshot]) -> Chosen:
    """The base with the answers that earlier, incomplete captures had already heard.

    They stand even where the base heard another answer, or did not ask again.
    """
    first: dict[Identity, Observation] = {}
    used = [base.digest]
    for taken in earlier:
        news = {key: found for key, found in _answers(taken).items() if key not in first}
        first |= news
        used += [taken.digest] if news else []
    merged = [first.get(found.identity, found) for found in base.observations]
    asked = {found.identity for found in base.observations}
    merged += [found for key, found in first.items() if key not in asked]
    return Chosen(
        snapshot=replace(base, observations=tuple(merged)),
        used=tuple(used),
        attempts=(base,),
        kept=len(first),
    )


def _answers(taken: Snapshot) -> Mapping[Identity, Observation]:
    """What a capture definitely heard, by question; the first answer to a question counts."""
    answers: dict[Identity, Observation] = {}
    for found in taken.observations:
        if not isinstance(found.outcome, Unreachable):
            answers.setdefault(found.identity, found)
    return answers
