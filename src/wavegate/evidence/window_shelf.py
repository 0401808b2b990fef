# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What was recorded of an instance's window: timelines and looks at the queue.

Timelines are journals in a store, read to their last signed checkpoint while a watch still runs,
and frozen records in a bundle; looks at the queue are records in both.
"""

from dataclasses import dataclass

from wavegate.errors import WavegateError
from wavegate.evidence.dossier import Flaw, FlawKind
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.queue_shelf import read_looks
from wavegate.evidence.statement import read
from wavegate.evidence.timeline_checkpoints import timeline_checkpoints
from wavegate.evidence.trust import Role, Trust
from wavegate.record.journal import ProblemKind
from wavegate.record.queue import QueueLook
from wavegate.record.store import Store
from wavegate.record.timeline import Timeline
from wavegate.record.timeline_journal import read_timelines

SIGNED = ".dsse.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowReading:
    """The timelines and queue looks of an instance, and what was wrong with them."""

    timelines: tuple[Timeline, ...]
    looks: tuple[QueueLook, ...]
    flaws: tuple[Flaw, ...]


def read_window(store: Store, trust: Trust, wave: str, instance: str) -> WindowReading:
    """Read what a store or bundle holds of an instance's window. Never raises for its content."""
    flaws: list[Flaw] = []
    frozen = _signed(store, f"timelines/{wave}/{instance}/")
    if frozen:
        timelines = _thawed(store, trust, frozen, flaws)
    else:
        timelines = _journals(store, trust, wave, instance, flaws)
    looked = read_looks(store, wave, instance, trust)
    return WindowReading(
        timelines=_in_place(timelines, wave, instance, flaws),
        looks=looked.looks,
        flaws=(*flaws, *looked.flaws),
    )


def timeline_name(wave: str, instance: str, number: int) -> str:
    """Where a bundle keeps the frozen timeline of a vantage, numbered from 1."""
    return f"timelines/{wave}/{instance}/{number:06d}{SIGNED}"


def _signed(store: Store, folder: str) -> tuple[str, ...]:
    return tuple(name for name in store.names(folder) if name.endswith(SIGNED))


def _thawed(
    store: Store, trust: Trust, names: tuple[str, ...], flaws: list[Flaw]
) -> tuple[Timeline, ...]:
    found: list[Timeline] = []
    for name in names:
        try:
            opened = open_envelope(store.read(name), trust, Role.RECORD)
            record = read(opened.payload, RecordPredicate).only_digest()
            found.append(Timeline.from_bytes(store.get(record), digest=record))
        except WavegateError as error:
            flaws.append(Flaw(kind="bad-signature", subject=name, detail=error.message))
    return tuple(found)


def _journals(
    store: Store, trust: Trust, wave: str, instance: str, flaws: list[Flaw]
) -> tuple[Timeline, ...]:
    checked = timeline_checkpoints(store, trust, wave, instance)
    reading = read_timelines(store, wave, instance, upto=checked.upto)
    flaws += checked.flaws
    for problem in reading.problems:
        flaws.append(Flaw(kind=_kind(problem.kind), subject=problem.journal, detail=problem.detail))
    return reading.timelines


def _kind(problem: ProblemKind) -> FlawKind:
    match problem:
        case "torn":
            return "torn-journal"
        case "unsigned":
            return "unsigned-journal"
        case _:
            return "timeline-journal"


def _in_place(
    found: tuple[Timeline, ...], wave: str, instance: str, flaws: list[Flaw]
) -> tuple[Timeline, ...]:
    right = []
    for one in found:
        if (one.wave, one.instance) == (wave, instance):
            right.append(one)
        else:
            detail = f"filed under {instance}, is of {one.instance} in {one.wave}"
            flaws.append(
                Flaw(kind="wrong-instance", subject=instance, detail=detail, record=one.digest)
            )
    return tuple(right)
