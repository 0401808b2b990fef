# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb watch: probe every function through the window, and sign as it goes."""

import signal
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

from wavegate import clock
from wavegate.clock import format_instant
from wavegate.errors import InputError, MissingError, WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.model import Instance
from wavegate.estate.secrets import resolve
from wavegate.evidence.envelope import sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.timeline_checkpoints import journal_subject, timeline_checkpoint_name
from wavegate.evidence.tool import tool
from wavegate.observe.capture import stop_on_interrupt
from wavegate.observe.functions.campaign import session_of
from wavegate.observe.functions.catalogue import functions_of
from wavegate.observe.functions.facing import Facing
from wavegate.observe.http_client import own_context
from wavegate.observe.watch import AtMoment, Ended, Plan, watch
from wavegate.observe.watch_events import Event, Tell
from wavegate.observe.watch_hearing import Hearing, references
from wavegate.observe.watch_schedule import DUE_WITHIN, ONE_MORE_LOOK
from wavegate.observe.watch_tally import FunctionTally, Tally
from wavegate.observe.watch_target import LACKS, Target, without
from wavegate.record.journal import Head
from wavegate.record.store_place import APPENDS, on_this_machine
from wavegate.record.timeline import Timeline
from wavegate.record.timeline_journal import (
    TimelineHeader,
    TimelineReading,
    folder_of,
    read_timelines,
)
from wavegate.record.timeline_writer import TimelineWriter
from wavegate.run.opening import Opened
from wavegate.run.watch_lock import only_watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to watch. until: a given end. only: names of instances, empty for all of the wave."""

    until: datetime | None
    vantage: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What a watch did. tally: of this run, not of earlier segments."""

    wave: str
    vantage: str
    ended: Ended
    tally: Tally

    def to_json(self) -> dict[str, object]:
        """The object of `watch --json`."""
        tally = self.tally
        return {
            "wave": self.wave,
            "vantage": self.vantage,
            "ended": format_instant(self.ended.at),
            "settled": self.ended.settled,
            "interrupted": self.ended.interrupted,
            "samples": tally.samples,
            "gaps": tally.gaps,
            "problems": list(tally.problems),
            "instances": {
                name: {
                    found.watched.name: {**found.to_json(), "word": found.word(tally.confirm)}
                    for found in functions.values()
                }
                for name, functions in sorted(tally.functions.items())
            },
        }

    def text(self) -> str:
        """What a watch did, in lines for a person."""
        ended, tally = self.ended, self.tally
        how = "settled" if ended.settled else "interrupted" if ended.interrupted else "not settled"
        lines = [f"watched {self.wave} from {self.vantage}: {tally.samples} samples, {how}"]
        for name, functions in sorted(tally.functions.items()):
            lines.append(f"  {name}")
            lines += [_line(found, tally.confirm) for found in functions.values()]
        lines += [f"  problem: {text}" for text in tally.problems[-10:]]
        return "\n".join(lines)


def _line(found: FunctionTally, confirm: int) -> str:
    """One function in a line of a terminal of 80 columns: what it did, and how often."""
    name, word = found.watched.name, found.word(confirm)
    if found.watched.not_probed:
        return f"    {name:28} {word}: {found.watched.not_probed}"
    counts = {"ok": found.states["ok"], "wrong": found.states["wrong"]}
    counts |= {"silent": found.states["silent"], "unheard": found.unheard}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"    {name:28} {word}: {told or 'no sample'}"


def follow(
    opened: Opened,
    request: Request,
    signer: Signer,
    *,
    tell: Tell,
    say: Callable[[str], None],
    at_moments: Sequence[AtMoment] = (),
) -> Watching:
    """Watch the instances until the window has closed and settled; writes and signs as it goes.

    at_moments: what is done besides, just before the opening, within, and after the close.
    Raises InputError (a store elsewhere, the window is over, finished timeline there, another watch
    runs, unknown instance, `until` in the past) and MissingError (`tls.ca` cannot be read).
    """
    at = clock.now()
    chosen = opened.choose(request.only)
    with ExitStack() as stack:
        store = on_this_machine(opened.store, APPENDS)
        folder = store.folder(f"timelines/{opened.wave.name}")
        stack.enter_context(only_watch(folder, request.vantage))
        earlier = {i.name: _earlier(opened, i, say) for i in chosen}
        _check(opened, request, at, [found.of(request.vantage) for found in earlier.values()])
        targets = [_target(opened, request, i, earlier[i.name], signer, say) for i in chosen]
        policy = opened.estate.policy
        plan = Plan(
            window=opened.window,
            policy=policy,
            until=request.until,
            at_moments=tuple(at_moments),
        )
        tally = Tally(window=opened.window, confirm=policy.confirm)

        def both(event: Event) -> None:
            tally(event)
            tell(event)

        stop = stack.enter_context(stop_on_interrupt())
        stack.enter_context(_stop_on_term(stop.set))
        hearing = Hearing(references(opened.estate, chosen))
        ended = watch(targets, plan, hearing, tell=both, stop=stop)
    return Watching(wave=opened.wave.name, vantage=request.vantage, ended=ended, tally=tally)


@contextmanager
def _stop_on_term(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM ends a watch in the background as the first Ctrl-C ends one in front."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _earlier(opened: Opened, instance: Instance, say: Callable[[str], None]) -> TimelineReading:
    found = read_timelines(opened.store, opened.wave.name, instance.name)
    for problem in found.problems:
        say(f"{instance.name}: {problem}")
    return found


def _check(
    opened: Opened, request: Request, at: datetime, earlier: Sequence[Timeline | None]
) -> None:
    """Refuse what could not be a timeline of the window. Raises InputError."""
    window, finished = opened.window, [found for found in earlier if found and found.settled]
    if finished:
        raise InputError(
            f"a finished timeline of {finished[0].instance} from {request.vantage} is in the store",
            cure="nothing is to be done; to look from another place too, give another --vantage",
        )
    if request.until is not None and request.until <= at:
        raise InputError(
            f"--until {format_instant(request.until)} is in the past",
            cure=f"it is {format_instant(at)}: give a later instant, or leave it out",
        )
    if at < window.end or (any(earlier) and at < window.end + _longest(opened)):
        return
    raise InputError(
        f"the window ended at {format_instant(window.end)}: too late to watch",
        cure="nothing replaces a watch; check the wave and this machine's clock",
    )


def _longest(opened: Opened) -> timedelta:
    """How long after the close a watch that was killed may still go on."""
    settle = opened.estate.policy.settle
    return DUE_WITHIN + ONE_MORE_LOOK if settle == "auto" else settle


def _target(
    opened: Opened,
    request: Request,
    instance: Instance,
    earlier: TimelineReading,
    signer: Signer,
    say: Callable[[str], None],
) -> Target:
    facing = Facing(
        estate=opened.estate,
        instance=instance,
        window=opened.window.end - opened.window.start,
        base=opened.loaded.path.resolve().parent,
        context=_trust(opened, instance),
    )
    session = session_of(facing)
    before = earlier.of(request.vantage)
    functions = without(functions_of(facing, session), _lacking(before))
    header = TimelineHeader(
        at=clock.now(),
        instance=instance.name,
        customer=instance.customer,
        wave=opened.wave.name,
        vantage=request.vantage,
        tool=tool(),
        functions=tuple(found.watched for found in functions),
        follows=earlier.tails.get(request.vantage),
    )
    store = on_this_machine(opened.store, APPENDS)
    folder = store.folder(folder_of(opened.wave.name, instance.name).rstrip("/"))
    seal = _Seal(opened, instance, request.vantage, signer, say)
    return Target(
        facing=facing,
        session=session,
        functions=functions,
        writer=TimelineWriter(folder, header, checkpoint=seal),
        known={s.function for s in before.samples if s.state == "ok"} if before else set(),
        shown={found.name for found in before.functions} if before else set(),
    )


def _lacking(before: Timeline | None) -> dict[str, str]:
    """What an earlier segment learned to be lacking from the instance's own answers."""
    if before is None:
        return {}
    reasons = ((found.name, found.not_probed or "") for found in before.functions)
    return {name: reason for name, reason in reasons if reason.startswith(LACKS)}


def _trust(opened: Opened, instance: Instance) -> ssl.SSLContext | None:
    """The instance's own trust, or None for the process's. Raises MissingError."""
    if instance.tls is None:
        return None
    try:
        return own_context(resolve(instance.tls.ca, opened.loaded.path.resolve().parent))
    except (ssl.SSLError, ValueError) as error:
        raise MissingError(
            f"tls.ca of {instance.name} is no certificate",
            where=instance.tls.ca,
            cure="give PEM certificates; without them every answer would look wrong",
        ) from error


class _Seal:
    """Files a signed statement of where a journal stands; it must not stop the watching."""

    def __init__(
        self,
        opened: Opened,
        instance: Instance,
        vantage: str,
        signer: Signer,
        say: Callable[[str], None],
    ) -> None:
        self._store = opened.store
        self._wave = opened.wave.name
        self._instance = instance
        self._vantage = vantage
        self._estate = agreed_digest(opened.estate, opened.wave.name, instance.customer)
        self._signer = signer
        self._say = say

    def __call__(self, segment: str, head: Head) -> None:
        name = timeline_checkpoint_name(self._wave, self._instance.name, segment, head.n)
        subject = journal_subject(self._wave, self._instance.name, segment)
        statement = write({subject: head.line}, self._predicate(head))
        try:
            self._store.create(name, sign(statement, self._signer))
        except FileExistsError:
            return
        except (WavegateError, OSError) as error:
            self._say(f"no checkpoint of {segment} of {self._instance.name}: {error}")

    def _predicate(self, head: Head) -> RecordPredicate:
        at = clock.now()
        return RecordPredicate(
            instance=self._instance.name,
            customer=self._instance.customer,
            wave=self._wave,
            kind="timeline-journal",
            phase="window",
            began=at,
            ended=at,
            vantage=self._vantage,
            tool=tool(),
            sequence=head.n + 1,
            previous=None,
            estate=self._estate,
        )
