# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An active run: which cells the items are, what became of them, the decision at the end."""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from wavegate import clock
from wavegate.canonical import digest, dumps, loads
from wavegate.decision import Cell, Decision, GridCell, Word
from wavegate.errors import WavegateError
from wavegate.estate.load import dump, load
from wavegate.estate.model import Estate, Wave
from wavegate.estate.nightly import NIGHTLY, with_nightly
from wavegate.evidence.night_shelf import open_night
from wavegate.evidence.shelf import Records, open_shelf
from wavegate.evidence.trust import Trust
from wavegate.evidence.trust import load as load_trust
from wavegate.mailauth import second_reader
from wavegate.plugin import allure_results, terminal
from wavegate.plugin.bench import Bench, raised
from wavegate.plugin.home import default_trust
from wavegate.plugin.merge import merge_looks
from wavegate.plugin.outcome import cells_of, decide_cells, gather_cells
from wavegate.plugin.quiet import watching
from wavegate.plugin.settings import SESSION, Settings, settle
from wavegate.plugin.wire import (
    JudgedCell,
    JudgedRun,
    judged_from_json,
    judged_to_json,
    run_to_bytes,
)
from wavegate.promise import order
from wavegate.record.local_store import LocalStore
from wavegate.record.store_place import open_here
from wavegate.testing import CannotTell, PromiseBroken
from wavegate.verdict import Judgement, Verdict, not_applicable

PROPERTY = "wavegate"
CELL = "wavegate_cell"
WORKER_AT = "wavegate_at"
SECOND_READ = frozenset({"spf", "dmarc"})
"""The promises that a second reader is asked about."""
_FILE = re.compile(r"test_([a-z][a-z0-9_]{0,62})\.py$")
_ENDS = (
    Exception,
    SystemExit,
    pytest.skip.Exception,
    pytest.fail.Exception,
    pytest.xfail.Exception,
)
JUDGED: pytest.StashKey[list[JudgedCell]] = pytest.StashKey()


def activate(config: pytest.Config) -> None:
    """Open the records and take part in the session. Raises pytest.UsageError with the cure."""
    settings = settle(config)
    try:
        session = _open(config, settings)
    except WavegateError as error:
        raise pytest.UsageError(f"wavegate: {error}") from error
    config.stash[SESSION] = session
    config.option.continue_on_collection_errors = True
    config.pluginmanager.register(session, "wavegate-session")
    if config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(_ForWorkers(session.at), "wavegate-workers")


def _open(config: pytest.Config, settings: Settings) -> "Session":
    estate = load(settings.estate).estate
    _check_instances(estate, settings.instances)
    trust = load_trust(settings.trust or default_trust())
    store = open_here(settings.store, "suites never open a socket", create=False)
    shelf = _shelf(estate, settings.wave, store, trust, _instant(config, settings))
    return Session(config=config, settings=settings, shelf=shelf, bench=Bench(shelf.dossier))


def _shelf(estate: Estate, name: str, store: LocalStore, trust: Trust, at: datetime) -> Records:
    """The records of a wave, or of the night where no wave has that name."""
    if name == NIGHTLY and all(wave.name != NIGHTLY for wave in estate.waves):
        return open_night(store, with_nightly(estate), trust, at)
    return open_shelf(store, estate, _wave(estate, name), trust, at)


def _wave(estate: Estate, name: str) -> Wave:
    for wave in estate.waves:
        if wave.name == name and wave.window is not None:
            return wave
    names = ", ".join(w.name for w in estate.waves if w.window is not None)
    raise pytest.UsageError(f"wavegate: no wave {name!r} with a window; there are: {names}")


def _check_instances(estate: Estate, wanted: tuple[str, ...]) -> None:
    names = {instance.name for instance in estate.instances}
    unknown = sorted(set(wanted) - names)
    if unknown:
        raise pytest.UsageError(
            f"wavegate: no instance {', '.join(unknown)}; there are: {', '.join(sorted(names))}"
        )


def _instant(config: pytest.Config, settings: Settings) -> datetime:
    """One instant per run: the controller's, the one given, or now."""
    given = getattr(config, "workerinput", {}).get(WORKER_AT) or settings.at
    try:
        return clock.parse_instant(given) if given else clock.now()
    except ValueError as error:
        raise pytest.UsageError(f"wavegate: --run-instant: {error}") from error


@dataclass(slots=True)
class _ForWorkers:
    """Tells xdist's workers the run's instant."""

    at: datetime

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to start."""
        node.workerinput[WORKER_AT] = clock.format_instant(self.at)


def promise_of(path: Path | str) -> str | None:
    """The promise that a suite file judges, by its name; None for another file."""
    match = _FILE.search(Path(path).name)
    return match[1] if match else None


@dataclass(eq=False)
class Session:
    """The plugin object of an active run."""

    config: pytest.Config
    settings: Settings
    shelf: Records
    bench: Bench
    promises: set[str] = field(default_factory=set)
    unplanned: set[str] = field(default_factory=set)
    said: dict[tuple[str, str], list[JudgedCell]] = field(default_factory=dict)
    broken: dict[str, Judgement] = field(default_factory=dict)
    deselected: int = 0
    strangers_failed: bool = False
    decision: Decision | None = None
    cells: tuple[Cell, ...] = ()

    @property
    def at(self) -> datetime:
        """The run's instant."""
        return self.shelf.at

    @property
    def is_worker(self) -> bool:
        """Whether this process only runs tests for another one."""
        return hasattr(self.config, "workerinput")

    # Collection

    def pytest_report_header(self) -> list[str]:
        """What is judged: estate, wave, store, plan."""
        plan = self.shelf.plan
        signed = f"plan {plan.version} of {clock.format_instant(plan.at)}" if plan else "no plan"
        estate = digest(dump(self.shelf.estate))[:12]
        judged = f"wave {self.shelf.wave.name}, estate {estate}, store {self.shelf.store.place}"
        return [f"wavegate: {judged}, {signed}, run {clock.format_instant(self.at)}"]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test that uses our fixtures is run once per cell of its promise."""
        if CELL not in metafunc.fixturenames:
            return
        promise = promise_of(metafunc.definition.path)
        cells = self._cells_of(promise) if promise else ()
        wave = self.shelf.wave.name
        metafunc.parametrize(CELL, [_parameter(wave, cell) for cell in cells])

    def _cells_of(self, promise: str) -> tuple[GridCell, ...]:
        self.promises.add(promise)
        grid = self.shelf.grid((promise,))
        known = {instance.name for instance in self.shelf.estate.instances}
        found = tuple(c for c in grid if c.promise == promise and c.instance in known)
        if not found:
            self.unplanned.add(promise)
        only = self.settings.instances
        return tuple(cell for cell in found if not only or cell.instance in only)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Instance by instance, so that each dossier is opened once; promises in their order."""
        names = {name: at for at, name in enumerate(self._instances())}
        items.sort(key=lambda item: _place(item, names))

    def _instances(self) -> tuple[str, ...]:
        grid = self.shelf.grid(tuple(self.promises))
        return tuple(dict.fromkeys(cell.instance for cell in grid))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Cells that this run leaves out."""
        self.deselected += sum(1 for item in items if cell_of(item) is not None)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be read leaves its cells untold; another file is a stranger."""
        if not report.failed:
            return
        promise = promise_of(report.nodeid)
        if promise is None or not self.shelf.grid((promise,)):
            self.strangers_failed = True
            return
        text = str(report.longrepr).strip().splitlines()
        self.broken[promise] = raised(report.nodeid, ImportError(text[-1] if text else "?"))

    def pytest_collection_finish(self) -> None:
        """What a library opens as it is imported must not look like a suite's doing."""
        if SECOND_READ & self.promises and not self.config.option.collectonly:
            second_reader.load()

    # Running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A cell that the signed grid decides is not run."""
        cell = cell_of(item)
        if cell is not None and cell.not_applicable is not None:
            self._keep(item, cell, not_applicable(cell.not_applicable))
            if self._allure:
                allure_results.label(self.shelf.wave.name, cell)
            pytest.skip(cell.not_applicable)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Run the body, quietly; then pass, fail, or tell that we cannot tell."""
        __tracebackhide__ = True
        cell = cell_of(pyfuncitem)
        if cell is None:
            return (yield)
        test, error = pyfuncitem.originalname, None
        self.bench.hear()
        with watching() as loud:
            try:
                yield
            except _ENDS as ended:
                error = ended
        first = self.bench.conclude(test, error, loud)
        further = [self._again(pyfuncitem) for _ in self.bench.further(cell)]
        judgement = merge_looks([first, *further])
        superseded, span = self._superseded(pyfuncitem, cell)
        self._keep(pyfuncitem, cell, judgement, superseded, span)
        if self._allure:
            allure_results.describe(self.shelf.wave.name, cell, judgement)
        _raise(judgement, error)
        return True

    def _superseded(
        self, item: pytest.Function, cell: GridCell
    ) -> tuple[Judgement | None, str | None]:
        """What the same body says of the attempt before the last declared fix."""
        with self.bench.superseded(cell) as span:
            if span is None:
                return None, None
            return self._again(item), span

    def _again(self, item: pytest.Function) -> Judgement:
        """What the same body says of the dossier that now lies on the bench."""
        error: BaseException | None = None
        self.bench.hear()
        names = item._fixtureinfo.argnames  # noqa: SLF001 - as pytest's own call of the body
        with watching() as loud:
            try:
                item.obj(**{name: item.funcargs[name] for name in names})
            except _ENDS as ended:
                error = ended
        return self.bench.conclude(item.originalname, error, loud)

    def _keep(
        self,
        item: pytest.Item,
        cell: GridCell,
        judgement: Judgement,
        superseded: Judgement | None = None,
        span: str | None = None,
    ) -> None:
        decided = cell.not_applicable is not None
        entry = JudgedCell(
            instance=cell.instance,
            promise=cell.promise,
            judgement=judgement,
            superseded=superseded,
            remedied=f"remedied after {span}" if span else None,
            has_after=not decided and self.bench.file(cell).dossier.after is not None,
        )
        item.stash.setdefault(JUDGED, []).append(entry)

    @property
    def _allure(self) -> bool:
        return bool(self.config.getoption("allure_report_dir", None))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judgements travel in the report, so that they reach xdist's controller."""
        report = yield
        cell = cell_of(item)
        if cell is None:
            return report
        entries = item.stash.get(JUDGED, [])
        item.stash[JUDGED] = []
        if not entries and call.excinfo is not None:
            entries = [_without_a_word(item, cell, call)]
        for entry in entries:
            text = dumps(judged_to_json(entry)).decode("utf-8")
            report.user_properties.append((PROPERTY, text))
        if call.excinfo is not None and isinstance(call.excinfo.value, PromiseBroken | CannotTell):
            report.longrepr = terminal.one_line(self.shelf.wave.name, cell, call.excinfo.value)
        elif report.skipped and entries:
            path, line, _ = item.location
            report.longrepr = (path, line or 0, f"Skipped: {entries[0].judgement.reason}")
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """INCONCLUSIVE is a word of its own beside failed and skipped."""
        verdicts = [entry.judgement.verdict for entry in entries_of(report)]
        if report.failed and Verdict.INCONCLUSIVE in verdicts and Verdict.FAILED not in verdicts:
            return "inconclusive", "I", "INCONCLUSIVE"
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test said, here or in a worker."""
        entries = entries_of(report)
        for entry in entries:
            self.said.setdefault((entry.instance, entry.promise), []).append(entry)
        if report.failed and not entries:
            self.strangers_failed = True

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Decide, write the judgements, and let the exit status follow the decision."""
        self.bench.clear()
        if self.is_worker or self.config.option.collectonly:
            return
        judged = self._judged()
        self.cells = cells_of(self._grid(judged), judged, self.shelf.estate, self.at)
        self.decision = decide_cells(
            self.cells,
            judged,
            self.shelf,
            final=self.settings.final,
            partial=self._partial(),
        )
        if self.settings.verdicts is not None:
            run = JudgedRun(
                wave=self.shelf.wave.name, at=self.at, partial=self._partial(), cells=judged
            )
            self.settings.verdicts.write_bytes(run_to_bytes(run))
        session.exitstatus = self._exit_status(session.exitstatus)

    def _judged(self) -> tuple[JudgedCell, ...]:
        said = [entry for entries in self.said.values() for entry in entries]
        for promise, judgement in self.broken.items():
            said.extend(
                JudgedCell(instance=cell.instance, promise=promise, judgement=judgement)
                for cell in self.shelf.grid((promise,))
                if cell.promise == promise
            )
        return gather_cells(said)

    def _grid(self, judged: tuple[JudgedCell, ...]) -> tuple[GridCell, ...]:
        known = {*self.promises, *(entry.promise for entry in judged)}
        return self.shelf.grid(tuple(sorted(known, key=order)))

    def _partial(self) -> str | None:
        """Why this run is a part of the whole, as far as it can be known beforehand."""
        option = self.config.option
        if self.shelf.plan is None:
            return "there is no signed plan: the grid was never fixed"
        if self.settings.instances:
            return f"only {', '.join(self.settings.instances)} was judged"
        chosen = [
            name
            for name in ("keyword", "markexpr", "deselect", "lf", "stepwise")
            if getattr(option, name, None)
        ]
        named = any("::" in str(argument) for argument in self.config.args)
        if chosen or named or self.deselected:
            return "only some tests were chosen"
        return None

    def _exit_status(self, status: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """1 for anything but GO; 0 where only waived or open cells failed; else pytest's own."""
        if self.decision is None or status not in (0, 1):
            return status
        if self.decision.word is not Word.GO:
            return pytest.ExitCode.TESTS_FAILED
        return status if self.strangers_failed else pytest.ExitCode.OK

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, object, object]:
        """Below all else: bad cells by cause, then the decision as the last word."""
        result = yield
        if self.decision is not None:
            self._summarise(terminalreporter, self.decision)
        return result

    def _summarise(self, reporter: pytest.TerminalReporter, decision: Decision) -> None:
        terminal.summary(
            reporter,
            self.shelf.wave.name,
            self.cells,
            decision,
            at=self.at,
            unplanned=sorted(self.unplanned),
        )


def cell_of(item: pytest.Item) -> GridCell | None:
    """The cell that an item judges, or None for somebody else's item."""
    callspec = getattr(item, "callspec", None)
    found = callspec.params.get(CELL) if callspec is not None else None
    return found if isinstance(found, GridCell) else None


def _parameter(wave: str, cell: GridCell) -> pytest.ParameterSet:
    """A cell as a parameter: its id, and a mark to choose it by."""
    mark = pytest.mark.promise(id=cell.promise, instance=cell.instance, customer=cell.customer)
    return pytest.param(cell, id=f"{wave}/{cell.instance}", marks=mark)


def _place(item: pytest.Item, names: dict[str, int]) -> tuple[int, int, tuple[int, str]]:
    cell = cell_of(item)
    if cell is None:
        return 0, 0, (0, "")
    return 1, names.get(cell.instance, len(names)), order(cell.promise)


def entries_of(report: pytest.TestReport) -> list[JudgedCell]:
    """What a report carries of ours."""
    properties = getattr(report, "user_properties", ())
    return [_entry(str(value)) for name, value in properties if name == PROPERTY]


@lru_cache(maxsize=64)
def _entry(text: str) -> JudgedCell:
    """Pytest asks for the same report's status several times in a row."""
    return judged_from_json(loads(text.encode("utf-8"), where="report"))


def _without_a_word(item: pytest.Item, cell: GridCell, call: pytest.CallInfo[None]) -> JudgedCell:
    """An item that ended in setup or teardown, or was skipped by a mark: nothing was judged."""
    error = call.excinfo.value if call.excinfo else RuntimeError("unknown")
    name = f"{getattr(item, 'originalname', item.name)} ({call.when})"
    return JudgedCell(instance=cell.instance, promise=cell.promise, judgement=raised(name, error))


def _raise(judgement: Judgement, error: BaseException | None) -> None:
    """The pytest outcome of a judgement."""
    __tracebackhide__ = True
    match judgement.verdict:
        case Verdict.FAILED:
            raise PromiseBroken(judgement) from error
        case Verdict.INCONCLUSIVE:
            raise CannotTell(judgement) from error
        case Verdict.NOT_APPLICABLE:
            pytest.skip(judgement.reason)
        case Verdict.PASSED:
            return
