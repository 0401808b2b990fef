# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`throughput`: sending is not slower than before, by more than the agreed margin.

Relay rate (the instance's own statistics), arrival rate (the receiving side, where it sees the
stream and not only seeds) and seed delay are judged apart, and the worse counts: with an Enhanced
MTA the instance's statistics end at the relay. Another instance's data never enter.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from wavegate.clock import format_duration, format_instant
from wavegate.compare.latency import RUNS, Latency, SeedRun, latencies
from wavegate.compare.statistics import (
    LEAST_UNITS,
    LOOKS,
    Ratio,
)
from wavegate.compare.throughput_looks import BASELINE_TOO_SHORT, Look, look
from wavegate.compare.throughput_sources import Disagreement, Heard, Sides, Spool, hear
from wavegate.compare.throughput_units import (
    LoadStep,
    Paired,
    Sorted,
    Span,
    pair,
    parts,
    sort_out,
    tried_again,
)
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.estate.policy import Policy
from wavegate.record.message import Received
from wavegate.record.rate_witnesses import Witnesses
from wavegate.record.rates import Bucket, Deferral, RateHistory, arrivals
from wavegate.verdict import (
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    Verdict,
    inconclusive,
    judgement,
)

PROMISE = "throughput"
PPM = 1_000_000
STREAM_SHARE = 0.5
"""The receiving side sees the stream if it counted so much of what was relayed before."""
HALVED = 0.5
"""A part (a domain, a size class) convicts when its rate surely halved; less may be its share."""
LEAST_FLOOR = 1e-6
"""A margin of 100 % allows everything; its floor still has a logarithm."""
BY_WHOM = "who-put-off"
RELAY, ARRIVAL = "relay rate", "arrival rate at the receiving side"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputCase:
    """What `throughput` of one instance is judged on.

    rates: read back at all captures of both phases. deferrals: temporary refusals in the logs.
    runs_before, runs_after: bursts of seeds; planned_runs: how many a side `plan --seeds` planned,
    0 where it planned none. since: from when after counts; the window's end unless a fix was made.
    witnesses: what other sources on the instance told of the rate.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    rates: RateHistory
    mail_before: tuple[Received, ...] = ()
    mail_after: tuple[Received, ...] = ()
    deferrals: tuple[Deferral, ...] = ()
    runs_before: tuple[SeedRun, ...] = ()
    runs_after: tuple[SeedRun, ...] = ()
    planned_runs: int = 0
    since: datetime | None = None
    witnesses: Witnesses = field(default_factory=Witnesses)

    @property
    def policy(self) -> Policy:
        """The agreed policy."""
        return self.estate.policy

    @property
    def subject(self) -> str:
        """The subject of what concerns the whole instance."""
        return f"instance:{self.instance.name}"

    @property
    def floor(self) -> float:
        """The least ratio that keeps the promise."""
        return max(LEAST_FLOOR, 1 - self.policy.throughput_margin / PPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One judged series: its name in words, its units, what was set aside, what the looks say.

    baseline: how many loaded units there are before, whether they have a counterpart or not.
    """

    name: str
    paired: Paired
    sorted_out: Sorted
    look: Look
    baseline: int


def compare_throughput(case: ThroughputCase) -> Judgement:
    """Judge `throughput` for one instance; INCONCLUSIVE before enough units is open until due."""
    window = case.wave.window
    if window is None:
        return inconclusive(_gap(case, "no-window", "a window: the wave names none"))
    span = Span(
        opening=window.start, close=case.since or window.end, unit=case.policy.throughput_unit
    )
    before, after = case.rates.before(span.opening), case.rates.after(span.close)
    if not before or not after:
        return _no_history(case, window, before, after)
    relay = _series(case, RELAY, before, after, span)
    arrived, not_seen = _arrival(case, before, after, span)
    series = [relay, *arrived]
    sides = Sides(before=before, after=after, deferrals=case.deferrals, span=span)
    heard = hear(case.witnesses, sides, case.floor)
    open_ones = [*_disagreements(case, heard), *_by_whom(case, relay, span)]
    withheld = RELAY if open_ones and _in_doubt(heard, open_ones) else ""
    findings = [f for one in series if one.name != withheld for f in _findings(case, one)]
    findings += [_spool(case, relay, heard.spool)] if heard.spool else []
    if not findings and not withheld:
        findings = [f for one in series for f in _parts(case, one, span)]
    late, delays, not_judged = _delays(case)
    gaps = [gap for one in series for gap in _gaps(case, one, span)]
    return judgement(
        findings=(*findings, *late),
        missing=(*open_ones, *gaps, *delays),
        not_compared=(*relay.sorted_out.set_aside, *not_seen, *heard.not_compared, *not_judged),
        shown="; ".join((*(_shown(one) for one in series), *heard.shown)),
        could_hide="; ".join(_could_hide(case, one) for one in series),
        off_track=None if findings or late else _off_track(case, window, series),
        records=case.rates.records,
        remarks=(*case.rates.problems, *_faster(series)),
    )


def _in_doubt(heard: Heard, open_ones: Sequence[Missing]) -> bool:
    """Whether a slower relay is not to be held against anybody: denied, or by whom is unknown."""
    denied = any(one.denies for one in heard.disagreements)
    return denied or any(gap.rule == BY_WHOM for gap in open_ones)


def _disagreements(case: ThroughputCase, heard: Heard) -> list[Missing]:
    """Sources that cannot both be right; which one is, the records do not tell."""
    return [_which(case, one) for one in heard.disagreements]


def _which(case: ThroughputCase, one: Disagreement) -> Missing:
    what = f"which source is right: {one.text}"
    return _gap(
        case, "sources-disagree", what, phase="after", subject=f"{case.subject} {one.source}"
    )


def _by_whom(case: ThroughputCase, relay: _Series, span: Span) -> list[Missing]:
    """A slow-down that stands on buckets full of repeated tries, whose replies nobody read."""
    kept = relay.sorted_out
    odd = tried_again(kept.before, kept.after)
    if relay.look.verdict is not Verdict.FAILED or not odd:
        return []
    calm = pair(kept.before, [b for b in kept.after if b not in odd], span)
    if look(calm.matched, case.floor).verdict is Verdict.FAILED:
        return []
    what = (
        f"who put mail off: in {len(odd)} of {len(kept.after)} loaded buckets far more tries "
        "failed or were repeated than before, and without them sending is not shown to be slower; "
        "no reply was read that names a receiver (watch reads them, or ask for the delivery logs)"
    )
    return [_gap(case, BY_WHOM, what, subject=f"{case.subject} {RELAY}")]


def _spool(case: ThroughputCase, relay: _Series, found: Spool) -> Finding:
    """Relayed as before, and less of it arrives: the log's feedback tells accepted from sent."""
    rate = relay.paired.observed or 0.0
    left = found.look.ratio
    level = rate * left.value if left else 0.0
    bounds = f"; {_interval(left)} of before" if left else ""
    return Finding(
        rule="arrival-slower",
        subject=f"{case.subject} {ARRIVAL}",
        expected=f"{rate:.0f} a minute arriving, as many as are relayed, at most "
        f"{1 - case.floor:.0%} less",
        observed=f"{level:.0f} a minute by the log's feedback{bounds}; {found.waiting} messages "
        "wait in the spool of the mail servers",
        explanation=f"the {ARRIVAL} is lower than the {RELAY}: mail is taken over as fast as "
        "before and delivered more slowly",
        witness=(two_digits(rate), two_digits(level), "receiving side"),
        after="slower",
        records=case.rates.records,
    )


def _series(
    case: ThroughputCase,
    name: str,
    before: Sequence[Bucket],
    after: Sequence[Bucket],
    span: Span,
) -> _Series:
    kept = sort_out(before, after, case.deferrals, span, _steps(case))
    paired = pair(kept.before, kept.after, span)
    baseline = pair(kept.before, kept.before, span).units[0]
    hopeless = Look(verdict=Verdict.INCONCLUSIVE, ratio=None, at=0, more=None)
    found = hopeless if baseline < LEAST_UNITS else look(paired.matched, case.floor)
    return _Series(name=name, paired=paired, sorted_out=kept, look=found, baseline=baseline)


def _steps(case: ThroughputCase) -> list[LoadStep]:
    return [
        LoadStep(text=p.load, since=p.at, until=p.at + p.length)
        for p in case.instance.planned
        if p.load is not None
    ]


def _arrival(
    case: ThroughputCase, before: Sequence[Bucket], after: Sequence[Bucket], span: Span
) -> tuple[list[_Series], list[NotCompared]]:
    """The receiving side's series, unless it sees only seeds, whose pace is their scheduler's."""
    old = _received(case.mail_before, before)
    new = _received(case.mail_after, after)
    relayed = sum(b.sent for b in before if any(b.start == seen.start for seen in old))
    counted = sum(b.sent for b in old)
    if not new or counted < STREAM_SHARE * max(1, relayed):
        why = f"it counted {counted} of {relayed} messages before: seeds, paced by their scheduler"
        return [], [NotCompared(what=ARRIVAL, reason=why)]
    return [_series(case, ARRIVAL, old, new, span)], []


def _received(mails: tuple[Received, ...], like: Sequence[Bucket]) -> tuple[Bucket, ...]:
    """Arrivals in the stretches through which the receiving side was surely listening."""
    if not mails:
        return ()
    first, last = min(m.ended for m in mails), max(m.ended for m in mails)
    return arrivals(mails, [b for b in like if b.start >= first and b.end <= last])


def _no_history(
    case: ThroughputCase, window: Window, before: Sequence[Bucket], after: Sequence[Bucket]
) -> Judgement:
    """No statistics of one side, or of none."""
    why = "; ".join(case.rates.problems[:3]) or "no capture asked for it"
    if not before:
        what = f"the rate history before the window: {why}"
        gaps = [_gap(case, "no-history-before", what, phase="after")]
    else:
        what = f"{LEAST_UNITS} units of sending after the window: none was read back yet"
        gaps = [_gap(case, "no-history-after", what, count=LEAST_UNITS, on=On.TIME, phase="after")]
    late = case.at > window.end + case.policy.throughput_unit
    return judgement(
        missing=gaps,
        shown="-",
        could_hide="-",
        off_track=f"no rate was read back: {why}" if late and not after else None,
        records=case.rates.records,
        remarks=case.rates.problems,
    )


def _gap(
    case: ThroughputCase,
    rule: str,
    what: str,
    *,
    count: int | None = None,
    on: On = On.OPERATOR,
    settles_by: datetime | None = None,
    phase: str | None = None,
    subject: str | None = None,
) -> Missing:
    return Missing(
        what=what,
        on=on,
        rule=rule,
        subject=subject or case.subject,
        count=count,
        settles_by=settles_by,
        command=f"wavegate capture --wave {case.wave.name} --phase {phase}" if phase else None,
    )


def _findings(case: ThroughputCase, one: _Series) -> Iterator[Finding]:
    found = one.look.ratio
    if one.look.verdict is not Verdict.FAILED or found is None:
        return
    rule = {"look": "slower", "decay": "decays", "wave night": "slower-at-once"}[one.look.how]
    base = (one.paired.observed or 0.0) / _overall(one).value
    last = math.exp(one.paired.matched.after[-1])
    level = base * (last if rule == "decays" else found.value)
    set_aside = one.sorted_out.burst
    burst = f"; the burst after the window ({set_aside:.0f}/min) is set aside" if set_aside else ""
    trend = ", falling from unit to unit: the trend's last level" if rule == "decays" else ""
    yield Finding(
        rule=rule,
        subject=f"{case.subject} {one.name}",
        expected=f"{one.name} of {base:.0f} a minute, at most {1 - case.floor:.0%} less",
        observed=f"{level:.0f} a minute{trend}; {_interval(found)} of before{burst}",
        explanation=f"the {one.name} is {_percent(found.value)} than before, beyond the agreed "
        f"margin of {1 - case.floor:.0%}",
        witness=(
            two_digits(base),
            two_digits(level),
            one.name,
            *(["burst set aside", two_digits(set_aside)] if set_aside else []),
            *(["trend"] if rule == "decays" else []),
        ),
        after="slower",
        records=case.rates.records,
    )


def _overall(one: _Series) -> Ratio:
    """The ratio over all units, without bounds."""
    mean = math.exp(math.fsum(one.paired.matched.after) / len(one.paired.matched.after))
    return Ratio(value=mean, low=mean, high=mean, alpha=1.0)


def _parts(case: ThroughputCase, one: _Series, span: Span) -> Iterator[Finding]:
    """Domains and size classes whose rate surely halved while the whole held."""
    kept = one.sorted_out
    names = parts(kept.before, kept.after)
    for name in names:
        paired = pair(kept.before, kept.after, span, name)
        found = look(paired.matched, HALVED, len(names))
        if found.verdict is not Verdict.FAILED or found.ratio is None or found.how != "look":
            continue
        base = (paired.observed or 0.0) / found.ratio.value
        yield Finding(
            rule="part-slower",
            subject=name,
            expected=f"about {base:.0f} a minute for {name}, as before under load",
            observed=f"{paired.observed or 0.0:.0f} a minute; {_interval(found.ratio)} of before",
            explanation=f"mail {name} is held back while the rest goes on",
            witness=(name, two_digits(base), two_digits(paired.observed or 0.0)),
            after="held back",
            records=case.rates.records,
        )


def _gaps(case: ThroughputCase, one: _Series, span: Span) -> Iterator[Missing]:
    """What would settle an open series."""
    if one.look.verdict is not Verdict.INCONCLUSIVE:
        return
    subject = f"{case.subject} {one.name}"
    kept = one.sorted_out
    if one.look.at == 0 and one.look.more is not None and not kept.only_backlog:
        yield _no_load(case, one, span, subject)
        return
    if one.look.more is None:
        yield _gap(case, "baseline-too-short", _too_short(one), subject=subject)
        return
    more = one.look.more
    backlog = "only the backlog burst was seen; " if kept.only_backlog else ""
    rule = "backlog-burst-only" if kept.only_backlog else "units-needed"
    beyond = f", more than the last planned look at {LOOKS[-1][0]}" if one.look.beyond else ""
    yield _gap(
        case,
        rule,
        f"{backlog}{more} more units of {format_duration(span.unit)} of loaded sending would "
        f"settle the {one.name}{beyond}{_so_far(one)}",
        count=more,
        on=On.TIME,
        settles_by=max(span.close + one.look.at * span.unit, case.at) + more * span.unit,
        phase="after",
        subject=subject,
    )


def _no_load(case: ThroughputCase, one: _Series, span: Span, subject: str) -> Missing:
    deferred = [n.reason for n in one.sorted_out.set_aside if "put mail off" in n.reason]
    if deferred:
        what = f"{LEAST_UNITS} units in which the receiver takes mail: {deferred[0]}"
        on, rule = On.RECEIVER, "receiver-defers"
    elif not one.sorted_out.unloaded and _steps_only(one.sorted_out):
        what = "units outside the planned load steps: nothing else was sent after the window yet"
        on, rule = On.TIME, "load-steps-only"
    elif one.sorted_out.after:
        what = "loaded hours like those before: no hour after has a counterpart before"
        on, rule = On.TIME, "no-like-hour"
    else:
        seen = one.sorted_out.unloaded
        what = f"no hour under load after the window: {seen} messages, none kept waiting"
        on, rule = On.TIME, "no-load"
    by = case.at + LEAST_UNITS * span.unit
    return _gap(
        case, rule, what, count=LEAST_UNITS, on=on, settles_by=by, phase="after", subject=subject
    )


def _steps_only(kept: Sorted) -> bool:
    return not kept.after and any("load step" in note.what for note in kept.set_aside)


def _too_short(one: _Series) -> str:
    return f"{BASELINE_TOO_SHORT} ({one.baseline} loaded units before, {one.name}{_so_far(one)})"


def _so_far(one: _Series) -> str:
    found = one.look.ratio
    return f"; so far {_interval(found)} of before over {one.look.at} units" if found else ""


def _off_track(case: ThroughputCase, window: Window, series: Sequence[_Series]) -> str | None:
    """Why an open cell cannot be left open: stale data, or a baseline that nothing cures."""
    unit = case.policy.throughput_unit
    newest = max(b.end for b in case.rates.buckets)
    if case.at > window.end + unit and case.at - newest > 2 * unit:
        return f"the newest rate is of {format_instant(newest)}: capture --phase after again"
    short = [one for one in series if one.look.more is None]
    return _too_short(short[0]) if short else None


def _delays(
    case: ThroughputCase,
) -> tuple[list[Finding], list[Missing], list[NotCompared]]:
    """Seed delay, where `plan --seeds` planned enough of it."""
    if case.planned_runs < RUNS:
        why = f"plan --seeds planned {case.planned_runs} runs a side; {RUNS} are needed"
        return [], [], [NotCompared(what="seed delay (p95)", reason=why)]
    ceiling = 1 + case.policy.latency_margin / PPM
    findings: list[Finding] = []
    missing: list[Missing] = []
    found = latencies(case.runs_before, case.runs_after)
    for one in found:
        verdict = one.interval.not_above(ceiling) if one.interval else Verdict.INCONCLUSIVE
        if verdict is Verdict.FAILED:
            findings.append(_late(case, one, ceiling))
        elif verdict is Verdict.INCONCLUSIVE:
            missing.append(_runs_needed(case, one, ceiling))
    if not found:
        missing.append(_gap(case, "runs-needed", f"{RUNS} runs of seeds a side", count=RUNS))
    return findings, missing, []


def _late(case: ThroughputCase, one: Latency, ceiling: float) -> Finding:
    before, after = one.before or 0.0, one.after or 0.0
    bounds = _interval(one.interval) if one.interval else ""
    return Finding(
        rule="later",
        subject=f"{case.subject} {one.stream}",
        expected=f"{one.stream}: p95 of seed delay {before:.0f} s, at most {ceiling - 1:.0%} more",
        observed=f"{one.stream}: p95 {after:.0f} s; {bounds} of before",
        explanation=f"{one.stream} mail waits: 95 % arrived within {before:.0f} s before, within "
        f"{after:.0f} s after",
        witness=(f"{after:.0f} s", f"{before:.0f} s", one.stream),
        after="later",
    )


def _runs_needed(case: ThroughputCase, one: Latency, ceiling: float) -> Missing:
    lost = f", {one.dropped} runs with too many missing seeds" if one.dropped else ""
    short = max(1, RUNS - one.runs[1])
    bounds = f"; so far {_interval(one.interval)} of before" if one.interval else ""
    return _gap(
        case,
        "runs-needed",
        f"{short} more runs of seeds of {one.stream}: {one.runs[0]} before and {one.runs[1]} after "
        f"do not settle a p95 within {ceiling - 1:.0%}{lost}{bounds}",
        count=short,
        subject=f"{case.subject} {one.stream}",
    )


def _shown(one: _Series) -> str:
    found = one.look.ratio
    if found is None:
        return f"{one.name}: nothing"
    units = f"{one.look.at} units after against {one.paired.units[0]} before"
    return (
        f"{one.name} {_percent(found.value)} than before: {_interval(found)} "
        f"({units}, {one.paired.observed or 0.0:.0f} a minute under load)"
    )


def _could_hide(case: ThroughputCase, one: _Series) -> str:
    found = one.look.ratio
    least = max(0.0, 1 - found.low) if found else 1.0
    return (
        f"a {one.name} up to {least:.1%} lower, within the margin of {1 - case.floor:.0%}; a part "
        "of the mail that is slower while another makes up for it"
    )


def _faster(series: Iterable[_Series]) -> Iterator[str]:
    for one in series:
        if one.look.ratio is not None and one.look.ratio.low > 1:
            yield f"{one.name} is {_percent(one.look.ratio.value)} than before"


def _interval(found: Ratio) -> str:
    sure = f"{1 - 2 * found.alpha:.0%}".replace("%", " %")
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}] ({sure})"


def _percent(value: float) -> str:
    change = round(100 * (value - 1))
    return f"{abs(change)} % {'faster' if change > 0 else 'slower'}"


def two_digits(value: float) -> str:
    """A rate for a witness: two significant digits, so that noise does not make another fact."""
    if value <= 0:
        return "0"
    power = max(0, math.floor(math.log10(value)) - 1)
    return f"{round(value / 10**power) * 10**power:.0f}"
