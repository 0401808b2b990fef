# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Telling of a night: who is notified of what turned, and the numbers for Prometheus."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from wavegate.estate.model import Estate
from wavegate.estate.secrets import resolve
from wavegate.run.metrics import Metrics, NightDecision, check_metrics, write_metrics
from wavegate.run.nightly import Nightly
from wavegate.run.notify import Sent, check, notify

_DECISIONS: Mapping[str, NightDecision] = {"GO": "GO", "HOLD": "HOLD", "NO-GO": "NO-GO"}


def addresses(references: Sequence[str], estate: Path, metrics: Path | None) -> tuple[str, ...]:
    """What the references resolve to, relative to the estate's folder.

    All is refused before a night is begun: raises MissingError (no such secret, no apprise),
    InputError (no address, no place for numbers).
    """
    base = estate.resolve().parent
    urls = tuple(resolve(reference, base) for reference in references)
    check(urls, references)
    if metrics is not None:
        check_metrics(metrics)
    return urls


def tell(
    estate: Estate, found: Nightly, urls: Sequence[str], references: Sequence[str]
) -> tuple[Sent, ...]:
    """Notify the owners of what turned in a night."""
    return notify(found.transitions, urls, at=found.at, references=references, names=_names(estate))


def _names(estate: Estate) -> Mapping[str, Collection[str]]:
    """All the words that name each customer."""
    found: dict[str, set[str]] = {customer.name: set() for customer in estate.customers}
    for instance in estate.instances:
        words = (instance.name, *instance.sending_ips, *(d.name for d in instance.domains))
        found.setdefault(instance.customer, set()).update(words)
    return found


def write_numbers(path: Path, found: Nightly, sent: Sequence[Sent], seconds: float) -> None:
    """Write the night's numbers for Prometheus. Raises InputError, OSError."""
    cells = found.gated.verdicts.cells if found.gated else ()
    write_metrics(
        path,
        Metrics(
            decision=_DECISIONS[found.decision],
            verdicts=Counter(str(cell.verdict) for cell in cells),
            last_run=found.at,
            duration_seconds=seconds,
            changed=bool(found.night and found.night.changed),
            notifications_failed=sum(not row.ok for row in sent),
        ),
    )
