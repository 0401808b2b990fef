# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_ips`: the sending IPs are the ones used before.

Sources: the estate's list, the peer address of mail before and after (of a sink's socket, or by
the word of a trusted receiver), the binding that X-MSFBL names, SPF, and DMARC aggregate reports.
An unlisted address convicts at once; a missing one only when enough mail arrived that chance is
excluded (occupancy bound per pool), and not where a report shows that it is in use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wavegate.compare.coverage import rogue_bound
from wavegate.compare.ip_pools import Pool, beyond_chance, more, pools
from wavegate.compare.ip_reports import Reported, not_compared, reported, unlisted_findings
from wavegate.compare.ip_sources import said, silent
from wavegate.compare.senders import address, binding_ip, listed, shipments, speaks_for
from wavegate.estate.model import Instance
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received
from wavegate.verdict import (
    FOR_OPERATOR,
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
)

PROMISE = "sending_ips"
PPM = 1_000_000
REPORTS = "dmarc_reports"
MOST_POOLS = 3
"""Further pools that are named beside the one that needs fewest messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingIpsEvidence:
    """One side: the instance as agreed, and the mails of the phase.

    verified: digests of the mails with a valid DKIM signature of one of the instance's domains.
    reports: DMARC aggregate reports that cover nothing but the phase. spf: whether SPF passes an
    address for every sender domain; addresses of which it is not known are left out.
    """

    instance: Instance
    mails: tuple[Received, ...]
    verified: frozenset[str] = frozenset()
    records: tuple[str, ...] = ()
    reports: tuple[DmarcReport, ...] = ()
    spf: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the comparison takes from elsewhere than mail.

    alpha: the accepted chance of missing an IP, in parts per million. owners: sending IPs of the
    other instances of the estate, with the name of the instance. same_customer: those of them
    that belong to the same customer, who may be told. shared: addresses that other instances with
    a common sender domain list. heard: whether a mail source was listening. looks: the last into
    each mailbox and folder of reports. across: reports that cover the window or both sides of it.
    """

    alpha: int = 1_000
    owners: Mapping[str, str] = field(default_factory=dict)
    same_customer: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    heard: bool = True
    looks: tuple[MailLook, ...] = ()
    across: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What each address is judged by. absent: listed or used before, and not met in mail after."""

    used: frozenset[str]
    seen: frozenset[str]
    agreed: frozenset[str]
    found: tuple[Pool, ...]
    old: Reported
    new: Reported
    mails: int
    independent: int
    alpha: float

    @property
    def absent(self) -> list[str]:
        return sorted((self.agreed | self.used) - self.seen)

    @property
    def unseen(self) -> list[str]:
        """Those of the absent that mail before came from, and that no report after shows."""
        return [ip for ip in self.absent if ip in self.used and ip not in self.new.listed]


def gather(
    instance: Instance,
    mails: tuple[Received, ...],
    *,
    verified: frozenset[str] = frozenset(),
    records: tuple[str, ...] = (),
    reports: tuple[DmarcReport, ...] = (),
    spf: Mapping[str, bool] | None = None,
) -> SendingIpsEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return SendingIpsEvidence(
        instance=instance,
        mails=mails,
        verified=verified,
        records=records,
        reports=reports,
        spf=spf or {},
    )


def compare_sending_ips(
    before: SendingIpsEvidence, after: SendingIpsEvidence, terms: Terms | None = None
) -> Judgement:
    """Judge `sending_ips` for one instance."""
    terms = terms or Terms()
    old, new = _believed(before), _believed(after)
    case = _case(before, after, old, new, terms)
    findings = [
        *_unlisted(new, case, terms, after.spf),
        *unlisted_findings(case.old, case.new, case.seen, case.agreed),
        *_disagree(old, new),
    ]
    if not old or not new:
        return _too_little(before, after, terms, findings)
    gone = _gone(case)
    findings += [item for item in gone if isinstance(item, Finding)]
    missing = [*_strangers(after), *(item for item in gone if isinstance(item, Missing))]
    sources = said((*old, *new), (case.old, case.new), after.spf, case.agreed)
    return judgement(
        findings=findings,
        missing=missing,
        cleared=[item for item in gone if isinstance(item, Cleared)],
        not_compared=[*_only_once(case), *_unattributed(case, terms), *silent(terms.looks)],
        shown=_shown(case, new),
        could_hide=_could_hide(case.independent),
        records=(*before.records, *after.records),
        remarks=[sources, *_operator_remarks(case, terms)],
    )


def _case(
    before: SendingIpsEvidence,
    after: SendingIpsEvidence,
    old: Sequence[Received],
    new: Sequence[Received],
    terms: Terms,
) -> _Case:
    mine = after.instance
    return _Case(
        used=frozenset(address(m.peer) for m in old),
        seen=frozenset(address(m.peer) for m in new),
        agreed=listed(mine),
        found=pools(old, new),
        old=reported(mine, before.reports, terms.shared),
        new=reported(mine, after.reports, terms.shared),
        mails=len(new),
        independent=shipments(new),
        alpha=terms.alpha / PPM,
    )


def _believed(side: SendingIpsEvidence) -> list[Received]:
    return [m for m in side.mails if speaks_for(side.instance, m, side.verified)]


def _too_little(
    before: SendingIpsEvidence,
    after: SendingIpsEvidence,
    terms: Terms,
    findings: Sequence[Finding],
) -> Judgement:
    """No mail on one side: empty is never a pass, and what convicts convicts all the same."""
    name = after.instance.name
    unread = silent(terms.looks)
    if not any(kind != REPORTS for source in after.instance.mail for kind in source.kinds):
        what = "a source of received mail of the instance, or an approved limit"
        gaps = [_gap("no-mail-source", name, what)]
    else:
        gaps = _no_mail(before, after, terms)
    if findings:
        return judgement(
            findings=findings, missing=gaps, not_compared=unread, shown="", could_hide=""
        )
    return inconclusive(*gaps, not_compared=unread)


def _no_mail(before: SendingIpsEvidence, after: SendingIpsEvidence, terms: Terms) -> list[Missing]:
    name = after.instance.name
    gaps = list(_strangers(after))
    if not _believed(before):
        what = f"mail of {name} from before the window: none was received, and none can follow"
        gaps.insert(0, _gap("no-mail-before", name, what))
    if not _believed(after):
        what = f"mail of {name} from after the window: none was received"
        heard = what if terms.heard else f"{what}; {_deaf(after.instance)}"
        gaps.insert(0, _gap("no-mail-after", name, heard, count=1))
    return gaps


def _deaf(instance: Instance) -> str:
    sink = any(source.sink for source in instance.mail)
    if sink:
        return "no mail source was listening (wavegate sink)"
    return "no mailbox could be read (wavegate collect)"


def _gap(rule: str, name: str, what: str, count: int | None = None) -> Missing:
    return Missing(what=what, on=On.OPERATOR, rule=rule, subject=f"instance:{name}", count=count)


def _unlisted(
    new: Sequence[Received], case: _Case, terms: Terms, spf: Mapping[str, bool]
) -> Iterable[Finding]:
    """Addresses that the estate does not list, seen after: one message is enough."""
    for ip in sorted(case.seen - case.agreed):
        mail = next(m for m in new if address(m.peer) == ip)
        owner = terms.owners.get(ip)
        whose = f", a sending IP of {owner}" if owner in terms.same_customer else ""
        known = "used, not listed" if ip in case.used else None
        was = "it was used before, but is not listed" if known else "it was not used before"
        also = f"; SPF {'passes' if spf[ip] else 'does not pass'} it" if ip in spf else ""
        yield Finding(
            rule="unlisted-ip",
            subject=ip,
            expected=f"mail from the listed addresses: {', '.join(sorted(case.agreed)) or 'none'}",
            observed=f"{mail.message_id} came from {ip}{whose}",
            explanation=f"mail leaves from {ip}{whose}, which is not a listed sending IP; "
            f"{was}{also}",
            witness=(ip, mail.message_id),
            before=known,
            after="used",
            records=(mail.digest,),
        )


def _disagree(old: Sequence[Received], new: Sequence[Received]) -> Iterable[Finding]:
    """X-MSFBL names another address than the peer, where both agreed before."""
    if any(_odd(mail) for mail in old) or not any(binding_ip(mail) for mail in old):
        return
    odd = [mail for mail in new if _odd(mail)]
    if odd:
        peer, bound = address(odd[0].peer), binding_ip(odd[0])
        yield Finding(
            rule="sources-disagree",
            subject=peer,
            expected="the peer address and the binding in X-MSFBL agree, as they did before",
            observed=f"{odd[0].message_id} came from {peer}, and its X-MSFBL names {bound}",
            explanation=f"mail from {peer} says that it was bound to {bound}",
            witness=(peer, str(bound), odd[0].message_id),
            before="agree",
            after=f"bound to {bound}",
            records=(odd[0].digest,),
        )


def _odd(mail: Received) -> bool:
    bound = binding_ip(mail)
    return bound is not None and bound != address(mail.peer)


def _gone(case: _Case) -> list[Finding | Missing | Cleared]:
    """What is to be said of each address that no mail after came from."""
    items: list[Finding | Missing | Cleared] = []
    for ip in case.absent:
        if ip in case.new.listed:
            if ip in case.used or ip in case.old.listed:
                items.append(_met_in_reports(ip, case))
        elif ip not in case.used:
            items.append(_never_met(ip, case))
        elif beyond_chance(ip, case.found, case.alpha, len(case.unseen)):
            items.append(_lost(ip, case))
        else:
            items.append(_not_met(ip, case))
    return items


def _met_in_reports(ip: str, case: _Case) -> Cleared:
    return Cleared(
        rule="met-in-dmarc-reports",
        subject=ip,
        before="used",
        after="used",
        explanation=f"no received mail after came from {ip}; DMARC reports of {case.new.who} count "
        f"{case.new.listed[ip]} messages from it",
    )


def _lost(ip: str, case: _Case) -> Finding:
    return Finding(
        rule="ip-not-used-any-more",
        subject=ip,
        expected=f"mail from {ip}, as before",
        observed=f"0 of {case.mails} messages came from {ip} ({case.independent} independent)",
        explanation=f"no mail leaves from {ip} any more; so many messages exclude chance",
        witness=(ip, f"0 of {case.mails}"),
        before="used",
        after=None,
    )


def _not_met(ip: str, case: _Case) -> Missing:
    """How many more messages settle it: in the pool that needs fewest, and in the others."""
    (pool, count), *others = more(ip, case.found, case.unseen, case.alpha)
    also = "".join(f", or {n} of {other.name}" for other, n in others[:MOST_POOLS])
    return Missing(
        what=f"{count} more messages of {pool.name}{also}: {ip} was not met in {case.mails} "
        "messages after",
        on=On.OPERATOR,
        rule="ip-not-met",
        subject=ip,
        count=count,
        before="used",
    )


def _never_met(ip: str, case: _Case) -> Missing:
    if ip in case.old.listed:
        return Missing(
            what=f"a message from {ip} after, or a DMARC report that shows one: only reports "
            f"before show it ({case.old.who})",
            on=On.OPERATOR,
            rule="reported-before-only",
            subject=ip,
            before="used",
        )
    return Missing(
        what=f"a message from {ip} on both sides: it is listed, but was met neither before nor "
        "after (spare, stale, or outside the sample)",
        on=On.OPERATOR,
        rule="listed-never-met",
        subject=ip,
    )


def _strangers(after: SendingIpsEvidence) -> Iterable[Missing]:
    """Unlisted addresses in mail that anyone could have sent."""
    agreed = listed(after.instance)
    doubtful = [m for m in after.mails if not speaks_for(after.instance, m, after.verified)]
    for ip in sorted({address(m.peer) for m in doubtful} - agreed):
        mail = next(m for m in doubtful if address(m.peer) == ip)
        yield Missing(
            what=f"a valid signature in mail from {ip}, or a seed address that cannot be guessed: "
            f"{mail.message_id} came from this unlisted address, but anyone may have sent it",
            on=On.OPERATOR,
            rule="unlisted-ip-unproven",
            subject=ip,
            after="used",
        )


def _only_once(case: _Case) -> list[NotCompared]:
    after = case.seen | case.new.listed.keys()
    return [
        NotCompared(what=f"{ip} with before", reason="listed and used after, not met before")
        for ip in sorted((case.agreed & after) - case.used - case.old.listed.keys())
    ]


def _unattributed(case: _Case, terms: Terms) -> Iterable[NotCompared]:
    yield from not_compared(case.new)
    if terms.across:
        yield NotCompared(
            what=f"DMARC reports {', '.join(terms.across[:5])}",
            reason="they cover the window, or reach over the edge of a phase",
        )


def _shown(case: _Case, new: Sequence[Received]) -> str:
    bound = sum(1 for mail in new if binding_ip(mail))
    witness = f", X-MSFBL agrees in {bound}" if bound else ""
    word = f"; DMARC reports of {case.new.who} agree" if case.new.listed else ""
    met = case.seen | case.new.listed.keys()
    return (
        f"all {len(met)} addresses are listed and used, in {len(new)} messages after{witness}{word}"
    )


def _could_hide(n: int) -> str:
    share = rogue_bound(n)
    return (
        f"another address that carries up to {share:.1%} of the mail (95 %, {n} independent "
        "messages after)"
    )


def _operator_remarks(case: _Case, terms: Terms) -> list[str]:
    """Whose an address is, where the customer must not be told."""
    foreign = (case.seen - case.agreed) | case.new.unlisted.keys()
    return [
        f"{FOR_OPERATOR}{ip} is a sending IP of {terms.owners[ip]}"
        for ip in sorted(foreign)
        if ip in terms.owners and terms.owners[ip] not in terms.same_customer
    ]
