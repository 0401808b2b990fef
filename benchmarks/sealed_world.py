# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bundle of as many instances as one likes, for benchmarks of sealing and verifying.

An instance has about a third of the bytes that one of the lab's has: two captures of 120 answers,
three records of 20 mails of 3 kB, two looks at its queue, a timeline, and what was read; a verdict
for each of 17 promises. Ten instances are a customer, with an extract and reports of its own.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from tests.builders.queues import look as queue_look
from tests.builders.queues import row as queue_row
from tests.builders.timelines import every, timeline
from tests.evidence.small_bundle import (
    AT,
    END,
    KEY,
    RUN,
    START,
    SUITES,
    TOOL,
    WAVE,
    described,
    mail,
    snapshot,
)

from wavegate.canonical import digest, dumps
from wavegate.decision import Cell, GridCell, decide
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import dump
from wavegate.estate.load import loads as load_estate
from wavegate.estate.model import Estate
from wavegate.evidence.bundle import seal_bundle
from wavegate.evidence.envelope import sign
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate
from wavegate.evidence.reading import Reading
from wavegate.evidence.statement import grid_subject, record_subject, write
from wavegate.evidence.verdicts import Attempt, Context, Digests, PlanUsed, Verdicts, build
from wavegate.evidence.verdicts import dump as dump_verdicts
from wavegate.promise import PROMISES
from wavegate.record.local_store import LocalStore
from wavegate.record.mails import MailPhase, MailsRecord
from wavegate.record.message import Received
from wavegate.record.observation import Observation, Seen
from wavegate.record.queue_file import to_bytes as queue_bytes
from wavegate.record.snapshot import Phase, Snapshot
from wavegate.run.extracts import Extractor
from wavegate.verdict import judgement

TOGETHER = 10
"""Instances of one customer."""
ASKED = tuple(PROMISES)[:17]
ANSWERS = 120
MAILS = 20
MAIL_SIZE = 3_000
PAPER_SIZE = 250_000
"""Bytes of a report in PDF."""
_ROWS = [queue_row(number) for number in range(200)]
_WATCHED = timeline(every(step=timedelta(seconds=30)))
PHASES: tuple[Phase, ...] = ("before", "after")
MAIL_PHASES: tuple[MailPhase, ...] = ("before", "window", "after")
_LOOKS = {moment: queue_look(_ROWS, moment=moment) for moment in PHASES}


@dataclass(frozen=True)
class World:
    """So many instances in one wave."""

    instances: int

    @cached_property
    def names(self) -> dict[str, str]:
        """The customer of each instance."""
        numbers = range(self.instances)
        return {f"i{number:05d}": f"c{number // TOGETHER:04d}" for number in numbers}

    @cached_property
    def estate(self) -> Estate:
        """What was agreed."""
        window = {"start": "2024-01-16T22:00:00Z", "end": "2024-01-16T23:00:00Z"}
        found = {
            "version": 1,
            "policy": {"timestamps": "optional"},
            "customers": [{"name": name} for name in sorted(set(self.names.values()))],
            "instances": [_instance(name, owner) for name, owner in self.names.items()],
            "waves": [{"name": WAVE, "window": window, "instances": list(self.names)}],
        }
        return load_estate(json.dumps(found).encode(), "estate.json")

    @cached_property
    def agreed(self) -> dict[str, str]:
        """The agreed digest of each customer."""
        return {name: agreed_digest(self.estate, WAVE, name) for name in set(self.names.values())}

    def make(self, folder: Path) -> None:
        """Write all of a bundle but what the seal adds."""
        folder.mkdir()
        store = LocalStore.open(folder / "records", create=True)
        taken = {name: self._file(store, name) for name in self.names}
        plan = self._plan()
        envelope = sign(write(grid_subject(plan), plan), KEY)
        store.create(f"plans/{WAVE}/000001.dsse.json", envelope)
        (folder / "plan.dsse.json").write_bytes(envelope)
        (folder / "estate.json").write_bytes(dump(self.estate))
        verdicts = self._verdicts(plan, taken)
        (folder / "verdicts.json").write_bytes(dump_verdicts(verdicts))
        _report(folder, verdicts)
        Extractor(
            folder=folder, estate=self.estate, verdicts=verdicts, signer=KEY, render=_report
        ).write()

    def _file(self, store: LocalStore, name: str) -> tuple[Snapshot, ...]:
        customer, previous, found = self.names[name], None, []
        for sequence, phase in enumerate(PHASES, 1):
            taken = replace(
                snapshot(name, phase, sequence, previous),
                customer=customer,
                estate=self.agreed[customer],
                observations=_answers(name, phase),
            )
            previous = store.put(taken.to_bytes())
            found.append(replace(taken, digest=previous))
            _sign(store, f"signed/{WAVE}/{name}/{sequence:06d}", previous, described(taken))
        for mail_phase in MAIL_PHASES:
            self._file_mails(store, found[0], mail_phase)
        self._file_rest(store, found[0])
        return tuple(found)

    def _file_mails(self, store: LocalStore, taken: Snapshot, phase: MailPhase) -> None:
        record = MailsRecord(
            instance=taken.instance,
            customer=taken.customer,
            wave=WAVE,
            phase=phase,
            since=END,
            until=AT,
            messages=tuple(_mail(f"{taken.instance} {phase} {n}") for n in range(MAILS)),
        )
        told = replace(described(taken, "mails"), phase=phase, began=END, ended=AT)
        place = f"mails/{WAVE}/{taken.instance}/{phase}"
        _sign(store, place, store.put(record.to_bytes()), told)

    def _file_rest(self, store: LocalStore, taken: Snapshot) -> None:
        """What was read of it, its timeline, and the looks at its queue."""
        name, customer = taken.instance, taken.customer
        reading = Reading(wave=WAVE, instance=name, mail_heard=True, flaws=())
        told = replace(described(taken, "reading"), sequence=1, previous=None)
        _sign(store, f"readings/{WAVE}/{name}", store.put(reading.to_bytes()), told)
        watched = replace(_WATCHED, instance=name, customer=customer, wave=WAVE)
        told = replace(described(taken, "timeline"), sequence=1, previous=None)
        _sign(store, f"timelines/{WAVE}/{name}/000001", store.put(watched.to_bytes()), told)
        for moment in PHASES:
            seen = replace(_LOOKS[moment], instance=name, customer=customer, wave=WAVE)
            told = replace(
                described(taken, "queue"),
                phase=moment,
                sequence=1,
                previous=None,
                began=seen.began,
                ended=seen.ended,
                vantage=seen.vantage,
            )
            place = f"queues/{WAVE}/{name}/{moment}-000001"
            _sign(store, place, store.put(queue_bytes(seen)), told)

    def _cells(self) -> tuple[GridCell, ...]:
        return tuple(
            GridCell(instance=name, customer=owner, promise=promise, due=END)
            for name, owner in self.names.items()
            for promise in ASKED
        )

    def _plan(self) -> PlanPredicate:
        return PlanPredicate(
            wave=WAVE,
            version=1,
            previous=None,
            at=START.replace(day=10),
            agreed=self.agreed,
            cells=self._cells(),
            policy=dumps(self.estate.policy.model_dump(mode="json")).decode(),
            tool=TOOL,
            suites=SUITES,
        )

    def _verdicts(self, plan: PlanPredicate, taken: dict[str, tuple[Snapshot, ...]]) -> Verdicts:
        cells = [_cell(cell, taken[cell.instance][-1].digest) for cell in plan.cells]
        holds: dict[str, tuple[str, ...]] = dict.fromkeys(self.names, ())
        context = Context(
            run=RUN,
            wave=WAVE,
            at=AT,
            holds=holds,
            promises=tuple(PROMISES[promise] for promise in ASKED),
            digests=Digests(
                estate=self.agreed,
                policy=digest(plan.policy.encode()),
                suites=SUITES,
                tool=TOOL.source,
            ),
            tool=TOOL,
            window=self.estate.wave(WAVE).window,
            attempts={name: tuple(map(_attempt, found)) for name, found in taken.items()},
            plan=PlanUsed(version=1, digest=digest(write(grid_subject(plan), plan)), at=plan.at),
        )
        return build(cells, decide(cells, at=AT, holds=holds), context)


def seal(folder: Path) -> None:
    """Seal a bundle that was made."""
    seal_bundle(
        folder,
        signer=KEY,
        run=RUN,
        wave=WAVE,
        timestamps_required=False,
        tool=TOOL,
        suites=SUITES,
    )


def _instance(name: str, owner: str) -> dict[str, object]:
    return {
        "name": name,
        "customer": owner,
        "product": "campaign-v8",
        "hosting": "managed",
        "environment": "prod",
        "sending_ips": ["192.0.2.10"],
        "domains": [{"name": f"{name}.example", "primary": True}],
    }


def _answers(name: str, phase: Phase) -> tuple[Observation, ...]:
    (one,) = snapshot(name, phase, 1, None).observations
    value = f"{name} {phase} ".encode() * 12
    return tuple(
        replace(
            one,
            subject=f"s{number}.{name}.example. TXT",
            asked={**one.asked, "name": f"s{number}.{name}.example.", "zone": f"{name}.example."},
            outcome=Seen(value),
            heard={"transport": "udp", "rcode": "NOERROR", "aa": "1"},
        )
        for number in range(ANSWERS)
    )


def _mail(name: str) -> Received:
    one = mail(name)
    raw = one.raw + f"{name} ".encode() * (MAIL_SIZE // len(name))
    return replace(one, raw=raw, digest=digest(raw))


def _sign(store: LocalStore, name: str, record: str, told: RecordPredicate) -> None:
    store.create(f"{name}.dsse.json", sign(write(record_subject(record), told), KEY))


def _cell(cell: GridCell, record: str) -> Cell:
    shown = judgement(shown="It is as it was.", could_hide="A server not asked.", records=[record])
    return Cell(grid=cell, judgement=shown)


def _attempt(taken: Snapshot) -> Attempt:
    return Attempt(
        phase=taken.phase,
        sequence=taken.sequence,
        digest=taken.digest,
        because=None,
        began=taken.began,
        ended=taken.ended,
        used=True,
        forced=False,
        complete=True,
    )


def _report(folder: Path, verdicts: Verdicts) -> None:
    """A report of about the size that ours has."""
    rows = (f"<tr><td>{c.instance}</td><td>{c.promise}</td></tr>\n" * 20 for c in verdicts.cells)
    (folder / "report.html").write_text("<!doctype html>\n" + "".join(rows), "utf-8")
    (folder / "summary.md").write_text("# Summary\n", "utf-8")
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n" + bytes(PAPER_SIZE))
