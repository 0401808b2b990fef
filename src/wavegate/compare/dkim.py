# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`dkim`: each selector publishes the same key, and mail sent after is signed and verifies.

Keys are compared as numbers and flags, per authoritative server; the mail of each phase is
verified with the keys recorded in that phase, at the instant of its reception (RFC 6376).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dns.name import Name

from wavegate.answer import Found, Lookup
from wavegate.compare.dkim_mail import judge_mail
from wavegate.compare.per_server import (
    Pair,
    Pairing,
    View,
    alone,
    gaps,
    joined,
    listed,
    pair_up,
    serials,
    shown,
    where,
)
from wavegate.compare.signatures import signed_mails
from wavegate.estate.model import Instance
from wavegate.mailauth.dkim_key import GOOD_BITS, Key, State, effective_key, parse_tags
from wavegate.mailauth.names import name_of, text_of
from wavegate.record.message import Received
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
)

PROMISE = "dkim"
COULD_HIDE = (
    "selectors that the estate does not name and no received mail used; messages that were not "
    "received here; receivers that deviate from RFC 6376 and RFC 8301"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimEvidence:
    """One side of the comparison: the DNS as captured, and the mails of the phase."""

    instance: Instance
    view: View
    mails: tuple[Received, ...]
    records: tuple[str, ...]

    @property
    def selectors(self) -> tuple[tuple[str, str, Name], ...]:
        """Selector, domain and the name of the key, for each selector of the estate."""
        named = (
            (selector, domain.name, name_of(f"{selector}._domainkey.{domain.name}"))
            for domain in self.instance.domains
            for selector in domain.selectors
        )
        return tuple((s, d, name) for s, d, name in named if name is not None)


@dataclass(slots=True)
class _Notes:
    """What the comparison of the selectors has brought so far."""

    findings: list[Finding] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def gather(
    instance: Instance,
    view: View,
    mails: tuple[Received, ...] = (),
    *,
    records: tuple[str, ...] = (),
) -> DkimEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return DkimEvidence(instance=instance, view=view, mails=mails, records=records)


def compare_dkim(before: DkimEvidence, after: DkimEvidence) -> Judgement:
    """Judge the promise. Pure, and total: never raises, whatever was captured."""
    if not after.selectors:
        return inconclusive(
            Missing(
                what="the estate names no DKIM selector of this instance",
                on=On.OPERATOR,
                rule="no-selector",
                subject=f"instance:{after.instance.name}",
            )
        )
    notes = _Notes()
    for selector, domain, name in after.selectors:
        _selector(selector, domain, name, before, after, notes)
    old = signed_mails(before.instance, before.view, before.mails)
    new = signed_mails(after.instance, after.view, after.mails)
    mail = judge_mail(after.instance, old, new)
    return judgement(
        findings=joined(PROMISE, (*notes.findings, *mail.findings)),
        missing=(*notes.missing, *mail.missing),
        cleared=(*notes.cleared, *mail.cleared),
        not_compared=(*notes.not_compared, *mail.not_compared),
        shown=f"each of {len(after.selectors)} selectors publishes the key it published, at all "
        f"servers that answered; {mail.shown}",
        could_hide=COULD_HIDE,
        records=(*before.records, *after.records),
        remarks=dict.fromkeys((*notes.remarks, *mail.remarks)),
    )


def _selector(
    selector: str,
    domain: str,
    name: Name,
    before: DkimEvidence,
    after: DkimEvidence,
    notes: _Notes,
) -> None:
    def evaluate(lookup: Lookup) -> tuple[Key, tuple[tuple[Name, str], ...]]:
        return effective_key(lookup(name, "TXT")), ((name, "TXT"),)

    subject = f"{text_of(name)} TXT"
    was, now = shown(before.view, evaluate), shown(after.view, evaluate)
    pairing = pair_up(was, now)
    notes.missing += gaps(subject, was, now, pairing)
    notes.not_compared += listed(subject, pairing)
    if not was.answered or not now.answered:
        return
    changed = [pair for pair in pairing.pairs if pair.before != pair.after]
    changed = [pair for pair in changed if not _converged(pair, was.most, now.most)]
    for pair in changed:
        notes.findings.append(_changed(selector, domain, subject, pair, pairing, before, after))
    if not changed:
        _unchanged(selector, domain, name, before, after, pairing, notes)


def _converged(pair: Pair[Key], was: Key, now: Key) -> bool:
    """A server that was odd before and says now what all said: nothing that receivers lose."""
    return pair.after == now == was != pair.before


def _changed(
    selector: str,
    domain: str,
    subject: str,
    pair: Pair[Key],
    pairing: Pairing[Key],
    before: DkimEvidence,
    after: DkimEvidence,
) -> Finding:
    was, now, odd = pair.before, pair.after, alone(pair, pairing)
    owner = name_of(f"{selector}._domainkey.{domain}")
    odd = (*odd, *serials(after.view, owner, odd)) if owner else odd
    return Finding(
        rule=_rule(was, now),
        subject=subject,
        expected=f"{subject}: {was.describe()}",
        observed=f"{subject}: {now.describe()} {where(pair, pairing)}",
        explanation=f"selector {selector} of {domain} {_story(was, now)} {where(pair, pairing)}",
        witness=_witness(selector, domain, was, now, odd),
        before=was.describe(),
        after=now.describe(),
        records=(*before.records, *after.records),
    )


def _rule(was: Key, now: Key) -> str:
    if now.state is not State.KEY:
        return f"key-{now.state.value}"
    if was.state is not State.KEY:
        return "key-appeared"
    if (was.kind, was.numbers) != (now.kind, now.numbers):
        return "other-key"
    return "other-flags"


def _story(was: Key, now: Key) -> str:
    match _rule(was, now):
        case "other-key":
            return f"publishes another key: {was.fingerprint} before, {now.fingerprint} after"
        case "other-flags":
            return f"publishes the same key with {_flags(was)} before and {_flags(now)} after"
        case "key-appeared":
            return f"was {was.describe()} and now publishes a key"
        case _:
            had = "published a key" if was.state is State.KEY else f"was {was.describe()}"
            return f"{had} before and is {now.describe()} now"


def _flags(key: Key) -> str:
    return ", ".join(key.restrictions) or "no restriction"


def _witness(
    selector: str, domain: str, was: Key, now: Key, servers: tuple[str, ...]
) -> tuple[str, ...]:
    flags = sorted(set(was.restrictions) ^ set(now.restrictions))
    cut = ["255"] if now.cut else []
    prints = [key.fingerprint for key in (was, now)]
    found = (selector, domain, *flags, *cut, *prints, *servers)
    return tuple(dict.fromkeys(found))


def _unchanged(
    selector: str,
    domain: str,
    name: Name,
    before: DkimEvidence,
    after: DkimEvidence,
    pairing: Pairing[Key],
    notes: _Notes,
) -> None:
    subject = f"{text_of(name)} TXT"
    pairs = sorted(pairing.pairs, key=lambda pair: -len(pair.servers))
    for odd in pairs[1:]:
        if odd.after != pairs[0].after:
            notes.findings.append(
                _disagree(selector, domain, subject, pairs[0], odd, pairing, after)
            )
    key = pairs[0].after
    if key.state is State.ABSENT:
        notes.missing.append(_never_published(selector, domain, subject))
    elif key.state is not State.KEY:
        notes.remarks.append(f"{subject} is {key.describe()}, before as after")
    elif key.kind == "rsa" and key.bits < GOOD_BITS:
        notes.remarks.append(f"{subject}: an RSA key of {key.bits} bits is weak, before as after")
    notes.cleared += _cleared(subject, name, before.view.lookup(), after.view.lookup())


def _never_published(selector: str, domain: str, subject: str) -> Missing:
    return Missing(
        what=f"the estate names selector {selector} of {domain}, which no server published before "
        "or publishes after",
        on=On.OPERATOR,
        rule="selector-not-published",
        subject=subject,
    )


def _disagree(
    selector: str,
    domain: str,
    subject: str,
    usual: Pair[Key],
    odd: Pair[Key],
    pairing: Pairing[Key],
    after: DkimEvidence,
) -> Finding:
    return Finding(
        rule="servers-disagree",
        subject=subject,
        expected=f"all servers alike: {usual.after.describe()}",
        observed=f"{odd.after.describe()} {where(odd, pairing)}",
        explanation=f"the servers of {domain} do not agree on selector {selector}, before as after",
        witness=_witness(selector, domain, usual.after, odd.after, odd.servers),
        before=usual.after.describe(),
        after=odd.after.describe(),
        records=after.records,
    )


def _cleared(subject: str, name: Name, before: Lookup, after: Lookup) -> Iterable[Cleared]:
    old, new = before(name, "TXT"), after(name, "TXT")
    if not isinstance(old, Found) or not isinstance(new, Found):
        return
    mine, theirs = effective_key(old), effective_key(new)
    rule = _rewrite(mine.strings, theirs.strings)
    if rule:
        yield Cleared(
            rule=rule,
            subject=subject,
            before=_text(mine.strings),
            after=_text(theirs.strings),
            explanation="the same key with the same effect",
        )
    if old.chain != new.chain:
        yield Cleared(
            rule="cname-flattened" if not new.chain else "cname-chain",
            subject=subject,
            before=" > ".join(map(text_of, old.chain)) or "no CNAME",
            after=" > ".join(map(text_of, new.chain)) or "no CNAME",
            explanation="another way to the same key",
        )


def _rewrite(mine: tuple[bytes, ...], theirs: tuple[bytes, ...]) -> str:
    """The name of the rewrite between two texts of one effective key; empty where none."""
    if mine == theirs:
        return ""
    one, other = b"".join(mine), b"".join(theirs)
    if one == other:
        return "txt-split"
    tags, others = (parse_tags(text.decode("utf-8", "replace")) or {} for text in (one, other))
    if tags == others:
        same_order = list(tags) == list(others)
        return "same-key-rewrapped" if same_order else "tag-order"
    return "same-key-rewrapped" if tags.get("p") != others.get("p") else "defaults-explicit"


def _text(strings: tuple[bytes, ...]) -> str:
    return " ".join(f'"{part.decode("ascii", "backslashreplace")}"' for part in strings)[:1_000]
