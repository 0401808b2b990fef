# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`schedule`: dev and staging first, production not before its date nor before they are closed.

The proof that a wave is closed is a verified, sealed gate of it in the store, as it stood when
this window opened; a `closed` claim of the estate counts only where there is no such gate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.compare.waves import no_window, waves_of
from wavegate.estate.model import Closed, Estate, Instance, Wave, Window
from wavegate.verdict import Finding, Judgement, Missing, On, inconclusive, judgement

PROMISE = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedGate:
    """A verified, sealed gate of another wave.

    decision: the word for the instance asked about, by instance. closed: the instances for which
    it was GO with nothing open. at: the run's instant.
    """

    wave: str
    run: str
    at: datetime
    decision: Mapping[str, str]
    closed: frozenset[str]
    withdrawn: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCase:
    """What `schedule` is judged on. at: the run's instant."""

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    gates: tuple[SealedGate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What is known of one earlier instance: exactly one of the three, and how it was shown."""

    finding: Finding | None = None
    missing: Missing | None = None
    shown: str = ""
    claim: str = field(default="")


def compare_schedule(case: ScheduleCase) -> Judgement:
    """Judge `schedule` for one instance of the wave."""
    window = case.wave.window
    if window is None:
        return inconclusive(no_window(case.wave))
    findings = list(_too_early(case, window))
    words = [_word(case, window, first) for first in _must_be_first(case)]
    return judgement(
        findings=[*findings, *(w.finding for w in words if w.finding)],
        missing=[w.missing for w in words if w.missing],
        shown="; ".join([_opening(case, window), *(w.shown for w in words if w.shown)]),
        could_hide="a development or staging instance that the estate does not list",
        remarks=[w.claim for w in words if w.claim],
    )


def _opening(case: ScheduleCase, window: Window) -> str:
    opens = f"the window opens {format_instant(window.start)}, not before its date"
    if case.instance.environment != "prod" or list(_must_be_first(case)):
        return opens
    return f"{opens}; {case.instance.customer} has no dev or stage instance to wait for"


def _too_early(case: ScheduleCase, window: Window) -> Iterable[Finding]:
    environment = case.instance.environment
    earliest: datetime = getattr(case.estate.policy.earliest, environment)
    if window.start >= earliest:
        return
    start = format_instant(window.start)
    yield Finding(
        rule="window-too-early",
        subject=f"wave:{case.wave.name}",
        expected=f"no {environment} window before {format_instant(earliest)}",
        observed=f"the window of {case.wave.name} opens {start}",
        explanation=f"{case.instance.name} would move {start}, before {format_instant(earliest)}",
        witness=(case.instance.name, start),
        before=environment,
    )


def _must_be_first(case: ScheduleCase) -> tuple[Instance, ...]:
    """The affected dev and stage instances of the same customer, if this one is production."""
    if case.instance.environment != "prod":
        return ()
    return tuple(
        other
        for other in case.estate.instances
        if other.customer == case.instance.customer
        and other.environment != "prod"
        and other.affected
    )


def _word(case: ScheduleCase, window: Window, first: Instance) -> _Word:
    names = [n for n in waves_of(case.estate, first.name) if n != case.wave.name]
    if first.name in case.wave.instances:
        return _Word(finding=_not_first(first, case, "moves in the same window"))
    if not names:
        state = "is marked unplanned" if first.wave == "unplanned" else "stands in no wave"
        return _Word(finding=_not_first(first, case, f"{state} and has not moved"))
    words = [_by_wave(case, window, first, case.estate.wave(name)) for name in names]
    ranked = sorted(words, key=lambda w: (w.finding is None, w.missing is None))
    return ranked[0]


def waves_without(name: str, gates: Iterable[SealedGate]) -> frozenset[str]:
    """The waves from which an instance was withdrawn, by the last gate of each."""
    last = {gate.wave: gate for gate in sorted(gates, key=lambda gate: gate.at)}
    return frozenset(wave for wave, gate in last.items() if name in gate.withdrawn)


def _by_wave(case: ScheduleCase, window: Window, first: Instance, wave: Wave) -> _Word:
    gates = [g for g in case.gates if g.wave == wave.name and first.name in g.decision]
    if wave.name in waves_without(first.name, gates):
        state = f"was withdrawn from {wave.name} and has not moved"
        return _Word(finding=_not_first(first, case, state))
    if gates:
        return _by_gates(case, window, first, sorted(gates, key=lambda g: g.at))
    if wave.closed is not None:
        return _by_claim(window, first, wave, wave.closed)
    if wave.window is not None and wave.window.end > window.start:
        ends = format_instant(wave.window.end)
        return _Word(finding=_not_first(first, case, f"moves in {wave.name}, which ends {ends}"))
    return _Word(missing=_never_gated(first, wave, window))


def _by_gates(
    case: ScheduleCase, window: Window, first: Instance, gates: list[SealedGate]
) -> _Word:
    """The last gate up to the opening speaks; without one, the first later one shows the order."""
    in_time = [gate for gate in gates if gate.at <= window.start]
    gate = in_time[-1] if in_time else gates[0]
    when, word = format_instant(gate.at), gate.decision[first.name]
    if first.name in gate.closed and in_time:
        return _Word(
            shown=f"{first.name} was closed in {gate.wave} by the gate of {when} ({gate.run})"
        )
    later = next((g for g in gates if g.at > window.start and first.name in g.closed), None)
    if later is not None:
        return _Word(finding=_closed_late(first, window, format_instant(later.at), later.wave))
    if word != "NO-GO" and case.at < window.start:
        return _Word(missing=_not_closed_yet(first, gate, window))
    state = "NO-GO" if word == "NO-GO" else f"{word}, not closed"
    return _Word(
        finding=_not_first(
            first, case, f"is not closed: its last gate ({gate.wave}, {when}) is {state}", state
        )
    )


def _by_claim(window: Window, first: Instance, wave: Wave, claim: Closed) -> _Word:
    when = format_instant(claim.at)
    if claim.at > window.start:
        return _Word(finding=_closed_late(first, window, when, wave.name))
    said = (
        f"{first.name} was closed in {wave.name} on {when}: a claim of the estate file, "
        f"approved by {claim.approved_by} ({claim.reference}), not proven by a sealed gate"
    )
    return _Word(shown=said, claim=said)


def _not_first(
    first: Instance, case: ScheduleCase, state: str, after: str = "not moved"
) -> Finding:
    return Finding(
        rule="production-before-stage",
        subject=f"instance:{first.name}",
        expected=f"{first.name} ({first.environment}) is closed before production of "
        f"{first.customer} moves",
        observed=f"{first.name}: {state}",
        explanation=f"{case.instance.name} moves too early: {first.name} {state}",
        witness=(first.name, after),
        after=after,
    )


def _closed_late(first: Instance, window: Window, when: str, wave: str) -> Finding:
    opening = format_instant(window.start)
    return Finding(
        rule="closed-after-opening",
        subject=f"instance:{first.name}",
        expected=f"{first.name} ({first.environment}) is closed before {opening}",
        observed=f"{first.name} was closed in {wave} on {when}",
        explanation=f"{first.name} was closed {when}, after production's window opened {opening}",
        witness=(first.name, when, opening),
        after="closed after the opening",
    )


def _never_gated(first: Instance, wave: Wave, window: Window) -> Missing:
    return Missing(
        what=f"a sealed gate of wave {wave.name}: {first.name} moved in it, and the store has none",
        on=On.OPERATOR,
        rule="never-gated",
        subject=f"instance:{first.name}",
        settles_by=window.start,
        command=f"wavegate gate --wave {wave.name}",
    )


def _not_closed_yet(first: Instance, gate: SealedGate, window: Window) -> Missing:
    return Missing(
        what=f"wave {gate.wave} closed for {first.name}: its last gate is "
        f"{gate.decision[first.name]}, not closed",
        on=On.TIME,
        rule="not-closed-yet",
        subject=f"instance:{first.name}",
        settles_by=window.start,
        command=f"wavegate gate --wave {gate.wave}",
    )
