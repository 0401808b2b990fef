# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether mail sent after is signed as it was before, and verifies: the mail side of `dkim`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wavegate.compare.dkim_headers import fewer_headers, missing_signers
from wavegate.compare.senders import address
from wavegate.compare.signatures import Signed, authors, mail_gaps
from wavegate.estate.model import Instance
from wavegate.mailauth.dkim import Outcome, Verified
from wavegate.verdict import Cleared, Finding, Missing, NotCompared, On

Signer = tuple[str, str]
"""d= and s=."""
MAX_HOSTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSide:
    """What the mails say, to be joined with what the keys say."""

    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    cleared: tuple[Cleared, ...]
    not_compared: tuple[NotCompared, ...]
    remarks: tuple[str, ...]
    shown: str


def judge_mail(
    instance: Instance, before: tuple[Signed, ...], after: tuple[Signed, ...]
) -> MailSide:
    """Hold the signatures of the mail after against those of the mail before."""
    unsigned = [one for one in after if not one.results]
    broken = [one for one in after if one.results and not one.passing]
    findings = [*_unsigned(unsigned, before, after), *_broken(broken, before, after)]
    findings += [*_other_signers(before, after), *missing_signers(before, after)]
    findings += fewer_headers(before, after)
    verified = sum(1 for one in after if one.passing)
    return MailSide(
        findings=tuple(findings),
        missing=(*mail_gaps(instance, before, after), *_unknown(broken)),
        cleared=tuple(_canonicalisation(before, after)),
        not_compared=tuple(_silent_domains(instance, before, after)),
        remarks=tuple(_as_before(broken, before)),
        shown=f"{verified} of {len(after)} messages after are signed as before and verify, no "
        "header field less covered",
    )


def _silent_domains(
    instance: Instance, before: tuple[Signed, ...], after: tuple[Signed, ...]
) -> Iterable[NotCompared]:
    seen = authors(before) | authors(after)
    for domain in instance.domains:
        if domain.name not in seen and before and after:
            yield NotCompared(
                what=f"signatures of mail from {domain.name}",
                reason="no mail from it was received before or after",
            )


def _unsigned(
    unsigned: list[Signed], before: tuple[Signed, ...], after: tuple[Signed, ...]
) -> Iterable[Finding]:
    for author in sorted(authors(unsigned)):
        mails = [one for one in unsigned if one.author == author]
        earlier = [one for one in before if one.author == author and not one.results]
        total = sum(1 for one in after if one.author == author)
        first = mails[0]
        size = first.mail.size
        smallest = min(one.mail.size for one in mails)
        yield Finding(
            rule="unsigned-mail",
            subject=author or "mail without a From domain",
            expected=f"every message from {author} bears a DKIM signature",
            observed=f"{len(mails)} of {total} messages have none, all of {smallest} octets or "
            f"more; the first is {first.mail.message_id} of {size} octets",
            explanation=f"{len(mails)} of {total} messages from {author} sent after are unsigned"
            + (f"; {len(earlier)} were so before" if earlier else ""),
            witness=(first.mail.message_id, str(size), author, *_hosts(first)),
            before="unsigned in part" if earlier else "signed",
            after="unsigned in part",
            records=(first.mail.digest,),
        )


def _hosts(one: Signed) -> tuple[str, ...]:
    """Where a message came through: host of the topmost Received, HELO name, address."""
    found = (one.host, (one.mail.helo or "").lower(), address(one.mail.peer))
    return tuple(dict.fromkeys(name for name in found if name))


def _main_fault(one: Signed) -> Verified:
    """The signature by which a message that does not pass is judged: the author's own first."""
    own = [found for found in one.results if found.domain == one.author]
    return (own or list(one.results))[0]


def _broken(
    broken: list[Signed], before: tuple[Signed, ...], after: tuple[Signed, ...]
) -> Iterable[Finding]:
    groups: dict[tuple[str, str, Outcome, str], list[Signed]] = {}
    for one in broken:
        fault = _main_fault(one)
        if not _undecided(fault) and not _was_so(fault, before):
            key = (fault.domain, fault.selector, fault.outcome, fault.reason)
            groups.setdefault(key, []).append(one)
    for (domain, selector, outcome, reason), mails in sorted(groups.items()):
        same = [one for one in after if (domain, selector) in _signers(one.results)]
        first = mails[0]
        yield Finding(
            rule="signature-does-not-verify",
            subject=f"{selector}._domainkey.{domain} TXT",
            expected=f"mail signed by d={domain}, s={selector} verifies",
            observed=f"{len(mails)} of {len(same)} messages do not: {outcome}, {reason}"
            f"{_through(mails, same)}; the first is {first.mail.message_id}",
            explanation=f"{len(mails)} of {len(same)} messages sent after with the signature "
            f"d={domain}, s={selector} do not verify: {reason}",
            witness=(selector, domain, first.mail.message_id, *_hosts(first)),
            before="verifies" if _verified(before, (domain, selector)) else None,
            after=f"{outcome}: {reason}",
            records=(first.mail.digest,),
        )


def _undecided(fault: Verified) -> bool:
    return fault.outcome is Outcome.TEMPERROR


def _was_so(fault: Verified, before: tuple[Signed, ...]) -> bool:
    """A signature that receivers were told not to rely on before either, for the same reason."""
    return fault.outcome is Outcome.POLICY and any(
        (found.domain, found.selector, found.outcome, found.reason)
        == (fault.domain, fault.selector, fault.outcome, fault.reason)
        for one in before
        for found in one.results
    )


def _as_before(broken: list[Signed], before: tuple[Signed, ...]) -> Iterable[str]:
    faults = (_main_fault(one) for one in broken)
    texts = Counter(
        f"d={fault.domain}, s={fault.selector}: {fault.reason}, before as after"
        for fault in faults
        if _was_so(fault, before)
    )
    yield from (f"{text} ({count} messages)" for text, count in sorted(texts.items()))


def _through(mails: list[Signed], same: list[Signed]) -> str:
    """Which hosts the failing messages came through, where Received headers tell."""
    bad, every = (Counter(one.host for one in some if one.host) for some in (mails, same))
    parts = [f"{bad[host]} of {every[host]} through {host}" for host in sorted(bad)[:MAX_HOSTS]]
    return f" ({', '.join(parts)})" if parts else ""


def _signers(results: Iterable[Verified]) -> set[Signer]:
    return {(found.domain, found.selector) for found in results}


def _verified(mails: Iterable[Signed], signer: Signer) -> bool:
    return any(signer in _signers(one.passing) for one in mails)


def _unknown(broken: list[Signed]) -> Iterable[Missing]:
    faults = Counter(
        (fault.domain, fault.selector, fault.reason)
        for fault in map(_main_fault, broken)
        if _undecided(fault)
    )
    for (domain, selector, reason), count in sorted(faults.items()):
        name = f"{selector}._domainkey.{domain} TXT" if domain else "mail that was not read"
        yield Missing(
            what=f"whether {count} messages verify, {name}: {reason}",
            on=On.OPERATOR,
            rule="mail-not-verifiable",
            subject=name,
            count=count,
            command="wavegate capture --phase after" if domain else None,
        )


def _other_signers(before: tuple[Signed, ...], after: tuple[Signed, ...]) -> Iterable[Finding]:
    """Mail that verifies, but by no d= and s= that mail from the same domain used before."""
    for author in sorted(authors(before) & authors(after)):
        used = {s for one in before if one.author == author for s in _signers(one.passing)}
        strange = [
            one
            for one in after
            if one.author == author and one.passing and not used & _signers(one.passing)
        ]
        if strange and used:
            yield _other_signer(author, used, strange)


def _other_signer(author: str, used: set[Signer], strange: list[Signed]) -> Finding:
    now = sorted({signer for one in strange for signer in _signers(one.passing)})
    was = ", ".join(f"d={domain} s={selector}" for domain, selector in sorted(used))
    found = ", ".join(f"d={domain} s={selector}" for domain, selector in now)
    first = strange[0]
    return Finding(
        rule="other-signer",
        subject=author,
        expected=f"mail from {author} is signed by {was}",
        observed=f"{len(strange)} messages are signed by {found}; the first is "
        f"{first.mail.message_id}",
        explanation=f"mail from {author} is signed in another name: {was} before, {found} after",
        witness=(first.mail.message_id, author, *(part for signer in now for part in signer)),
        before=was,
        after=found,
        records=(first.mail.digest,),
    )


def _canonicalisation(before: tuple[Signed, ...], after: tuple[Signed, ...]) -> Iterable[Cleared]:
    was, now = _forms(before), _forms(after)
    if was and now and was != now:
        yield Cleared(
            rule="canonicalisation",
            subject="c= of DKIM signatures",
            before=f"c={', '.join(was)}",
            after=f"c={', '.join(now)}",
            explanation="the canonical form is the signer's choice, and the mail verifies",
        )


def _forms(mails: tuple[Signed, ...]) -> list[str]:
    return sorted({found.canonicalisation for one in mails for found in one.passing})
