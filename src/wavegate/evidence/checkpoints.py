# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints of mail journals: a chain alone cannot see that its end was cut or redone."""

from collections.abc import Iterator

from wavegate.errors import WavegateError
from wavegate.evidence.dossier import Flaw
from wavegate.evidence.envelope import UnknownKeyError, open_envelope
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.journal import Head
from wavegate.record.mail_journal import line_digests
from wavegate.record.store import Store

FOLDER = "checkpoints"
TIMELINES = "checkpoints/timeline"
"""Where the checkpoints of timelines are, see `timeline_checkpoints`."""


def checkpoint_name(segment: str, n: int) -> str:
    """Where the checkpoint of line n (from 0) of a segment is filed."""
    return f"{FOLDER}/{segment}/{n:012d}.dsse.json"


def broken_checkpoints(store: Store, trust: Trust) -> tuple[Flaw, ...]:
    """What is wrong with the journals against their signed checkpoints."""
    by_segment: dict[str, list[str]] = {}
    for name in store.names(f"{FOLDER}/"):
        if name.startswith(f"{TIMELINES}/"):
            continue
        by_segment.setdefault(name.split("/")[1], []).append(name)
    return tuple(
        flaw
        for segment, names in sorted(by_segment.items())
        for flaw in _check(store, trust, segment, names)
    )


def _check(store: Store, trust: Trust, segment: str, names: list[str]) -> Iterator[Flaw]:
    heads: set[Head] = set()
    for name in names:
        found = _read(store, trust, segment, name)
        if isinstance(found, Flaw):
            yield found
        else:
            heads.add(found)
    lines = line_digests(store, segment, frozenset(head.n for head in heads))
    for head in sorted(heads, key=lambda found: found.n):
        if lines.get(head.n) != head.line:
            detail = f"line {head.n} of {segment} is not the signed one, or was cut off"
            yield Flaw(kind="mail-journal", subject=segment, detail=detail)


def _read(store: Store, trust: Trust, segment: str, name: str) -> Head | Flaw:
    try:
        opened = open_envelope(store.read(name), trust, Role.RECORD)
        statement = read(opened.payload, RecordPredicate)
        line = statement.subjects[f"mail/{segment}"]
    except UnknownKeyError as error:
        return Flaw(kind="unknown-key", subject=name, detail=error.message)
    except WavegateError as error:
        return Flaw(kind="bad-signature", subject=name, detail=error.message)
    except KeyError:
        return Flaw(kind="mail-journal", subject=name, detail=f"it is not about {segment}")
    return Head(n=statement.predicate.sequence - 1, line=line)
