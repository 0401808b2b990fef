# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A store on disk with estate, trust, plan, signed snapshots and mail, for tests from outside."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from tests.builders.estates import NOW, START, WAVE, estate

from wavegate.canonical import dumps
from wavegate.clock import format_instant
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.grid import grid
from wavegate.estate.load import dump
from wavegate.estate.model import Estate
from wavegate.evidence.envelope import sign
from wavegate.evidence.keys import default_signer
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate
from wavegate.evidence.statement import grid_subject, record_subject, write
from wavegate.evidence.timeline_checkpoints import journal_subject, timeline_checkpoint_name
from wavegate.record.journal import Head, JournalWriter
from wavegate.record.listening import Listener
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_fields import to_fields
from wavegate.record.mail_journal import SCHEMA, SUFFIX, SegmentHeader
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.message import Received
from wavegate.record.queue import QueueLook
from wavegate.record.snapshot import Snapshot, Tool
from wavegate.record.timeline import Timeline
from wavegate.record.timeline_journal import TimelineHeader, folder_of, gap_line, sample_line
from wavegate.record.timeline_writer import TimelineWriter
from wavegate.run.queue import file_look

SUITES = "0" * 64
HOUR = timedelta(hours=1)
TOOL = Tool(version="1.4.0", source="5" * 64)


@dataclass
class Desk:
    """A folder with all that `pytest suites` is pointed at."""

    folder: Path
    estate: Estate = field(default_factory=estate)
    wave: str = WAVE
    at: datetime = NOW

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.signer = default_signer(self.folder / "home")
        self.store = LocalStore.open(self.folder / "store", create=True)
        (self.folder / "estate.json").write_bytes(dump(self.estate))

    @property
    def options(self) -> list[str]:
        """The options that point pytest at this desk."""
        return [
            f"--estate={self.folder / 'estate.json'}",
            f"--wave={self.wave}",
            f"--store={self.folder / 'store'}",
            f"--trust={self.folder / 'home' / 'trust.json'}",
            f"--run-instant={format_instant(self.at)}",
        ]

    def plan(self, *promises: str, at: datetime = START - timedelta(days=2)) -> None:
        """Sign the grid of these promises."""
        cells = grid(self.estate, self.wave, promises)
        customers = sorted({cell.customer for cell in cells})
        predicate = PlanPredicate(
            wave=self.wave,
            version=1,
            previous=None,
            at=at,
            agreed={name: self.agreed(name) for name in customers},
            cells=cells,
            policy=dumps(self.estate.policy.model_dump(mode="json")).decode(),
            tool=TOOL,
            suites=SUITES,
        )
        payload = write(grid_subject(predicate), predicate)
        self.store.create(f"plans/{self.wave}/000001.dsse.json", sign(payload, self.signer))

    def agreed(self, customer: str) -> str:
        """The agreed digest of a customer."""
        return agreed_digest(self.estate, self.wave, customer)

    def capture(self, *snapshots: Snapshot) -> tuple[Snapshot, ...]:
        """File snapshots as one chain, signed; the agreed digest and the tool are set right."""
        previous, filed = None, []
        for sequence, taken in enumerate(snapshots, 1):
            agreed = self.agreed(taken.customer)
            whole = replace(
                taken,
                sequence=sequence,
                previous=previous,
                estate=agreed,
                tool=TOOL,
                wave=self.wave,
            )
            previous = self.store.put(whole.to_bytes())
            self._file(whole, previous)
            filed.append(replace(whole, digest=previous))
        return tuple(filed)

    def _file(self, taken: Snapshot, record: str) -> None:
        predicate = RecordPredicate(
            instance=taken.instance,
            customer=taken.customer,
            wave=taken.wave,
            kind="snapshot",
            phase=taken.phase,
            began=taken.began,
            ended=taken.ended,
            vantage=taken.vantage,
            tool=taken.tool,
            sequence=taken.sequence,
            previous=taken.previous,
            estate=taken.estate,
        )
        payload = write(record_subject(record), predicate)
        name = f"signed/{taken.wave}/{taken.instance}/{taken.sequence:06d}.dsse.json"
        self.store.create(name, sign(payload, self.signer))

    def deliver(self, mails: Iterable[Received]) -> None:
        """Write mails into a journal, as the sink does."""
        folder = self.folder / "store" / "mail"
        folder.mkdir(exist_ok=True)
        listener = Listener(
            listen=("127.0.0.1:2525",), vantage="here", heartbeat=timedelta(hours=9)
        )
        writer = MailJournalWriter(folder, listener)
        writer.append(list(mails))
        writer.close()

    def hear(self, mails: Iterable[Received], since: datetime, until: datetime) -> None:
        """Write mails into a journal of a sink that listened from one instant to another."""
        folder = self.folder / "store" / "mail"
        folder.mkdir(exist_ok=True)
        listener = Listener(listen=("127.0.0.1:2525",), vantage="here", heartbeat=until - since)
        header = SegmentHeader(at=since, listener=listener, follows=None)
        writer = JournalWriter.create(
            folder / f"{since:%Y%m%dT%H%M%S.%fZ}-00000000{SUFFIX}",
            schema=SCHEMA,
            header=header.to_fields(),
        )
        found = [{"kind": "mail", **to_fields(mail)} for mail in mails]
        stop = {"kind": "stop", "at": format_instant(until), "messages": len(found)}
        writer.append_many([*found, stop])
        writer.close()

    def watch(self, *lines: Timeline) -> None:
        """File timelines as a watch does: a journal each, with a signed checkpoint at its end."""
        for line in lines:
            folder = self.store.folder(folder_of(line.wave, line.instance).rstrip("/"))
            writer = TimelineWriter(folder, _header(line), checkpoint=self._seal_of(line))
            told = [*map(sample_line, line.samples), *map(gap_line, line.gaps)]
            writer.write(told, since=line.began, at=line.ended)
            writer.stop(line.ended, settled=line.settled, reason="settled")

    def _seal_of(self, line: Timeline) -> Callable[[str, Head], None]:
        def seal(segment: str, head: Head) -> None:
            predicate = RecordPredicate(
                instance=line.instance,
                customer=line.customer,
                wave=line.wave,
                kind="timeline-journal",
                phase="window",
                began=line.ended,
                ended=line.ended,
                vantage=line.vantage,
                tool=line.tool,
                sequence=head.n + 1,
                previous=None,
                estate=self.agreed(line.customer),
            )
            subject = journal_subject(line.wave, line.instance, segment)
            name = timeline_checkpoint_name(line.wave, line.instance, segment, head.n)
            self.store.create(name, sign(write({subject: head.line}, predicate), self.signer))

        return seal

    def list_queue(self, *looks: QueueLook) -> None:
        """File looks at the queue, signed."""
        for look in looks:
            file_look(self.store, look, self.signer, self.estate)


def _header(line: Timeline) -> TimelineHeader:
    return TimelineHeader(
        at=line.began,
        instance=line.instance,
        customer=line.customer,
        wave=line.wave,
        vantage=line.vantage,
        tool=line.tool,
        functions=line.functions,
    )


def named(snapshots: Sequence[Snapshot], instance: str) -> tuple[Snapshot, ...]:
    """The same snapshots as another instance's."""
    return tuple(
        replace(s, instance=instance, customer=instance.partition("-")[0]) for s in snapshots
    )
