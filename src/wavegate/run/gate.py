# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb gate: freeze the records, judge them apart from the key, decide, render, seal, file."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.decision import EXIT_CODES, Word
from wavegate.errors import InputError
from wavegate.estate.load import dump as dump_estate
from wavegate.estate.load import load
from wavegate.estate.model import Estate, Wave
from wavegate.estate.nightly import with_nightly, without_nightly
from wavegate.evidence.authorities import Authorities
from wavegate.evidence.bundle import NIGHT, VERDICTS, building, seal_bundle
from wavegate.evidence.customer_file import FOLDER
from wavegate.evidence.manifest import MANIFEST, SEAL
from wavegate.evidence.run_list import RUN
from wavegate.evidence.sealed_verdicts import BASELINE, PLAN
from wavegate.evidence.shelf import Records, Shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.evidence.verdicts import dump as dump_verdicts
from wavegate.record.local_store import LocalStore
from wavegate.record.store import Store
from wavegate.report import pdf
from wavegate.report.html import Plot
from wavegate.report.resend import NoPlan, ResendPlan
from wavegate.run.agreed_secrets import agreed_secrets
from wavegate.run.extracts import Extractor
from wavegate.run.figures import MOST_INSTANCES, figures
from wavegate.run.freeze import Freezer
from wavegate.run.judging import Case, judge
from wavegate.run.opening import Round, open_records, vantage
from wavegate.run.papers import MISSING, Drawn, Paper, Writer, stamped_by
from wavegate.run.resends import write_resend
from wavegate.run.sheet import Captures, Sheet
from wavegate.run.stamps import stamp_seal
from wavegate.run.suites import Suite, suites_digest

RUNS = Path("reports/runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How to gate. out: the bundle, None for reports/runs/<run>. only: instances, () for all.

    spent: of a night, the expected changes that were used before. more: writes what a bundle holds
    besides, once the verdicts are there, and gives the verdicts with notes on it.
    paper: languages of the reports, who asked, what signs the PDF. known: roots of timestamp
    authorities; with any, only their tokens count.
    """

    suites: tuple[Suite, ...]
    out: Path | None = None
    final: bool = False
    only: tuple[str, ...] = ()
    alluredir: Path | None = None
    spent: frozenset[str] = frozenset()
    more: Callable[[Path, Verdicts], Verdicts] | None = None
    paper: Paper = Paper()  # noqa: RUF009 - frozen
    known: Authorities = Authorities()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """A run that was sealed."""

    verdicts: Verdicts
    bundle: Path

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 3 HOLD."""
        return EXIT_CODES[self.verdicts.decision]

    def to_json(self) -> Mapping[str, object]:
        """The object of `gate --json`: verdicts.json itself."""
        return self.verdicts.model_dump(mode="json")


def gate(
    opened: Round,
    request: Request,
    signer: Signer,
    trust: Trust,
    say: Callable[[str], None],
    *,
    at: datetime | None = None,
) -> Gated:
    """Judge the records of a wave, or of a night, and seal the outcome. at: default now.

    Raises InputError (out is taken, unknown instance), MissingError and InternalError where no
    decision could be made; then nothing is left behind.
    """
    at = at or clock.now()
    run = f"{opened.wave.name}-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    final = request.out or RUNS / run
    with building(final) as folder:
        say(f"freezing the records of {len(opened.instances)} instances")
        _freeze(opened, request, folder, signer, trust, say, at)
        say(f"judging with {len(request.suites)} suites")
        verdicts = judge_bundle(folder, run, opened.wave, at, trust, request)
        say("drawing and writing the report")
        verdicts, customers = _write(folder, opened, request, verdicts, signer, trust, say)
        seal_bundle(
            folder,
            signer=signer,
            run=run,
            wave=verdicts.wave,
            timestamps_required=_timestamps(opened),
            tool=tool(),
            suites=suites_digest(request.suites),
            drill=verdicts.drill,
            agreed=agreed_secrets(
                opened.estate, opened.loaded.path.resolve().parent, customers, say
            ),
        )
        required, urls = _timestamps(opened), opened.estate.policy.tsa
        stamp_seal(folder, urls, request.known, say, required=required)
    _file(opened.store, final, opened.wave.name, run)
    return Gated(verdicts=verdicts, bundle=final)


def _write(
    folder: Path,
    opened: Round,
    request: Request,
    verdicts: Verdicts,
    signer: Signer,
    trust: Trust,
    say: Callable[[str], None],
) -> tuple[Verdicts, tuple[str, ...]]:
    """Write verdicts and reports, with the plots of a wave, and the customers' extracts.

    Gives the verdicts and the customers that have an extract.
    """
    if request.more is not None:
        verdicts = request.more(folder, verdicts)
    shelf = _frozen(folder, opened, trust, verdicts.at)
    names = _worst_first(verdicts, shelf, request.only) if isinstance(shelf, Shelf) else ()
    drawn = _draw(folder, shelf, names)
    (folder / VERDICTS).write_bytes(dump_verdicts(verdicts))
    paper = request.paper
    if opened.estate.policy.tsa and paper.stamp is None:
        paper = replace(paper, stamp=stamped_by(opened.estate.policy.tsa))
    if not pdf.available():
        say(MISSING)
    writer = Writer(signer=signer, paper=paper, say=say)
    writer.write(folder, verdicts, drawn)
    extractor = Extractor(
        folder=folder,
        estate=opened.estate,
        verdicts=verdicts,
        signer=signer,
        render=lambda out, part: writer.write(out, part, drawn.of(part)),
    )
    return verdicts, extractor.write()


def _freeze(
    opened: Round,
    request: Request,
    folder: Path,
    signer: Signer,
    trust: Trust,
    say: Callable[[str], None],
    at: datetime,
) -> None:
    """Put estate, plan and all records that are judged into the bundle."""
    shelf = opened.records(opened.store, trust, at)
    records = LocalStore.open(folder / "records", create=True)
    freezer = Freezer(
        shelf=shelf,
        target=records,
        signer=signer,
        at=at,
        vantage=vantage(None),
        roots=request.known.roots,
        say=say,
    )
    freezer.freeze(_names(opened, request))
    (folder / "estate.json").write_bytes(dump_estate(without_nightly(opened.estate)))
    if shelf.plan is not None:
        version = f"{shelf.plan.version:06d}.dsse.json"
        (name,) = (name for name in shelf.grid_names if name.endswith(f"/{version}"))
        kept = BASELINE if opened.wave.open_ended else PLAN
        (folder / kept).write_bytes(opened.store.read(name))


def _names(opened: Round, request: Request) -> tuple[str, ...]:
    """The instances judged, and the affected ones outside the wave, for their `scope` cells."""
    inside = opened.wave.instances
    unknown = sorted(set(request.only) - set(inside))
    if unknown:
        raise InputError(
            f"not in wave {opened.wave.name}: {', '.join(unknown)}",
            cure=f"its instances are {', '.join(inside)}",
        )
    outside = [i.name for i in opened.estate.instances if i.affected and i.name not in inside]
    known = {i.name for i in opened.estate.instances}
    if opened.wave.open_ended:
        return inside
    return (*(name for name in request.only or inside if name in known), *outside)


def judge_bundle(
    folder: Path, run: str, wave: Wave, at: datetime, trust: Trust, request: Request
) -> Verdicts:
    """The verdicts on a bundle's frozen records; the same whenever and wherever it is done."""
    case = Case(
        estate=folder / "estate.json",
        store=folder / "records",
        wave=wave.name,
        at=at,
        trust=trust,
        suites=request.suites,
        only=request.only,
        final=request.final,
        alluredir=request.alluredir,
    )
    judged = judge(case)
    records = LocalStore.open(case.store, create=False)
    shelf = open_records(records, _estate(case.estate, wave), wave, trust, at)
    sheet = Sheet(
        run=run,
        shelf=shelf,
        suites=request.suites,
        judged=judged,
        captures=_captures(shelf),
        final=request.final,
        only=request.only,
        spent=request.spent,
    )
    return sheet.verdicts()


def _estate(path: Path, wave: Wave) -> Estate:
    found = load(path).estate
    return with_nightly(found) if wave.open_ended else found


def _captures(shelf: Records) -> dict[str, Captures]:
    known = {instance.name for instance in shelf.estate.instances} & set(shelf.members)
    found = {}
    for name in shelf.wave.instances:
        if name in known:
            found[name] = Captures.of(*shelf.chosen(name))
    return found


def _frozen(folder: Path, opened: Round, trust: Trust, at: datetime) -> Records:
    """The frozen records, for what is drawn and listed from them."""
    records = LocalStore.open(folder / "records", create=False)
    return opened.records(records, trust, at)


def _draw(folder: Path, shelf: Records, names: tuple[str, ...]) -> Drawn:
    """Draw the plots and write the resend plans. names: instances, worst first."""
    plots: dict[str, tuple[Plot, ...]] = {}
    plans: dict[str, ResendPlan | NoPlan] = {}
    for name in names:
        dossier = shelf.dossier(name)
        if isinstance(shelf, Shelf) and len(plots) < MOST_INSTANCES:
            plots[name] = tuple(figures(shelf, dossier))
        plans[name] = write_resend(folder, dossier)
    return Drawn(plots=plots, plans=plans)


def _worst_first(verdicts: Verdicts, shelf: Shelf, only: tuple[str, ...]) -> tuple[str, ...]:
    """The instances of the wave that were judged, worst decision first."""
    rank = list(Word)
    wanted = set(only or shelf.wave.instances) & set(shelf.members)
    names = [name for name in verdicts.instances if name in wanted]
    return tuple(sorted(names, key=lambda name: rank.index(verdicts.instances[name])))


def _timestamps(opened: Round) -> bool:
    policy = opened.estate.policy
    if opened.wave.open_ended:
        return False  # they do not bind a night (design, "Nightly")
    return any(policy.timestamps_for(i.environment) == "required" for i in opened.instances)


def _file(store: Store, bundle: Path, wave: str, run: str) -> None:
    """File seal and verdicts in the store, where later waves and nights find them.

    With those of a wave what vouches for each customer's part, for extracts of later waves.
    """
    night = (NIGHT,) if (bundle / NIGHT).exists() else ()
    parts = [
        f"{FOLDER}{extract.name}/{name}"
        for extract in sorted((bundle / FOLDER).glob("*"))
        for name in (MANIFEST, VERDICTS)
    ]
    for name in (*(() if night else (RUN, *parts)), VERDICTS, *night, SEAL):
        store.create(f"gates/{wave}/{run}/{name}", (bundle / name).read_bytes())
