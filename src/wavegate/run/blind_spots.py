# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the evidence of a wave will not be able to show, and what would cure it before the move.

Told by `plan` from estate and policy alone, since nothing need have been looked at; where a capture
is in the store already, from its history too. After the move none of it can be cured.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wavegate.clock import format_duration
from wavegate.compare.coverage import messages_needed, rogue_bound
from wavegate.compare.latency import RUNS
from wavegate.compare.queued_mail_bound import DOUBT, lost_bound
from wavegate.compare.sending_window_back import FEWEST, GAPS, mails_in_the_hour
from wavegate.compare.statistics import LEAST_UNITS, POWER, units_each
from wavegate.compare.throughput_baseline import Baseline, baseline
from wavegate.decision import GridCell
from wavegate.estate.model import Estate, Instance, Window
from wavegate.evidence.predicates import SeedRuns
from wavegate.evidence.shelf import Shelf
from wavegate.promise import order
from wavegate.record.rates import read_history
from wavegate.run.blind_functions import functions_unseen
from wavegate.run.opening import Opened
from wavegate.run.queue import can_be_asked
from wavegate.run.seeds import MOST_LEARNED_FROM, QUEUED

PPM = 1_000_000
BY_MAIL = frozenset({"sending_ips", "dkim", "dmarc", "sending_window"})
"""Promises that rest on received mail."""
SPREADS = (0.05, 0.10, 0.15)
"""Spreads of the rate from unit to unit for which needs are told before any is known."""
ORDER = "`wavegate plan --seeds OUT` orders them"
Said = tuple[str, str]
"""What cannot be shown, and its cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """Something that the evidence for a cell will not be able to show. cure: before the move."""

    instance: str
    promise: str
    cannot_show: str
    cure: str

    def to_json(self) -> dict[str, str]:
        """The row of `plan --json`."""
        return {
            "instance": self.instance,
            "promise": self.promise,
            "cannot_show": self.cannot_show,
            "cure": self.cure,
        }


def blind_spots(
    opened: Opened, cells: tuple[GridCell, ...], shelf: Shelf, seeds: Mapping[str, SeedRuns]
) -> tuple[BlindSpot, ...]:
    """The blind spots of every cell that will be judged, promise by promise.

    seeds: the bursts that are ordered, per instance.
    """
    judged = [c for c in cells if c.not_applicable is None and not c.outside]
    return tuple(
        BlindSpot(instance=cell.instance, promise=cell.promise, cannot_show=what, cure=cure)
        for cell in sorted(judged, key=lambda c: order(c.promise))
        for what, cure in _said(opened, cell, shelf, seeds.get(cell.instance))
    )


def _said(opened: Opened, cell: GridCell, shelf: Shelf, bursts: SeedRuns | None) -> Iterator[Said]:
    estate, instance = opened.estate, opened.estate.instance(cell.instance)
    if cell.promise in BY_MAIL and not instance.mail:
        yield "anything: nobody receives its mail", "`mail: [{sink: true}]`, or an approved limit"
        return
    match cell.promise:
        case "sending_ips":
            yield from _sending_ips(estate, instance)
        case "throughput":
            yield from _throughput(estate, _captured(shelf, instance.name))
            if bursts is None or bursts.runs < RUNS:
                few = f"`wavegate plan --seeds OUT --seed-runs {RUNS}`"
                yield "that mail does not arrive later: too few bursts of seeds are ordered", few
        case "sending_window":
            yield from _sending_window(estate, opened.window)
        case "only_sending_disrupted":
            yield from functions_unseen(opened, instance)
        case "queued_mail":
            yield from _queued_mail(estate, instance)
        case "availability_after":
            yield from _availability(instance)


def _sending_ips(estate: Estate, instance: Instance) -> Iterator[Said]:
    pool = len(instance.sending_ips)
    if not pool:
        yield "which address is new: the estate lists none", "`sending_ips: [...]`"
        return
    need = messages_needed([1 / pool] * pool, estate.policy.coverage_alpha / PPM)
    what = (
        f"that each of {pool} addresses is still used, with under {need} independent mails a side "
        f"(more where one is used less); with {need}, another address may carry up to "
        f"{rogue_bound(need):.1%} unseen"
    )
    yield what, f"{need} seed mails a side; {ORDER}"


def _captured(shelf: Shelf, name: str) -> Baseline | None:
    """The baseline as the captures in the store tell it; None where there is none."""
    if not shelf.store.names(f"signed/{shelf.wave.name}/{name}/"):
        return None
    before = shelf.dossier(name).before
    rates = read_history(before.attempts if before else (), close=shelf.window.end)
    found = baseline(rates.before(shelf.window.start), shelf.estate.policy)
    return found if rates.records else None


def _throughput(estate: Estate, captured: Baseline | None) -> Iterator[Said]:
    policy = estate.policy
    margin, unit = policy.throughput_margin / PPM, format_duration(policy.throughput_unit)
    if not 0 < margin < 1:
        yield f"anything: with a margin of {margin:.0%}", "`policy: {throughput_margin: 0.10}`"
        return
    cure = "send under load for longer before, a later window, a wider margin, or a limit"
    if captured is None:
        rows = ", ".join(_needs(margin, spread) for spread in SPREADS)
        what = (
            f"a slowdown below {margin:.0%}; and nothing with under {LEAST_UNITS} units of {unit} "
            f"of loaded sending a side. An unchanged rate is shown with {POWER:.0%} by {rows}"
        )
        yield what, f"`wavegate capture --phase before` tells how many there are; {cure}"
    elif captured.hint:
        yield f"a slowdown of {margin:.0%}: {captured.hint}", cure
    else:
        yield f"a slowdown below {margin:.0%}; {captured.promises}", "a narrower margin needs more"


def _needs(margin: float, spread: float) -> str:
    """`12 where they vary by 10%`."""
    return f"{units_each(spread, margin) or 'no number'} where they vary by {spread:.0%}"


def _sending_window(estate: Estate, window: Window) -> Iterator[Said]:
    what = (
        f"mail that left in the window to others than our sources; with {QUEUED} seeds queued, up "
        f"to {lost_bound(QUEUED):.0%} of the queue could leave unseen"
    )
    yield what, f"more seeds queued: {_seeds_for(0.05)} show 5%, {_seeds_for(0.01)} show 1%"
    if estate.policy.resume_within != "auto":
        limit = format_duration(estate.policy.resume_within)
        yield f"an early stop or a late return shorter than {limit}", "a shorter resume_within"
        return
    evenly, spread = mails_in_the_hour(window.end - window.start)
    what = (
        f"a stop or return shorter than {GAPS} times the longest gap between two mails of an "
        f"address in the hour before; nothing of one with under {FEWEST} mails in it, or with "
        "gaps longer than a sixth of the window"
    )
    if spread > MOST_LEARNED_FROM:
        yield what, "`policy: {resume_within: DURATION}`: so short a window needs it agreed"
    else:
        yield what, f"{evenly} evenly spaced mails an address, {spread} at random; {ORDER}"


def _seeds_for(share: float) -> int:
    """Seeds of which none was lost, that show a lost share of at most this with 95 %."""
    return math.ceil(round(math.log(DOUBT) / math.log(1 - share), 9))


def _queued_mail(estate: Estate, instance: Instance) -> Iterator[Said]:
    if not can_be_asked(instance):
        yield (
            "anything: the queue is listed in a session",
            "`credentials: {operator: ..., password: ...}` or `{ims: ...}`, or an approved limit",
        )
        return
    if instance.product == "campaign-v8":
        yield (
            "by anything but the instance's own log that mail to others than our sources arrived",
            f"seeds in the queue; {ORDER}",
        )
        return
    share = estate.policy.lost_share / PPM
    what = (
        "that mail to others than our sources was delivered: the log's Sent means relayed, and "
        f"only a bounce says otherwise; lost_share {share:g} "
    )
    if share:
        need = _seeds_for(share)
        yield what + f"needs {need} seeds in the queue", f"{need} seeds queued; {ORDER}"
    else:
        yield (
            what + "is shown only where every queued message is a seed",
            f"`policy: {{lost_share: 0.05}}` with {_seeds_for(0.05)} seeds queued, or a limit",
        )


def _availability(instance: Instance) -> Iterator[Said]:
    limit = (
        f"`limits: [{{promise: availability_after, instances: [{instance.name}], "
        'reason: "...", approved_by: "..."}]`'
    )
    if not any(entry.stop for entry in instance.planned):
        yield (
            "that no single point stops sending: no stop is planned, and hosts seen are no proof",
            f"`planned: [{{stop: ..., node: ..., at: ..., for: ...}}]`, or {limit}",
        )
    if not any(entry.load for entry in instance.planned):
        yield (
            "that it keeps pace as load grows: no load step is planned",
            f"`planned: [{{load: ..., at: ..., for: ...}}]`, or {limit}",
        )
