# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of judging: verdicts, findings, what is missing, what was cleared.

All of it is frozen data. A comparison returns one `Judgement`; nothing here looks at the world.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wavegate.canonical import digest, dumps

CAUSE_DOMAIN = "wavegate-cause-v1"
FOR_OPERATOR = "operator: "
"""How a remark begins that no customer's extract may hold: it names another customer's instance."""


class Verdict(StrEnum):
    """What can be said of one promise for one instance, worst first."""

    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    PASSED = "PASSED"
    NOT_APPLICABLE = "NOT_APPLICABLE"

    @property
    def badness(self) -> int:
        """0 for the best, 3 for the worst: a cell takes the worst of its tests."""
        return len(Verdict) - 1 - list(Verdict).index(self)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; of none, INCONCLUSIVE: empty is never a pass."""
    found = list(verdicts)
    return max(found, key=lambda v: v.badness) if found else Verdict.INCONCLUSIVE


class On(StrEnum):
    """Who or what can settle something that is missing."""

    US = "us"
    OPERATOR = "operator"
    CUSTOMER = "customer"
    RECEIVER = "receiver"
    TIME = "time"


def cause(
    promise: str, rule: str, subject: str, before: str | None = None, after: str | None = None
) -> str:
    """The id that equal causes share over instances (design, "Finding").

    SHA-256 of the canonical `["wavegate-cause-v1", promise, rule, subject, before, after]`.
    """
    return digest(dumps([CAUSE_DOMAIN, promise, rule, subject, before, after]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One judged difference.

    rule: kebab-case name of the rule that convicted. subject: the smallest thing that differs and
    can be shared (owner name + type, address, server, host, key), or `instance:<name>`.
    before, after: its normalised state, None where there is none; never a count, an instant, a
    message id or a measured number. expected, observed, explanation: sentences for a person.
    witness: normalised strings, the smallest facts that show the difference. records: digests.
    """

    rule: str
    subject: str
    expected: str
    observed: str
    explanation: str
    witness: tuple[str, ...] = ()
    before: str | None = None
    after: str | None = None
    records: tuple[str, ...] = ()

    def cause(self, promise: str) -> str:
        """The cause of this finding under a promise."""
        return cause(promise, self.rule, self.subject, self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What would settle an INCONCLUSIVE: what, how many, on whom, until when, by which command."""

    what: str
    on: On
    rule: str
    subject: str
    count: int | None = None
    settles_by: datetime | None = None
    command: str | None = None
    before: str | None = None
    after: str | None = None

    def cause(self, promise: str) -> str:
        """The cause of this gap under a promise, by the same formula as a finding's."""
        return cause(promise, self.rule, self.subject, self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A difference that a named rule explains; printed beside the verdict, never dropped."""

    rule: str
    subject: str
    before: str
    after: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCompared:
    """Something that was not compared, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one test says about one promise of one instance.

    Consistent by construction (ValueError otherwise): FAILED has findings, INCONCLUSIVE has
    missing items and no findings, PASSED says what was shown and what could hide,
    NOT_APPLICABLE has a reason. off_track: why an open cell cannot be left open, or None.
    remarks: advice and second readings that never change a verdict.
    """

    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    cleared: tuple[Cleared, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    shown: str | None = None
    could_hide: str | None = None
    off_track: str | None = None
    records: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.findings and self.verdict is not Verdict.FAILED:
            raise ValueError("findings make a judgement FAILED")
        if self.verdict is Verdict.FAILED and not self.findings:
            raise ValueError("FAILED without a finding")
        if self.verdict is Verdict.INCONCLUSIVE and not self.missing:
            raise ValueError("INCONCLUSIVE without what is missing")
        if self.verdict is Verdict.PASSED and self.missing:
            raise ValueError("PASSED although something is missing")
        if self.verdict is Verdict.PASSED and not (self.shown and self.could_hide):
            raise ValueError("PASSED must say what was shown and what could hide")
        if not self.reason:
            raise ValueError("a judgement without a reason")


def judgement(
    *,
    reason: str | None = None,
    findings: Iterable[Finding] = (),
    missing: Iterable[Missing] = (),
    cleared: Iterable[Cleared] = (),
    not_compared: Iterable[NotCompared] = (),
    shown: str,
    could_hide: str,
    off_track: str | None = None,
    records: Iterable[str] = (),
    remarks: Iterable[str] = (),
) -> Judgement:
    """The judgement that the evidence forces: findings fail, gaps make inconclusive, else PASSED.

    reason defaults to the first finding's explanation, the first gap, or what was shown.
    """
    found, gaps = tuple(findings), tuple(missing)
    if found:
        verdict, why = Verdict.FAILED, found[0].explanation
    elif gaps:
        verdict, why = Verdict.INCONCLUSIVE, gaps[0].what
    else:
        verdict, why = Verdict.PASSED, shown
    return Judgement(
        verdict=verdict,
        reason=reason or why,
        findings=found,
        missing=gaps,
        cleared=tuple(cleared),
        not_compared=tuple(not_compared),
        shown=shown if verdict is Verdict.PASSED else None,
        could_hide=could_hide if verdict is Verdict.PASSED else None,
        off_track=off_track,
        records=tuple(records),
        remarks=tuple(remarks),
    )


def not_applicable(reason: str) -> Judgement:
    """A promise that does not apply here, with its reason."""
    return Judgement(verdict=Verdict.NOT_APPLICABLE, reason=reason)


def inconclusive(
    *missing: Missing,
    not_compared: Iterable[NotCompared] = (),
    off_track: str | None = None,
) -> Judgement:
    """A judgement that could not be made, and what would settle it."""
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=missing[0].what,
        missing=missing,
        not_compared=tuple(not_compared),
        off_track=off_track,
    )
