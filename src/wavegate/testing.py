# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""All that a suite may import: what the fixtures give, the comparisons, the vocabulary of judging.

A suite is a file `test_<promise>.py` whose docstring is the promise; its tests take the fixtures
`before`, `after`, `mail`, `case` and hand one judgement to `judge`. Nothing here opens a socket.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar, cast

from wavegate.answer import Lookup
from wavegate.compare import (
    build_version,
    dkim,
    dmarc,
    nothing_else_changed,
    reverse_dns,
    sending_ips,
    spf,
)
from wavegate.compare.availability_after import AvailabilityCase, compare_availability_after
from wavegate.compare.build_version import compare_build_version
from wavegate.compare.dkim import compare_dkim
from wavegate.compare.dmarc import compare_dmarc
from wavegate.compare.ip_spf import passes
from wavegate.compare.latency import SeedRun, runs_of
from wavegate.compare.nothing_else_changed import compare_nothing_else_changed
from wavegate.compare.notice import NoticeCase, compare_notice
from wavegate.compare.only_sending_disrupted import (
    FunctionsCase,
    compare_only_sending_disrupted,
)
from wavegate.compare.queued_mail import QueueCase, compare_queued_mail
from wavegate.compare.reverse_dns import compare_reverse_dns
from wavegate.compare.schedule import (
    ScheduleCase,
    SealedGate,
    compare_schedule,
    waves_without,
)
from wavegate.compare.scope import ScopeCase, compare_scope
from wavegate.compare.sending_ips import compare_sending_ips
from wavegate.compare.sending_window import compare_sending_window
from wavegate.compare.sending_window_case import WindowCase
from wavegate.compare.sound_evidence import (
    ACCEPT,
    RecordFlaw,
    SignedPlan,
    SoundCase,
    compare_sound_evidence,
)
from wavegate.compare.spans import Span
from wavegate.compare.spf import compare_spf
from wavegate.compare.strangers import nobody_asked, verified_strangers
from wavegate.compare.throughput import ThroughputCase, compare_throughput
from wavegate.estate.model import Estate, Instance, Wave
from wavegate.evidence.dossier import Dossier, EarlierWave
from wavegate.evidence.predicates import SeedRuns
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dmarc_report import DmarcReport, within
from wavegate.record.dns_view import DnsView
from wavegate.record.host_view import HostView
from wavegate.record.message import Received
from wavegate.record.observation import Observation
from wavegate.record.rate_witnesses import read_witnesses
from wavegate.record.rates import deferrals, read_history, waiting_at
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Snapshot
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    Verdict,
    inconclusive,
    judgement,
    not_applicable,
)

__all__ = [
    "CannotTell",
    "Case",
    "Cleared",
    "Dossier",
    "Finding",
    "Judge",
    "Judgement",
    "Mail",
    "Missing",
    "NotCompared",
    "Observation",
    "On",
    "PromiseBroken",
    "Received",
    "Side",
    "Snapshot",
    "Verdict",
    "compare_availability_after",
    "compare_build_version",
    "compare_dkim",
    "compare_dmarc",
    "compare_nothing_else_changed",
    "compare_notice",
    "compare_only_sending_disrupted",
    "compare_queued_mail",
    "compare_reverse_dns",
    "compare_schedule",
    "compare_scope",
    "compare_sending_ips",
    "compare_sending_window",
    "compare_sound_evidence",
    "compare_spf",
    "compare_throughput",
    "inconclusive",
    "judgement",
    "not_applicable",
]

Phase = Literal["before", "after"]
T = TypeVar("T")


class PromiseBroken(AssertionError):  # noqa: N818 - it names what happened; pytest calls it a failure
    """A FAILED judgement."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


class CannotTell(Exception):  # noqa: N818 - it names what happened; Allure calls it broken
    """An INCONCLUSIVE judgement; also raised where a record to read is missing."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


class Judge(Protocol):
    """The fixture `judge`: takes a judgement; a test that hands over none is an error."""

    def __call__(self, judgement: Judgement, /) -> None:
        """Take a judgement; the worst of several counts."""


@dataclass(slots=True)
class File:
    """The dossier that is open on the table, with what was worked out of it so far.

    The plugin turns it over to look at an attempt that was superseded by a fix.
    """

    dossier: Dossier
    worked_out: dict[object, object] = field(default_factory=dict)

    def once(self, key: object, work: Callable[[], T]) -> T:
        """The result of some work, done once per dossier."""
        if key not in self.worked_out:
            self.worked_out[key] = work()
        return cast("T", self.worked_out[key])

    def turn_to(self, dossier: Dossier) -> None:
        """Put another dossier on the table."""
        self.dossier = dossier
        self.worked_out.clear()


class Side:
    """The fixtures `before` and `after`: one phase of an instance, as each comparison needs it.

    Raises CannotTell where there is no snapshot of the phase.
    """

    def __init__(self, file: File, phase: Phase) -> None:
        self._file = file
        self._phase: Phase = phase

    @property
    def _chosen_or_none(self) -> Chosen | None:
        dossier = self._file.dossier
        return dossier.before if self._phase == "before" else dossier.after

    @property
    def chosen(self) -> Chosen:
        """The snapshot that counts, and how it came about."""
        found = self._chosen_or_none
        if found is None:
            raise CannotTell(inconclusive(_no_snapshot(self._file.dossier, self._phase)))
        return found

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that counts."""
        return self.chosen.snapshot

    @property
    def instance(self) -> Instance:
        """The instance as agreed."""
        return self._file.dossier.instance

    @property
    def mails(self) -> tuple[Received, ...]:
        """The mails received in this phase; needs no snapshot."""
        dossier = self._file.dossier
        return dossier.mail_before if self._phase == "before" else dossier.mail_after

    @property
    def records(self) -> tuple[str, ...]:
        """Digests of the records that this side rests on."""
        found = self._chosen_or_none
        return found.used if found else ()

    def _once(self, what: str, work: Callable[[], T]) -> T:
        return self._file.once((self._phase, what), work)

    @property
    def dns(self) -> DnsView:
        """The DNS as captured."""
        return self._once("dns", lambda: DnsView(self.snapshot))

    @property
    def campaign(self) -> CampaignView:
        """The Campaign answers as captured."""
        return self._once("campaign", lambda: CampaignView(self.snapshot))

    @property
    def verified(self) -> frozenset[str]:
        """Digests of the mails from unlisted addresses whose signature verifies all the same."""
        return self._once(
            "verified", lambda: verified_strangers(self.instance, self.mails, self._lookup())
        )

    def _lookup(self) -> Lookup:
        return nobody_asked if self._chosen_or_none is None else self.dns.lookup()

    @property
    def spf(self) -> spf.SpfEvidence:
        """What `compare_spf` takes."""
        return self._once("spf", lambda: spf.gather(*self._identity(), records=self.records))

    @property
    def dkim(self) -> dkim.DkimEvidence:
        """What `compare_dkim` takes."""
        return self._once("dkim", lambda: dkim.gather(*self._identity(), records=self.records))

    @property
    def dmarc(self) -> dmarc.DmarcEvidence:
        """What `compare_dmarc` takes."""
        return self._once("dmarc", lambda: dmarc.gather(*self._identity(), records=self.records))

    @property
    def reverse_dns(self) -> reverse_dns.ReverseDnsEvidence:
        """What `compare_reverse_dns` takes."""
        return self._once(
            "reverse_dns", lambda: reverse_dns.gather(*self._identity(), records=self.records)
        )

    def _identity(self) -> tuple[Instance, DnsView, tuple[Received, ...]]:
        return self.instance, self.dns, self.mails

    @property
    def sending_ips(self) -> sending_ips.SendingIpsEvidence:
        """What `compare_sending_ips` takes; rests on mail, and needs no snapshot."""
        return sending_ips.gather(
            self.instance,
            self.mails,
            verified=self.verified,
            records=self._file.dossier.mail_records,
            reports=self._reports(),
            spf=self._spf_passes() if self._phase == "after" else {},
        )

    def _reports(self) -> tuple[DmarcReport, ...]:
        """The DMARC reports that cover nothing but this phase."""
        found = self._file.dossier
        if found.wave.window is None:
            return ()
        start, end = found.wave.window.start, found.wave.window.end
        since, until = start - found.estate.policy.before_max_age, start
        if self._phase == "after":
            since, until = end, found.at
        return tuple(report for report in found.reports if within(report, since, until))

    def _spf_passes(self) -> Mapping[str, bool]:
        """Whether SPF passes each listed or met address for all sender domains, where known."""
        if self._chosen_or_none is None:
            return {}
        ips = {*self.instance.sending_ips, *(mail.peer for mail in self.mails)}
        domains = [domain.name for domain in self.instance.domains]
        return passes(sorted(ips)[:MOST_IPS], domains, self.dns.lookup())

    @property
    def build(self) -> build_version.BuildEvidence:
        """What `compare_build_version` takes."""
        return self._once(
            "build",
            lambda: build_version.gather(
                self.instance,
                self.campaign,
                self.mails,
                verified=self.verified,
                records=self.records,
            ),
        )

    @property
    def residue(self) -> nothing_else_changed.Residue:
        """What `compare_nothing_else_changed` takes: what no other promise explains."""
        return self._once("residue", self._residue)

    def _residue(self) -> nothing_else_changed.Residue:
        mine = self._residue_of(self.snapshot, self.mails)
        others = (self._residue_of(taken, ()) for taken in self.chosen.volatile_with)
        return nothing_else_changed.with_volatility(mine, others)

    def _residue_of(
        self, snapshot: Snapshot, mails: tuple[Received, ...]
    ) -> nothing_else_changed.Residue:
        return nothing_else_changed.gather(
            self.instance,
            DnsView(snapshot),
            CampaignView(snapshot),
            mails,
            hosts=HostView(snapshot),
            blocklists=self._file.dossier.estate.policy.blocklists,
            verified=self.verified,
            records=self.records,
        )


def _no_snapshot(dossier: Dossier, phase: Phase) -> Missing:
    name, wave = dossier.instance.name, dossier.wave
    if dossier.nightly:
        return _no_look(name, phase)
    opening = wave.window.start if wave.window else None
    if phase == "before":
        late = opening is not None and dossier.at >= opening
        hint = "; the window has opened, none can follow" if late else ""
        what, settles = f"a snapshot of {name} from before the window{hint}", opening
    else:
        what, settles = f"a snapshot of {name} from after the window", None
    return Missing(
        what=what,
        on=On.OPERATOR,
        rule=f"no-{phase}",
        subject=f"instance:{name}",
        settles_by=settles,
        command=f"wavegate capture --wave {wave.name} --phase {phase}",
    )


def _no_look(name: str, phase: Phase) -> Missing:
    """Of a night: nothing was accepted yet, or nobody looked."""
    what, command = f"a look at {name} in this night", "wavegate nightly"
    if phase == "before":
        what, command = f"an accepted look at {name}: nothing of it was accepted yet", ACCEPT
    return Missing(
        what=what,
        on=On.OPERATOR,
        rule=f"no-{phase}",
        subject=f"instance:{name}",
        command=command,
    )


class Mail:
    """The fixture `mail`: the mails of an instance by phase.

    during: those received in the window; None where it is not known that anybody listened.
    """

    def __init__(self, file: File) -> None:
        self._file = file

    @property
    def before(self) -> tuple[Received, ...]:
        """The mails received before the window."""
        return self._file.dossier.mail_before

    @property
    def during(self) -> tuple[Received, ...] | None:
        """The mails received in the window."""
        return self._file.dossier.mail_window

    @property
    def after(self) -> tuple[Received, ...]:
        """The mails received after the window."""
        return self._file.dossier.mail_after


class Case:
    """The fixture `case`: the dossier of an instance, and what the estate's promises need."""

    def __init__(self, file: File) -> None:
        self._file = file

    @property
    def dossier(self) -> Dossier:
        """Everything that the instance is judged on."""
        return self._file.dossier

    @property
    def estate(self) -> Estate:
        """What was agreed."""
        return self.dossier.estate

    @property
    def wave(self) -> Wave:
        """The wave under test."""
        return self.dossier.wave

    @property
    def instance(self) -> Instance:
        """The instance under test."""
        return self.dossier.instance

    @property
    def at(self) -> datetime:
        """The run's instant."""
        return self.dossier.at

    @property
    def scope(self) -> ScopeCase:
        """What `compare_scope` takes."""
        found = self.dossier
        return ScopeCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            mail_before=found.mail_before,
            mail_window=found.mail_window,
            mail_after=found.mail_after,
            withdrawal=found.withdrawal,
            withdrawn_from=waves_without(found.instance.name, map(_gate, found.earlier)),
        )

    @property
    def schedule(self) -> ScheduleCase:
        """What `compare_schedule` takes."""
        found = self.dossier
        return ScheduleCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            gates=tuple(_gate(earlier) for earlier in found.earlier),
        )

    @property
    def notice(self) -> NoticeCase:
        """What `compare_notice` takes."""
        found = self.dossier
        return NoticeCase(
            estate=found.estate, wave=found.wave, instance=found.instance, at=found.at
        )

    @property
    def terms(self) -> sending_ips.Terms:
        """What `compare_sending_ips` takes besides mail."""
        others = [i for i in self.estate.instances if i.name != self.instance.name]
        mine = self.instance.customer
        return sending_ips.Terms(
            alpha=self.estate.policy.coverage_alpha,
            owners=_owners(others),
            same_customer=frozenset(i.name for i in others if i.customer == mine),
            shared=frozenset(_sharing(self.instance, [i for i in others if i.customer == mine])),
            heard=self.dossier.mail_heard,
            looks=self.dossier.mail_looks,
            across=tuple(report.name for report in _across(self.dossier)),
        )

    @property
    def window(self) -> WindowCase:
        """What `compare_sending_window` takes."""
        found = self.dossier
        return WindowCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            timelines=found.timelines,
            mail_before=found.mail_before,
            mail_window=found.mail_during if found.mail_heard else None,
            mail_after=found.mail_after,
            listening=tuple(Span(since=h.since, until=h.until) for h in found.listening),
            verified=self._verified(),
            records=found.mail_records,
        )

    def _verified(self) -> frozenset[str]:
        """Digests of the mails from unlisted addresses whose signature verifies all the same."""
        found = self.dossier
        chosen = found.after or found.before
        lookup = nobody_asked if chosen is None else DnsView(chosen.snapshot).lookup()
        mails = (*found.mail_before, *found.mail_during, *found.mail_after)
        return self._file.once(
            "verified in all", lambda: verified_strangers(found.instance, mails, lookup)
        )

    @property
    def functions(self) -> FunctionsCase:
        """What `compare_only_sending_disrupted` takes."""
        found = self.dossier
        return FunctionsCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            timelines=found.timelines,
        )

    @property
    def queue(self) -> QueueCase:
        """What `compare_queued_mail` takes."""
        found = self.dossier
        return QueueCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            looks=found.looks,
            mail_before=found.mail_before,
            mail_window=found.mail_during if found.mail_heard else None,
            mail_after=found.mail_after,
            mail_heard=found.mail_heard,
        )

    @property
    def throughput(self) -> ThroughputCase:
        """What `compare_throughput` takes."""
        found = self.dossier
        ordered = found.plan.seeds.get(found.instance.name) if found.plan else None
        return ThroughputCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            rates=read_history(
                self._snapshots(),
                close=_close(found.wave),
                queued=waiting_at(found.looks, _close(found.wave)),
            ),
            witnesses=read_witnesses(self._snapshots()),
            mail_before=found.mail_before,
            mail_after=found.mail_after,
            deferrals=deferrals(found.looks),
            runs_before=_runs(ordered, found.mail_before),
            runs_after=_runs(ordered, found.mail_after),
            planned_runs=ordered.runs if ordered else 0,
            since=found.after.snapshot.began if found.after and found.after.fix else None,
        )

    @property
    def availability(self) -> AvailabilityCase:
        """What `compare_availability_after` takes."""
        found, rates = self.dossier, self.throughput.rates
        return AvailabilityCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            fronts_before=_fronts(found.before),
            fronts_after=_fronts(found.after),
            mail_before=found.mail_before,
            mail_after=found.mail_after,
            timelines=found.timelines,
            rates=rates,
            deferrals=deferrals(found.looks),
            records=(*rates.records, *found.mail_records),
        )

    def _snapshots(self) -> tuple[Snapshot, ...]:
        sides = (self.dossier.before, self.dossier.after)
        return tuple(taken for side in sides if side for taken in side.attempts)

    @property
    def evidence(self) -> SoundCase:
        """What `compare_sound_evidence` takes."""
        found = self.dossier
        return SoundCase(
            estate=found.estate,
            wave=found.wave,
            instance=found.instance,
            at=found.at,
            before=found.before,
            after=found.after,
            agreed=found.agreed,
            plan=_plan(found),
            flaws=tuple(
                RecordFlaw(kind=f.kind, subject=f.subject, detail=f.detail, record=f.record)
                for f in found.flaws
            ),
            mail_before=found.mail_before,
            mail_after=found.mail_after,
            nightly=found.nightly,
            stamps=found.stamps,
        )


def _runs(ordered: SeedRuns | None, mails: tuple[Received, ...]) -> tuple[SeedRun, ...]:
    """The bursts of seeds that came; none where none were ordered."""
    if ordered is None:
        return ()
    return runs_of(mails, planned=ordered.seeds, stem=f"{ordered.stem}-")


def _fronts(chosen: Chosen | None) -> tuple[str, ...]:
    looks = CampaignView(chosen.snapshot).redir if chosen else ()
    return tuple(look.local_host for look in looks if look.local_host)


def _close(wave: Wave) -> datetime:
    return wave.window.end if wave.window else datetime.max.replace(tzinfo=UTC)


MOST_IPS = 1_000
"""So many addresses are held against SPF."""


def _sharing(mine: Instance, others: list[Instance]) -> Iterator[str]:
    """The sending IPs of other instances that send for one of the same domains."""
    own = {domain.name for domain in mine.domains}
    for other in others:
        if own & {domain.name for domain in other.domains}:
            yield from other.sending_ips


def _across(dossier: Dossier) -> Iterator[DmarcReport]:
    """Reports that reach into the window from either side."""
    window = dossier.wave.window
    for report in dossier.reports:
        if window and report.begin < window.end and report.end > window.start:
            yield report


def _owners(instances: list[Instance]) -> Mapping[str, str]:
    return {ip: instance.name for instance in instances for ip in instance.sending_ips}


def _gate(earlier: EarlierWave) -> SealedGate:
    return SealedGate(
        wave=earlier.wave,
        run=earlier.run,
        at=earlier.at,
        decision=earlier.instance_decisions,
        closed=earlier.closed_instances,
        withdrawn=earlier.withdrawn_instances,
    )


def _plan(dossier: Dossier) -> SignedPlan | None:
    plan = dossier.plan
    return SignedPlan(version=plan.version, at=plan.at, agreed=plan.agreed) if plan else None
