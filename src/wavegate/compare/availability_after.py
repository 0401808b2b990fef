# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`availability_after`: no single point stops sending, and it keeps pace as load grows.

From outside, several fronts or sending hosts show plurality and no more. Proof is a removal that
was survived, planned or by accident, and a load step that was followed; what was not tried is
INCONCLUSIVE and says which entry of the estate would settle it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wavegate.clock import format_duration, format_instant
from wavegate.compare.availability_after_stops import (
    Effect,
    Removal,
    effect,
    incidents,
    is_node,
    sending_host,
)
from wavegate.compare.coverage import chance_of_missing, lower_bound, messages_needed
from wavegate.compare.elasticity import Step, overload, pace
from wavegate.compare.senders import speaks_for
from wavegate.compare.statistics import ELASTIC
from wavegate.estate.model import Estate, Instance, Wave
from wavegate.record.message import Received
from wavegate.record.rates import Deferral, RateHistory, reply_code
from wavegate.record.timeline import Timeline
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

PROMISE = "availability_after"
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityCase:
    """What `availability_after` of one instance is judged on.

    fronts_before, fronts_after: the `localHost` of each look at /r/test that showed one.
    rates, deferrals: as for `throughput`. records: digests of what this was read from.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    fronts_before: tuple[str, ...] = ()
    fronts_after: tuple[str, ...] = ()
    mail_before: tuple[Received, ...] = ()
    mail_after: tuple[Received, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    rates: RateHistory = field(default_factory=RateHistory)
    deferrals: tuple[Deferral, ...] = ()
    records: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject of what concerns the whole instance."""
        return f"instance:{self.instance.name}"

    @property
    def limit(self) -> str:
        """The entry that declares this unknowable, for the person who would write it."""
        return (
            f"limits: [{{promise: {PROMISE}, instances: [{self.instance.name}], "
            'reason: "...", approved_by: "..."}]'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """One side of the promise: what convicts, what is missing, what was seen to hold.

    known: whether some of it was seen or is still to come, so that the cell may stay open.
    """

    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    shown: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    known: bool = False


def compare_availability_after(case: AvailabilityCase) -> Judgement:
    """Judge `availability_after` for one instance."""
    if case.wave.window is None:
        return inconclusive(_gap(case, "no-window", "a window: the wave names none"))
    close = case.wave.window.end
    mails = tuple(m for m in case.mail_after if speaks_for(case.instance, m, frozenset()))
    sides = (_fronts(case), _removals(case, mails), _load(case, close), _errors(case, close))
    findings = [f for side in sides for f in side.findings]
    missing = [m for side in sides for m in side.missing]
    on_track = any(side.known for side in sides)
    return judgement(
        findings=findings,
        missing=missing,
        not_compared=(n for side in sides for n in side.not_compared),
        shown="; ".join(text for side in sides for text in side.shown) or "-",
        could_hide=_could_hide(case, mails),
        off_track=None if findings or not missing or on_track else _nothing_planned(case),
        records=tuple(dict.fromkeys((*case.records, *case.rates.records))),
        remarks=_plurality(case, mails),
    )


def _nothing_planned(case: AvailabilityCase) -> str:
    return f"no planned stop or load step is to come or was seen; add one, or {case.limit}"


def _gap(
    case: AvailabilityCase,
    rule: str,
    what: str,
    *,
    on: On = On.OPERATOR,
    count: int | None = None,
    settles_by: datetime | None = None,
    subject: str | None = None,
    command: str | None = None,
) -> Missing:
    return Missing(
        what=what,
        on=on,
        rule=rule,
        subject=subject or case.subject,
        count=count,
        settles_by=settles_by,
        command=command,
    )


def _fronts(case: AvailabilityCase) -> _Tried:
    """A front that answered before and does not any more, where the others go on as before."""
    old, new = Counter(case.fronts_before), Counter(case.fronts_after)
    if not old or not new:
        why = "the instance hides its fronts" if case.timelines or case.rates.asked else "not asked"
        return _Tried(not_compared=(NotCompared(what="application fronts (/r/test)", reason=why),))
    lost = sorted(old.keys() - new.keys())
    if not lost or len(new) >= len(old):
        return _Tried(shown=(f"{len(new)} fronts answer (before {len(old)})",))
    if not old.keys() & new.keys():
        why = f"{len(old)} names before, {len(new)} after, all of them others"
        return _Tried(not_compared=(NotCompared(what="number of fronts", reason=why),))
    shares = [lower_bound(old[name], old.total()) for name in lost]
    alpha = case.estate.policy.coverage_alpha / PPM
    if chance_of_missing(shares, new.total()) > alpha:
        more = max(1, messages_needed(shares, alpha) - new.total())
        what = f"{more} more looks at /r/test: {', '.join(lost)} was not met in {new.total()} looks"
        return _Tried(missing=(_gap(case, "front-not-met", what, count=more, subject=lost[0]),))
    return _Tried(findings=tuple(_dead_front(name, old, new) for name in lost))


def _dead_front(name: str, old: Counter[str], new: Counter[str]) -> Finding:
    looks = f"{new.total()} looks"
    return Finding(
        rule="front-gone",
        subject=name,
        expected=f"{len(old)} fronts: {', '.join(sorted(old))}",
        observed=f"only {', '.join(sorted(new))} in {looks} at /r/test",
        explanation=f"the front {name} answered before and does not any more; {looks} exclude "
        "chance, so redundancy is lost behind the balancer",
        witness=(name, looks),
        before="answers",
        after=None,
    )


def _removals(case: AvailabilityCase, mails: Sequence[Received]) -> _Tried:
    """Each planned stop, or an incident, and what it did."""
    within = case.estate.policy.failover_within
    stops = tuple(
        Removal(name=p.stop, node=p.node, since=p.at, until=p.at + p.length)
        for p in case.instance.planned
        if p.stop is not None
    )
    coming = [stop for stop in stops if case.at < stop.until + within]
    past = [stop for stop in stops if stop not in coming]
    alpha = case.estate.policy.coverage_alpha / PPM
    accidents = incidents(mails, stops, within, alpha)
    seen = [
        effect(stop, mails, case.timelines, within, (*stops, *accidents), alpha=alpha)
        for stop in (*past, *accidents)
    ]
    findings = tuple(f for one in seen for f in _broken(case, one, mails, stops))
    missing = [_to_come(case, stop, within) for stop in coming]
    missing += [gap for one in seen if (gap := _unclear(case, one, within))]
    survived = [one for one in seen if _survived(one)]
    if not survived and not findings and not stops:
        missing.append(_not_tried(case, mails))
    return _Tried(
        findings=findings,
        missing=tuple(missing),
        shown=tuple(_survival(one) for one in survived),
        known=bool(coming or survived),
    )


def _survived(one: Effect) -> bool:
    return bool(one.judged) and not (one.silent or one.sparse or one.went_on or one.halted)


def _survival(one: Effect) -> str:
    what = one.removal.node or one.removal.name
    return (
        f"{what} stopped at {format_instant(one.removal.since)} and sending went on from every IP"
    )


def _not_tried(case: AvailabilityCase, mails: Sequence[Received]) -> Missing:
    hosts = sorted({host for mail in mails if (host := sending_host(mail))})
    seen = f"{len(hosts)} sending hosts were seen" if hosts else "no sending host was seen"
    return _gap(
        case,
        "failover-not-tried",
        f"a failover test: {seen}, and none was stopped, planned or by accident; redundancy "
        f"cannot be proven from outside. Add `planned:` with a stop, or {case.limit}",
        on=On.CUSTOMER,
    )


def _to_come(case: AvailabilityCase, stop: Removal, within: timedelta) -> Missing:
    name = stop.node or stop.name
    return _gap(
        case,
        "stop-to-come",
        f"the planned stop of {name} at {format_instant(stop.since)}",
        on=On.TIME,
        settles_by=stop.until + within,
        subject=name,
    )


def _unclear(case: AvailabilityCase, one: Effect, within: timedelta) -> Missing | None:
    """Why a stop that is over shows nothing."""
    name = one.removal.node or one.removal.name
    if one.silent or one.halted:
        return None
    if one.went_on:
        what = f"a stop of {name}: it went on sending through the planned one. Or {case.limit}"
        return _gap(case, "stop-not-seen", what, subject=name)
    if one.sparse or not one.judged:
        ips = ", ".join(one.sparse) or "any sending IP"
        what = (
            f"more seeds around the stop of {name}: mail of {ips} is too sparse to show a silence "
            f"of {format_duration(within)}. Or {case.limit}"
        )
        return _gap(case, "seeds-needed", what, subject=name)
    return None


def _broken(
    case: AvailabilityCase, one: Effect, mails: Sequence[Received], stops: Sequence[Removal]
) -> Iterator[Finding]:
    name = one.removal.node or one.removal.name
    within = format_duration(case.estate.policy.failover_within)
    if one.silent:
        yield _silenced(case, one, name, _never_sent(mails, stops, name))
    for function, lasted in one.halted:
        yield Finding(
            rule="function-stops-with-node",
            subject=name,
            expected=f"{function} answers within {within} of the stop of {name}",
            observed=f"{function} failed for {length(lasted)}",
            explanation=f"{function} stops when {name} stops",
            witness=(name, function, length(lasted)),
            after="stops",
        )


def _silenced(case: AvailabilityCase, one: Effect, name: str, unused: tuple[str, ...]) -> Finding:
    ips = tuple(ip for ip, _ in one.silent)
    longest = length(max(gap for _, gap in one.silent))
    everything = len(ips) == len(one.judged)
    which = "all sending IPs" if everything else ", ".join(ips)
    idle = f"; {', '.join(unused)} never sent" if unused else ""
    planned = "" if one.removal.node else f" ({one.removal.name})"
    return Finding(
        rule="sending-stops-with-node" if everything else "ip-bound-to-node",
        subject=name,
        expected=f"each sending IP delivers again within "
        f"{format_duration(case.estate.policy.failover_within)} of the stop of {name}",
        observed=f"{which} silent for up to {longest}{idle}",
        explanation=f"{name}{planned} is a single point: when it stops, {which} fall silent{idle}",
        witness=(name, *ips, *unused, longest),
        after="all silent" if everything else f"silent: {', '.join(ips)}",
        records=case.records,
    )


def _never_sent(mails: Sequence[Received], stops: Sequence[Removal], name: str) -> tuple[str, ...]:
    """Other nodes that the estate names and no mail came from, where some node's mail did."""
    hosts = {sending_host(mail) for mail in mails}
    nodes = {stop.node for stop in stops if stop.node}
    met = {node for node in nodes if any(is_node(host, node) for host in hosts)}
    return tuple(sorted(nodes - met - {name})) if met else ()


def length(lasted: timedelta) -> str:
    """A length for a witness: whole minutes from one minute on, else whole seconds."""
    seconds = int(lasted.total_seconds())
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def _load(case: AvailabilityCase, close: datetime) -> _Tried:
    """The planned load steps."""
    steps = tuple(
        Step(text=p.load, since=p.at, until=p.at + p.length)
        for p in case.instance.planned
        if p.load is not None
    )
    if not steps:
        what = f"a load step: none is planned. Add `planned:` with a load, or {case.limit}"
        return _Tried(missing=(_gap(case, "load-not-tried", what, on=On.CUSTOMER),))
    last = max(step.until for step in steps)
    after = case.rates.after(close)
    if case.at < last or not after or after[-1].end < last:
        return _Tried(missing=(_step_to_come(case, steps, last),), known=True)
    found = pace(after, steps)
    if found is None or found.slope is None:
        what = (
            f"a load step that fills buckets: {steps[0].text!r} shows no load and rate to compare"
        )
        return _Tried(missing=(_gap(case, "load-step-not-seen", what),))
    verdict = found.slope.not_below(ELASTIC)
    bounds = f"elasticity {found.slope.value:.2f} [{found.slope.low:.2f}, {found.slope.high:.2f}]"
    if verdict is Verdict.INCONCLUSIVE:
        what = f"a longer or higher load step: {bounds} does not settle {ELASTIC}"
        return _Tried(missing=(_gap(case, "load-step-unclear", what),), known=True)
    if verdict is Verdict.PASSED:
        text = f"kept pace up to {found.offered:.0f} a minute, the highest load seen ({bounds})"
        return _Tried(shown=(text,), known=True)
    return _Tried(findings=(_flat(case, found.offered, found.reached, bounds),), known=True)


def _step_to_come(case: AvailabilityCase, steps: Sequence[Step], last: datetime) -> Missing:
    what = f"the planned load step {steps[-1].text!r}, read back after {format_instant(last)}"
    command = f"wavegate capture --wave {case.wave.name} --phase after"
    return _gap(case, "load-step-to-come", what, on=On.TIME, settles_by=last, command=command)


def _flat(case: AvailabilityCase, offered: float, reached: float, bounds: str) -> Finding:
    return Finding(
        rule="does-not-keep-pace",
        subject=case.subject,
        expected=f"the rate grows with the load: about {offered:.0f} a minute at {offered:.0f}",
        observed=f"{reached:.0f} a minute at an offered load of {offered:.0f}; {bounds}",
        explanation="the rate does not keep pace with the offered load",
        witness=(_three_digits(reached), _three_digits(offered)),
        after="flat",
        records=case.rates.records,
    )


def _three_digits(value: float) -> str:
    step = 10 ** max(0, len(f"{value:.0f}") - 3)
    return f"{round(value / step) * step:.0f}"


def _errors(case: AvailabilityCase, close: datetime) -> _Tried:
    """Errors that come with load."""
    opening = case.wave.window.start if case.wave.window else close
    found = overload(case.rates.before(opening), case.rates.after(close))
    if found is None:
        return _Tried()
    codes = Counter(reply_code(d.reply) for d in case.deferrals if d.at >= close)
    code = codes.most_common(1)[0][0] if codes else ""
    above = f"{found.above:.0%}".replace("%", " %")
    finding = Finding(
        rule="errors-under-load",
        subject=case.subject,
        expected=f"as few errors above {above} of the highest load as below it",
        observed=f"{found.share:.0%} errors above {above} of the highest load, {found.below:.0%} "
        f"below{f', replies {code}' if code else ''}",
        explanation=f"sending fails above {above} of the load it was offered",
        witness=tuple(text for text in (code, above) if text),
        after="errors under load",
        records=case.rates.records,
    )
    return _Tried(findings=(finding,), known=True)


def _plurality(case: AvailabilityCase, mails: Sequence[Received]) -> Iterable[str]:
    """What was seen side by side; it proves nothing by itself."""
    hosts = Counter(host for mail in mails if (host := sending_host(mail)))
    if hosts:
        shares = ", ".join(
            f"{host} {count / hosts.total():.0%}" for host, count in sorted(hosts.items())
        )
        yield f"{len(hosts)} sending hosts after: {shares}"
    fronts = sorted(set(case.fronts_after))
    if fronts:
        yield f"{len(fronts)} fronts after: {', '.join(fronts)}"


def _could_hide(case: AvailabilityCase, mails: Sequence[Received]) -> str:
    nodes = {p.node for p in case.instance.planned if p.stop and p.node}
    hosts = sorted({host for mail in mails if (host := sending_host(mail))})
    untried = [h for h in hosts if not any(is_node(h, node) for node in nodes)]
    which = f" ({', '.join(untried)})" if untried else ""
    within = format_duration(case.estate.policy.failover_within)
    return (
        f"a single point that was not among what stopped{which}; silences of up to {within}; "
        "loads above the highest seen"
    )
