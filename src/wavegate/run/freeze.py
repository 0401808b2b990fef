# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Freezing: copies all that a wave's verdicts rest on into a bundle's `records/`, and signs mail.

The result is a store of the same format: the suites read it as they read the store, and anyone can
judge again from it alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from wavegate.errors import WavegateError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.model import Instance
from wavegate.evidence import reading
from wavegate.evidence.approvals import read_approvals
from wavegate.evidence.decisions import read_decisions
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.mail_shelf import frozen_name, sources_name
from wavegate.evidence.night_shelf import ACCEPTED
from wavegate.evidence.predicates import RecordKind, RecordPredicate
from wavegate.evidence.shelf import Records
from wavegate.evidence.signer import Signer
from wavegate.evidence.stamp_shelf import check_stamps
from wavegate.evidence.statement import read, record_subject, write
from wavegate.evidence.tool import tool
from wavegate.evidence.window_shelf import timeline_name
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import MailPhase, MailsRecord
from wavegate.record.message import Received
from wavegate.record.snapshot import Snapshot
from wavegate.record.store import Store


def _unheard(text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezer:
    """Copies from a shelf into a target store. at: the run's instant. vantage: who freezes.

    roots: of timestamp authorities; with any, only tokens under one of them are kept. say: told of
    what people signed and does not count.
    """

    shelf: Records
    target: Store
    signer: Signer
    at: datetime
    vantage: str
    roots: tuple[x509.Certificate, ...] = ()
    say: Callable[[str], None] = _unheard

    def freeze(self, names: tuple[str, ...]) -> dict[str, tuple[Snapshot, ...]]:
        """Copy plans, earlier gates and, for each named instance, all that it is judged on.

        Returns the snapshots per instance, for the list of attempts.
        """
        for place in self.shelf.grid_names:
            self.target.create(place, self.shelf.store.read(place))
        for earlier in self.shelf.earlier:
            self._copy(f"gates/{earlier.wave}/{earlier.run}/")
        self._copy_signed_by_people()
        return {name: self._freeze_instance(self.shelf.dossier(name)) for name in names}

    def _copy_signed_by_people(self) -> None:
        """Copy what people decided and approved, where a trusted key signed it."""
        store, wave, trust = self.shelf.store, self.shelf.wave.name, self.shelf.trust
        decisions = read_decisions(store, wave, trust)
        approvals = read_approvals(store, wave, trust)
        places = [one.place for one in decisions.found] + [one.place for one in approvals.found]
        for place in places:
            self.target.create(place, store.read(place))
        for problem in (*decisions.problems, *approvals.problems):
            self.say(problem)

    def _freeze_instance(self, dossier: Dossier) -> tuple[Snapshot, ...]:
        snapshots = _attempts(dossier)
        good = {snapshot.digest for snapshot in snapshots}
        for record in sorted(good):
            self.target.put(self.shelf.store.get(record))
        self._copy_envelopes(dossier, good)
        dossier = self._copy_stamps(dossier, good)
        if dossier.mail_heard:
            self._file_mails(dossier, "before", dossier.mail_before)
            self._file_mails(dossier, "after", dossier.mail_after)
            self._file_mails(dossier, "window", dossier.mail_during)
        for number, timeline in enumerate(dossier.timelines, 1):
            name = timeline_name(dossier.wave.name, dossier.instance.name, number)
            data = timeline.to_bytes()
            self._file(name, "timeline", dossier.instance, "window", data, sequence=number)
        self._copy_looks(dossier)
        if dossier.mail_looks or dossier.reports:
            self._file_sources(dossier)
        self._file_reading(dossier)
        return snapshots

    def _copy_looks(self, dossier: Dossier) -> None:
        for look in dossier.looks:
            self.target.put(self.shelf.store.get(look.digest))
        good = {look.digest for look in dossier.looks}
        for name in self.shelf.store.names(f"queues/{dossier.wave.name}/{dossier.instance.name}/"):
            data = self.shelf.store.read(name)
            if _signed_digest(data) in good:
                self.target.create(name, data)

    def _copy(self, prefix: str) -> None:
        for name in self.shelf.store.names(prefix):
            self.target.create(name, self.shelf.store.read(name))

    def _copy_envelopes(self, dossier: Dossier, good: set[str]) -> None:
        place, left = f"{dossier.wave.name}/{dossier.instance.name}/", set(good)
        folders = ("signed", ACCEPTED) if dossier.nightly else ("signed",)
        for folder in folders:
            for name in reversed(self.shelf.store.names(f"{folder}/{place}")):
                if not left:
                    return  # the others are of earlier nights
                data = self.shelf.store.read(name)
                record = _signed_digest(data)
                if record in good:
                    self.target.create(name, data)
                    left.discard(record)

    def _copy_stamps(self, dossier: Dossier, good: set[str]) -> Dossier:
        """Copy the tokens over captures; with roots, what is wrong with the others is a flaw."""
        stamps, flaws = dossier.stamps, dossier.flaws
        if self.roots:
            checked = check_stamps(self.shelf.store, stamps, self.roots)
            stamps, flaws = checked.stamps, (*flaws, *checked.flaws)
        for stamp in stamps:
            if stamp.record in good:
                self.target.create(stamp.name, self.shelf.store.read(stamp.name))
        return replace(dossier, stamps=stamps, flaws=flaws)

    def _file_mails(
        self, dossier: Dossier, phase: MailPhase, messages: tuple[Received, ...]
    ) -> None:
        instants = [message.ended for message in messages] or [self.at]
        record = MailsRecord(
            instance=dossier.instance.name,
            customer=dossier.instance.customer,
            wave=dossier.wave.name,
            phase=phase,
            since=min(instants),
            until=max(instants),
            messages=messages,
        )
        name = frozen_name(dossier.wave.name, dossier.instance.name, phase)
        self._file(name, "mails", dossier.instance, phase, record.to_bytes())

    def _file_sources(self, dossier: Dossier) -> None:
        record = MailSourcesRecord(
            instance=dossier.instance.name,
            customer=dossier.instance.customer,
            wave=dossier.wave.name,
            looks=dossier.mail_looks,
            reports=dossier.reports,
        )
        name = sources_name(dossier.wave.name, dossier.instance.name)
        self._file(name, "mail-sources", dossier.instance, "after", record.to_bytes())

    def _file_reading(self, dossier: Dossier) -> None:
        record = reading.Reading(
            wave=dossier.wave.name,
            instance=dossier.instance.name,
            mail_heard=dossier.mail_heard,
            flaws=dossier.flaws,
            listening=dossier.listening,
        )
        name = reading.name(dossier.wave.name, dossier.instance.name)
        self._file(name, "reading", dossier.instance, "after", record.to_bytes())

    def _file(
        self,
        name: str,
        kind: RecordKind,
        instance: Instance,
        phase: MailPhase,
        data: bytes,
        *,
        sequence: int = 1,
    ) -> None:
        record = self.target.put(data)
        wave = self.shelf.wave.name
        predicate = RecordPredicate(
            instance=instance.name,
            customer=instance.customer,
            wave=wave,
            kind=kind,
            phase=phase,
            began=self.at,
            ended=self.at,
            vantage=self.vantage,
            tool=tool(),
            sequence=sequence,
            previous=None,
            estate=agreed_digest(self.shelf.estate, wave, instance.customer),
        )
        self.target.create(name, sign(write(record_subject(record), predicate), self.signer))


def _attempts(dossier: Dossier) -> tuple[Snapshot, ...]:
    chosen = (dossier.before, dossier.after)
    found = {s.digest: s for c in chosen if c is not None for s in c.attempts}
    return tuple(sorted(found.values(), key=lambda snapshot: snapshot.sequence))


def _signed_digest(envelope: bytes) -> str | None:
    try:
        return read(read_unverified(envelope), RecordPredicate).only_digest()
    except WavegateError:
        return None
