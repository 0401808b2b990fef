# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb ready: may the window open? The gate's decision, asked of the before side alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from wavegate import clock
from wavegate.compare.coverage import messages_needed
from wavegate.compare.sound_evidence import HARMLESS
from wavegate.compare.throughput_baseline import baseline
from wavegate.decision import EXIT_CODES, Word
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.shelf import Shelf, open_shelf
from wavegate.evidence.trust import Trust
from wavegate.record.observation import Unreachable
from wavegate.record.rates import read_history
from wavegate.record.stamp import stamps_of
from wavegate.run.foresight import foresee
from wavegate.run.opening import Opened, gates_of
from wavegate.verdict import Verdict

CAPTURE = "wavegate capture --phase before"
TOO_LATE = "none any more: judge by what there is, or plan another wave"
LONGER = (
    "send under load for longer, then `wavegate capture --phase before` again; else a later window "
    "or an approved limit"
)
PPM = 1_000_000
BY_ESTATE = ("scope", "schedule", "notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. word: GO where it is ready. cure: what would make it so."""

    instance: str
    promise: str
    word: Word
    what: str
    cure: str | None = None

    def to_json(self) -> dict[str, object]:
        """The row of `ready --json`."""
        return {
            "instance": self.instance,
            "promise": self.promise,
            "word": str(self.word),
            "what": self.what,
            "cure": self.cure,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the window may open, and what was looked at, worst first."""

    wave: str
    at: datetime
    checks: tuple[Check, ...]

    @property
    def word(self) -> Word:
        """The worst of the checks; of none, HOLD."""
        words = [check.word for check in self.checks]
        return min(words, key=list(Word).index, default=Word.HOLD)

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 3 HOLD."""
        return EXIT_CODES[self.word]

    def to_json(self) -> dict[str, object]:
        """The object of `ready --json`."""
        rows = [check.to_json() for check in self.checks]
        at = clock.format_instant(self.at)
        return {"wave": self.wave, "at": at, "decision": str(self.word), "checks": rows}

    def text(self) -> str:
        """The word first, then what keeps the window shut, then how much is ready."""
        lines = [f"{self.word}: may the window of {self.wave} open?"]
        for check in self.checks:
            if check.word is not Word.GO:
                lines.append(f"  {check.word:6} {check.promise}[{check.instance}] {check.what}")
                lines += [f"         cure: {check.cure}"] if check.cure else []
        ready = sum(check.word is Word.GO for check in self.checks)
        return "\n".join([*lines, f"  {ready} of {len(self.checks)} checks are ready"])


def ready(opened: Opened, trust: Trust) -> Readiness:
    """Look at the before side of every instance of the wave."""
    at = clock.now()
    shelf = open_shelf(opened.store, opened.estate, opened.wave, trust, at)
    checks = [*_opening(opened, at), *_plan(opened, shelf), *_agreed(opened, shelf, at)]
    for instance in opened.instances:
        checks += _instance(shelf, shelf.dossier(instance.name))
    if at >= opened.window.start:
        checks = [replace(check, cure=TOO_LATE if check.cure else None) for check in checks]
    rank = list(Word)
    ordered = tuple(sorted(checks, key=lambda check: rank.index(check.word)))
    return Readiness(wave=opened.wave.name, at=at, checks=ordered)


def _opening(opened: Opened, at: datetime) -> Iterator[Check]:
    if at >= opened.window.start:
        opening, close = map(clock.format_instant, (opened.window.start, opened.window.end))
        over = at >= opened.window.end
        what = f"the window is over, it ended at {close}" if over else f"it opened at {opening}"
        yield _hold("-", "sound_evidence", f"this is asked too late: {what}", "plan another wave")


def _plan(opened: Opened, shelf: Shelf) -> Iterator[Check]:
    if shelf.plan is None:
        yield _hold("-", "sound_evidence", "there is no signed plan", "wavegate plan")
    if not opened.instances:
        yield _hold("-", "scope", "no instance is left in the wave", "wavegate plan --restore")
    policy = opened.estate.policy
    for instance in opened.instances:
        if policy.timestamps_for(instance.environment) == "required" and not policy.tsa:
            what = "timestamps are required, and the policy names no tsa"
            yield _hold(instance.name, "sound_evidence", what, "policy: {tsa: [URL]}")


def _agreed(opened: Opened, shelf: Shelf, at: datetime) -> Iterator[Check]:
    cells = shelf.grid(BY_ESTATE)
    bad = foresee(opened, cells, gates_of(shelf), at)
    for row in bad:
        word = Word.NO_GO if row.verdict is Verdict.FAILED else Word.HOLD
        yield Check(instance=row.instance, promise=row.promise, word=word, what=row.reason)
    found = {(row.instance, row.promise) for row in bad}
    decided = [c for c in cells if c.promise in BY_ESTATE and not c.not_applicable]
    for cell in decided:
        if (cell.instance, cell.promise) not in found:
            yield _go(cell.instance, cell.promise, "as agreed")


def _instance(shelf: Shelf, dossier: Dossier) -> Iterator[Check]:
    mine = [c for c in shelf.grid(()) if c.instance == dossier.instance.name]
    judged = {cell.promise for cell in mine if cell.not_applicable is None}
    yield from _records(shelf, dossier)
    yield from _stamps(shelf, dossier)
    if "sending_ips" in judged:
        yield from _seeds(dossier)
    if "queued_mail" in judged:
        yield from _queue(dossier)
    if "throughput" in judged:
        yield from _baseline(shelf, dossier)
    if "availability_after" in judged:
        yield from _planned(dossier)


def _records(shelf: Shelf, dossier: Dossier) -> Iterator[Check]:
    name, chosen = dossier.instance.name, dossier.before
    for flaw in dossier.flaws:
        if flaw.kind not in HARMLESS:
            yield _hold(name, "sound_evidence", f"{flaw.subject}: {flaw.detail}", CAPTURE)
    if chosen is None:
        yield _hold(name, "sound_evidence", "there is no snapshot `before`", CAPTURE)
        return
    taken = chosen.snapshot
    silent = sum(isinstance(o.outcome, Unreachable) for o in taken.observations)
    if shelf.window.start - taken.ended > dossier.estate.policy.before_max_age:
        yield _hold(name, "sound_evidence", "`before` will be too old at the opening", CAPTURE)
    elif taken.estate != dossier.agreed:
        yield _hold(name, "sound_evidence", "the agreed estate changed since `before`", CAPTURE)
    elif not taken.complete or silent == len(taken.observations):
        yield _hold(name, "sound_evidence", "`before` is incomplete or heard nothing", CAPTURE)
    else:
        asked = len(taken.observations)
        yield _go(name, "sound_evidence", f"`before` holds {asked} answers, {silent} silent")


def _stamps(shelf: Shelf, dossier: Dossier) -> Iterator[Check]:
    """The trusted timestamps of `before`, where they are required and can be had."""
    name, policy, chosen = dossier.instance.name, dossier.estate.policy, dossier.before
    demand = policy.timestamps_for(dossier.instance.environment)
    if chosen is None or demand != "required" or not policy.tsa:
        return
    used = [taken for taken in chosen.attempts if taken.digest in chosen.used]
    for taken in used:
        found = stamps_of(taken, dossier.stamps)
        good = [s for s in found if s.supports("before", shelf.window.start, shelf.window.end)]
        if not good:
            opening = clock.format_instant(shelf.window.start)
            what = f"no token for capture {taken.sequence} with genTime before {opening}"
            yield _hold(name, "sound_evidence", what, CAPTURE)
        else:
            at = clock.format_instant(good[0].at)
            told = f"capture {taken.sequence} existed by {at}, says {good[0].authority}"
            yield _go(name, "sound_evidence", told)


def _seeds(dossier: Dossier) -> Iterator[Check]:
    instance, name = dossier.instance, dossier.instance.name
    if not dossier.mail_heard:
        sink = any(source.sink for source in instance.mail)
        cure = "wavegate sink" if sink else "wavegate collect"
        yield _hold(name, "sending_ips", "no mail source was heard", cure)
        return
    seen = {mail.peer for mail in dossier.mail_before}
    unseen = [ip for ip in instance.sending_ips if ip not in seen]
    if unseen:
        share = 1 / len(instance.sending_ips)
        alpha = dossier.estate.policy.coverage_alpha / PPM
        more = messages_needed([share] * len(unseen), alpha)
        what = f"{', '.join(unseen)} not seen in {len(dossier.mail_before)} mails"
        yield _hold(name, "sending_ips", what, f"{more} more seed mails before the opening")
    else:
        yield _go(name, "sending_ips", f"all {len(seen)} addresses seen")


def _queue(dossier: Dossier) -> Iterator[Check]:
    name = dossier.instance.name
    looks = [look for look in dossier.looks if look.moment == "before"]
    if any(look.complete for look in looks):
        yield _go(name, "queued_mail", f"the queue was listed {len(looks)} times")
    else:
        why = looks[-1].missing if looks else "nobody looked"
        yield _hold(name, "queued_mail", f"the queue is not listed: {why}", CAPTURE)


def _baseline(shelf: Shelf, dossier: Dossier) -> Iterator[Check]:
    name = dossier.instance.name
    snapshots = dossier.before.attempts if dossier.before else ()
    rates = read_history(snapshots, close=shelf.window.end)
    found = baseline(rates.before(shelf.window.start), dossier.estate.policy)
    hint = found.hint
    if hint:
        why = "".join(f"; {problem}" for problem in rates.problems[:1] if not found.units)
        yield _hold(name, "throughput", hint + why, LONGER)
    else:
        yield _go(name, "throughput", found.promises or "the baseline is long enough")


def _planned(dossier: Dossier) -> Iterator[Check]:
    name = dossier.instance.name
    if dossier.instance.planned:
        count = len(dossier.instance.planned)
        yield _go(name, "availability_after", f"{count} stops or load steps are planned")
    else:
        limit = f'limits: [{{promise: availability_after, instances: [{name}], reason: "..."'
        what = "nothing is planned that could show it"
        yield _hold(name, "availability_after", what, f'{limit}, approved_by: "..."}}]')


def _hold(instance: str, promise: str, what: str, cure: str | None) -> Check:
    return Check(instance=instance, promise=promise, word=Word.HOLD, what=what, cure=cure)


def _go(instance: str, promise: str, what: str) -> Check:
    return Check(instance=instance, promise=promise, word=Word.GO, what=what)
