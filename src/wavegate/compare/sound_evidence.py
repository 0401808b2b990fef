# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sound_evidence`: the records judged are complete, signed, and from the right time and tool.

Also: `after` was taken after the move (the estate's sign of it is seen), and nobody bent what was
agreed in between.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wavegate.clock import format_instant
from wavegate.compare.clocks import skews
from wavegate.compare.notice import spell
from wavegate.compare.questions import not_asked_after
from wavegate.compare.scope import bears_sign, received_by
from wavegate.compare.senders import speaks_for
from wavegate.compare.waves import no_window
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.record.campaign_view import CampaignView
from wavegate.record.message import Received
from wavegate.record.observation import Observation
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Snapshot
from wavegate.record.stamp import Stamp, stamps_of
from wavegate.verdict import Finding, Judgement, Missing, NotCompared, On, inconclusive, judgement

PROMISE = "sound_evidence"
ONLY_MISSING = frozenset({"missing-object", "schema"})
"""Flaws that mean that something is not there or cannot be read; all others mean it is wrong."""
HARMLESS = frozenset({"torn-journal", "unsigned-journal"})
"""An end that was never acknowledged or signed: a writer at work, or a crash; it is a remark."""
SHOWN_AT_MOST = 5
ACCEPT = "wavegate nightly accept --by NAME --why TEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFlaw:
    """Something wrong that reading the records brought to light. record: its digest, or ""."""

    kind: str
    subject: str
    detail: str
    record: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPlan:
    """The plan that counts. agreed: digest of the agreed estate per customer."""

    version: int
    at: datetime
    agreed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCase:
    """What `sound_evidence` is judged on. agreed: the digest of the agreed estate in hand.

    nightly: before is an accepted baseline; plan, window, age, equal tools, the move, timestamps
    and the agreed estate do not bind it (design, "Nightly"). stamps: trusted timestamps over
    captures, as they say themselves.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    before: Chosen | None
    after: Chosen | None
    agreed: str
    plan: SignedPlan | None
    flaws: tuple[RecordFlaw, ...] = ()
    mail_before: tuple[Received, ...] = ()
    mail_after: tuple[Received, ...] = ()
    verified: frozenset[str] = field(default=frozenset())
    nightly: bool = False
    stamps: tuple[Stamp, ...] = ()


Said = Finding | Missing


def compare_sound_evidence(case: SoundCase) -> Judgement:
    """Judge `sound_evidence` for one instance."""
    window = case.wave.window
    if case.nightly:
        return _judged(case, _of_a_night(case))
    if window is None:
        return inconclusive(no_window(case.wave))
    return _judged(case, _of_a_wave(case, window))


def _of_a_wave(case: SoundCase, window: Window) -> Iterator[Said]:
    yield from _flaws(case)
    yield from _plan(case, window)
    yield from _presence(case, window)
    yield from _sides(case, window)
    yield from _both(case)
    yield from _tools(case)
    yield from _moved(case)
    yield from _clock(case)
    yield from _timestamps(case, window)


def _of_a_night(case: SoundCase) -> Iterator[Said]:
    yield from _flaws(case)
    if case.before is None:
        what = f"an accepted look at {case.instance.name}: nothing of it was accepted yet"
        yield _gap("no-before", _self(case), what, command=ACCEPT)
    if case.after is None:
        what = f"a look at {case.instance.name} in this night"
        yield _gap("no-after", _self(case), what, command="wavegate nightly")
    for chosen in _chosen(case):
        yield from _complete(case, chosen)
        yield from _kinds(case, chosen)
    yield from _both(case)
    yield from _clock(case)


def _judged(case: SoundCase, items: Iterable[Said]) -> Judgement:
    said = tuple(items)
    return judgement(
        findings=[item for item in said if isinstance(item, Finding)],
        missing=[item for item in said if isinstance(item, Missing)],
        not_compared=_left_out(case),
        shown=_shown(case),
        could_hide=_could_hide(case),
        records=tuple(digest for chosen in _chosen(case) for digest in chosen.used),
        remarks=_remarks(case),
    )


def _chosen(case: SoundCase) -> tuple[Chosen, ...]:
    return tuple(chosen for chosen in (case.before, case.after) if chosen is not None)


def _used(chosen: Chosen) -> tuple[Snapshot, ...]:
    """The records that went into what counts, as they were stored."""
    found = tuple(taken for taken in chosen.attempts if taken.digest in chosen.used)
    return found or (chosen.snapshot,)


def _finding(
    rule: str,
    subject: str,
    expected: str,
    observed: str,
    *witness: str,
    before: str | None = None,
    after: str | None = None,
    records: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        rule=rule,
        subject=subject,
        expected=expected,
        observed=observed,
        explanation=observed,
        witness=witness,
        before=before,
        after=after,
        records=records,
    )


def _gap(rule: str, subject: str, what: str, **more: object) -> Missing:
    """What is missing, as a rule on the operator."""
    on = more.get("on", On.OPERATOR)
    command, settles = more.get("command"), more.get("settles_by")
    return Missing(
        what=what,
        on=on if isinstance(on, On) else On.OPERATOR,
        rule=rule,
        subject=subject,
        command=command if isinstance(command, str) else None,
        settles_by=settles if isinstance(settles, datetime) else None,
    )


def _self(case: SoundCase) -> str:
    return f"instance:{case.instance.name}"


# What reading the records brought to light


def _flaws(case: SoundCase) -> Iterator[Said]:
    for flaw in case.flaws:
        detail = f"{flaw.subject}: {flaw.detail}"
        if flaw.kind in HARMLESS:
            continue
        if flaw.kind in ONLY_MISSING:
            yield _gap(f"record-{flaw.kind}", flaw.subject, detail)
        else:
            witness = (flaw.subject, *([flaw.record] if flaw.record else []))
            yield _finding(
                f"record-{flaw.kind}",
                flaw.subject,
                "every record is whole, signed by a trusted key and in its place",
                detail,
                *witness,
                after=flaw.kind,
                records=(flaw.record,) if flaw.record else (),
            )


# The plan and what was agreed


def _plan(case: SoundCase, window: Window) -> Iterator[Said]:
    name, plan = case.wave.name, case.plan
    if plan is None:
        yield _gap(
            "no-plan",
            f"wave:{name}",
            f"a signed plan of wave {name}",
            command="wavegate plan",
            settles_by=window.start,
        )
    elif plan.at > window.start:
        when, opening = format_instant(plan.at), format_instant(window.start)
        yield _finding(
            "plan-after-opening",
            f"wave:{name}",
            f"the plan is signed before the window opens ({opening})",
            f"plan version {plan.version} was signed {when}, after the opening {opening}",
            when,
            opening,
        )
    yield from _agreed(case)


def _agreed(case: SoundCase) -> Iterator[Said]:
    """One digest of what was agreed, in plan, captures and hand."""
    digests = {"the estate in hand": case.agreed}
    if case.plan is not None:
        digests["the plan"] = case.plan.agreed.get(case.instance.customer, "none")
    for label, chosen in (("before", case.before), ("after", case.after)):
        if chosen is not None:
            digests[label] = chosen.snapshot.estate
    if len(set(digests.values())) > 1:
        parts = "; ".join(f"{label}: {digest[:16]}" for label, digest in digests.items())
        yield _finding(
            "agreed-estate-changed",
            f"customer:{case.instance.customer}",
            "plan, captures and gate rest on one agreed estate",
            f"what was agreed was changed in between: {parts}",
            *sorted(set(digests.values())),
            before=digests.get("before"),
            after=case.agreed,
        )


# Presence and the right side of the window


def _presence(case: SoundCase, window: Window) -> Iterator[Said]:
    name = case.instance.name
    if case.before is None:
        yield _gap(
            "no-before",
            _self(case),
            f"a snapshot of {name} from before the window (DNS, Campaign); none can follow it",
            command="wavegate capture --phase before",
            settles_by=window.start,
        )
    if case.after is None:
        yield _gap(
            "no-after",
            _self(case),
            f"a snapshot of {name} from after the window",
            command="wavegate capture --phase after",
        )


def _sides(case: SoundCase, window: Window) -> Iterator[Said]:
    if case.before is not None:
        yield from _complete(case, case.before)
        yield from _kinds(case, case.before)
        late = [o for o in case.before.snapshot.observations if _end(o) > window.start]
        yield from _wrong_side(case.before, late, f"after the opening {_text(window.start)}")
        yield from _age(case, case.before, window)
    if case.after is not None:
        yield from _complete(case, case.after)
        early = [o for o in case.after.snapshot.observations if o.at < window.end]
        yield from _wrong_side(case.after, early, f"before the close {_text(window.end)}")


def _text(instant: datetime) -> str:
    return format_instant(instant)


def _end(observation: Observation) -> datetime:
    return observation.at + timedelta(microseconds=observation.took_us)


def _complete(case: SoundCase, chosen: Chosen) -> Iterator[Said]:
    taken = chosen.snapshot
    if not taken.complete:
        yield _gap(
            "incomplete",
            _self(case),
            f"a complete {taken.phase} capture of {taken.instance}: this one was cut short",
            command=f"wavegate capture --phase {taken.phase}",
        )
    for record in _used(chosen):
        if record.forced:
            yield _finding(
                "forced",
                record.digest or _self(case),
                f"{record.phase} is captured on its side of the window",
                f"the {record.phase} capture of {record.instance} was forced "
                f"({_text(record.began)} to {_text(record.ended)})",
                record.digest,
                _text(record.began),
                after="forced",
                records=(record.digest,),
            )


def _kinds(case: SoundCase, chosen: Chosen) -> Iterator[Said]:
    """A capture without any DNS or, where there is a url, Campaign observation is no state."""
    kinds = {observation.kind for observation in chosen.snapshot.observations}
    wanted = {"DNS": {"dns"}} | ({"Campaign": {"http", "soap"}} if case.instance.url else {})
    for label, any_of in wanted.items():
        if not kinds & any_of:
            yield _gap(
                "nothing-observed",
                _self(case),
                f"{label} observations of {case.instance.name} {chosen.snapshot.phase} the window",
                command=f"wavegate capture --phase {chosen.snapshot.phase}",
            )


def _wrong_side(chosen: Chosen, wrong: list[Observation], side: str) -> Iterator[Said]:
    if not wrong:
        return
    taken = chosen.snapshot
    first = wrong[:SHOWN_AT_MOST]
    named = "; ".join(f"{o.subject} at {_text(o.at)}" for o in first)
    yield _finding(
        "wrong-side-of-window",
        taken.digest or f"instance:{taken.instance}",
        f"every observation of {taken.phase} is on its side of the window",
        f"{len(wrong)} of {len(taken.observations)} observations of {taken.phase} were made "
        f"{side}: {named}",
        taken.digest,
        *(part for o in first for part in (o.subject, _text(o.at))),
        after=f"{taken.phase} on the wrong side",
        records=(taken.digest,),
    )


def _age(case: SoundCase, chosen: Chosen, window: Window) -> Iterator[Said]:
    age, most = window.start - chosen.snapshot.ended, case.estate.policy.before_max_age
    if age > most:
        yield _gap(
            "baseline-too-old",
            _self(case),
            f"a younger before snapshot: this one was {spell(age)} old at the opening, "
            f"at most {spell(most)} is agreed; none can follow",
            command="wavegate capture --phase before",
            settles_by=window.start,
        )


# Both sides together


def _both(case: SoundCase) -> Iterator[Said]:
    if case.before is None or case.after is None:
        return
    yield from _same_record(case.before, case.after)
    lost = not_asked_after(case.before.snapshot, case.after.snapshot)
    if lost:
        shown = ", ".join(lost[: SHOWN_AT_MOST * 4])
        more = f" and {len(lost) - SHOWN_AT_MOST * 4} more" if len(lost) > 20 else ""
        yield _gap(
            "asked-less-after",
            _self(case),
            f"answers after to {len(lost)} questions that were asked before: {shown}{more}",
            command="wavegate capture --phase after",
        )


def _same_record(before: Chosen, after: Chosen) -> Iterator[Said]:
    for digest in sorted(set(before.used) & set(after.used) - {""}):
        yield _finding(
            "same-record-both-phases",
            digest,
            "before and after are two records",
            f"record {digest} stands for before and after",
            digest,
            records=(digest,),
        )


def _tools(case: SoundCase) -> Iterator[Said]:
    tools = {(s.tool.version, s.tool.source) for c in _chosen(case) for s in _used(c)}
    if len(tools) > 1:
        versions = sorted({version for version, _ in tools})
        named = " and ".join(versions) if len(versions) > 1 else f"{versions[0]}, changed sources"
        yield _gap(
            "tool-differs",
            _self(case),
            f"captures by one tool version: these were taken by {named}, which may see otherwise",
        )


# The move itself, the clock, trusted time


def _moved(case: SoundCase) -> Iterator[Said]:
    """Rule 12: nothing moved is not a pass."""
    if case.instance.moved_when is None or case.after is None:
        return
    name = case.instance.name
    old = [m for m in case.mail_before if _counts(case, m) and bears_sign(case.instance, m)]
    mine = [m for m in case.mail_after if _counts(case, m)]
    if old:
        what = f"another sign of the move: {name} showed this one before the window already"
        yield _gap("sign-seen-before", _self(case), what)
    elif not any(bears_sign(case.instance, mail) for mail in mine):
        hosts = sorted({host for mail in mine for host in received_by(mail)[-1:]})
        seen = f"its mail still comes by the old site: {', '.join(hosts[:SHOWN_AT_MOST])}"
        state = seen if mine else "no mail of it arrived after the window"
        yield _gap("move-not-seen", _self(case), f"the sign that {name} moved: {state}")


def _counts(case: SoundCase, mail: Received) -> bool:
    return speaks_for(case.instance, mail, case.verified)


def _clock(case: SoundCase) -> Iterator[Said]:
    tolerance = case.estate.policy.clock_tolerance
    for chosen in _chosen(case):
        for skew in skews(chosen.snapshot, CampaignView(chosen.snapshot)):
            if abs(skew.least) > tolerance:
                side = "ahead of" if skew.least > timedelta() else "behind"
                seconds = round(abs(skew.least).total_seconds())
                yield _gap(
                    "clock-skew",
                    f"clock:{skew.source}",
                    f"clocks that agree: {skew.source} is {seconds} s {side} ours in "
                    f"{chosen.snapshot.phase} (at most {spell_seconds(tolerance)} is agreed), so "
                    "that the edges of the window cannot be told",
                    on=On.US,
                )


def spell_seconds(length: timedelta) -> str:
    """`5 s`."""
    return f"{length.total_seconds():g} s"


def _timestamps(case: SoundCase, window: Window) -> Iterator[Said]:
    """What trusted timestamps bear out, what they contradict, and which are missing."""
    demand = case.estate.policy.timestamps_for(case.instance.environment)
    for chosen in _chosen(case):
        for taken in _used(chosen):
            stamps = stamps_of(taken, case.stamps)
            yield from _stamped_early(case, taken, stamps)
            if any(_supports(stamp, taken, window) for stamp in stamps):
                continue
            wrong = [s for s in stamps if s.contradicts(taken.phase, window.start, window.end)]
            if wrong and (demand == "required" or taken.phase == "after"):
                yield _stamped_wrong(taken, wrong[0], window)
            elif demand == "required":
                yield _unstamped(case, taken, window)


def _supports(stamp: Stamp, taken: Snapshot, window: Window) -> bool:
    return stamp.supports(taken.phase, window.start, window.end)


def _stamped_early(
    case: SoundCase, taken: Snapshot, stamps: tuple[Stamp, ...]
) -> Iterator[Missing]:
    """A token from before the capture had ended, by our clock: one of the clocks is wrong."""
    for stamp in stamps:
        if stamp.latest + case.estate.policy.clock_tolerance < taken.ended:
            yield _gap(
                "clock-skew",
                f"clock:{stamp.authority}",
                f"clocks that agree: {stamp.authority} saw {taken.phase} at {_text(stamp.at)}, "
                f"which ended at {_text(taken.ended)} by our clock",
                on=On.US,
            )


def _stamped_wrong(taken: Snapshot, stamp: Stamp, window: Window) -> Finding:
    before = taken.phase == "before"
    side = "before the opening" if before else "after the close"
    edge = _text(window.start if before else window.end)
    return _finding(
        "timestamp-wrong-side",
        taken.digest or f"instance:{taken.instance}",
        f"a trusted timestamp of {taken.phase} lies {side} {edge}",
        f"{stamp.authority} saw record {taken.digest[:16]} at {_text(stamp.at)}, not {side} {edge}",
        taken.digest,
        _text(stamp.at),
        after=f"{taken.phase} stamped on the wrong side",
        records=(taken.digest,) if taken.digest else (),
    )


def _unstamped(case: SoundCase, taken: Snapshot, window: Window) -> Missing:
    before = taken.phase == "before"
    edge = _text(window.start if before else window.end)
    side = (
        f"before {edge}; none can follow"
        if before and case.at >= window.start
        else (f"{'before' if before else 'after'} {edge}")
    )
    return _gap(
        "no-timestamp",
        _self(case),
        f"a token for {taken.digest or taken.phase} with genTime {side}",
        command=f"wavegate capture --phase {taken.phase}",
        settles_by=window.start if before else None,
    )


# What the report says besides


def _left_out(case: SoundCase) -> Iterable[NotCompared]:
    found = {(item.what, item.reason): None for c in _chosen(case) for item in c.snapshot.left_out}
    return [NotCompared(what=what, reason=reason) for what, reason in found]


def _shown(case: SoundCase) -> str:
    parts = [
        f"{c.snapshot.phase} {c.snapshot.digest[:16]} (capture {c.snapshot.sequence}, "
        f"ended {_text(c.snapshot.ended)})"
        for c in _chosen(case)
    ]
    if case.nightly:
        return f"signed and whole: {', '.join(parts)}"
    return f"signed, whole and on its side of the window: {', '.join(parts)}"


def _remarks(case: SoundCase) -> Iterator[str]:
    if case.instance.moved_when is None and not case.nightly:
        yield "the move itself was not checked: the estate names no sign of it (moved_when)"
    for chosen in _chosen(case):
        taken = chosen.snapshot
        if len(chosen.attempts) > 1 and not case.nightly:
            yield (
                f"{len(chosen.attempts)} {taken.phase} captures; capture {taken.sequence} counts, "
                f"{chosen.filled} silences were filled from others"
            )
        if chosen.fix:
            yield f"{taken.phase} was captured again after {chosen.fix}"
    yield from (f"{f.subject}: {f.detail}" for f in case.flaws if f.kind in HARMLESS)
    yield _time(case)


def _times(case: SoundCase) -> tuple[Stamp, ...]:
    """A token that bears out each capture used; () where one has none."""
    window = case.wave.window
    found = []
    for taken in (taken for chosen in _chosen(case) for taken in _used(chosen)):
        stamps = stamps_of(taken, case.stamps)
        good = [s for s in stamps if window is None or _supports(s, taken, window)]
        if not good:
            return ()
        found.append(min(good, key=lambda stamp: stamp.latest))
    return tuple(found)


def _time(case: SoundCase) -> str:
    times = _times(case)
    if not times:
        return "time by our clock only"
    told = "; ".join(f"{s.record[:16]} by {_text(s.at)} ({s.authority})" for s in times)
    return f"trusted timestamps say that these records existed: {told}"


def _could_hide(case: SoundCase) -> str:
    if _times(case):
        return (
            "a timestamp authority that is none: `wavegate verify --tsa-root FILE` follows its "
            "signature to a root"
        )
    return (
        "a clock of ours that was wrong where nothing told us the time: the instants are ours, "
        "without a trusted timestamp"
    )
