# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`spf`: SPF authorises exactly the same addresses, and each sending IP passes.

Both policies are evaluated over every IPv4 and IPv6 address, per authoritative server; a
difference comes with its witness and the terms responsible (RFC 7208).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dns.name import Name

from wavegate.answer import Lookup
from wavegate.compare.per_server import (
    RECAPTURE,
    Pair,
    Pairing,
    Shown,
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
from wavegate.estate.model import Instance
from wavegate.mailauth.address_set import Address, family_of
from wavegate.mailauth.names import address_of, name_of, text_of
from wavegate.mailauth.second_reader import read_spf
from wavegate.mailauth.spf import evaluate_client
from wavegate.mailauth.spf_compare import (
    Comparison,
    Difference,
    Different,
    Equal,
    Policy,
    Side,
    Undecided,
    compare,
    policy,
)
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result
from wavegate.mailauth.spf_result import Piece
from wavegate.mailauth.spf_terms import first_changed, owners_of, rewrite_rule, spell_texts
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

PROMISE = "spf"
COULD_HIDE = (
    "receivers that deviate from RFC 7208 or saw a cached answer; policies of domains that the "
    "estate does not name; the HELO identity"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfEvidence:
    """One side of the comparison: the DNS as captured, and the mails of the phase."""

    instance: Instance
    view: View
    mails: tuple[Received, ...]
    records: tuple[str, ...]

    @property
    def domains(self) -> tuple[Name, ...]:
        """The sender domains."""
        found = (name_of(domain.name) for domain in self.instance.domains)
        return tuple(name for name in found if name is not None)

    @property
    def sending_ips(self) -> tuple[Address, ...]:
        """The agreed sending IPs."""
        found = (address_of(text) for text in self.instance.sending_ips)
        return tuple(address for address in found if address is not None)

    def helo(self, address: Address) -> str | None:
        """The HELO name that mail from an address gave, None where none was seen."""
        text = str(address)
        names = (mail.helo for mail in reversed(self.mails) if mail.peer == text)
        return next((name for name in names if name), None)


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
) -> SpfEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return SpfEvidence(instance=instance, view=view, mails=mails, records=records)


def compare_spf(before: SpfEvidence, after: SpfEvidence) -> Judgement:
    """Judge the promise. Pure, and total: never raises, whatever was captured."""
    records = (*before.records, *after.records)
    if not after.domains:
        return inconclusive(
            Missing(
                what="the estate names no sender domain of this instance",
                on=On.OPERATOR,
                rule="no-domain",
                subject=f"instance:{after.instance.name}",
            )
        )
    notes = _Notes()
    for domain in after.domains:
        _domain(domain, before, after, notes)
    return judgement(
        findings=joined(PROMISE, notes.findings),
        missing=notes.missing,
        cleared=notes.cleared,
        not_compared=notes.not_compared,
        shown="; ".join(notes.shown) or "nothing",
        could_hide=COULD_HIDE,
        records=records,
        remarks=dict.fromkeys(notes.remarks),
    )


def _shown(domain: Name, view: View) -> Shown[Policy]:
    def evaluate(lookup: Lookup) -> tuple[Policy, tuple[tuple[Name, str], ...]]:
        found = policy(Sender(domain=domain), lookup)
        return found, found.asked

    return shown(view, evaluate)


def _domain(domain: Name, before: SpfEvidence, after: SpfEvidence, notes: _Notes) -> None:
    subject = f"{text_of(domain)} TXT"
    was, now = _shown(domain, before.view), _shown(domain, after.view)
    pairing = pair_up(was, now)
    notes.missing += gaps(subject, was, now, pairing)
    notes.not_compared += listed(subject, pairing)
    if not was.answered or not now.answered:
        return
    changed = [pair for pair in pairing.pairs if not _converged(pair, was.most, now.most)]
    notes.cleared += [_agrees(subject, pair) for pair in pairing.pairs if pair not in changed]
    compared = [(pair, compare(pair.before, pair.after, after.sending_ips)) for pair in changed]
    lost: set[Address] = set()
    for pair, found in compared:
        lost |= _one(domain, pair, found, pairing, before, after, notes)
    if all(isinstance(found, Equal) for _, found in compared):
        notes.findings += _disagreement(domain, pairing, after)
        notes.cleared += _cleared(domain, before.view, after.view, was.most, now.most)
    _sending_ips(domain, now, before, after, lost, notes)
    notes.remarks += read_spf(domain, after.view.lookup(), now.most)
    notes.shown.append(
        f"{text_of(domain)}: all 2^32 IPv4 addresses and all IPv6 addresses get the same result "
        f"at {pairing.among} of {pairing.among} servers; each of {len(after.sending_ips)} sending "
        f"IPs passes; at most {was.most.lookups} lookups before, {now.most.lookups} after"
    )


def _converged(pair: Pair[Policy], was: Policy, now: Policy) -> bool:
    """A server that was odd before and says now what all said: nothing that receivers lose."""
    odd_before = pair.before != was
    return odd_before and pair.after == now and isinstance(compare(was, now), Equal)


def _agrees(subject: str, pair: Pair[Policy]) -> Cleared:
    return Cleared(
        rule="server-agrees-now",
        subject=subject,
        before=f"another policy at {', '.join(pair.servers)}",
        after="the policy that all servers had and have",
        explanation="a server that was odd before says now what the others said and say",
    )


def _one(
    domain: Name,
    pair: Pair[Policy],
    found: Comparison,
    pairing: Pairing[Policy],
    before: SpfEvidence,
    after: SpfEvidence,
    notes: _Notes,
) -> set[Address]:
    """Note what one comparison says; returns the sending IPs that it convicts of."""
    if isinstance(found, Undecided):
        notes.missing.append(_undecided(domain, found, where(pair, pairing)))
    if not isinstance(found, Different):
        return set()
    old, new = before.view.lookup(pair.witness), after.view.lookup(pair.servers[0])
    place = (alone(pair, pairing), where(pair, pairing))
    records = (*before.records, *after.records)
    notes.findings.append(_finding(domain, found, old, new, place, after, records))
    return {address for one in found.differences for address in one.preferred}


def _finding(
    domain: Name,
    found: Different,
    before: Lookup,
    after: Lookup,
    place: tuple[tuple[str, ...], str],
    side: SpfEvidence,
    records: tuple[str, ...],
) -> Finding:
    first = found.differences[0]
    sender = Sender(domain=domain)
    family = family_of(first.witness)
    owner, was, now = first_changed(sender, before, after, int(first.witness), family)
    servers, at = place
    dates = serials(side.view, owner, servers)
    dated = f"; SOA serials {', '.join(dates)}" if dates else ""
    receivers = "" if found.for_all_receivers else f" for receivers for whom {found.under[0]}"
    return Finding(
        rule="other-result",
        subject=f"{text_of(owner)} TXT",
        expected=f"{first.witness} gets {_reading(first.before)}",
        observed=f"{first.witness} gets {_reading(first.after)} {at}{receivers}{dated}",
        explanation=f"SPF of {text_of(domain)}: {_counts(found)}, among them {first.witness}: "
        f"{first.before.result} before, {first.after.result} after{receivers}; the record that "
        f"changed is {text_of(owner)} TXT",
        witness=_witness(domain, owner, found, (*servers, *dates)),
        before=was,
        after=now,
        records=records,
    )


def _counts(found: Different) -> str:
    parts = [
        f"{_many(one.count)} went from {one.before.result} to {one.after.result}"
        for one in found.differences[:4]
    ]
    return ", ".join(parts)


def _many(count: int) -> str:
    if count == 1:
        return "1 address"
    return f"{count} addresses" if count < 10**9 else f"about 2^{count.bit_length() - 1} addresses"


def _reading(side: Side) -> str:
    """The result, the term responsible and the way to it."""
    because = side.because
    way = "".join(f"{term} > " for term in because.through)
    term = side.term or because.note or "no record"
    note = f" ({because.note})" if because.note and side.term else ""
    return f"{side.result} by {way}{term} in {text_of(because.path[-1])} TXT{note}"


def _witness(
    domain: Name, owner: Name, found: Different, servers: tuple[str, ...]
) -> tuple[str, ...]:
    """The addresses, one for each kind of change, then results, terms, names and servers."""
    names: list[str] = []
    for one in found.differences:
        names += [str(one.witness), *(str(address) for address in one.preferred)]
    for one in found.differences:
        names += _terms(one)
    names += [text_of(domain), text_of(owner), *servers]
    return tuple(dict.fromkeys(name for name in names if name))


def _terms(one: Difference) -> list[str]:
    found: list[str] = []
    for side in (one.before, one.after):
        because = side.because
        terms = [side.term.lower(), *(term.lower() for term in because.through)]
        found += [side.result.value, *terms, _mechanism(terms[0])]
        found += [text_of(name) for name in (*because.path, *because.voids)]
    return found


def _mechanism(term: str) -> str:
    """The bare mechanism of a term that leads elsewhere, as a person names it: `mx`, `include`."""
    name = re.split("[:/=]", term.lstrip("+-~?"), maxsplit=1)[0]
    return "" if name in ("all", "ip4", "ip6") else name


def _undecided(domain: Name, found: Undecided, at: str) -> Missing:
    asked = [f"{text_of(name)} {rdtype}" for name, rdtype in found.questions]
    return Missing(
        what=f"SPF of {text_of(domain)} {at}: not known: {'; '.join(_reasons(found, asked))}",
        on=On.OPERATOR,
        rule="spf-not-decidable" if found.symbols and not asked else "spf-question-unanswered",
        subject=f"{text_of(domain)} TXT",
        count=len(asked) or None,
        command=RECAPTURE if asked else None,
        after=", ".join((*sorted(asked), *found.symbols)) or None,
    )


def _reasons(found: Undecided, asked: list[str]) -> Iterable[str]:
    if asked:
        yield f"ask again {', '.join(asked)}"
    if found.symbols:
        part = "may differ" if found.differs else "is the same if the names behind them are"
        yield f"{', '.join(found.symbols)} depends on the address or sender, and the result {part}"
    yield from (why for why in found.why if why)


def _disagreement(domain: Name, pairing: Pairing[Policy], after: SpfEvidence) -> Iterable[Finding]:
    """Servers that say what they said before, but not the same as the others."""
    pairs = sorted(pairing.pairs, key=lambda pair: -len(pair.servers))
    for odd in pairs[1:]:
        found = compare(pairs[0].after, odd.after, after.sending_ips)
        if isinstance(found, Different):
            look = after.view.lookup(odd.servers[0])
            place = (odd.servers, where(odd, pairing))
            one = _finding(domain, found, after.view.lookup(), look, place, after, after.records)
            yield Finding(
                rule="servers-disagree",
                subject=one.subject,
                expected=f"all servers alike: {one.expected}",
                observed=one.observed,
                explanation=f"the servers of {text_of(domain)} do not agree, before as after",
                witness=one.witness,
                before=one.before,
                after=one.after,
                records=after.records,
            )


def _cleared(
    domain: Name, before: View, after: View, was: Policy, now: Policy
) -> Iterable[Cleared]:
    old, new = before.lookup(), after.lookup()
    both = [owner for owner in owners_of(was.asked) if owner in owners_of(now.asked)]
    for owner in both:
        rule = rewrite_rule(owner, old, new)
        if rule is not None:
            yield Cleared(
                rule=rule,
                subject=f"{text_of(owner)} TXT",
                before=_text(old, owner),
                after=_text(new, owner),
                explanation=f"every address gets the same SPF result for {text_of(domain)}",
            )


def _text(lookup: Lookup, owner: Name) -> str:
    return " | ".join(spell_texts(lookup, owner))[:1_000]


def _sending_ips(
    domain: Name,
    now: Shown[Policy],
    before: SpfEvidence,
    after: SpfEvidence,
    lost: set[Address],
    notes: _Notes,
) -> None:
    """Each sending IP passes, under every policy that the servers show."""
    shown_by = {id(state): server for server, state in now.each.items()}
    policies = {id(state): state for state in now.each.values() if isinstance(state, Policy)}
    for key, found in policies.items():
        look = after.view.lookup(shown_by[key])
        for address in after.sending_ips:
            pieces = _pieces(domain, address, after, look)
            results = {piece.result for piece in pieces}
            if address in lost or results == {Result.PASS} or _known_gap(pieces, found):
                continue
            if Result.UNKNOWN in results or len(results) > 1:
                notes.missing.append(_ip_unknown(domain, address, pieces))
            else:
                notes.findings.append(_ip_fails(domain, address, pieces[0], before, after))


def _known_gap(pieces: tuple[Piece, ...], whole: Policy) -> bool:
    """Whether an address waits for answers only that the whole policy waits for already."""
    asked = {question for piece in pieces for question in piece.unknown}
    missing = {q for view in whole.views.values() for piece in view for q in piece.unknown}
    return bool(asked) and asked <= missing


def _pieces(domain: Name, address: Address, side: SpfEvidence, lookup: Lookup) -> tuple[Piece, ...]:
    sender = Sender(domain=domain, client=address, helo=side.helo(address))
    return evaluate_client(sender, lookup).pieces


def _ip_unknown(domain: Name, address: Address, pieces: tuple[Piece, ...]) -> Missing:
    notes = sorted({piece.because.note for piece in pieces if piece.because.note})
    symbols = sorted({symbol for piece in pieces for symbol, _ in piece.assumed})
    return Missing(
        what=f"whether {address} passes SPF of {text_of(domain)}: {', '.join((*notes, *symbols))}",
        on=On.OPERATOR,
        rule="sending-ip-not-decidable",
        subject=f"{text_of(domain)} TXT",
        command=RECAPTURE,
        after=str(address),
    )


def _ip_fails(
    domain: Name, address: Address, piece: Piece, before: SpfEvidence, after: SpfEvidence
) -> Finding:
    number, family = int(address), family_of(address)
    side = Side(result=piece.result, term=piece.because.term(number, family), because=piece.because)
    earlier = {one.result for one in _pieces(domain, address, before, before.view.lookup())}
    was = earlier.pop().value if len(earlier) == 1 else "unknown"
    return Finding(
        rule="sending-ip-not-authorised",
        subject=f"{address} under {text_of(domain)}",
        expected=f"{address} passes",
        observed=f"{address} gets {_reading(side)}; before: {was}",
        explanation=f"the sending IP {address} does not pass SPF of {text_of(domain)} "
        f"({piece.result}), {'as before' if was == piece.result else f'before: {was}'}",
        witness=(str(address), text_of(domain), piece.result.value, side.term.lower()),
        before=was,
        after=piece.result.value,
        records=after.records,
    )
