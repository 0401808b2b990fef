# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the journals of a store: broken chains, torn ends, cut-off signed lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from wavegate.errors import WavegateError
from wavegate.evidence.checkpoints import TIMELINES, broken_checkpoints
from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.dossier import Flaw
from wavegate.evidence.timeline_checkpoints import timeline_checkpoints
from wavegate.evidence.tombstone import ForgottenPredicate
from wavegate.evidence.trust import Trust
from wavegate.record.journal import JournalProblem
from wavegate.record.mail_journal import SUFFIX, read_mails
from wavegate.record.store import Store
from wavegate.record.timeline_journal import read_timelines

_RESTORE = "restore the journal from a copy; what lies behind the break is told apart in reports"
DELETED = "nothing: it was deleted on purpose, and cannot be judged any more"
_TORN = "a crash, or a writer at work: nothing that was acknowledged is missing"


def journal_troubles(
    store: Store, trust: Trust | None, gone: Mapping[str, ForgottenPredicate]
) -> list[Diagnosis]:
    """Problems of mail and timeline journals, and their lines against signed checkpoints.

    gone: the journals that a tombstone says were deleted, by name.
    """
    found = list(_mail(store))
    if trust is not None:
        found += _flaws(broken_checkpoints(store, trust))
    for wave, instance in _watched(store):
        found += _timeline(store, trust, wave, instance)
    return [_excused(one, gone) for one in found]


def _excused(found: Diagnosis, gone: Mapping[str, ForgottenPredicate]) -> Diagnosis:
    told = gone.get(found.name)
    if told is None:
        return found
    text = f"it is not in the store: {told.told}"
    return replace(found, grade=Grade.ODD, text=text, cure=DELETED)


def _mail(store: Store) -> Iterator[Diagnosis]:
    try:
        problems = read_mails(store, wanted=lambda _: False).problems
    except WavegateError as error:
        yield _unreadable("mail", error)
        return
    yield from (_told(f"mail/{one.journal}{SUFFIX}", one) for one in problems)


def _watched(store: Store) -> list[tuple[str, str]]:
    """The waves and instances that have journals of a watch."""
    names = [name.split("/") for name in store.names("timelines/")]
    found = {(parts[1], parts[2]) for parts in names if len(parts) == 4}
    signed = [name.split("/") for name in store.names(f"{TIMELINES}/")]
    return sorted(found | {(parts[2], parts[3]) for parts in signed if len(parts) == 6})


def _timeline(store: Store, trust: Trust | None, wave: str, instance: str) -> Iterator[Diagnosis]:
    folder = f"timelines/{wave}/{instance}"
    try:
        for one in read_timelines(store, wave, instance).problems:
            yield _told(f"{folder}/{one.journal}{SUFFIX}", one)
        if trust is not None:
            yield from _flaws(timeline_checkpoints(store, trust, wave, instance).flaws, folder)
    except WavegateError as error:
        yield _unreadable(folder, error)


def _told(name: str, problem: JournalProblem) -> Diagnosis:
    torn = problem.kind == "torn"
    return Diagnosis(
        grade=Grade.HARMLESS if torn else Grade.DAMAGED,
        name=name,
        text=f"line {problem.n}: {problem.detail}",
        cure=_TORN if torn else _RESTORE,
    )


def _flaws(flaws: Iterable[Flaw], folder: str = "mail") -> Iterator[Diagnosis]:
    """Checkpoints that do not hold. Who signed them is told where all signatures are."""
    for flaw in flaws:
        if flaw.kind in {"unknown-key", "bad-signature"}:
            continue
        segment = flaw.subject if "/" in flaw.subject else f"{folder}/{flaw.subject}{SUFFIX}"
        yield Diagnosis(grade=Grade.DAMAGED, name=segment, text=flaw.detail, cure=_RESTORE)


def _unreadable(name: str, error: WavegateError) -> Diagnosis:
    return Diagnosis(
        grade=Grade.DAMAGED,
        name=error.where or name,
        text=error.message,
        cure=error.cure or _RESTORE,
    )
