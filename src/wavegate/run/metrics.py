# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The numbers of the last night in Prometheus' text format, for node_exporter's textfile collector.

No instance, customer or cause is a label: a night has some dozen series whatever the size of the
estate. A night that did not run is seen by the age of the last run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from wavegate.errors import InputError

NightDecision = Literal["GO", "HOLD", "NO-GO"]
DECISIONS: tuple[NightDecision, ...] = ("GO", "HOLD", "NO-GO")
VERDICTS = ("PASSED", "FAILED", "INCONCLUSIVE", "NOT_APPLICABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What is told of a night.

    verdicts: cells by verdict; one that is left out is 0. last_run: the night's instant.
    duration_seconds: of the whole night. changed: since the night before.
    notifications_failed: messages that could not be sent.
    """

    decision: NightDecision
    verdicts: Mapping[str, int]
    last_run: datetime
    duration_seconds: float
    changed: bool
    notifications_failed: int = 0


def check_metrics(path: Path) -> None:
    """Refuse, before a night is begun, a file that could not be written or would not be read.

    Raises InputError: the textfile collector reads `*.prom` only and passes over all others.
    """
    if path.suffix != ".prom":
        raise InputError(
            "node_exporter reads only files that end in .prom",
            where=str(path),
            cure=f"give --metrics {path.with_suffix('.prom')}",
        )
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(
            "there is no folder to write it in, or a folder stands there",
            where=str(path),
            cure=f"mkdir -p {path.parent}",
        )


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write a night's numbers, whole or not at all, over those of the night before.

    Each series bears the file's stem as the label `nightly`, so that two estates on one machine,
    which must have two files, have two sets of series. Readable by all: the exporter is another
    user, and nothing in it is private. Raises InputError as `check_metrics`, ValueError for an
    unknown verdict or decision, OSError for what the machine refuses.
    """
    check_metrics(path)
    write_to_textfile(str(path), _registry(path.stem, metrics))
    path.chmod(0o644)


def _registry(nightly: str, metrics: Metrics) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, help_text: str, *labels: str) -> Gauge:
        names = ("nightly", *labels)
        return Gauge(f"wavegate_nightly_{name}", help_text, names, registry=registry)

    decision = gauge("decision", "1 for the decision of the last night, 0 for others.", "decision")
    for word, value in _one_hot(metrics.decision).items():
        decision.labels(nightly, word).set(value)
    cells = gauge("cells", "Cells of the last night by verdict.", "verdict")
    for verdict, count in _counts(metrics.verdicts).items():
        cells.labels(nightly, verdict).set(count)
    single: tuple[tuple[str, str, float], ...] = (
        ("last_run_timestamp_seconds", "Instant of the last night.", metrics.last_run.timestamp()),
        ("duration_seconds", "How long the last night took.", metrics.duration_seconds),
        ("changed", "1 where the last night differs from the one before.", metrics.changed),
        (
            "notifications_failed",
            "Messages of the last night that could not be sent.",
            metrics.notifications_failed,
        ),
    )
    for name, help_text, number in single:
        gauge(name, help_text).labels(nightly).set(number)
    return registry


def _one_hot(decision: str) -> dict[str, int]:
    if decision not in DECISIONS:
        raise ValueError(f"{decision!r} is no decision")
    return {word: int(word == decision) for word in DECISIONS}


def _counts(verdicts: Mapping[str, int]) -> dict[str, int]:
    unknown = sorted(set(verdicts) - set(VERDICTS))
    if unknown:
        raise ValueError(f"no verdicts: {', '.join(unknown)}")
    return {verdict: verdicts.get(verdict, 0) for verdict in VERDICTS}
