# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The seed plan: which seed mails a person must schedule, to whom, when. Wavegate sends none.

How many: the coverage of a pool's addresses by equal shares (`compare/coverage`), and the mails an
address in the hour before, by which `resume_within` is learned. Bursts by which seed delay is
judged only where they are asked for: they are many.
"""

import fnmatch
import math
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from wavegate.canonical import dumps
from wavegate.clock import format_instant
from wavegate.compare.coverage import messages_needed
from wavegate.compare.latency import SEEDS
from wavegate.compare.sending_window_back import FEWEST, HOUR, mails_in_the_hour
from wavegate.estate.model import Estate, Instance, Window
from wavegate.evidence.predicates import SeedRuns
from wavegate.run.opening import Opened

Phase = Literal["before", "queued", "after"]
PPM = 1_000_000
MOST_LEARNED_FROM = 60
"""Mails an address in an hour that anybody would schedule; beyond, `resume_within` is to be set."""
QUEUED = 20
"""Seeds that wait in the queue over the window, per domain."""
SLOTS = 12
"""Bursts into which the seeds of a phase are spread: one connection must not carry them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """One order: so many seed mails of a domain in a phase, to these addresses, in these slots.

    burst: how many leave at once in each slot, one to each address; None where `count` is spread
    over the slots. stem: what the addresses of a burst have in common.
    """

    instance: str
    domain: str
    pool: str
    phase: Phase
    count: int
    addresses: tuple[str, ...]
    slots: tuple[datetime, ...]
    why: str
    burst: int | None = None
    stem: str = ""

    def to_json(self) -> dict[str, object]:
        """The row of the seed plan."""
        return {
            "instance": self.instance,
            "domain": self.domain,
            "pool": self.pool,
            "phase": self.phase,
            "count": self.count,
            "addresses": list(self.addresses),
            "slots": [format_instant(slot) for slot in self.slots],
            "why": self.why,
            "burst": self.burst,
        }


def seeds(opened: Opened, runs: int = 0) -> tuple[Seeds, ...]:
    """The orders for every instance of the wave that has a sink, in the order of the estate.

    runs: bursts a side by which seed delay is judged, of the first domain of each instance.
    """
    return tuple(
        order
        for instance in opened.instances
        if any(source.sink for source in instance.mail) and instance.sending_ips
        for order in (
            *(o for d in instance.domains for o in _orders(opened, instance, d.name)),
            *(_bursts(opened, instance, runs) if runs and instance.domains else ()),
        )
    )


def seed_runs(orders: Iterable[Seeds]) -> dict[str, SeedRuns]:
    """What of the orders the plan has to know: the bursts of each instance."""
    return {
        order.instance: SeedRuns(runs=len(order.slots), seeds=order.burst, stem=order.stem)
        for order in orders
        if order.burst
    }


def to_bytes(wave: str, orders: tuple[Seeds, ...]) -> bytes:
    """The seed plan as canonical JSON with a final line end."""
    rows = [order.to_json() for order in orders]
    return dumps({"schema": "wavegate/seeds/v1", "wave": wave, "seeds": rows}) + b"\n"


def _orders(opened: Opened, instance: Instance, domain: str) -> Iterator[Seeds]:
    pool, window = instance.sending_ips, opened.window
    alpha = opened.estate.policy.coverage_alpha / PPM
    cover = messages_needed([1 / len(pool)] * len(pool), alpha)
    told = f"{len(pool)} addresses, one missed with at most {alpha:g}"
    each = learned_from(opened.estate, window)
    back = math.ceil(each * len(pool) / len(instance.domains))
    learn = f"; {each} of each address, by which its return is judged"
    length = window.end - window.start
    spans: tuple[tuple[Phase, int, datetime, timedelta, str], ...] = (
        ("before", max(cover, back, FEWEST * len(pool)), window.start - HOUR, HOUR, told + learn),
        ("queued", QUEUED, window.start, length, "wait in the queue, and must come once"),
        ("after", max(cover, FEWEST * len(pool)), window.end, HOUR, told),
    )
    for phase, count, since, span, why in spans:
        yield Seeds(
            instance=instance.name,
            domain=domain,
            pool=", ".join(pool),
            phase=phase,
            count=count,
            addresses=tuple(_addresses(instance)),
            slots=_slots(since, span, max(SLOTS, each if phase == "before" else 0)),
            why=why,
        )


def learned_from(estate: Estate, window: Window) -> int:
    """Mails an address in the hour before by which its return is judged, if they come at random.

    The fewest that there can be where the policy sets `resume_within`, and where nobody would
    schedule as many as this window asks for.
    """
    _, spread = mails_in_the_hour(window.end - window.start)
    if estate.policy.resume_within != "auto" or spread > MOST_LEARNED_FROM:
        return FEWEST
    return spread


def _bursts(opened: Opened, instance: Instance, runs: int) -> Iterator[Seeds]:
    """The same bursts on both sides; after, one unit later, when the backlog is through.

    None where every sink takes fixed addresses only: a delivery reaches an address once.
    """
    unit, window = opened.estate.policy.throughput_unit, opened.window
    pattern = next((p for p in _patterns(instance) if "*" in p.partition("@")[0]), None)
    if pattern is None:
        return
    stem = secrets.token_hex(16)
    phases: tuple[tuple[Phase, datetime], ...] = (
        ("before", window.start - unit),
        ("after", window.end + unit),
    )
    for phase, since in phases:
        yield Seeds(
            instance=instance.name,
            domain=instance.domains[0].name,
            pool=", ".join(instance.sending_ips),
            phase=phase,
            count=runs * SEEDS,
            addresses=tuple(pattern.replace("*", f"{stem}-{n:02d}", 1) for n in range(SEEDS)),
            slots=_slots(since, unit, runs),
            why=f"{runs} bursts of {SEEDS}, each one delivery, by which seed delay is judged",
            burst=SEEDS,
            stem=stem,
        )


def _patterns(instance: Instance) -> Iterator[str]:
    """The patterns of recipients that the instance's sinks take, each once."""
    found = (p for s in instance.mail if s.sink for p in s.recipients or ("*@SEED-DOMAIN",))
    yield from dict.fromkeys(found)


def _addresses(instance: Instance) -> Iterator[str]:
    """One address nobody can guess for each pattern that the instance's sinks take."""
    for pattern in _patterns(instance):
        local, _, host = pattern.partition("@")
        guess = f"{secrets.token_hex(16)}@{host}"
        yield guess if fnmatch.fnmatchcase(guess, pattern) else f"{local}@{host}"


def _slots(since: datetime, span: timedelta, count: int = SLOTS) -> tuple[datetime, ...]:
    return tuple(since + span * number / count for number in range(count))
