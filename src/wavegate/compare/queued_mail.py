# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`queued_mail`: every mail queued before the window is accounted for and resent exactly once.

The ledger says what became of each message; this module says what follows: what convicts at once
(sent twice, expired), what convicts after the deadline (lost), what is still open and until when,
and what a sample could hide. v7's Sent means relayed, v8's means delivered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wavegate.clock import format_duration, format_instant
from wavegate.compare.queued_mail_bound import hidden, lost_bound, needed
from wavegate.compare.queued_mail_findings import Told, findings
from wavegate.compare.senders import from_domain, speaks_for
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.record.content_key import campaign_ids
from wavegate.record.ledger import Ledger, Side, reckon, side
from wavegate.record.ledger_entry import Entry, Outcome, Terms
from wavegate.record.message import Received
from wavegate.record.queue import QueueLook
from wavegate.record.recipient import normal_recipient, without_domain
from wavegate.verdict import (
    Cleared,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
)

PROMISE = "queued_mail"
UNIT = timedelta(hours=1)
"""From one unit after the close, the newest datum of an open cell is younger than two."""
FRESH = timedelta(hours=1)
"""The oldest list that still is the queue at the opening; a longer window allows its own length."""
RECAPTURE = "wavegate capture --phase after"
REGATE = "wavegate gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCase:
    """Everything that `queued_mail` is judged on.

    looks: all looks at the queue, of any moment, complete or not. mail_window: what was received in
    the window, of whatever part of it the receiving side listened to; None is taken as none.
    mail_heard: whether any mail source of the instance listened at all.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    at: datetime
    looks: tuple[QueueLook, ...]
    mail_before: tuple[Received, ...]
    mail_window: tuple[Received, ...] | None
    mail_after: tuple[Received, ...]
    mail_heard: bool = True

    @property
    def window(self) -> Window:
        """The wave's window. Raises ValueError where the wave has none."""
        if self.wave.window is None:
            raise ValueError(f"wave {self.wave.name} has no window")
        return self.wave.window

    @property
    def subject(self) -> str:
        """The instance as the subject of a finding."""
        return f"instance:{self.instance.name}"

    @property
    def deadline(self) -> datetime:
        """Until when a queued message may come."""
        return self.window.end + self.estate.policy.queue_deadline

    @property
    def mails(self) -> tuple[Received, ...]:
        """All mail of the phases, in time order."""
        every = (*self.mail_before, *(self.mail_window or ()), *self.mail_after)
        return tuple(sorted(every, key=lambda mail: (mail.ended, mail.digest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The ledger of a case with the looks that it rests on, for the judgement and resend plan."""

    case: QueueCase
    before: QueueLook
    after: QueueLook | None
    terms: Terms
    ledger: Ledger
    ours: tuple[str, ...]

    @property
    def records(self) -> tuple[str, ...]:
        """The digests of the looks."""
        return tuple(look.digest for look in (self.before, self.after) if look and look.digest)


def compare_queued_mail(case: QueueCase) -> Judgement:
    """Judge `queued_mail` for one instance."""
    found = account(case)
    if isinstance(found, Missing):
        late = case.at >= case.window.start
        problems = tuple(_problems(case.looks))
        return inconclusive(found, not_compared=problems, off_track=found.what if late else None)
    convicted = tuple(findings(_told(found)))
    gaps = () if convicted else tuple(_gaps(found))
    return judgement(
        findings=convicted,
        missing=gaps,
        cleared=tuple(_cleared(found)),
        not_compared=(*_problems(case.looks), *_not_compared(found)),
        shown=_shown(found),
        could_hide=_could_hide(found),
        off_track=_off_track(found) if gaps else None,
        records=found.records,
        remarks=tuple(_remarks(found)),
    )


def account(case: QueueCase) -> Account | Missing:
    """The ledger of a case, or what is missing to make one: the queue as it was at the opening."""
    before = _last(look for look in case.looks if look.ended <= case.window.start)
    missing = _no_list(case, before)
    if missing is not None or before is None:
        return missing or _never_listed(case, "nobody looked at it")
    after = _last(look for look in case.looks if look.began >= case.window.start)
    terms = _terms(case, after)
    ours = _ours(case)
    ledger = reckon(side(before), _after_side(after), _of_queue(case, before, after), terms, ours)
    return Account(case=case, before=before, after=after, terms=terms, ledger=ledger, ours=ours)


def _after_side(after: QueueLook | None) -> Side | None:
    return None if after is None else side(after)


def _last(looks: Iterable[QueueLook]) -> QueueLook | None:
    complete = [look for look in looks if look.complete]
    return max(complete, key=lambda look: (look.ended, look.digest), default=None)


def _no_list(case: QueueCase, before: QueueLook | None) -> Missing | None:
    """Why there is no list of the queue as it stood at the opening, or None."""
    if before is None:
        failed = [f for f in case.looks if f.moment == "before" and not f.complete]
        return _never_listed(case, failed[-1].missing or "cut short") if failed else None
    allowed = max(FRESH, case.window.end - case.window.start)
    age = case.window.start - before.ended
    if age <= allowed:
        return None
    return Missing(
        what=f"the queue just before the opening: the last complete queue snapshot was taken "
        f"{format_duration(age)} before it, and it cannot be had any more",
        on=On.OPERATOR,
        rule="queue-list-too-old",
        subject=case.subject,
    )


def _never_listed(case: QueueCase, why: str) -> Missing:
    return Missing(
        what=f"a complete queue snapshot from before the opening: {why}; there is nothing to "
        "account against, and it cannot be had any more",
        on=On.OPERATOR,
        rule="queue-never-listed",
        subject=case.subject,
    )


def _terms(case: QueueCase, after: QueueLook | None) -> Terms:
    met = {normal_recipient(r) for mail in case.mail_after for r in mail.recipients}
    reached = {without_domain(recipient) for recipient in met}
    domains = {"@" + recipient.rpartition("@")[2] for recipient in met}
    closed = after is not None and after.began >= case.window.end
    return Terms(
        opening=case.window.start,
        close=case.window.end,
        at=case.at,
        deadline=case.deadline,
        feedback=case.instance.product == "campaign-v8",
        looked_at=after.ended if after and closed else None,
        controls=frozenset(reached | domains),
        heard_since=min((mail.ended for mail in case.mail_before), default=None),
    )


def _ours(case: QueueCase) -> tuple[str, ...]:
    """Patterns of the recipients that our sources receive; for a source without, those met."""
    if not case.mail_heard:
        return ()
    groups = [source.recipients for source in case.instance.mail]
    named = {pattern for group in groups for pattern in group or ()}
    if any(group is None for group in groups):
        met = {r.rpartition("@")[2].lower() for mail in case.mails for r in mail.recipients}
        named |= {f"*@{domain}" for domain in met if domain}
    return tuple(sorted(named))


def _of_queue(case: QueueCase, before: QueueLook, after: QueueLook | None) -> tuple[Received, ...]:
    """The mails that speak for the instance: by their sender, or by naming one of its deliveries.

    A mail from an address that is not listed is another promise's matter, and arrived all the same.
    """
    looks = (before, after) if after else (before,)
    known = {found.id for look in looks for found in look.deliveries}
    known |= {row.delivery for row in before.rows}
    domains = {domain.name for domain in case.instance.domains}
    return tuple(
        mail
        for mail in case.mails
        if speaks_for(case.instance, mail, frozenset())
        or (from_domain(mail) in domains and _names_one(mail, known))
    )


def _names_one(mail: Received, known: set[str]) -> bool:
    ids = campaign_ids(mail.message_id)
    return ids is not None and not known.isdisjoint(ids.deliveries)


def _told(found: Account) -> Told:
    policy = found.case.estate.policy
    return Told(
        instance=found.case.instance.name,
        ledger=found.ledger,
        records=found.records,
        lost_share=policy.lost_share,
        accept_expired=policy.accept_expired,
    )


def _gaps(found: Account) -> Iterable[Missing]:
    """What is still open; nothing where something convicts already."""
    case, ledger = found.case, found.ledger
    queued = ledger.counts.get(Outcome.QUEUED, 0)
    if ledger.queued and found.after is None:
        yield Missing(
            what="a queue snapshot after the close: nobody has looked since",
            on=On.OPERATOR,
            rule="queue-not-listed-after",
            subject=case.subject,
            command=RECAPTURE,
        )
    if queued:
        yield Missing(
            what=f"{queued} of {ledger.queued} messages are still queued{_of_states(found)}; "
            f"look again until {format_instant(case.deadline)}",
            on=On.TIME,
            rule="still-queued",
            subject=case.subject,
            count=queued,
            settles_by=case.deadline,
            command=RECAPTURE,
        )
    yield from _untold(found)
    yield from _sample(found)


def _of_states(found: Account) -> str:
    if not found.terms.feedback:
        return " or relayed (v7: Sent does not say that it was delivered)"
    return ""


def _untold(found: Account) -> Iterable[Missing]:
    """Messages of which what we have does not tell, by what would tell."""
    entries = (*found.ledger.of(Outcome.UNTOLD), *found.ledger.again)
    doubtful = [entry for entry in entries if entry.outcome is Outcome.UNTOLD]
    by_cause: dict[str, list[Entry]] = {}
    for entry in doubtful:
        by_cause.setdefault(entry.why.rpartition(", ")[2], []).append(entry)
    for why, group in sorted(by_cause.items()):
        again = "nobody looked" in why
        names = ", ".join(sorted({entry.original.id for entry in group})[:5])
        yield Missing(
            what=f"what became of {len(group)} messages: {why} (log rows {names})",
            on=On.OPERATOR,
            rule="cannot-be-told",
            subject=found.case.subject,
            count=len(group),
            command=RECAPTURE if again else REGATE,
            after=why,
        )


def _sample(found: Account) -> Iterable[Missing]:
    """A sample whose bound is above what may be lost does not show that nothing was."""
    ledger = found.ledger
    if not _unproved(found) or ledger.counts.get(Outcome.QUEUED, 0):
        return
    share = found.case.estate.policy.lost_share
    tolerated = ledger.queued * share // 1_000_000
    if hidden(ledger.received, ledger.queued) <= tolerated:
        return
    need = needed(ledger.queued, tolerated + 1)
    yield Missing(
        what=f"{need} messages of the queue met by our own sources; {ledger.received} of "
        f"{ledger.queued} were, which leaves up to {lost_bound(ledger.received):.1%} unseen; "
        "no data after the window adds seeds to the queue before it",
        on=On.OPERATOR,
        rule="sample-too-small",
        subject=found.case.subject,
        count=need - ledger.received,
    )


def _unproved(found: Account) -> int:
    """How many are only told by a log in which Sent means relayed."""
    return 0 if found.terms.feedback else found.ledger.told_by_log


def _cleared(found: Account) -> Iterable[Cleared]:
    for entry in found.ledger.of(Outcome.SMTP_DUPLICATE):
        copy = entry.copies[0]
        if len(set(copy.hosts)) == 1:
            yield Cleared(
                rule="smtp-duplicate",
                subject=copy.message_id,
                before="1 message",
                after=f"{len(copy.hosts)} arrivals from {copy.hosts[0]}",
                explanation="one host sent one message again, as after a lost acknowledgement "
                "(RFC 5321 section 4.5.4.1); it counts once",
            )
    cancelled: dict[str, list[Entry]] = {}
    for entry in found.ledger.of(Outcome.CANCELLED):
        cancelled.setdefault(entry.original.delivery, []).append(entry)
    for delivery, entries in sorted(cancelled.items()):
        known = found.ledger.deliveries.get(delivery)
        yield Cleared(
            rule="cancelled-by-a-person",
            subject=f"delivery {known.name}" if known else f"delivery {delivery}",
            before="queued",
            after=f"cancelled{_by(entries)}",
            explanation=f"{len(entries)} messages of {known.label if known else delivery}: "
            f"{entries[0].why}",
        )


def _by(entries: list[Entry]) -> str:
    names = sorted({entry.original.changed_by for entry in entries} - {""})
    return f" by {', '.join(names)}" if names else ""


def _problems(looks: Iterable[QueueLook]) -> Iterable[NotCompared]:
    """Rows that make no sense, and looks that were cut short: each is named."""
    for look in sorted(looks, key=lambda found: (found.began, found.digest)):
        if not look.complete:
            reason = look.missing or "cut short"
            yield NotCompared(what=f"queue snapshot, {look.moment}", reason=reason)
        for problem in look.problems:
            yield NotCompared(what=f"queue snapshot, {look.moment}", reason=problem)


def _not_compared(found: Account) -> Iterable[NotCompared]:
    if not found.ours:
        yield NotCompared(
            what="arrival of queued mail at our own sources",
            reason="no mail source listened" if not found.case.mail_heard else "none is named",
        )
    if found.before.events is None:
        yield NotCompared(what="real-time events", reason="no Message Center could be asked")


def _shown(found: Account) -> str:
    ledger = found.ledger
    since = format_duration(found.case.window.start - found.before.ended)
    if not ledger.queued:
        return f"nothing was queued: the complete list {since} before the opening is empty"
    words = {
        Outcome.BOUNCED: "bounced, accounted for",
        Outcome.SMTP_DUPLICATE: "arrived twice under one Message-ID, counted once",
        Outcome.IN_WINDOW: "sent in the window (judged by sending_window)",
    }
    parts = [f"{n} {words.get(outcome, outcome)}" for outcome, n in ledger.counts.items()]
    return f"{ledger.queued} messages were queued: {'; '.join(parts)}"


def _could_hide(found: Account) -> str:
    ledger = found.ledger
    late = "what was queued after that list was made"
    if not ledger.queued:
        return late
    if not _unproved(found):
        told = ledger.told_by_log
        log = f"; {told} are known by the instance's own log alone" if told else ""
        return f"each message of the list was met; {late}{log}"
    n, most = ledger.received, hidden(ledger.received, ledger.queued)
    return (
        f"{n} of {ledger.queued} met, none lost: up to {lost_bound(n):.1%} of a large queue, "
        f"{most} of this one (95 %), could be; {late}"
    )


def _off_track(found: Account) -> str | None:
    """Why an open cell cannot be left open: nothing has been heard for two units."""
    case = found.case
    if case.at < case.window.end + UNIT:
        return None
    seen = [look.ended for look in case.looks if look.complete]
    seen += [mail.ended for mail in case.mail_after]
    newest = max((instant for instant in seen if instant <= case.at), default=None)
    if newest is not None and case.at - newest < 2 * UNIT:
        return None
    when = f"since {format_instant(newest)}" if newest else "at all"
    return f"no look at the queue and no mail {when}: `{RECAPTURE}`"


def _remarks(found: Account) -> Iterable[str]:
    ledger = found.ledger
    if ledger.unknown:
        some = ", ".join(copy.message_id for copy in ledger.unknown[:5])
        yield f"{len(ledger.unknown)} mails of its deliveries have no row in the list: {some}"
    fuzzy = [entry for entry in ledger.entries if entry.fuzzy]
    if fuzzy:
        yield (
            f"{len(fuzzy)} resends are paired by recipient and label; the content of the "
            "original was never seen"
        )
    odd = [e for e in ledger.entries if e.original.after == "failed" and e.copies]
    if odd:
        yield f"{len(odd)} messages arrived although the log says Failed"
