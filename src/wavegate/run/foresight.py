# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the estate alone decides already, told by `plan` while it can still be cured."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from wavegate.compare.notice import NoticeCase, compare_notice
from wavegate.compare.schedule import (
    ScheduleCase,
    SealedGate,
    compare_schedule,
    waves_without,
)
from wavegate.compare.scope import ScopeCase, compare_scope
from wavegate.decision import GridCell
from wavegate.run.opening import Opened
from wavegate.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A cell that will not be PASSED as things stand."""

    instance: str
    promise: str
    verdict: Verdict
    reason: str

    def to_json(self) -> dict[str, object]:
        """The row of `plan --json`."""
        return {
            "instance": self.instance,
            "promise": self.promise,
            "verdict": str(self.verdict),
            "reason": self.reason,
        }


def foresee(
    opened: Opened, cells: tuple[GridCell, ...], gates: tuple[SealedGate, ...], at: datetime
) -> tuple[Foreseen, ...]:
    """The cells of scope, schedule and notice that the estate decides, and not as PASSED."""
    return tuple(
        Foreseen(
            instance=cell.instance,
            promise=cell.promise,
            verdict=judged.verdict,
            reason=judged.reason,
        )
        for cell in cells
        if cell.not_applicable is None
        for judged in _judged(opened, cell, gates, at)
        if judged.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE)
    )


def _judged(
    opened: Opened, cell: GridCell, gates: tuple[SealedGate, ...], at: datetime
) -> Iterator[Judgement]:
    estate, wave = opened.estate, opened.wave
    instance = estate.instance(cell.instance)
    match cell.promise:
        case "scope":
            case = ScopeCase(
                estate=estate,
                wave=wave,
                instance=instance,
                withdrawal=cell.withdrawn,
                withdrawn_from=waves_without(instance.name, gates),
            )
            yield compare_scope(case)
        case "schedule":
            yield compare_schedule(
                ScheduleCase(estate=estate, wave=wave, instance=instance, at=at, gates=gates)
            )
        case "notice":
            yield compare_notice(NoticeCase(estate=estate, wave=wave, instance=instance, at=at))
