# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One function on trial: whether its bad samples convict it, and whether anything excuses them.

A definite wrong answer convicts from one vantage; silence only if a second vantage, where one was
heard at that time, saw it too (design, rule 15).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wavegate.compare.episodes import Conviction, Excuse, convicts, convicts_by_wrong, excuse
from wavegate.compare.function_effects import Look, Said
from wavegate.compare.outages import Outage, outages
from wavegate.compare.spans import Span, minute
from wavegate.record.timeline import Sample
from wavegate.verdict import Cleared, Missing, NotCompared, On

SHOWN_AT_MOST = 5
LONGEST_STATE = 120
_CODE = re.compile(r"[A-Z]{3}-\d{6}|HTTP \d{3}")
_MEASURED = re.compile(r"[A-Z]{3}-\d{6}|HTTP \d{3}|\d[\d.,:/+TZ-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The looks at one function, one per vantage."""

    looks: tuple[Look, ...]
    confirm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What convicts at one vantage. wrong: by definite wrong answers alone."""

    look: Look
    conviction: Conviction
    wrong: bool


def try_function(trial: Trial) -> Iterator[Said]:
    """The finding on a function, what excuses it, or what cannot be told; nothing if it is well."""
    charges = [charge for look in trial.looks if (charge := _charge(look, trial.confirm))]
    if not charges:
        return
    charge = max(charges, key=lambda found: (found.wrong, found.conviction.bad))
    against = None if charge.wrong else _contradicts(charge, trial.looks)
    excused = _excused(charge, trial.confirm)
    if against is not None:
        yield _disagree(charge, against)
    elif excused is not None:
        yield _cleared(charge, excused)
    elif _never_worked(charge.look):
        yield from _broken_before(charge)
    else:
        yield _convicted(charge)


def _charge(look: Look, confirm: int) -> Charge | None:
    wrong = convicts_by_wrong(look.during, confirm)
    found = wrong or convicts(look.during, confirm)
    return Charge(look=look, conviction=found, wrong=wrong is not None) if found else None


def _contradicts(charge: Charge, looks: tuple[Look, ...]) -> Look | None:
    """Another vantage that was heard during the silence and saw none of it."""
    bad = _bad_outages(charge.look)
    for other in looks:
        if other is charge.look:
            continue
        there = [s for s in other.during if any(_meets(s, outage) for outage in bad)]
        if there and all(sample.state == "ok" for sample in there):
            return other
    return None


def _bad_outages(look: Look) -> tuple[Outage, ...]:
    """The outages that reach into the span, with edges known from samples around it."""
    return tuple(
        found
        for found in outages((*look.before, *look.during))
        if found.samples[-1].sent >= look.span.since
    )


def _meets(sample: Sample, outage: Outage) -> bool:
    reach = Span(since=outage.samples[0].sent, until=max(s.ended for s in outage.samples))
    return Span(since=sample.sent, until=sample.ended).meets(reach)


def _excused(charge: Charge, confirm: int) -> Excuse | None:
    look = charge.look
    return excuse((*look.before, *look.during), look.span, look.watched.every, confirm)


def _cleared(charge: Charge, found: Excuse) -> Cleared:
    return Cleared(
        rule="as-on-nights-before",
        subject=charge.look.subject,
        before=f"{found.before} episodes on {found.nights} nights",
        after=f"{found.during} in the window",
        explanation=f"{charge.look.name}: {charge.conviction}, no more and no longer than in the "
        f"same hours of {found.nights} nights before",
    )


def _disagree(charge: Charge, other: Look) -> Missing:
    look = charge.look
    return Missing(
        what=f"vantages that agree on {look.name}: silent from {look.vantage}, answering from "
        f"{other.vantage} at the same time",
        on=On.US,
        rule="vantages-disagree",
        subject=look.subject,
        before="answering",
        after="silent",
    )


def _never_worked(look: Look) -> bool:
    return bool(look.before) and all(sample.state != "ok" for sample in look.before)


def _broken_before(charge: Charge) -> Iterator[Said]:
    """It answered badly in all samples before: no new failure, but no proof either."""
    look = charge.look
    was, now = _state(look.before), _state(look.during)
    if look.family.startswith("workflow") and was == now:
        yield NotCompared(
            what=look.name, reason=f"no new failure: {was} before the window, and still"
        )
        return
    yield Missing(
        what=f"{look.name} answering before the window: it was bad then already "
        f"({_worst_detail(look.before)}), so nothing tells what the move did to it; a baseline of "
        "seven days would",
        on=On.OPERATOR,
        rule="bad-before",
        subject=look.subject,
        before=was,
        after=now,
    )


def _convicted(charge: Charge) -> Said:
    look, bad = charge.look, _bad_outages(charge.look)
    worst = max(bad, key=lambda found: (len(found.samples), found.shortest))
    detail, state = _worst_detail(look.during), _state(look.during)
    named = "; ".join(_episode(look, found) for found in _first(bad))
    more = f"; and {len(bad) - SHOWN_AT_MOST} more" if len(bad) > SHOWN_AT_MOST else ""
    return look.finding(
        "wrong-answer" if charge.wrong else "silent",
        f"{look.watched.expects}, as before",
        f"{detail}: {charge.conviction}; {named}{more}",
        detail,
        *_codes(look.during),
        minute(worst.samples[0].sent, look.span.since),
        minute(worst.samples[-1].sent, look.span.since),
        f"began {worst.start}",
        f"ended {worst.end}",
        before="answering",
        after=state,
    )


def _first(bad: tuple[Outage, ...]) -> list[Outage]:
    """The weightiest outages, in order of time."""
    chosen = sorted(bad, key=lambda found: -len(found.samples))[:SHOWN_AT_MOST]
    return sorted(chosen, key=lambda found: found.samples[0].sent)


def _episode(look: Look, found: Outage) -> str:
    since, until = found.samples[0].sent, found.samples[-1].sent
    opening = look.span.since
    return (
        f"bad from {minute(since, opening)} to {minute(until, opening)}, for {found.lasted} "
        f"(began {found.start}, ended {found.end})"
    )


def _worst_detail(samples: tuple[Sample, ...]) -> str:
    """What the bad samples say most often; ties by text, so that the order does not matter."""
    told = [sample.detail or sample.state for sample in samples if sample.state != "ok"]
    return max(sorted(set(told)), key=told.count, default="bad")


def _state(samples: tuple[Sample, ...]) -> str:
    """The normalised state of the bad samples: codes stay, measured numbers go."""
    bad = [sample for sample in samples if sample.state != "ok"]
    silent = sum(sample.state == "silent" for sample in bad)
    if 2 * silent > len(bad):
        return "silent"
    return _MEASURED.sub(_keep_codes, _worst_detail(samples))[:LONGEST_STATE]


def _keep_codes(found: re.Match[str]) -> str:
    return found[0] if _CODE.fullmatch(found[0]) else "#"


def _codes(samples: tuple[Sample, ...]) -> list[str]:
    """The error codes among the bad samples."""
    bad = [sample.detail for sample in samples if sample.state != "ok"]
    return sorted({code for detail in bad for code in _CODE.findall(detail)})[:SHOWN_AT_MOST]
