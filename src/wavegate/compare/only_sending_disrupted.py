# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`only_sending_disrupted`: each other function by itself, its answers and its effect.

Conviction by the design's rule 15; a clean window needs no baseline, only excusing a failure does.
Masks are declared beforehand and hold before and in the window alike.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from wavegate.compare.clock_skew import SkewBounds, skew
from wavegate.compare.episodes import HEARD_SHARE, about_us, counts, covered, heard_share, taken_as
from wavegate.compare.function_effects import Look, Said, effects
from wavegate.compare.function_names import declared, place_of, switched_off
from wavegate.compare.function_trial import Trial, try_function
from wavegate.compare.function_waits import waits
from wavegate.compare.known_noise import mask_spans, masked_too_long, unmasked
from wavegate.compare.outages import confirm_needed, could_hide, false_outage
from wavegate.compare.spans import Span, clip, holes, place, total
from wavegate.compare.watching import (
    COMMAND,
    gap_in_watch,
    no_timeline,
    not_yet,
    off_track,
    unwatched,
    watch_until,
)
from wavegate.compare.waves import no_window
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.record.timeline import Sample, Timeline, Watched
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
)

PROMISE = "only_sending_disrupted"
SHOWN_AT_MOST = 3
FEWEST_FOR_NOISE = 100
NOISY = 0.01
OUR_CLOCK = "clock stepped"
"""How the reason of a gap begins that a step of the watch's own clock made."""
APPLICATION = ("soap", "ping", "mcping", "logon", "session")
"""Functions whose answers show the application server's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsCase:
    """What `only_sending_disrupted` is judged on. at: the run's instant.

    timelines: one per vantage.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    timelines: tuple[Timeline, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """The records that the judgement rests on."""
        return tuple(sorted(line.digest for line in self.timelines if line.digest))


def compare_only_sending_disrupted(case: FunctionsCase) -> Judgement:
    """Judge `only_sending_disrupted` for one instance."""
    window = case.wave.window
    if window is None:
        return inconclusive(no_window(case.wave))
    name, early = case.instance.name, not_yet(window, case.instance.name, case.at)
    if early is not None and case.at < window.start:
        return inconclusive(early)
    if not case.timelines:
        gap = no_timeline(name)
        return inconclusive(gap, off_track=gap.what)
    looks = tuple(look_list(case, window))
    said = [*([early] if early else []), *_watch(case, window), *_functions(case, looks)]
    if not looks:
        said.append(_nothing_probed(name))
    missing = tuple(item for item in said if isinstance(item, Missing))
    return judgement(
        findings=[item for item in said if isinstance(item, Finding)],
        missing=missing,
        cleared=[item for item in said if isinstance(item, Cleared)],
        not_compared=[*_not_probed(case, looks), *(i for i in said if isinstance(i, NotCompared))],
        shown=_shown(looks),
        could_hide=_could_hide(case, looks),
        off_track=off_track(missing),
        records=case.digests,
        remarks=[remark for look in looks if (remark := _noisy(look))],
    )


def look_list(case: FunctionsCase, window: Window) -> Iterator[Look]:
    """Every function that was probed, as each vantage saw it; the samples as they count."""
    end = watch_until(case.estate.policy, window, case.timelines)
    for line in case.timelines:
        for watched in sorted(line.functions, key=lambda found: found.name):
            look = _look(case, window, line, watched, end)
            if watched.not_probed is None or any(sample.state == "ok" for sample in look.all):
                yield replace(look, server=_server_clock(line, watched.name))


def _server_clock(line: Timeline, name: str) -> SkewBounds | None:
    """How far the clock is off that a function's marks are written by.

    Its endpoint's own where that shows one; else that of the application server, whose database
    they stand in: another host's clock says nothing of them.
    """
    own = skew(name, line.of(name))
    application = (sample for told in APPLICATION for sample in line.of(told))
    return own or skew("the application server", application)


def _look(
    case: FunctionsCase, window: Window, line: Timeline, watched: Watched, end: datetime
) -> Look:
    policy = case.estate.policy
    span = Span(since=window.start, until=min(end, max(case.at, window.start)))
    samples = taken_as(line.of(watched.name), policy.too_slow)
    kept = unmasked(samples, mask_spans(case.instance.masks, watched.name, samples))
    return Look(
        watched=watched,
        subject=place_of(case.instance, watched.name),
        before=tuple(sample for sample in kept if sample.sent < span.since),
        during=tuple(sample for sample in kept if span.since <= sample.sent <= span.until),
        span=span,
        close=window.end,
        confirm=policy.confirm,
        tolerance=policy.clock_tolerance,
        began=line.began,
        ended=case.at >= end or line.settled,
        vantage=line.vantage,
        stepped=any(gap.reason.startswith(OUR_CLOCK) for gap in line.gaps),
        clicked=_any_ok(line, "seed_link", span),
        event=_last_event(line),
        records=(line.digest,) if line.digest else (),
    )


def _any_ok(line: Timeline, function: str, span: Span) -> bool:
    return any(s.state == "ok" and span.holds(s.sent) for s in line.of(function))


def _last_event(line: Timeline) -> str | None:
    """What Message Center said of the last probe event that it took in."""
    taken = [sample for sample in line.of("message_center") if sample.state == "ok"]
    return max(taken, key=lambda sample: sample.sent).detail if taken else None


# Whether anybody looked


def _watch(case: FunctionsCase, window: Window) -> Iterator[Missing]:
    policy, name = case.estate.policy, case.instance.name
    hides = policy.confirm * policy.probe_interval
    for hole, reason in unwatched(window, case.timelines, hides, case.at):
        yield gap_in_watch(name, hole, reason, window)
    end = watch_until(policy, window, case.timelines)
    if window.end <= case.at < end:
        yield Missing(
            what=f"the watch over {name} until everything has settled",
            on=On.TIME,
            rule="not-settled",
            subject=f"instance:{name}",
            settles_by=end,
            command=COMMAND,
        )


def _nothing_probed(name: str) -> Missing:
    return Missing(
        what=f"a function of {name} that was probed: none was, and empty is never a pass",
        on=On.OPERATOR,
        rule="nothing-probed",
        subject=f"instance:{name}",
        command=COMMAND,
    )


def _not_probed(case: FunctionsCase, looks: tuple[Look, ...]) -> Iterator[NotCompared]:
    """Functions that were not probed, each with its reason."""
    known = {found.name: found for line in case.timelines for found in line.functions}
    judged = {look.name for look in looks}
    for watched in sorted(known.values(), key=lambda found: found.name):
        if watched.not_probed is not None and watched.name not in judged:
            yield NotCompared(what=watched.name, reason=watched.not_probed)
    for name in switched_off(case.instance, known):
        yield NotCompared(what=name, reason="switched off in the estate")
    for name in declared(case.instance, known):
        yield NotCompared(what=name, reason="declared in the estate, and not probed by the watch")


# Each function by itself


def _functions(case: FunctionsCase, looks: tuple[Look, ...]) -> Iterator[Said]:
    for name in sorted({look.name for look in looks}):
        mine = tuple(look for look in looks if look.name == name)
        trial = Trial(looks=mine, confirm=case.estate.policy.confirm)
        yield from _masked(case, mine)
        found = tuple(try_function(trial))
        yield from found
        if not any(isinstance(item, Finding) for item in found):
            yield from _coverage(case, mine)
        yield from _once_each(said for look in mine for said in (*effects(look), *waits(look)))


def _once_each(said: Iterable[Said]) -> Iterator[Said]:
    """What several vantages say alike is said once, by rule and subject."""
    seen: set[tuple[str, str]] = set()
    for item in said:
        key = (item.what, "") if isinstance(item, NotCompared) else (item.rule, item.subject)
        if key not in seen:
            seen.add(key)
            yield item


def _masked(case: FunctionsCase, looks: tuple[Look, ...]) -> Iterator[Said]:
    policy = case.estate.policy
    for look in looks:
        samples = taken_as(_raw(case, look), policy.too_slow)
        yield from masked_too_long(case.instance.masks, look, samples)


def _raw(case: FunctionsCase, look: Look) -> tuple[Sample, ...]:
    line = next(line for line in case.timelines if line.vantage == look.vantage)
    return line.of(look.name)


def _coverage(case: FunctionsCase, looks: tuple[Look, ...]) -> Iterator[Missing]:
    """Under nine tenths of the planned samples heard, in the window or up to settle."""
    gaps = [gap for look in looks if (gap := _too_few(case, look))]
    if all(_showed_late(look) for look in looks):
        return
    if len(gaps) == len(looks):
        yield gaps[0]


def _showed_late(look: Look) -> bool:
    """A part of an answer, such as a workflow that was begun in the window, has no plan before."""
    return "/" in look.name and look.family == "workflow" and not look.before


def _too_few(case: FunctionsCase, look: Look) -> Missing | None:
    raw = _raw(case, look)
    good = [sample for sample in raw if counts(sample)]
    seen = covered(good, look.watched.every)
    masks = mask_spans(case.instance.masks, look.name, raw)
    window = Span(since=look.span.since, until=min(look.close, look.span.until))
    for span in (window, look.span):
        asked = sum(span.since <= sample.sent < span.until for sample in good)
        planned = (span.length - total(clip(masks, span))) / look.watched.every
        if heard_share(seen, span, masks) < HEARD_SHARE and asked < HEARD_SHARE * planned:
            return _unheard(look, raw, tuple(holes([*seen, *masks], span)))
    return None


def _unheard(look: Look, raw: tuple[Sample, ...], missed: tuple[Span, ...]) -> Missing:
    first = sorted(missed, key=lambda hole: -hole.length)[:SHOWN_AT_MOST]
    where = "; ".join(place(hole, look.span.since) for hole in sorted(first))
    during = [sample for sample in raw if look.span.since <= sample.sent <= look.span.until]
    refused = any(about_us(sample) for sample in during)
    why = _why({sample.detail for sample in during if not counts(sample)}, refused=refused)
    planned = (look.span.until - look.span.since) // look.watched.every
    return Missing(
        what=f"{look.name}: samples from {where}: {why}; under nine tenths of the planned ones",
        on=On.US,
        rule="caller-refused" if refused else "too-few-samples",
        subject=look.subject,
        count=max(1, planned - len(look.during)),
        command=COMMAND,
    )


def _why(details: set[str], *, refused: bool) -> str:
    said = ", ".join(sorted(details)[:SHOWN_AT_MOST])
    if refused:
        return f"our own access was refused ({said})"
    if details:
        return f"what came says nothing of the instance, this vantage may have been deaf ({said})"
    return "nobody looked"


# What a pass says


def _shown(looks: tuple[Look, ...]) -> str:
    names = sorted({look.name for look in looks})
    n = sum(len(look.during) for look in looks)
    return (
        f"{len(names)} functions answered rightly and had their effect, from the opening to the "
        f"end of settle, in {n} samples: {', '.join(names)}"
    )


def _could_hide(case: FunctionsCase, looks: tuple[Look, ...]) -> str:
    confirm = case.estate.policy.confirm
    told = [could_hide(_label(case, look), look.during, confirm) for look in looks]
    masks = [f"{m.function} {m.daily_at} for {m.length}" for m in case.instance.masks]
    known = f"; masked beforehand: {', '.join(masks)}" if masks else ""
    return "; ".join(told) + known if told else "everything"


def _noisy(look: Look) -> str | None:
    """Where noise as before makes `confirm` in a row by chance; advice, never a verdict."""
    bad = sum(sample.state != "ok" for sample in look.before)
    noise = bad / len(look.before) if len(look.before) >= FEWEST_FOR_NOISE else 0.0
    chance = false_outage(look.confirm, len(look.during), noise)
    if chance <= NOISY:
        return None
    needed = confirm_needed(len(look.during), noise, NOISY)
    return (
        f"{look.name}: at its noise before the window ({noise:.1%} bad) {look.confirm} in a row "
        f"come by chance in {chance:.0%} of such windows; confirm: {needed} would be needed"
    )


def _label(case: FunctionsCase, look: Look) -> str:
    return look.name if len(case.timelines) == 1 else f"{look.name} from {look.vantage}"
