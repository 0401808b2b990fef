# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The drill: plants every fault of the catalogue and holds what the gate made of it against that.

Finished results are kept in the drill's folder, a line each, and used again as long as catalogue
and code are the same.
"""

import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import FrameType

from wavegate.errors import InputError, WavegateError
from wavegate.lab.catalogue import Fault, catalogue
from wavegate.lab.commands import Running, Say
from wavegate.lab.drill_judge import MARKS, Expected, Judged, SeenCell, judge, judge_verified
from wavegate.lab.drill_lots import Cast, Lot, cast, lots
from wavegate.lab.drill_play import Outcome, play_lot
from wavegate.lab.drill_score import Score, catalogue_digest, tool_digest
from wavegate.lab.faults import explain

RESULTS = "results.jsonl"
VERDICTS = "verdicts"
HEALTHY = Lot(name="healthy", kind="watched", copies=((),), healthy=True)
"""The world without a fault, for lots that have no healthy copy beside their fault."""
TRIES = 3
"""How often a lot is played that does not count, each time slower."""
Player = Callable[[Lot, Path, Say, Running], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one fault, or several at once in one instance, came out. lot: where it was played."""

    faults: tuple[str, ...]
    family: str
    mark: str
    why: str
    lot: str

    @property
    def name(self) -> str:
        """The fault, or all of them."""
        return " + ".join(self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to drill. wanted: sets of faults, mostly of one. jobs: lots at once.

    keep: whether the folders of lots stay in which all was caught.
    """

    wanted: tuple[tuple[str, ...], ...]
    folder: Path
    jobs: int = 2
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """All results, in the order of the request. uncounted: why some have none."""

    rows: tuple[Row, ...]
    uncounted: tuple[str, ...]
    score: Score

    @property
    def passed(self) -> bool:
        """Whether every fault was caught and none was left out."""
        return not self.uncounted and all(row.mark == "caught" for row in self.rows)

    def count(self, mark: str, family: str | None = None) -> int:
        """How many came out so."""
        return sum(row.mark == mark and family in (None, row.family) for row in self.rows)


def chosen(families: Sequence[str], faults: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The playable faults of some families and some by name; all where none is named.

    Raises InputError, with what was perhaps meant, for what is not in the catalogue.
    """
    known = catalogue()
    every = dict.fromkeys(fault.family for fault in known.values())
    for family in families:
        if family not in every:
            near = get_close_matches(family, every, n=1)
            cure = f"did you mean {near[0]}?" if near else f"one of {', '.join(every)}"
            raise InputError(f"unknown family {family!r}", where="--family", cure=cure)
    named = {explain(fault).id for fault in faults}
    _refuse_unplayable(known[fault] for fault in named)
    whole = not families and not faults
    return tuple(
        (fault.id,)
        for fault in known.values()
        if not fault.unplayable and (whole or fault.family in families or fault.id in named)
    )


def _refuse_unplayable(faults: Iterable[Fault]) -> None:
    for fault in faults:
        if fault.unplayable:
            raise InputError(
                f"the lab cannot play {fault.id}: {fault.unplayable}",
                where="--fault",
                cure=f"`wavegate lab explain {fault.id}` tells more",
            )


def drill(request: Request, say: Say, player: Player = play_lot) -> Drilled:
    """Drill. Raises InputError for a folder that is none, KeyboardInterrupt when interrupted.

    say: told of each result. player: plays a lot; nothing of it is left however it ends.
    """
    _make(request.folder)
    digests = (catalogue_digest(), tool_digest())
    kept = Kept(request.folder / RESULTS, digests)
    left = tuple(faults for faults in request.wanted if faults not in kept.rows)
    if len(left) < len(request.wanted):
        say(f"{len(request.wanted) - len(left)} results of before are kept")
    with ended_by_signals():
        uncounted = _Round(request, kept, say, player).play(lots(left)) if left else ()
    rows = tuple(kept.rows[faults] for faults in request.wanted if faults in kept.rows)
    caught = sum(row.mark == "caught" for row in rows)
    score = Score(caught=caught, played=len(request.wanted), catalogue=digests[0], tool=digests[1])
    return Drilled(rows=rows, uncounted=uncounted, score=score)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"no folder for the drill: {error.strerror}", where=str(folder), cure="name another"
        ) from error


class Kept:
    """The results in the drill's folder, of this catalogue and this code; a line each."""

    def __init__(self, path: Path, digests: tuple[str, str]) -> None:
        self._path = path
        self._digests = digests
        self._lock = threading.Lock()
        self.rows = {row.faults: row for row in self._read()}

    def _read(self) -> Iterator[Row]:
        if not self._path.exists():
            return
        for line in self._path.read_text("utf-8", "replace").splitlines():
            try:
                told = json.loads(line)
                digests = (told.pop("catalogue"), told.pop("tool"))
                row = Row(**{**told, "faults": tuple(told["faults"])})
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if digests == self._digests:
                yield row

    def add(self, row: Row) -> None:
        """Keep a result, at once."""
        told = {**asdict(row), "catalogue": self._digests[0], "tool": self._digests[1]}
        line = json.dumps(told, sort_keys=True) + "\n"
        with self._lock:
            broken = self._path.exists() and not self._path.read_bytes().endswith(b"\n")
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" + line if broken else line)
            self.rows[row.faults] = row


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT both raise KeyboardInterrupt, however the process was started.

    In the main thread only; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    signals = (signal.SIGTERM, signal.SIGINT)
    former = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class _Round:
    """The lots of one drill, being played."""

    def __init__(self, request: Request, kept: Kept, say: Say, player: Player) -> None:
        self._request = request
        self._player = player
        self._kept = kept
        self._say = say
        self._running = Running()
        self._count = 0
        self._lock = threading.Lock()

    def play(self, every: Sequence[Lot]) -> tuple[str, ...]:
        """Play all lots; what did not count, and why. Raises KeyboardInterrupt."""
        lonely = any(not lot.healthy for lot in every)
        all_lots = (*((HEALTHY,) if lonely else ()), *every)
        self._say(f"{sum(len(lot.copies) for lot in every)} worlds in {len(all_lots)} labs")
        with ThreadPoolExecutor(self._request.jobs) as pool:
            running = {pool.submit(self._lot, lot): lot for lot in all_lots}
            try:
                return self._collected(running)
            except BaseException:
                self._running.end()
                for future in running:
                    future.cancel()
                raise

    def _collected(self, running: dict["Future[str]", Lot]) -> tuple[str, ...]:
        left = set(running)
        while left:
            done, left = wait(left, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
        found = {lot: future.result() for future, lot in running.items()}
        sick = found.get(HEALTHY, "")
        bad = [text for text in found.values() if text]
        lonely = [lot.name for lot in found if sick and not lot.healthy]
        return (*bad, *(f"{name}: the healthy world is not GO" for name in lonely))

    def _lot(self, lot: Lot) -> str:
        """Play a lot and keep its results; why they do not count, empty where they do."""
        why = ""
        for pace in range(1, TRIES + 1):
            why = self._try(replace(lot, pace=pace))
            if not why:
                return ""
            if pace < TRIES:
                self._say(f"{why}; once more, slower")
        return why

    def _try(self, lot: Lot) -> str:
        """Play a lot once and keep its results; why they do not count, empty where they do."""
        folder = self._folder(lot)
        self._say(f"{lot.name}: playing, {len(lot.copies)} worlds")
        try:
            found = self._player(
                lot, folder, lambda text: self._say(f"{lot.name}{text}"), self._running
            )
        except WavegateError as error:
            return f"{lot.name}: {error}"
        return self._judged(lot, found, folder)

    def _folder(self, lot: Lot) -> Path:
        """A folder of its own for each play of a lot."""
        with self._lock:
            base = self._request.folder / "lots"
            base.mkdir(exist_ok=True)
            taken = {path.name for path in base.iterdir()}
            names = (f"{lot.name}.{number}" for number in range(len(taken) + 1))
            found = base / next(name for name in names if name not in taken)
            found.mkdir()
            return found / "play"

    def _judged(self, lot: Lot, found: Outcome, folder: Path) -> str:
        copies = cast(lot)
        if why := unhealthy(lot, copies, found):
            return f"{lot.name}: {why}"
        rows = tuple(judged_rows(lot, copies, found))
        keep_verdicts(self._request.folder, lot, found)
        for row in rows:
            self._kept.add(row)
            self._tell(row)
        if not self._request.keep and all(row.mark == "caught" for row in rows):
            shutil.rmtree(folder.parent, ignore_errors=True)
        return ""

    def _tell(self, row: Row) -> None:
        with self._lock:
            self._count += 1
            self._say(
                f"[{self._count}] {row.mark}: {row.name}" + (f": {row.why}" if row.why else "")
            )


def keep_verdicts(folder: Path, lot: Lot, found: Outcome) -> None:
    """Keep what the gate printed of a lot, so that it can be judged again without a play."""
    place = folder / VERDICTS
    place.mkdir(exist_ok=True)
    told = {
        "lot": asdict(lot),
        "verdicts": dict(found.verdicts),
        "known": {name: dict(names) for name, names in found.known.items()},
        "verified": {name: asdict(said) for name, said in found.verified.items()},
    }
    (place / f"{lot.name}.json").write_text(json.dumps(told) + "\n", encoding="utf-8")


def unhealthy(lot: Lot, copies: Sequence[Cast], found: Outcome) -> str:
    """Why no result of a lot counts; empty where the world without a fault is GO."""
    if found.writes:
        return f"writing calls arrived: {', '.join(found.writes)}"
    if lot.healthy:
        own = copies[-1].customers
        decisions = {
            cell.instance: found.decisions.get(cell.instance, "none")
            for customer, cell in found.cells
            if customer in own and cell.instance in found.decisions
        }
        if not decisions or set(decisions.values()) != {"GO"}:
            return f"the world without a fault is not GO: {decisions}"
    return ""


def judged_rows(lot: Lot, copies: Sequence[Cast], found: Outcome) -> Iterator[Row]:
    """Each copy's result."""
    usual = _usual(lot, copies, found)
    for copy in copies:
        if copy.faults:
            told = tuple(explain(fault) for fault in copy.faults)
            cells = tuple(cell for customer, cell in found.cells if customer in copy.customers)
            results = [_judge(fault, told, copy, cells, found, usual) for fault in told]
            worst = max(results, key=lambda judged: MARKS.index(judged.mark))
            yield Row(
                faults=copy.faults,
                family=told[0].family,
                mark=worst.mark,
                why=worst.why,
                lot=lot.name,
            )


def _usual(lot: Lot, copies: Sequence[Cast], found: Outcome) -> dict[str, str]:
    """The verdict of each promise in the healthy copy, as far as there is one."""
    own = copies[-1].customers if lot.healthy else frozenset[str]()
    return {cell.promise: cell.verdict for customer, cell in found.cells if customer in own}


def _judge(
    fault: Fault,
    together: tuple[Fault, ...],
    copy: Cast,
    cells: tuple[SeenCell, ...],
    found: Outcome,
    usual: dict[str, str],
) -> Judged:
    """One fault; what belongs to another that was planted with it is no alarm.

    A benign variation must be quiet under the promises that no fault beside it may turn.
    """
    others = [other for other in together if other is not fault]
    broken = [other for other in others if not other.benign]
    theirs = {name for other in others for name in other.also_allowed}
    theirs |= {name for other in broken for name in other.promises}
    quiet = tuple(name for name in fault.promises if name not in theirs)
    instance = copy.instance(fault)
    expected = Expected(
        fault=replace(
            fault,
            promises=quiet if fault.benign else fault.promises,
            also_allowed=(*fault.also_allowed, *theirs),
        ),
        instance=instance,
        names=copy.names(fault, found.known.get(instance, {})),
        sharing=copy.sharing,
        usual=usual,
    )
    if fault.by == "verify":
        verified = found.verified.get(instance)
        unseen = Judged(mark="missed", why="verify was not asked")
        return judge_verified(expected, verified) if verified else unseen
    return judge(expected, cells)
