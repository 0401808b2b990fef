# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What differs between what was accepted and a look, cause by cause, and on which answers it rests.

Pure: the comparisons of the nightly's suites on one dossier. An answer is what one question about
one subject got; a cause rests on the fewest subjects whose new answers make it go away.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from wavegate.compare.build_version import compare_build_version
from wavegate.compare.dkim import compare_dkim
from wavegate.compare.dmarc import compare_dmarc
from wavegate.compare.nothing_else_changed import compare_nothing_else_changed
from wavegate.compare.reverse_dns import compare_reverse_dns
from wavegate.compare.sending_ips import compare_sending_ips
from wavegate.compare.spf import compare_spf
from wavegate.evidence.dossier import Dossier
from wavegate.record.observation import Observation, Unreachable
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Snapshot
from wavegate.testing import CannotTell, Case, File, Side
from wavegate.verdict import Finding, Judgement

MAIL = "mail"
"""Stands for all mails of a side, as a subject."""
Judge = Callable[[Side, Side, Case], Judgement]
JUDGES: Mapping[str, Judge] = {
    "sending_ips": lambda a, b, c: compare_sending_ips(a.sending_ips, b.sending_ips, c.terms),
    "reverse_dns": lambda a, b, _: compare_reverse_dns(a.reverse_dns, b.reverse_dns),
    "spf": lambda a, b, _: compare_spf(a.spf, b.spf),
    "dkim": lambda a, b, _: compare_dkim(a.dkim, b.dkim),
    "dmarc": lambda a, b, _: compare_dmarc(a.dmarc, b.dmarc),
    "build_version": lambda a, b, _: compare_build_version(a.build, b.build),
    "nothing_else_changed": lambda a, b, _: compare_nothing_else_changed(a.residue, b.residue),
}
"""As the suites call them; `sound_evidence` is about records, which nobody accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One finding of a look against what was accepted."""

    promise: str
    finding: Finding

    @property
    def cause(self) -> str:
        """Its cause."""
        return self.finding.cause(self.promise)


def differences(
    dossier: Dossier, promises: Iterable[str] = tuple(JUDGES)
) -> tuple[Difference, ...]:
    """What a dossier's look differs in, each cause once."""
    file = File(dossier)
    before, after, case = Side(file, "before"), Side(file, "after"), Case(file)
    found: dict[str, Difference] = {}
    for promise in promises:
        try:
            judged = JUDGES[promise](before, after, case)
        except CannotTell:
            continue  # there is no before or no after
        for finding in judged.findings:
            one = Difference(promise=promise, finding=finding)
            found.setdefault(one.cause, one)
    return tuple(found.values())


def subjects(dossier: Dossier) -> tuple[str, ...]:
    """The subjects whose answers are others now; mail counts as one."""
    if dossier.before is None or dossier.after is None:
        return ()
    old, new = _by_subject(dossier.before.snapshot), _by_subject(dossier.after.snapshot)
    found = [name for name in dict.fromkeys((*old, *new)) if _said(old, name) != _said(new, name)]
    return (*found, MAIL)


def accepting(dossier: Dossier, names: Iterable[str]) -> Dossier:
    """The dossier as it would be, had the new answers of some subjects been accepted."""
    if dossier.before is None or dossier.after is None:
        return dossier
    chosen = set(names)
    old, new = dossier.before.snapshot, dossier.after.snapshot
    kept = [seen for seen in old.observations if seen.subject not in chosen]
    taken = [seen for seen in new.observations if seen.subject in chosen]
    before = replace(old, observations=(*kept, *taken))
    return replace(
        dossier,
        before=Chosen(snapshot=before, used=dossier.before.used, attempts=(before,)),
        mail_before=dossier.mail_after if MAIL in chosen else dossier.mail_before,
    )


def resting_on(dossier: Dossier, difference: Difference) -> tuple[str, ...] | None:
    """The fewest subjects whose new answers make a cause go; None where no answer does.

    One alone where one suffices; else all that are other, less those that are not needed.
    """
    pool = subjects(dossier)

    def gone(names: Iterable[str]) -> bool:
        left = differences(accepting(dossier, names), (difference.promise,))
        return all(_place(found) != _place(difference) for found in left)

    single = next((name for name in _likely(pool, difference) if gone((name,))), None)
    if single is not None:
        return (single,)
    if not gone(pool):
        return None
    needed = list(pool)
    for name in pool:
        fewer = [other for other in needed if other != name]
        if gone(fewer):
            needed = fewer
    return tuple(needed)


def _place(found: Difference) -> tuple[str, str]:
    """What convicts of what: another state in the same place is the same trouble."""
    return found.finding.rule, found.finding.subject


def _likely(pool: tuple[str, ...], difference: Difference) -> list[str]:
    """The subjects, those first that the finding itself names."""
    named = difference.finding.subject.lower()
    return sorted(pool, key=lambda name: name.rstrip(".").lower() not in named)


Answers = dict[str, list[Observation]]


def _by_subject(snapshot: Snapshot) -> Answers:
    found: Answers = {}
    for seen in snapshot.observations:
        found.setdefault(seen.subject, []).append(seen)
    return found


def _said(answers: Answers, name: str) -> list[tuple[object, object]]:
    return sorted(((seen.identity, repr(seen.outcome)) for seen in answers.get(name, ())), key=str)


def with_old_answers(new: Snapshot, old: Snapshot | None) -> tuple[Snapshot, int]:
    """A look in which silence is filled with what was accepted; how many silences were filled."""
    if old is None:
        return new, 0
    known = {s.identity: s for s in old.observations if not isinstance(s.outcome, Unreachable)}
    filled = [
        known.get(seen.identity, seen) if isinstance(seen.outcome, Unreachable) else seen
        for seen in new.observations
    ]
    count = sum(one is not other for one, other in zip(filled, new.observations, strict=True))
    return replace(new, observations=tuple(filled)), count
