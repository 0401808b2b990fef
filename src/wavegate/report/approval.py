# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Who stands behind a waiver or a limit: an approver's signature, or a claim of the estate file."""

from collections.abc import Iterable
from dataclasses import dataclass

from wavegate.evidence.approvals import Approvable
from wavegate.evidence.verdicts import ApprovalEntry, CellLimit, Verdicts, WaiverEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What stands behind it.

    signed: approvals of this very wording, one of each key and name. claims: of how many instances,
    of `of`, nobody signed it. changed: who signed another wording of it.
    """

    signed: tuple[ApprovalEntry, ...]
    claims: int
    of: int
    changed: tuple[str, ...]


def of_waiver(verdicts: Verdicts, waiver: WaiverEntry) -> Backing:
    """What stands behind a waiver."""
    return _backing(
        verdicts,
        (
            Approvable(
                kind="waiver",
                promise=waiver.promise,
                instance=waiver.instance,
                cause=waiver.cause,
                reason=waiver.reason,
                approved_by=waiver.approved_by,
                until=waiver.until,
            ),
        ),
    )


def of_limit(
    verdicts: Verdicts, promise: str, limit: CellLimit, instances: Iterable[str]
) -> Backing | None:
    """What stands behind a limit at some instances; None where no person was needed."""
    if limit.approved_by is None:
        return None
    by = limit.approved_by
    return _backing(
        verdicts,
        tuple(
            Approvable(
                kind="limit",
                promise=promise,
                instance=name,
                cause=None,
                reason=limit.reason,
                approved_by=by,
                until=None,
            )
            for name in instances
        ),
    )


def of_baseline(verdicts: Verdicts) -> Backing | None:
    """Who approved the baseline of a night with a signature; None where nobody did."""
    signed = tuple(a for a in verdicts.approvals if a.kind == "baseline")
    return Backing(signed=signed, claims=0, of=1, changed=()) if signed else None


def _backing(verdicts: Verdicts, items: tuple[Approvable, ...]) -> Backing:
    if not verdicts.approvals:
        return Backing(signed=(), claims=len(items), of=len(items), changed=())
    contents = {item.digest for item in items}
    places = {(item.kind, item.promise, item.instance, item.cause) for item in items}
    mine = [a for a in verdicts.approvals if (a.kind, a.promise, a.instance, a.cause) in places]
    signed = {(a.keyid, a.by): a for a in mine if a.content in contents}
    covered = {a.content for a in mine if a.content in contents}
    return Backing(
        signed=tuple(signed.values()),
        claims=len(contents - covered),
        of=len(contents),
        changed=tuple(dict.fromkeys(a.by for a in mine if a.content not in contents)),
    )
