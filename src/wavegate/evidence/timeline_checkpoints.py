# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints of timeline journals: how far a gate may read, and what was cut or redone."""

from collections.abc import Mapping
from dataclasses import dataclass

from wavegate.errors import WavegateError
from wavegate.evidence.checkpoints import TIMELINES
from wavegate.evidence.dossier import Flaw
from wavegate.evidence.envelope import UnknownKeyError, open_envelope
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.journal import Head
from wavegate.record.store import Store
from wavegate.record.timeline_journal import SUFFIX, segment_digests, what_follows


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineCheckpoints:
    """The checkpoints of an instance's journals.

    upto: per segment the last line (from 0) that a signed checkpoint vouches for, by itself or as
    the line that a segment it vouches for follows; later ones are not yet signed. flaws:
    checkpoints not to be trusted, lines that are not the signed ones.
    """

    upto: Mapping[str, int]
    flaws: tuple[Flaw, ...]


def checkpoint_folder(wave: str, instance: str) -> str:
    """Where the checkpoints of an instance's journals are filed, with a final slash."""
    return f"{TIMELINES}/{wave}/{instance}/"


def timeline_checkpoint_name(wave: str, instance: str, segment: str, n: int) -> str:
    """Where the checkpoint of line n (from 0) of a segment is filed."""
    return f"{checkpoint_folder(wave, instance)}{segment}/{n:012d}.dsse.json"


def journal_subject(wave: str, instance: str, segment: str) -> str:
    """The subject of a checkpoint: the journal whose line it vouches for."""
    return f"timelines/{wave}/{instance}/{segment}"


def timeline_checkpoints(
    store: Store, trust: Trust, wave: str, instance: str
) -> TimelineCheckpoints:
    """Read and check all checkpoints of an instance's journals. Never raises for their content."""
    folder = checkpoint_folder(wave, instance)
    heads: dict[str, set[Head]] = {}
    flaws: list[Flaw] = []
    for name in store.names(folder):
        segment = name.removeprefix(folder).partition("/")[0]
        found = _read(store, trust, journal_subject(wave, instance, segment), name)
        if isinstance(found, Flaw):
            flaws.append(found)
        else:
            heads.setdefault(segment, set()).add(found)
    upto = {}
    there = frozenset(store.names(f"timelines/{wave}/{instance}/"))
    for segment, signed in sorted(heads.items()):
        if f"timelines/{wave}/{instance}/{segment}{SUFFIX}" not in there:
            detail = "this journal, of which checkpoints are signed, is not in the store"
            flaws.append(Flaw(kind="missing-object", subject=segment, detail=detail))
            continue
        lines = segment_digests(store, wave, instance, segment, {head.n for head in signed})
        bad = [head.n for head in signed if lines.get(head.n) != head.line]
        flaws += [_cut(segment, n) for n in sorted(bad)]
        good = [head.n for head in signed if lines.get(head.n) == head.line]
        if good:
            upto[segment] = max(good)
    _add_followed(store, wave, instance, upto)
    return TimelineCheckpoints(upto=upto, flaws=tuple(flaws))


def _add_followed(store: Store, wave: str, instance: str, upto: dict[str, int]) -> None:
    """A watch that was killed signed no end; the header of the next one names its last line.

    A line that is not the named one is left to the reading, which tells of it.
    """
    for segment, follows in what_follows(store, wave, instance).items():
        n = follows.head.n
        if segment in upto and upto.get(follows.segment, -1) < n:
            lines = segment_digests(store, wave, instance, follows.segment, {n})
            if lines.get(n) == follows.head.line:
                upto[follows.segment] = n


def _cut(segment: str, n: int) -> Flaw:
    detail = f"line {n} of {segment} is not the signed one, or was cut off"
    return Flaw(kind="timeline-journal", subject=segment, detail=detail)


def _read(store: Store, trust: Trust, subject: str, name: str) -> Head | Flaw:
    try:
        opened = open_envelope(store.read(name), trust, Role.RECORD)
        statement = read(opened.payload, RecordPredicate)
        line = statement.subjects[subject]
    except UnknownKeyError as error:
        return Flaw(kind="unknown-key", subject=name, detail=error.message)
    except WavegateError as error:
        return Flaw(kind="bad-signature", subject=name, detail=error.message)
    except KeyError:
        return Flaw(kind="timeline-journal", subject=name, detail=f"it is not about {subject}")
    return Head(n=statement.predicate.sequence - 1, line=line)
