# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`dmarc`: the DMARC policy in effect is the same, and mail aligns.

The policy is what discovery finds, not the text at one name; it must be the same under RFC 9989's
tree walk and under RFC 7489, per authoritative server. Report addresses belong to it: who they
leave goes blind.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dns.name import Name

from wavegate.answer import Found, Lookup
from wavegate.compare.dmarc_mail import judge_alignment
from wavegate.compare.per_server import (
    RECAPTURE,
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
from wavegate.compare.signatures import sender_domains, signed_mails
from wavegate.estate.model import Instance
from wavegate.mailauth.dmarc import Discovery, InEffect, Rfc, discover, dmarc_name
from wavegate.mailauth.dmarc_record import DmarcRecord, choose
from wavegate.mailauth.names import text_of
from wavegate.mailauth.second_reader import read_dmarc
from wavegate.mailauth.spf import texts
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

PROMISE = "dmarc"
COULD_HIDE = (
    "receivers with another public suffix list or rules of their own; From domains that the "
    "estate does not name; mail that was not received here"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcEvidence:
    """One side of the comparison: the DNS as captured, and the mails of the phase."""

    instance: Instance
    view: View
    mails: tuple[Received, ...]
    records: tuple[str, ...]


@dataclass(slots=True)
class _Notes:
    """What the comparison of the domains has brought so far."""

    findings: list[Finding] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


def gather(
    instance: Instance,
    view: View,
    mails: tuple[Received, ...] = (),
    *,
    records: tuple[str, ...] = (),
) -> DmarcEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return DmarcEvidence(instance=instance, view=view, mails=mails, records=records)


def compare_dmarc(before: DmarcEvidence, after: DmarcEvidence) -> Judgement:
    """Judge the promise. Pure, and total: never raises, whatever was captured."""
    domains = sender_domains(after.instance)
    if not domains:
        return inconclusive(
            Missing(
                what="the estate names no sender domain of this instance",
                on=On.OPERATOR,
                rule="no-domain",
                subject=f"instance:{after.instance.name}",
            )
        )
    notes = _Notes()
    for domain in domains:
        _domain(domain, before, after, notes)
    old = signed_mails(before.instance, before.view, before.mails)
    new = signed_mails(after.instance, after.view, after.mails)
    mail = judge_alignment(after.instance, (old, before.view.lookup()), (new, after.view.lookup()))
    return judgement(
        findings=joined(PROMISE, (*notes.findings, *mail.findings)),
        missing=(*notes.missing, *mail.missing),
        cleared=notes.cleared,
        not_compared=notes.not_compared,
        shown=f"{'; '.join(notes.shown)}; {mail.shown}",
        could_hide=COULD_HIDE,
        records=(*before.records, *after.records),
        remarks=dict.fromkeys(notes.remarks),
    )


def _domain(domain: Name, before: DmarcEvidence, after: DmarcEvidence, notes: _Notes) -> None:
    def evaluate(lookup: Lookup) -> tuple[Discovery, tuple[tuple[Name, str], ...]]:
        found = discover(domain, lookup)
        return found, found.asked

    subject = f"DMARC of {text_of(domain)}"
    was, now = shown(before.view, evaluate), shown(after.view, evaluate)
    pairing = pair_up(was, now)
    notes.missing += gaps(subject, was, now, pairing)
    notes.not_compared += listed(subject, pairing)
    if not was.answered or not now.answered:
        return
    for pair in pairing.pairs:
        if pair.after == now.most == was.most:
            continue
        _pair(domain, pair, pairing, before, after, notes)
    old, new = before.view.lookup(), after.view.lookup()
    notes.cleared += _cleared(domain, was.most, now.most, old, new)
    notes.remarks += (*read_dmarc(new, now.most), *_part(domain, now.most))
    notes.shown.append(f"{text_of(domain)}: {_spell(now.most.tree)} under both RFCs, as before")


def _pair(
    domain: Name,
    pair: Pair[Discovery],
    pairing: Pairing[Discovery],
    before: DmarcEvidence,
    after: DmarcEvidence,
    notes: _Notes,
) -> None:
    records = (*before.records, *after.records)
    found = _first_difference(pair)
    unknown = [
        question
        for side in (pair.before, pair.after)
        for rfc in Rfc
        for question in side.under(rfc).unknown
    ]
    if found is not None:
        odd = alone(pair, pairing)
        names = (*odd, *serials(after.view, domain, odd))
        notes.findings.append(_finding(domain, *found, pair, where(pair, pairing), names, records))
    elif unknown:
        notes.missing.append(_unanswered(domain, unknown, where(pair, pairing)))


def _first_difference(pair: Pair[Discovery]) -> tuple[str, Rfc] | None:
    """The rule that convicts, and the view in which; the newer RFC first, policy first."""
    for rfc in Rfc:
        was, now = pair.before.under(rfc), pair.after.under(rfc)
        if not was.unknown and not now.unknown and _effect(was, now) != _effect(now, was):
            return "other-policy", rfc
    for rfc in Rfc:
        was, now = pair.before.under(rfc), pair.after.under(rfc)
        if not was.unknown and not now.unknown and was.reporting != now.reporting:
            return "other-reporting", rfc
    return None


def _effect(one: InEffect, other: InEffect) -> tuple[object, ...]:
    """The effect; without the organizational domain where one side does not know it."""
    known = one.organizational is not None and other.organizational is not None
    policy, organizational, *rest = one.effect
    return (policy, organizational if known else None, *rest)


def _finding(
    domain: Name,
    rule: str,
    rfc: Rfc,
    pair: Pair[Discovery],
    at: str,
    servers: tuple[str, ...],
    records: tuple[str, ...],
) -> Finding:
    was, now = pair.before.under(rfc), pair.after.under(rfc)
    spell = _spell if rule == "other-policy" else _spell_reporting
    only = "" if rfc is Rfc.RFC9989 else f" for receivers that follow {rfc}"
    what = "policy in effect" if rule == "other-policy" else "reporting"
    return Finding(
        rule=rule,
        subject=_subject(domain, was, now),
        expected=f"{text_of(domain)}: {spell(was)}",
        observed=f"{text_of(domain)}: {spell(now)} {at}",
        explanation=f"the DMARC {what} for {text_of(domain)} was {spell(was)} and is {spell(now)}"
        f"{only} {at}",
        witness=_witness(domain, was, now, servers),
        before=spell(was),
        after=spell(now),
        records=records,
    )


def _subject(domain: Name, was: InEffect, now: InEffect) -> str:
    return f"_dmarc.{text_of(was.at or now.at or domain)} TXT"


def _spell(found: InEffect) -> str:
    if found.policy is None:
        return "no DMARC policy"
    percent = "" if found.percent == 100 else f" pct={found.percent}"
    organizational = text_of(found.organizational) if found.organizational else "unknown"
    place = text_of(found.at) if found.at else ""
    return (
        f"{found.policy} ({found.tag} at _dmarc.{place}; adkim={found.adkim} aspf={found.aspf}"
        f"{percent}; organizational domain {organizational})"
    )


def _spell_reporting(found: InEffect) -> str:
    parts = [f"rua={','.join(found.rua) or 'none'}"]
    if found.ruf:
        parts.append(f"ruf={','.join(found.ruf)} fo={found.fo}")
    return " ".join(parts)


def _witness(
    domain: Name, was: InEffect, now: InEffect, servers: tuple[str, ...]
) -> tuple[str, ...]:
    found = [text_of(domain), was.policy or "", now.policy or ""]
    found += [tag for side in (was, now) for tag in side.tag.split("; ")]
    for tag in ("adkim", "aspf"):
        if getattr(was, tag) != getattr(now, tag):
            found.append(f"{tag}={getattr(now, tag)}")
    if was.percent != now.percent:
        found.append(f"pct={now.percent}")
    for uri in sorted(set(was.rua + was.ruf) ^ set(now.rua + now.ruf)):
        found += [uri, uri.removeprefix("mailto:")]
    return tuple(dict.fromkeys(name for name in (*found, *servers) if name))


def _unanswered(domain: Name, unknown: list[tuple[Name, str]], at: str) -> Missing:
    asked = ", ".join(sorted({f"{text_of(name)} {rdtype}" for name, rdtype in unknown}))
    return Missing(
        what=f"the DMARC policy for {text_of(domain)} {at}: ask again {asked}",
        on=On.OPERATOR,
        rule="dmarc-question-unanswered",
        subject=f"_dmarc.{text_of(domain)} TXT",
        count=len(set(unknown)),
        command=RECAPTURE,
        after=asked,
    )


def _part(domain: Name, now: Discovery) -> Iterable[str]:
    if now.tree.effect[:1] != now.list.effect[:1]:
        yield (
            f"for {text_of(domain)} the RFCs part, before as after: {_spell(now.tree)} under "
            f"{Rfc.RFC9989}, {_spell(now.list)} under {Rfc.RFC7489}"
        )


def _cleared(
    domain: Name, was: Discovery, now: Discovery, before: Lookup, after: Lookup
) -> Iterable[Cleared]:
    if was.tree.effect != now.tree.effect or was.tree.at is None or now.tree.at is None:
        return
    old, new = _record(was.tree.at, before), _record(now.tree.at, after)
    if old is None or new is None:
        return
    rule = _rewrite(was.tree.at, now.tree.at, (old, before), (new, after))
    if rule:
        yield Cleared(
            rule=rule,
            subject=_subject(domain, was.tree, now.tree),
            before=old.text[:1_000],
            after=new.text[:1_000],
            explanation=f"the policy in effect for {text_of(domain)} is the same",
        )


def _record(at: Name, lookup: Lookup) -> DmarcRecord | None:
    place = dmarc_name(at)
    return None if place is None else choose(texts(lookup(place, "TXT")))


def _rewrite(
    was: Name, now: Name, old: tuple[DmarcRecord, Lookup], new: tuple[DmarcRecord, Lookup]
) -> str:
    """The name of the rewrite between two records of one effect; empty where there is none."""
    one, other = old[0], new[0]
    if was != now:
        return "own-record-for-inherited" if len(now) > len(was) else "inherited-for-own-record"
    if one.text == other.text:
        return "txt-split" if _strings(was, old[1]) != _strings(now, new[1]) else ""
    if dict(one.tags) == dict(other.tags):
        return "case" if list(one.tags) == list(other.tags) else "tag-order"
    return "defaults-explicit" if one == other else "tags-without-effect"


def _strings(at: Name, lookup: Lookup) -> list[tuple[bytes, ...]]:
    place = dmarc_name(at)
    answer = None if place is None else lookup(place, "TXT")
    rdatas = answer.rdatas if isinstance(answer, Found) else ()
    return sorted(tuple(getattr(rdata, "strings", ())) for rdata in rdatas)
