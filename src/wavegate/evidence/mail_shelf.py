# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which mails belong to which instance and phase: from journals in a store, frozen in a bundle.

The mails of a phase are those received in it (before: within `before_max_age` of the opening;
after: from the end on), whenever they arrived (design, "Mail ledger").
"""

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wavegate.errors import DamagedError, MissingError, WavegateError
from wavegate.estate.model import Estate, Instance
from wavegate.evidence.checkpoints import broken_checkpoints
from wavegate.evidence.dossier import Flaw, FlawKind, Heard
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.listening import Listening
from wavegate.record.mail_journal import MailReading, read_mails
from wavegate.record.mail_look import MailLook
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import MailPhase, MailsRecord
from wavegate.record.message import Received, domain_of
from wavegate.record.recipient import HMAC
from wavegate.record.store import Store

PHASES: tuple[MailPhase, ...] = ("before", "window", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """From when to when the mails of each phase are received; the first instant is in a span.

    oldest: what was listened to before it is of no interest.
    """

    before: tuple[datetime, datetime]
    window: tuple[datetime, datetime]
    after: tuple[datetime, datetime]
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceMail:
    """The mails of one instance by phase. heard: a source of it was listening or was frozen.

    window: what was received in the window, whether or not all of it was listened through.
    records: digests of the frozen mails. looks: the last into each of its mailboxes and folders of
    reports. reports: DMARC aggregate reports, their rows about its sender domains.
    """

    before: tuple[Received, ...]
    after: tuple[Received, ...]
    heard: bool
    window: tuple[Received, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    records: tuple[str, ...] = ()
    listening: tuple[Heard, ...] = ()
    looks: tuple[MailLook, ...] = ()
    reports: tuple[DmarcReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailShelf:
    """All mail of a wave. frozen: the store is a bundle's, with mails as records.

    spans: of an instance's phases.
    """

    store: Store
    wave: str
    trust: Trust
    spans: Callable[[Instance], Spans]
    frozen: bool = False
    listening: tuple[Listening, ...] = ()
    by_instance: Mapping[str, tuple[Received, ...]] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()
    looks: tuple[MailLook, ...] = ()
    reports: tuple[DmarcReport, ...] = ()

    @classmethod
    def open(
        cls,
        store: Store,
        estate: Estate,
        wave: str,
        trust: Trust,
        spans: Callable[[Instance], Spans],
    ) -> "MailShelf":
        """Read the journals once and sort their messages by instance; a bundle is read lazily."""
        frozen = bool(store.names(f"readings/{wave}/"))
        reading = None if frozen else read_mails(store)
        return cls(
            store=store,
            wave=wave,
            trust=trust,
            spans=spans,
            frozen=frozen,
            listening=reading.listening if reading else (),
            by_instance=sort_by_instance(estate, reading.messages if reading else ()),
            flaws=(*_journal_flaws(reading), *broken_checkpoints(store, trust)) if reading else (),
            looks=reading.looks if reading else (),
            reports=reading.reports if reading else (),
        )

    def of(self, instance: Instance) -> InstanceMail:
        """The mails of an instance. Flaws of its source come with them."""
        if self.frozen:
            return self._thawed(instance)
        mine = self.by_instance.get(instance.name, ())
        spans, sink = self.spans(instance), any(source.sink for source in instance.mail)
        looks = _last_looks(instance, self.looks)
        return InstanceMail(
            before=_within(mine, spans.before),
            after=_within(mine, spans.after),
            heard=(sink and bool(self.listening)) or any(_brings_mail(look) for look in looks),
            window=_within(mine, spans.window),
            flaws=self.flaws if instance.mail else (),
            listening=tuple(
                Heard(since=max(span.began, spans.oldest), until=span.ended)
                for span in self.listening
                if sink and span.ended > spans.oldest
            ),
            looks=looks,
            reports=_reports_about(instance, self.reports),
        )

    def _thawed(self, instance: Instance) -> InstanceMail:
        by_phase = {phase: self._phase(instance, phase) for phase in PHASES}
        mails = {p: found for p, found in by_phase.items() if isinstance(found, _Thawed)}
        sources = self._sources(instance)
        told = sources.record if isinstance(sources, _ThawedSources) else None
        every = (*by_phase.values(), sources)
        digests = [found.digest for found in every if isinstance(found, _Thawed | _ThawedSources)]
        return InstanceMail(
            before=mails["before"].messages if "before" in mails else (),
            after=mails["after"].messages if "after" in mails else (),
            heard=bool(mails),
            window=mails["window"].messages if "window" in mails else (),
            flaws=tuple(found for found in every if isinstance(found, Flaw)),
            records=tuple(digests),
            looks=told.looks if told else (),
            reports=told.reports if told else (),
        )

    def _sources(self, instance: Instance) -> "_ThawedSources | Flaw | None":
        name = sources_name(self.wave, instance.name)
        try:
            opened = open_envelope(self.store.read(name), self.trust, Role.RECORD)
            record = read(opened.payload, RecordPredicate).only_digest()
            found = MailSourcesRecord.from_bytes(self.store.get(record), digest=record)
        except MissingError:
            return None
        except WavegateError as error:
            return Flaw(kind="mail-journal", subject=name, detail=error.message)
        if (found.instance, found.wave) != (instance.name, self.wave):
            detail = f"these are mail sources of {found.instance}, {found.wave}"
            return Flaw(kind="mail-journal", subject=name, detail=detail)
        return _ThawedSources(record=found, digest=record)

    def _phase(self, instance: Instance, phase: MailPhase) -> "_Thawed | Flaw | None":
        name = frozen_name(self.wave, instance.name, phase)
        if name not in self.store.names(f"mails/{self.wave}/{instance.name}/"):
            return None
        try:
            opened = open_envelope(self.store.read(name), self.trust, Role.RECORD)
            record = read(opened.payload, RecordPredicate).only_digest()
            mails = MailsRecord.from_bytes(self.store.get(record), digest=record)
            _check_place(mails, instance.name, self.wave, phase)
        except WavegateError as error:
            return Flaw(kind="mail-journal", subject=name, detail=error.message)
        return _Thawed(messages=mails.messages, digest=record)


def _within(mails: tuple[Received, ...], span: tuple[datetime, datetime]) -> tuple[Received, ...]:
    since, until = span
    return tuple(mail for mail in mails if since <= mail.ended < until)


def _last_looks(instance: Instance, looks: Iterable[MailLook]) -> tuple[MailLook, ...]:
    """The last look into each place that an instance names."""
    named = {place for source in instance.mail for place in source.places}
    last = {(look.kind, look.place): look for look in looks if (look.kind, look.place) in named}
    return tuple(last[key] for key in sorted(last))


def _brings_mail(look: MailLook) -> bool:
    return look.kind != "dmarc_reports" and (look.whole or look.met > 0)


def _reports_about(instance: Instance, reports: Iterable[DmarcReport]) -> tuple[DmarcReport, ...]:
    """What the reports say of an instance's sender domains, if it names a source of reports."""
    if not any(source.dmarc_reports for source in instance.mail):
        return ()
    own = [domain.name for domain in instance.domains]
    narrowed = (report.about(own) for report in reports)
    return tuple(report for report in narrowed if report.rows)


def _journal_flaws(reading: MailReading) -> Iterator[Flaw]:
    for problem in reading.problems:
        kind: FlawKind = "torn-journal" if problem.kind == "torn" else "mail-journal"
        yield Flaw(kind=kind, subject=problem.journal, detail=problem.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thawed:
    messages: tuple[Received, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThawedSources:
    record: MailSourcesRecord
    digest: str


def _check_place(mails: MailsRecord, instance: str, wave: str, phase: MailPhase) -> None:
    if (mails.instance, mails.wave, mails.phase) != (instance, wave, phase):
        raise DamagedError(f"these are mails of {mails.instance}, {mails.phase}, {mails.wave}")


def frozen_name(wave: str, instance: str, phase: MailPhase) -> str:
    """Where a bundle keeps the signed mails of an instance and phase."""
    return f"mails/{wave}/{instance}/{phase}.dsse.json"


def sources_name(wave: str, instance: str) -> str:
    """Where a bundle keeps the signed record of an instance's mail sources besides the sink."""
    return f"mail-sources/{wave}/{instance}.dsse.json"


def sort_by_instance(
    estate: Estate, messages: Iterable[Received]
) -> dict[str, tuple[Received, ...]]:
    """Each message under every instance it may belong to.

    By the domain of From or of the envelope sender, the longest match first; where several
    instances share it, under those that list the peer address, or else under all of them.
    """
    found: dict[str, list[Received]] = {instance.name: [] for instance in estate.instances}
    for message in messages:
        for instance in owners(estate, message):
            found[instance.name].append(message)
    return {name: tuple(mine) for name, mine in found.items()}


def owners(estate: Estate, message: Received) -> list[Instance]:
    """The instances that one message may belong to, as `sort_by_instance` tells them."""
    domains = {domain_of(message.header("From") or ""), domain_of(message.mail_from or "")} - {""}
    fits = {i.name: _fit(i, domains) for i in estate.instances if _addressed(i, message)}
    best = max(fits.values(), default=0)
    sharing = [i for i in estate.instances if best and fits.get(i.name) == best]
    listing = [i for i in sharing if message.peer in i.sending_ips]
    return listing or sharing


def _fit(instance: Instance, domains: set[str]) -> int:
    """The length of the longest own domain that is, or holds, one of these; 0 for none."""
    own = tuple(domain.name for domain in instance.domains)
    fits = [len(n) for d in domains for n in own if d == n or d.endswith("." + n)]
    return max(fits, default=0)


def _addressed(instance: Instance, message: Received) -> bool:
    """Whether a source of the instance, of the kind that has the message, would have taken it."""
    kind = message.source
    patterns = [source.recipients for source in instance.mail if kind in source.kinds]
    if not patterns:
        return False
    if None in patterns or not message.recipients:
        return True
    wanted = [pattern for group in patterns for pattern in group or ()]
    return any(
        _fits(recipient.lower(), pattern.lower())
        for recipient in message.recipients
        for pattern in wanted
    )


def _fits(recipient: str, pattern: str) -> bool:
    """Whether a pattern takes a recipient; of a hidden one, only the domain can tell."""
    if recipient.startswith(HMAC):
        pattern = "*" + pattern[pattern.find("@") :] if "@" in pattern else pattern
    return fnmatch.fnmatchcase(recipient, pattern)
