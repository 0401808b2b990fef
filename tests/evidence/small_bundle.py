# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A small bundle made by hand: two instances, four snapshots, two mails, a NO-GO or a GO."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from wavegate.canonical import digest, dumps, loads
from wavegate.decision import Cell, GridCell, decide
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import dump as dump_estate
from wavegate.estate.load import loads as load_estate
from wavegate.estate.model import Estate
from wavegate.evidence.bundle import seal_bundle
from wavegate.evidence.dossier import Flaw, FlawKind
from wavegate.evidence.envelope import sign
from wavegate.evidence.predicates import PlanPredicate, RecordKind, RecordPredicate
from wavegate.evidence.reading import Reading
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.statement import grid_subject, record_subject, write
from wavegate.evidence.verdicts import Attempt, Context, Digests, PlanUsed, build, dump, parse
from wavegate.promise import PROMISES
from wavegate.record.local_store import LocalStore
from wavegate.record.mails import MailsRecord
from wavegate.record.message import Received
from wavegate.record.observation import Observation, Seen
from wavegate.record.snapshot import Phase, Snapshot, Tool
from wavegate.run.extracts import Extractor
from wavegate.verdict import Finding, Judgement, judgement

WAVE = "2024-01-w1"
RUN = "2024-01-w1-run1"
START = datetime(2024, 1, 16, 22, tzinfo=UTC)
END = START + timedelta(hours=1)
AT = END + timedelta(hours=2)
NAMES = ("acme-prod1", "acme-prod2")
TOOL = Tool(version="0.1.0", source="ab" * 32)
SUITES = "cd" * 32
KEY = FileSigner.of(ec.derive_private_key(4711, ec.SECP256R1()))
OTHER_KEY = FileSigner.of(ec.derive_private_key(4712, ec.SECP256R1()))
Edit = Callable[[Path], object]


def estate() -> Estate:
    """What was agreed for the two instances."""
    instances = [
        {
            "name": name,
            "customer": "acme",
            "product": "campaign-v8",
            "hosting": "managed",
            "environment": "prod",
            "sending_ips": ["192.0.2.10"],
            "domains": [{"name": "news.acme.example", "primary": True}],
        }
        for name in NAMES
    ]
    window = {"start": "2024-01-16T22:00:00Z", "end": "2024-01-16T23:00:00Z"}
    wave = {"name": WAVE, "window": window, "instances": list(NAMES)}
    found = {
        "version": 1,
        "policy": {"timestamps": "optional"},
        "customers": [{"name": "acme"}],
        "instances": instances,
        "waves": [wave],
    }
    return load_estate(json.dumps(found).encode(), "estate.json")


ESTATE = estate()
AGREED = agreed_digest(ESTATE, WAVE, "acme")


def snapshot(
    name: str, phase: Phase, sequence: int, previous: str | None, wave: str = WAVE
) -> Snapshot:
    """A capture of one observation on the right side of the window."""
    at = START - timedelta(hours=1) if phase == "before" else END + timedelta(hours=1)
    seen = Observation(
        kind="dns",
        subject="news.acme.example. TXT",
        asked={"server": "127.0.0.2:5300", "name": "news.acme.example.", "type": "TXT"},
        outcome=Seen(f"{name} {phase}".encode()),
        at=at,
        took_us=900,
        vantage="here",
    )
    return Snapshot(
        instance=name,
        customer="acme",
        wave=wave,
        phase=phase,
        sequence=sequence,
        previous=previous,
        because=None,
        began=at,
        ended=at,
        complete=True,
        forced=False,
        vantage="here",
        estate=AGREED,
        tool=TOOL,
        observations=(seen,),
    )


def described(taken: Snapshot, kind: RecordKind = "snapshot") -> RecordPredicate:
    """What is signed about a snapshot."""
    return RecordPredicate(
        instance=taken.instance,
        customer=taken.customer,
        wave=taken.wave,
        kind=kind,
        phase=taken.phase,
        began=taken.began,
        ended=taken.ended,
        vantage=taken.vantage,
        tool=taken.tool,
        sequence=taken.sequence,
        previous=taken.previous,
        estate=taken.estate,
    )


def mail(name: str) -> Received:
    """A mail that the sink received after the window."""
    raw = b"From: a@news.acme.example\r\nSubject: " + name.encode() + b"\r\n\r\nhello\r\n"
    return Received(
        source="sink",
        peer="192.0.2.10",
        peer_by="socket",
        helo="r10.news.acme.example",
        mail_from="b@news.acme.example",
        recipients=("seed@seed.example",),
        connected=END,
        ended=END,
        tls=False,
        raw=raw,
        digest=digest(raw),
        journal="1",
    )


def grid() -> tuple[GridCell, ...]:
    """The cells of the plan: two promises of two instances."""
    return tuple(
        GridCell(instance=name, customer="acme", promise=promise, due=END)
        for name in NAMES
        for promise in ("spf", "sound_evidence")
    )


def plan() -> PlanPredicate:
    """The signed plan."""
    return PlanPredicate(
        wave=WAVE,
        version=1,
        previous=None,
        at=START - timedelta(days=2),
        agreed={"acme": AGREED},
        cells=grid(),
        policy=dumps(ESTATE.policy.model_dump(mode="json")).decode(),
        tool=TOOL,
        suites=SUITES,
    )


def failed(promise: str, record: str) -> Judgement:
    """A FAILED judgement that rests on a record."""
    found = Finding(
        rule="address-lost",
        subject="news.acme.example TXT",
        expected="192.0.2.10 gets pass",
        observed="192.0.2.10 gets fail",
        explanation=f"{promise}: 192.0.2.10 passed before and fails after.",
        witness=("192.0.2.10",),
        before="v=spf1 ip4:192.0.2.10 -all",
        after="v=spf1 -all",
        records=(record,),
    )
    return judgement(findings=[found], shown="-", could_hide="-", records=[record])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a bundle is made.

    bad: the (instance, promise) that FAILED. drop: cells left out. flaw: what the gate met while
    it read the store. unused: the phase whose captures do not count.
    """

    plan: PlanPredicate
    bad: tuple[tuple[str, str], ...] = ()
    drop: tuple[tuple[str, str], ...] = ()
    record_key: FileSigner = KEY
    seal_key: FileSigner = KEY
    timestamps_required: bool = False
    snapshots: Callable[[str, Phase, int, str | None], Snapshot] = snapshot
    flaw: FlawKind | None = None
    unused: Phase | None = None


GOOD = Recipe(plan=plan())
NO_GO = replace(GOOD, bad=(("acme-prod1", "spf"),))


def nothing(_folder: Path) -> None:
    """No tampering."""


def make(
    folder: Path, recipe: Recipe = GOOD, *, inside: Edit = nothing, outside: Edit = nothing
) -> Path:
    """Write and seal a bundle.

    inside: done before sealing, by a liar who holds the key. outside: done to the sealed bundle,
    by anybody.
    """
    folder.mkdir()
    store = LocalStore.open(folder / "records", create=True)
    taken = {name: _file_snapshots(store, name, recipe) for name in NAMES}
    for name in NAMES:
        _file_mails(store, name, recipe.record_key)
    envelope = sign(write(grid_subject(recipe.plan), recipe.plan), recipe.record_key)
    store.create(f"plans/{WAVE}/000001.dsse.json", envelope)
    (folder / "plan.dsse.json").write_bytes(envelope)
    (folder / "estate.json").write_bytes(dump_estate(ESTATE))
    (folder / "verdicts.json").write_bytes(_verdicts(recipe, taken))
    (folder / "report.html").write_bytes(b"<!doctype html><title>report</title>\n")
    (folder / "summary.md").write_bytes(b"# Summary\n")
    _write_extracts(folder, recipe)
    inside(folder)
    reseal(folder, recipe)
    outside(folder)
    return folder


def _write_extracts(folder: Path, recipe: Recipe) -> None:
    """Cut the customer's extract, as the gate does."""
    Extractor(
        folder=folder,
        estate=ESTATE,
        verdicts=parse((folder / "verdicts.json").read_bytes()),
        signer=recipe.record_key,
        render=lambda out, _: out.joinpath("report.html").write_bytes(b"<!doctype html>\n"),
    ).write()


def reseal(folder: Path, recipe: Recipe = GOOD) -> None:
    """Seal a folder, again if it is sealed already."""
    for name in ("MANIFEST", "RUN", "seal.dsse.json"):
        (folder / name).unlink(missing_ok=True)
    seal_bundle(
        folder,
        signer=recipe.seal_key,
        run=RUN,
        wave=WAVE,
        timestamps_required=recipe.timestamps_required,
        tool=TOOL,
        suites=SUITES,
        random=same_numbers(),
    )


def same_numbers() -> Callable[[int], bytes]:
    """A source of numbers that gives the same ones each time."""
    drawn = count()
    return lambda size: bytes.fromhex(digest(f"number {next(drawn)}".encode()))[:size]


def _file_snapshots(store: LocalStore, name: str, recipe: Recipe) -> tuple[Snapshot, ...]:
    previous: str | None = None
    found = []
    phases: tuple[Phase, ...] = ("before", "after")
    for sequence, phase in enumerate(phases, 1):
        taken = recipe.snapshots(name, phase, sequence, previous)
        previous = store.put(taken.to_bytes())
        found.append(replace(taken, digest=previous))
        _file(store, f"signed/{WAVE}/{name}/{sequence:06d}", previous, described(taken), recipe)
    if recipe.flaw:
        _file_reading(store, found[-1], recipe.flaw, recipe)
    return tuple(found)


def _file(
    store: LocalStore, name: str, record: str, signed: RecordPredicate, recipe: Recipe
) -> None:
    envelope = sign(write(record_subject(record), signed), recipe.record_key)
    store.create(f"{name}.dsse.json", envelope)


def _file_reading(store: LocalStore, taken: Snapshot, kind: FlawKind, recipe: Recipe) -> None:
    flaw = Flaw(kind=kind, subject="000003", detail="a byte was changed")
    reading = Reading(wave=WAVE, instance=taken.instance, mail_heard=True, flaws=(flaw,))
    signed = replace(described(taken, "reading"), sequence=1, previous=None)
    record = store.put(reading.to_bytes())
    _file(store, f"readings/{WAVE}/{taken.instance}", record, signed, recipe)


def _file_mails(store: LocalStore, name: str, key: FileSigner) -> None:
    record = MailsRecord(
        instance=name,
        customer="acme",
        wave=WAVE,
        phase="after",
        since=END,
        until=AT,
        messages=(mail(name),),
    )
    signed = replace(described(snapshot(name, "after", 1, None), "mails"), began=END, ended=AT)
    payload = write(record_subject(store.put(record.to_bytes())), signed)
    store.create(f"mails/{WAVE}/{name}/after.dsse.json", sign(payload, key))


def _verdicts(recipe: Recipe, taken: dict[str, tuple[Snapshot, ...]]) -> bytes:
    cells = [_cell(cell, recipe, taken) for cell in grid()]
    kept = [c for c in cells if (c.grid.instance, c.grid.promise) not in recipe.drop]
    holds: dict[str, tuple[str, ...]] = dict.fromkeys(NAMES, ())
    context = Context(
        run=RUN,
        wave=WAVE,
        at=AT,
        holds=holds,
        promises=(PROMISES["spf"], PROMISES["sound_evidence"]),
        digests=Digests(
            estate={"acme": AGREED},
            policy=digest(recipe.plan.policy.encode()),
            suites=SUITES,
            tool=TOOL.source,
        ),
        tool=TOOL,
        window=ESTATE.wave(WAVE).window,
        attempts={
            name: tuple(_attempt(one, used=one.phase != recipe.unused) for one in found)
            for name, found in taken.items()
        },
        plan=PlanUsed(
            version=recipe.plan.version,
            digest=digest(write(grid_subject(recipe.plan), recipe.plan)),
            at=recipe.plan.at,
        ),
    )
    return dump(build(kept, decide(kept, at=AT, holds=holds), context))


def _cell(cell: GridCell, recipe: Recipe, taken: dict[str, tuple[Snapshot, ...]]) -> Cell:
    record = taken[cell.instance][-1].digest
    if (cell.instance, cell.promise) in recipe.bad:
        return Cell(grid=cell, judgement=failed(cell.promise, record))
    shown = judgement(
        shown="Every address gets the result it got before.",
        could_hide="A server that answers us otherwise.",
        records=[record, digest(mail(cell.instance).raw)],
    )
    return Cell(grid=cell, judgement=shown)


def _attempt(taken: Snapshot, *, used: bool) -> Attempt:
    return Attempt(
        phase=taken.phase,
        sequence=taken.sequence,
        digest=taken.digest,
        because=None,
        began=taken.began,
        ended=taken.ended,
        used=used,
        forced=False,
        complete=True,
    )


def edit_json(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change a JSON file in place and write it canonically."""
    found = loads(path.read_bytes())
    if not isinstance(found, dict):
        raise TypeError("expected an object")
    change(found)
    path.write_bytes(dumps(found))
