# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb nightly accept: sign a new baseline for just what a person chose, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from wavegate import clock
from wavegate.canonical import digest
from wavegate.errors import InputError, InvalidError, MissingError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.nightly import NIGHTLY, nightly_grid
from wavegate.evidence.baseline import (
    FOLDER,
    Accepted,
    Baseline,
    BaselinePredicate,
    baseline_name,
)
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.night_shelf import NightShelf, accepted_name, open_night
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read, write
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import Trust
from wavegate.record.mails import MailsRecord
from wavegate.record.snapshot import Snapshot
from wavegate.run.capture import statement_of
from wavegate.run.decide import role_of
from wavegate.run.difference import (
    Difference,
    accepting,
    differences,
    resting_on,
    with_old_answers,
)
from wavegate.run.nightly import alone, check
from wavegate.run.opening import Round
from wavegate.run.suites import nightly_suites, suites_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who accepts what, and why. causes, instances: empty for all that the last night showed.

    anew: also where the last baseline does not hold.
    """

    by: str
    why: str
    ticket: str | None = None
    causes: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was accepted of one instance. what: `new`, `changed`, `same` or `dropped`.

    accepted, left: differences that are accepted now, and those that stand as before. filled:
    silences for which an answer that was accepted earlier stands.
    """

    instance: str
    what: str
    accepted: tuple[Difference, ...] = ()
    left: tuple[Difference, ...] = ()
    filled: int = 0

    def to_json(self) -> dict[str, object]:
        """The row of `nightly accept --json`."""
        return {
            "instance": self.instance,
            "what": self.what,
            "accepted": [_to_json(found) for found in self.accepted],
            "left": [_to_json(found) for found in self.left],
            "filled": self.filled,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedNow:
    """A version of the baseline that was signed."""

    version: int
    digest: str
    signed: BaselinePredicate
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `nightly accept --json`."""
        return {
            "version": self.version,
            "digest": self.digest,
            "at": clock.format_instant(self.signed.at),
            "by": self.signed.by,
            "why": self.signed.why,
            "ticket": self.signed.ticket,
            "cells": len(self.signed.cells),
            "instances": [row.to_json() for row in self.rows],
        }


def _to_json(found: Difference) -> dict[str, object]:
    return {
        "cause": found.cause,
        "promise": found.promise,
        "subject": found.finding.subject,
        "before": found.finding.before,
        "after": found.finding.after,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """One instance's new part of the baseline: the dossier in which `before` is what counts now."""

    row: Row
    dossier: Dossier
    sources: tuple[str, ...]


def accept(
    opened: Round,
    request: Request,
    signer: Signer,
    trust: Trust,
    *,
    approver: Signer | None = None,
    at: datetime | None = None,
) -> AcceptedNow:
    """Sign a new version of the baseline. approver: signs it too, in the role approve.

    Raises InputError (unknown instance or cause, a cause that cannot be accepted, an approver whose
    key may not approve), MissingError (nothing was looked at yet), InvalidError (the last baseline
    does not hold).
    """
    at = at or clock.now()
    _check(request)
    approvers = approvers_of(approver, trust)
    with alone(opened):
        baseline = _last(opened, request, trust, at)
        shelf = _shelf(opened, trust, at, baseline)
        chosen = _choose(shelf, request)
        dropped = _dropped(shelf, request)
        predicate, version = _predicate(shelf, request, at, dropped), _next(opened)
        accepted = [_file(opened, found, version, request, signer, at) for found in chosen]
        kept = _kept(baseline, {*(e.instance for e in accepted), *dropped})
        whole = replace(
            predicate, version=version, accepted=tuple(sorted((*kept, *accepted), key=_name))
        )
        payload = write({"grid": whole.grid_digest}, whole)
        _create(opened, version, sign(payload, signer, *approvers))
    rows = (*(found.row for found in chosen), *(Row(instance=n, what="dropped") for n in dropped))
    return AcceptedNow(version=version, digest=digest(payload), signed=whole, rows=rows)


def approvers_of(approver: Signer | None, trust: Trust) -> tuple[Signer, ...]:
    """The approver, where there is one. Raises InputError where the key may not approve."""
    if approver is None:
        return ()
    if role_of(trust, approver.keyid) != "approve":
        raise InputError(
            f"key {approver.keyid} is not trusted to approve",
            where="--approver-key",
            cure="name a key that the trust file lists in the role approve",
        )
    return (approver,)


def _name(entry: Accepted) -> str:
    return entry.instance


def _check(request: Request) -> None:
    for name, text in (("--by", request.by), ("--why", request.why)):
        if not text.strip():
            raise InputError("empty", where=name, cure="say it: it is signed with the baseline")
    if request.causes and request.instances:
        raise InputError(
            "both --cause and --instance", cure="give causes, or instances, and accept twice"
        )


def _last(opened: Round, request: Request, trust: Trust, at: datetime) -> Baseline | None:
    try:
        return check(opened, trust, at)
    except InvalidError:
        if not request.anew or request.causes or request.instances:
            raise
        return None


def _shelf(opened: Round, trust: Trust, at: datetime, baseline: Baseline | None) -> NightShelf:
    """The night of the last look, whenever it was."""
    ends = []
    for instance in opened.instances:
        for name in opened.store.names(f"signed/{NIGHTLY}/{instance.name}/")[-1:]:
            signed = read(read_unverified(opened.store.read(name)), RecordPredicate).predicate
            ends.append(signed.ended)
    if not ends:
        raise MissingError(
            "nothing was looked at yet",
            where=opened.store.place,
            cure=f"run `wavegate nightly` first (it is {clock.format_instant(at)})",
        )
    return open_night(opened.store, opened.estate, trust, max(ends), given=baseline, by_hand=True)


# Choosing


def _choose(shelf: NightShelf, request: Request) -> tuple[_Chosen, ...]:
    members = set(shelf.members)
    unknown = sorted(set(request.instances) - members)
    if unknown:
        raise InputError(
            f"the nightly has no instance {', '.join(unknown)}",
            cure=f"its instances are {', '.join(sorted(members))}",
        )
    if request.causes:
        return _by_cause(shelf, request)
    names = [n for n in shelf.wave.instances if not request.instances or n in request.instances]
    found = [_whole(shelf, name) for name in names]
    chosen = tuple(one for one in found if one is not None)
    if not chosen and not _dropped(shelf, request):
        raise MissingError(
            f"no look of the last night at {', '.join(names)}", cure="run `wavegate nightly` first"
        )
    return chosen


def _dossier(shelf: NightShelf, name: str) -> Dossier:
    """The dossier whose `after` is the last complete look of the night."""
    found = shelf.dossier(name)
    looks = [look for look in (found.after, *found.further) if look is not None]
    whole = [look for look in looks if look.snapshot.complete]
    return replace(found, after=whole[-1] if whole else None, further=())


def _whole(shelf: NightShelf, name: str) -> _Chosen | None:
    dossier = _dossier(shelf, name)
    if dossier.after is None:
        return None
    old = dossier.before.snapshot if dossier.before else None
    taken, filled = with_old_answers(dossier.after.snapshot, old)
    mails = dossier.mail_after or dossier.mail_before
    now = replace(dossier.after, snapshot=taken)
    found = differences(dossier) if old else ()
    what = "new" if old is None else "changed" if found else "same"
    sources = (taken.digest, *((old.digest,) if old and filled else ()))
    return _Chosen(
        row=Row(instance=name, what=what, accepted=found, filled=filled),
        dossier=replace(dossier, before=now, mail_before=mails),
        sources=sources,
    )


def _by_cause(shelf: NightShelf, request: Request) -> tuple[_Chosen, ...]:
    wanted = set(request.causes)
    dossiers = {name: _dossier(shelf, name) for name in shelf.wave.instances}
    differ = {
        name: differences(found)
        for name, found in dossiers.items()
        if found.before is not None and found.after is not None
    }
    known = {found.cause for many in differ.values() for found in many}
    unknown = sorted(wanted - known)
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise InputError(
            f"the last night shows no difference of cause {unknown[0]}",
            cure=f"copy the id from its report; its causes are {listed}",
        )
    return tuple(
        _part(dossiers[name], many, wanted)
        for name, many in differ.items()
        if any(found.cause in wanted for found in many)
    )


def _part(dossier: Dossier, found: tuple[Difference, ...], wanted: set[str]) -> _Chosen:
    """Only the answers that the chosen causes rest on; all other causes must stand as before."""
    now = dossier
    for one in found:
        if one.cause in wanted and one.cause in {d.cause for d in differences(now)}:
            names = resting_on(now, one)
            if names is None:
                raise _not_acceptable(dossier, one)
            now = accepting(now, names)
    left = {other.cause: other for other in differences(now)}
    expected = {other.cause for other in found} - wanted
    if set(left) != expected:
        raise _entangled(dossier, found, wanted, expected - set(left))
    sides = (dossier.before, dossier.after)
    return _Chosen(
        row=Row(
            instance=dossier.instance.name,
            what="changed",
            accepted=tuple(one for one in found if one.cause in wanted),
            left=tuple(left.values()),
        ),
        dossier=now,
        sources=tuple(side.snapshot.digest for side in sides if side),
    )


def _not_acceptable(dossier: Dossier, one: Difference) -> InputError:
    return InputError(
        f"accepting cannot clear {one.promise} of {dossier.instance.name}: it does not rest on "
        f"what was accepted ({one.finding.explanation})",
        where=one.cause,
        cure="mend it, change the estate, or waive it",
    )


def _entangled(
    dossier: Dossier, found: tuple[Difference, ...], wanted: set[str], also: set[str]
) -> InputError:
    names = [f"{d.cause} ({d.promise})" for d in found if d.cause in also]
    what = f"it rests on the same answer as {', '.join(names)}" if names else "it shows others then"
    more = " ".join(f"--cause {cause}" for cause in sorted({*wanted, *also}))
    return InputError(
        f"this cause of {dossier.instance.name} cannot be accepted alone: {what}",
        cure=f"accept them together: {more}" if names else "accept the instance (--instance)",
    )


def _dropped(shelf: NightShelf, request: Request) -> tuple[str, ...]:
    """Instances that left the estate: dropped when named, or when all is accepted."""
    if request.causes:
        return ()
    gone = [name for name in shelf.members if name not in shelf.wave.instances]
    return tuple(name for name in gone if not request.instances or name in request.instances)


# Signing


def _predicate(
    shelf: NightShelf, request: Request, at: datetime, dropped: Sequence[str]
) -> BaselinePredicate:
    """The new version, still without what it accepts; its grid is the estate's of now.

    Cells of an instance that left the estate stay until somebody drops it.
    """
    signed = shelf.baseline.signed if shelf.baseline else None
    gone = [name for name in shelf.members if name not in shelf.wave.instances]
    kept = [c for c in (signed.cells if signed else ()) if c.instance in set(gone) - set(dropped)]
    cells = (*nightly_grid(shelf.estate), *kept)
    known = {instance.customer for instance in shelf.estate.instances}
    customers = sorted({cell.customer for cell in cells} & known)
    return BaselinePredicate(
        version=1,
        previous=shelf.baseline.digest if shelf.baseline else None,
        at=at,
        by=request.by,
        why=request.why,
        ticket=request.ticket,
        causes=tuple(sorted(request.causes)),
        instances=tuple(sorted(request.instances)),
        cells=cells,
        accepted=(),
        agreed={name: agreed_digest(shelf.estate, NIGHTLY, name) for name in customers},
        suites=suites_digest(nightly_suites()),
        tool=tool(),
    )


def _next(opened: Round) -> int:
    names = opened.store.names(FOLDER)
    return int(names[-1].removeprefix(FOLDER).partition(".")[0]) + 1 if names else 1


def _kept(baseline: Baseline | None, but: set[str]) -> Iterator[Accepted]:
    if baseline is not None:
        yield from (entry for entry in baseline.signed.accepted if entry.instance not in but)


def _file(
    opened: Round, found: _Chosen, version: int, request: Request, signer: Signer, at: datetime
) -> Accepted:
    """Store the accepted snapshot, signed, and its mails."""
    store, dossier = opened.store, found.dossier
    taken = _accepted(found, version, request)
    record = store.put(taken.to_bytes())
    store.create(accepted_name(taken.instance, version), sign(statement_of(taken, record), signer))
    instants = [mail.ended for mail in dossier.mail_before] or [at]
    mails = MailsRecord(
        instance=taken.instance,
        customer=taken.customer,
        wave=NIGHTLY,
        phase="before",
        since=min(instants),
        until=max(instants),
        messages=dossier.mail_before,
    )
    return Accepted(
        instance=taken.instance,
        record=record,
        mails=store.put(mails.to_bytes()),
        version=version,
        sources=found.sources,
    )


def _accepted(found: _Chosen, version: int, request: Request) -> Snapshot:
    before = found.dossier.before
    assert before is not None  # noqa: S101 - choosing gave it one
    return replace(
        before.snapshot,
        wave=NIGHTLY,
        phase="before",
        sequence=version,
        previous=None,
        because=f"accepted by {request.by}: {request.why}",
        forced=False,
        complete=True,
        estate=found.dossier.agreed,
        digest="",
    )


def _create(opened: Round, version: int, envelope: bytes) -> None:
    try:
        opened.store.create(baseline_name(version), envelope)
    except FileExistsError as error:
        raise InputError(
            "another baseline was signed at the same time", cure="look at it, then accept again"
        ) from error
