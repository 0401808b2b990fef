# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb gate: freeze the records, judge them apart from the key, decide, render, seal, file."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.decision import EXIT_CODES, Word
from wavegate.errors import InputError
from wavegate.estate.load import dump as dump_estate
from wavegate.estate.load import load
from wavegate.estate.model import Wave
from wavegate.evidence.bundle import VERDICTS, building, seal_bundle
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.shelf import Shelf, open_shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.evidence.verdicts import dump as dump_verdicts
from wavegate.record.local_store import LocalStore
from wavegate.report import html, junit, markdown
from wavegate.report.html import Plot
from wavegate.report.resend import NoPlan, ResendPlan, handed
from wavegate.run.figures import MOST_INSTANCES, figures
from wavegate.run.freeze import Freezer
from wavegate.run.judging import Case, judge
from wavegate.run.opening import Opened, vantage
from wavegate.run.resends import write_resend
from wavegate.run.sheet import Captures, Sheet
from wavegate.run.suites import Suite, suites_digest

RUNS = Path("reports/runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How to gate. out: the bundle, None for reports/runs/<run>. only: instances, () for all."""

    suites: tuple[Suite, ...]
    out: Path | None = None
    final: bool = False
    only: tuple[str, ...] = ()
    alluredir: Path | None = None


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
    opened: Opened, request: Request, signer: Signer, trust: Trust, say: Callable[[str], None]
) -> Gated:
    """Judge a wave's records and seal the outcome.

    Raises InputError (out is taken, unknown instance), MissingError and InternalError where no
    decision could be made; then nothing is left behind.
    """
    at = clock.now()
    run = f"{opened.wave.name}-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    final = request.out or RUNS / run
    with building(final) as folder:
        say(f"freezing the records of {len(opened.instances)} instances")
        _freeze(opened, request, folder, signer, trust, at)
        say(f"judging with {len(request.suites)} suites")
        verdicts = judge_bundle(folder, run, opened.wave, at, trust, request)
        say("drawing and writing the report")
        shelf = _frozen(folder, opened, trust, at)
        _render(folder, verdicts, signer.keyid, shelf, _worst_first(verdicts, shelf, request.only))
        seal_bundle(
            folder,
            signer=signer,
            run=run,
            wave=opened.wave.name,
            timestamps_required=_timestamps(opened),
            tool=tool(),
            suites=suites_digest(request.suites),
        )
    _file(opened.store, final, opened.wave.name, run)
    return Gated(verdicts=verdicts, bundle=final)


def _freeze(
    opened: Opened,
    request: Request,
    folder: Path,
    signer: Signer,
    trust: Trust,
    at: datetime,
) -> None:
    """Put estate, plan and all records that are judged into the bundle."""
    shelf = open_shelf(opened.store, opened.estate, opened.wave, trust, at)
    records = LocalStore.open(folder / "records", create=True)
    freezer = Freezer(shelf=shelf, target=records, signer=signer, at=at, vantage=vantage(None))
    freezer.freeze(_names(opened, request))
    (folder / "estate.json").write_bytes(dump_estate(opened.estate))
    if shelf.plan is not None:
        name = f"plans/{opened.wave.name}/{shelf.plan.version:06d}.dsse.json"
        (folder / "plan.dsse.json").write_bytes(opened.store.read(name))


def _names(opened: Opened, request: Request) -> tuple[str, ...]:
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
    shelf = open_shelf(records, load(case.estate).estate, wave, trust, at)
    sheet = Sheet(
        run=run,
        shelf=shelf,
        suites=request.suites,
        judged=judged,
        captures=_captures(shelf),
        final=request.final,
        only=request.only,
    )
    return sheet.verdicts()


def _captures(shelf: Shelf) -> dict[str, Captures]:
    known = {instance.name for instance in shelf.estate.instances}
    found = {}
    for name in shelf.wave.instances:
        if name in known:
            found[name] = Captures.of(*shelf.chosen(name))
    return found


def _frozen(folder: Path, opened: Opened, trust: Trust, at: datetime) -> Shelf:
    """The frozen records, for what is drawn and listed from them."""
    records = LocalStore.open(folder / "records", create=False)
    return open_shelf(records, opened.estate, opened.wave, trust, at)


def _render(
    folder: Path, verdicts: Verdicts, keyid: str, shelf: Shelf, names: tuple[str, ...]
) -> None:
    """Write verdicts.json, the resend plans, and the reports. names: instances, worst first."""
    plots: list[Plot] = []
    plans: list[ResendPlan | NoPlan] = []
    for name in names:
        dossier = shelf.dossier(name)
        plots += figures(shelf, dossier) if len(plans) < MOST_INSTANCES else ()
        plans.append(write_resend(folder, dossier))
    resends = handed(plans)
    page = html.render(verdicts, keyid=keyid, plots=tuple(plots), resends=resends)
    (folder / VERDICTS).write_bytes(dump_verdicts(verdicts))
    (folder / "report.html").write_text(page, "utf-8")
    (folder / "summary.md").write_text(markdown.render(verdicts, resends=resends), "utf-8")
    (folder / "junit.xml").write_bytes(junit.render(verdicts))


def _worst_first(verdicts: Verdicts, shelf: Shelf, only: tuple[str, ...]) -> tuple[str, ...]:
    """The instances of the wave that were judged, worst decision first."""
    rank = list(Word)
    wanted = only or shelf.wave.instances
    names = [name for name in verdicts.instances if name in wanted]
    return tuple(sorted(names, key=lambda name: rank.index(verdicts.instances[name])))


def _timestamps(opened: Opened) -> bool:
    policy = opened.estate.policy
    return any(policy.timestamps_for(i.environment) == "required" for i in opened.instances)


def _file(store: LocalStore, bundle: Path, wave: str, run: str) -> None:
    """File seal and verdicts in the store, where `schedule` of later waves finds them."""
    for name in (SEAL, VERDICTS):
        store.create(f"gates/{wave}/{run}/{name}", (bundle / name).read_bytes())
