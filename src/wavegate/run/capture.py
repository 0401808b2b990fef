# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb capture: look at every instance of a wave, store one signed snapshot per instance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.compare.throughput import PROMISE as THROUGHPUT
from wavegate.compare.throughput_baseline import baseline
from wavegate.errors import InputError, MissingError, WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.grid import grid
from wavegate.estate.model import Window
from wavegate.evidence.authorities import Authorities
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read, record_subject, write
from wavegate.evidence.tool import tool
from wavegate.observe.capture import Captured, capture, stop_on_interrupt
from wavegate.observe.probe import Probe, Task
from wavegate.record.observation import Unreachable
from wavegate.record.rates import read_history
from wavegate.record.snapshot import Phase, Snapshot
from wavegate.record.store import Store
from wavegate.run.collect import collect_into
from wavegate.run.heard import heard_names
from wavegate.run.opening import Opened, Round
from wavegate.run.queue import Looker
from wavegate.run.stamps import Stamped, stamp_captures

ATTEMPTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to capture. only: names of instances, empty for all of the wave.

    known: roots of timestamp authorities; with any, only their tokens are kept.
    """

    phase: Phase
    because: str | None
    force: bool
    vantage: str
    only: tuple[str, ...] = ()
    known: Authorities = Authorities()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A snapshot that was stored, in numbers. digest: of the record.

    baseline: of a `before`, what is too short about the history of sending, or None.
    stamped: its trusted timestamps. unstamped: the required one that is missing, in words, or None.
    """

    instance: str
    digest: str
    sequence: int
    asked: int
    unreachable: int
    complete: bool
    left_out: tuple[str, ...]
    baseline: str | None = None
    stamped: Stamped = Stamped()  # noqa: RUF009 - frozen
    unstamped: str | None = None

    def to_json(self) -> dict[str, object]:
        """The row of `capture --json`."""
        return {
            "instance": self.instance,
            "record": self.digest,
            "sequence": self.sequence,
            "asked": self.asked,
            "unreachable": self.unreachable,
            "complete": self.complete,
            "left_out": list(self.left_out),
            "baseline": self.baseline,
            "timestamps": [
                {"at": clock.format_instant(stamp.at), "authority": stamp.authority}
                for stamp in self.stamped.stamps
            ],
            "timestamp_problems": list(self.stamped.problems),
            "timestamp_missing": self.unstamped,
        }


def check_side(phase: Phase, window: Window, at: datetime) -> None:
    """Refuse a capture on the wrong side of the window (design, rule 14).

    Raises InputError with the right instant.
    """
    start, end = clock.format_instant(window.start), clock.format_instant(window.end)
    if phase == "before" and at >= window.start:
        raise InputError(
            f"the window opened at {start}: too late for `before`",
            cure="use what was captured before; --force records it all the same, as unsound",
        )
    if phase == "after" and at < window.end:
        raise InputError(
            f"the window ends at {end}: too early for `after`",
            cure=f"capture again from {end} on; --force records it all the same, as unsound",
        )


def take(
    opened: Round,
    request: Request,
    probes: Sequence[Probe],
    signer: Signer,
    progress: Callable[[str], None],
) -> tuple[Taken, ...]:
    """Capture the instances and store a signed snapshot of each as soon as it is there.

    Raises InputError (wrong side, unknown instance) and MissingError where nothing at all could
    be asked.
    """
    forced = isinstance(opened, Opened) and _forced(request, opened.window, clock.now())
    chosen = opened.choose(request.only)
    heard = heard_names(opened.store, chosen)
    tasks = [
        Task(
            estate=opened.estate,
            instance=instance,
            vantage=request.vantage,
            base=_base(opened),
            heard=heard[instance.name],
        )
        for instance in chosen
    ]
    taken = []
    with stop_on_interrupt() as stop:
        for name, captured in capture(tasks, probes, progress=progress, stop=stop):
            snapshot = _snapshot(opened, request, name, captured, forced=forced)
            taken.append(file_snapshot(opened.store, snapshot, signer))
    taken = _stamp(opened, request, taken, progress)
    _collect(opened, request, signer, progress)
    if not taken or all(row.asked == row.unreachable for row in taken):
        raise MissingError(
            "nothing could be asked", cure="check resolvers, network and the estate's urls"
        )
    if not isinstance(opened, Opened):
        return tuple(taken)  # a night has neither a queue to list nor a rate to hold
    _look_at_queues(opened, request, signer, progress)
    if request.phase == "before":
        return tuple(replace(row, baseline=_baseline(opened, row.instance)) for row in taken)
    return tuple(taken)


def _stamp(
    opened: Round, request: Request, taken: Sequence[Taken], progress: Callable[[str], None]
) -> list[Taken]:
    """Have what was just captured stamped, by all authorities of the policy."""
    urls = opened.estate.policy.tsa
    places = [f"{_folder(opened.wave.name, row.instance)}{_file_name(row)}" for row in taken]
    answers = stamp_captures(opened.store, places, urls, request.known, progress)
    return [
        replace(row, stamped=told, unstamped=_unstamped(opened, request.phase, row, told))
        for row, told in zip(taken, answers, strict=True)
    ]


def _unstamped(opened: Round, phase: Phase, row: Taken, told: Stamped) -> str | None:
    """The token that is required and was not got in time, in words."""
    policy = opened.estate.policy
    demand = policy.timestamps_for(opened.estate.instance(row.instance).environment)
    if not isinstance(opened, Opened) or demand != "required":
        return None
    start, end = opened.window.start, opened.window.end
    if any(stamp.supports(phase, start, end) for stamp in told.stamps):
        return None
    side = (
        f"before {clock.format_instant(start)}"
        if phase == "before"
        else (f"after {clock.format_instant(end)}")
    )
    why = "" if policy.tsa else ": the policy names no tsa"
    return f"a token for {row.digest} with genTime {side}{why}"


def _baseline(opened: Opened, name: str) -> str | None:
    """What is too short about the history that all captures `before` told, as it can be cured now.

    Unverified: it is a hint for whoever captures, and no verdict rests on it.
    """
    (cell,) = (c for c in grid(opened.estate, opened.wave.name, [THROUGHPUT]) if c.instance == name)
    if cell.not_applicable is not None:
        return None
    snapshots = [s for s in _unverified(opened, name) if s.phase == "before"]
    rates = read_history(snapshots, close=opened.window.end)
    found = baseline(rates.before(opened.window.start), opened.estate.policy)
    if found.hint is None or found.units or not rates.problems:
        return found.hint
    return f"{found.hint} ({rates.problems[0]})"


def _unverified(opened: Opened, name: str) -> Iterator[Snapshot]:
    for place in opened.store.names(f"signed/{opened.wave.name}/{name}/"):
        try:
            record = read(read_unverified(opened.store.read(place)), RecordPredicate).only_digest()
            yield Snapshot.from_bytes(opened.store.get(record), digest=record)
        except WavegateError:
            continue  # `ready` and the gate name what is wrong with it


def _look_at_queues(
    opened: Opened, request: Request, signer: Signer, progress: Callable[[str], None]
) -> None:
    """List the queues too; that this failed is told and never costs the capture."""
    looker = Looker(opened=opened, signer=signer, vantage=request.vantage, say=progress)
    try:
        looker.look(request.phase, request.only)
    except WavegateError as error:
        progress(f"queues not listed: {error}")


def _collect(
    opened: Round, request: Request, signer: Signer, progress: Callable[[str], None]
) -> None:
    """Read the mailboxes too; that this failed is told and never costs the capture."""
    try:
        instances = opened.choose(request.only)
        collect_into(opened.store, opened.loaded, instances, signer, progress)
    except WavegateError as error:
        progress(f"mailboxes not read: {error}")


def _base(opened: Round) -> Path:
    return opened.loaded.path.resolve().parent


def _forced(request: Request, window: Window, at: datetime) -> bool:
    try:
        check_side(request.phase, window, at)
    except WavegateError:
        if not request.force:
            raise
        return True
    return False


def _snapshot(
    opened: Round, request: Request, name: str, captured: Captured, *, forced: bool
) -> Snapshot:
    instance = opened.estate.instance(name)
    return Snapshot(
        instance=name,
        customer=instance.customer,
        wave=opened.wave.name,
        phase=request.phase,
        sequence=0,
        previous=None,
        because=request.because,
        began=captured.began,
        ended=captured.ended,
        complete=captured.complete,
        forced=forced,
        vantage=request.vantage,
        estate=agreed_digest(opened.estate, opened.wave.name, instance.customer),
        tool=tool(),
        observations=captured.looked.observations,
        left_out=captured.looked.left_out,
    )


def file_snapshot(store: Store, unnumbered: Snapshot, signer: Signer) -> Taken:
    """Number, store, sign and file a snapshot; another capture may take the number first."""
    folder = _folder(unnumbered.wave, unnumbered.instance)
    for _ in range(ATTEMPTS):
        sequence, previous = _last(store, folder)
        snapshot = replace(unnumbered, sequence=sequence + 1, previous=previous)
        record = store.put(snapshot.to_bytes())
        envelope = sign(statement_of(snapshot, record), signer)
        try:
            store.create(f"{folder}{snapshot.sequence:06d}.dsse.json", envelope)
        except FileExistsError:
            continue
        return _taken(snapshot, record)
    raise InputError("other captures keep taking the next number", cure="run one capture at a time")


def _folder(wave: str, instance: str) -> str:
    return f"signed/{wave}/{instance}/"


def _file_name(row: Taken) -> str:
    return f"{row.sequence:06d}.dsse.json"


def _last(store: Store, folder: str) -> tuple[int, str | None]:
    names = store.names(folder)
    if not names:
        return 0, None
    payload = read_unverified(store.read(names[-1]))
    found = read(payload, RecordPredicate)
    return found.predicate.sequence, found.only_digest()


def statement_of(snapshot: Snapshot, record: str) -> bytes:
    """The payload to sign over a stored snapshot. record: its digest."""
    predicate = RecordPredicate(
        instance=snapshot.instance,
        customer=snapshot.customer,
        wave=snapshot.wave,
        kind="snapshot",
        phase=snapshot.phase,
        began=snapshot.began,
        ended=snapshot.ended,
        vantage=snapshot.vantage,
        tool=snapshot.tool,
        sequence=snapshot.sequence,
        previous=snapshot.previous,
        estate=snapshot.estate,
    )
    return write(record_subject(record), predicate)


def _taken(snapshot: Snapshot, record: str) -> Taken:
    silent = [o for o in snapshot.observations if isinstance(o.outcome, Unreachable)]
    return Taken(
        instance=snapshot.instance,
        digest=record,
        sequence=snapshot.sequence,
        asked=len(snapshot.observations),
        unreachable=len(silent),
        complete=snapshot.complete,
        left_out=tuple(f"{left.what}: {left.reason}" for left in snapshot.left_out),
    )


def summary(taken: Sequence[Taken], phase: Phase) -> str:
    """What a capture did, in lines for a person."""
    silent = sum(row.unreachable for row in taken)
    asked = sum(row.asked for row in taken)
    lines = [f"{phase}: {len(taken)} instances, {asked} questions, {silent} without an answer"]
    for row in taken:
        note = "" if row.complete else "  INCOMPLETE"
        lines.append(
            f"  {row.instance:24} #{row.sequence}  {row.asked:5} asked"
            f"  {row.unreachable:4} unreachable  {row.digest[:16]}{note}"
        )
    short = {row.instance: row.baseline for row in taken if row.baseline}
    lines += ["throughput, while it can be cured:"] if short else []
    lines += [f"  {name:24} {hint}" for name, hint in short.items()]
    unstamped = [row for row in taken if row.unstamped]
    lines += ["timestamps that are required and missing:"] if unstamped else []
    lines += [f"  {row.instance:24} {row.unstamped}" for row in unstamped]
    left_out = dict.fromkeys(text for row in taken for text in row.left_out)
    lines += ["left out:", *(f"  {text}" for text in left_out)] if left_out else []
    return "\n".join(lines)
