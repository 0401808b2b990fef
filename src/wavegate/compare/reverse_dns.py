# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`reverse_dns`: each sending IP has the PTR it had, and it forward-confirms.

PTR are compared as sets of names without case, per server of the reverse zone; a name confirms if
its A or AAAA holds the address (RFC 1912 2.1). A delegated reverse name (RFC 2317) counts by its
end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dns.name import Name

from wavegate.answer import Answer, Found, Lookup, Unknown
from wavegate.compare.per_server import (
    RECAPTURE,
    Pair,
    Pairing,
    Shown,
    Silent,
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
from wavegate.compare.senders import address as normal
from wavegate.estate.model import Instance
from wavegate.mailauth.address_set import Address, Family
from wavegate.mailauth.names import address_of, name_of, reverse_name, text_of
from wavegate.mailauth.spf import addresses, targets
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

PROMISE = "reverse_dns"
COULD_HIDE = (
    "caches that still hold an older answer; another view of the zone for other clients than this "
    "vantage point"
)
Names = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseDnsEvidence:
    """One side of the comparison: the DNS as captured, and the mails of the phase."""

    instance: Instance
    view: View
    mails: tuple[Received, ...]
    records: tuple[str, ...]

    @property
    def sending_ips(self) -> tuple[Address, ...]:
        """The agreed sending IPs."""
        found = (address_of(text) for text in self.instance.sending_ips)
        return tuple(address for address in found if address is not None)


@dataclass(slots=True)
class _Notes:
    """What the comparison of the addresses has brought so far."""

    findings: list[Finding] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forward:
    """What the forward records of one PTR target say about an address.

    found: the addresses behind the name, per server that answered. unknown: why nobody did.
    """

    name: str
    found: dict[str, Names]
    unknown: str

    def confirms(self, address: str) -> bool:
        """Whether every server that answered gives the address."""
        return bool(self.found) and all(address in one for one in self.found.values())


def gather(
    instance: Instance,
    view: View,
    mails: tuple[Received, ...] = (),
    *,
    records: tuple[str, ...] = (),
) -> ReverseDnsEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return ReverseDnsEvidence(instance=instance, view=view, mails=mails, records=records)


def compare_reverse_dns(before: ReverseDnsEvidence, after: ReverseDnsEvidence) -> Judgement:
    """Judge the promise. Pure, and total: never raises, whatever was captured."""
    if not after.sending_ips:
        return inconclusive(
            Missing(
                what="the estate names no sending IP of this instance",
                on=On.OPERATOR,
                rule="no-sending-ip",
                subject=f"instance:{after.instance.name}",
            )
        )
    notes = _Notes()
    for address in after.sending_ips:
        _address(address, before, after, notes)
    notes.remarks += _helo(after)
    return judgement(
        findings=joined(PROMISE, notes.findings),
        missing=notes.missing,
        cleared=notes.cleared,
        not_compared=notes.not_compared,
        shown=f"each of {len(after.sending_ips)} sending IPs has the PTR it had, at every server "
        "that answered, and it forward-confirms",
        could_hide=COULD_HIDE,
        records=(*before.records, *after.records),
        remarks=dict.fromkeys(notes.remarks),
    )


def _pointers(answer: Answer) -> Names:
    return (
        frozenset(map(text_of, targets(answer, "target"))) if isinstance(answer, Found) else Names()
    )


def _shown(owner: Name, view: View) -> Shown[Names]:
    def evaluate(lookup: Lookup) -> tuple[Names, tuple[tuple[Name, str], ...]]:
        return _pointers(lookup(owner, "PTR")), ((owner, "PTR"),)

    return shown(view, evaluate)


def _address(
    address: Address, before: ReverseDnsEvidence, after: ReverseDnsEvidence, notes: _Notes
) -> None:
    owner = reverse_name(address)
    subject = f"PTR of {address}"
    was, now = _shown(owner, before.view), _shown(owner, after.view)
    pairing = pair_up(was, now)
    notes.missing += gaps(subject, was, now, pairing)
    notes.not_compared += listed(subject, pairing)
    if not was.answered or not now.answered:
        return
    forwards = {name: _forward(name, address, after.view) for name in _every(now)}
    for pair in pairing.pairs:
        changed = pair.before != pair.after and not (pair.after == now.most == was.most)
        if changed:
            notes.findings.append(_changed(address, pair, pairing, forwards, before, after))
        elif not pair.after:
            notes.findings.append(_none(address, after))
    notes.findings += _disagree(address, pairing, after)
    _confirm(address, now, forwards, before, after, notes)
    notes.cleared += _cleared(address, owner, before.view.lookup(), after.view.lookup())


def _every(now: Shown[Names]) -> list[str]:
    states = (state for state in now.each.values() if not isinstance(state, Silent))
    return sorted({name for state in states for name in state})


def _owner(address: Address) -> str:
    return f"{text_of(reverse_name(address))} PTR"


def _spell(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _changed(
    address: Address,
    pair: Pair[Names],
    pairing: Pairing[Names],
    forwards: dict[str, _Forward],
    before: ReverseDnsEvidence,
    after: ReverseDnsEvidence,
) -> Finding:
    lost, gained = sorted(pair.before - pair.after), sorted(pair.after - pair.before)
    odd = alone(pair, pairing)
    dates = serials(after.view, reverse_name(address), odd)
    confirmed = [name for name in sorted(pair.after) if forwards[name].confirms(str(address))]
    return Finding(
        rule="ptr-gone" if not pair.after else "other-ptr",
        subject=_owner(address),
        expected=f"PTR of {address}: {_spell(pair.before)}",
        observed=f"PTR of {address}: {_spell(pair.after)} {where(pair, pairing)}; "
        f"forward-confirming: {_spell(confirmed)}",
        explanation=f"the PTR of {address} was {_spell(pair.before)} and is {_spell(pair.after)} "
        f"{where(pair, pairing)}",
        witness=(str(address), *lost, *gained, *odd, *dates),
        before=_spell(pair.before),
        after=None if not pair.after else _spell(pair.after),
        records=(*before.records, *after.records),
    )


def _none(address: Address, after: ReverseDnsEvidence) -> Finding:
    return Finding(
        rule="no-ptr",
        subject=_owner(address),
        expected=f"{address} has a PTR that forward-confirms",
        observed=f"{address} has none, before as after",
        explanation=f"the sending IP {address} has no PTR, before as after",
        witness=(str(address),),
        records=after.records,
    )


def _disagree(
    address: Address, pairing: Pairing[Names], after: ReverseDnsEvidence
) -> Iterable[Finding]:
    """Servers that say what they said before, but not the same as the others."""
    same = [pair for pair in pairing.pairs if pair.before == pair.after]
    same.sort(key=lambda pair: -len(pair.servers))
    for odd in same[1:]:
        yield Finding(
            rule="servers-disagree",
            subject=_owner(address),
            expected=f"all servers alike: {_spell(same[0].after)}",
            observed=f"{_spell(odd.after)} {where(odd, pairing)}",
            explanation=f"the servers do not agree on the PTR of {address}, before as after",
            witness=(str(address), *sorted(odd.after), *odd.servers),
            before=_spell(same[0].after),
            after=_spell(odd.after),
            records=after.records,
        )


def _forward(name: str, address: Address, view: View) -> _Forward:
    """The addresses behind a name of the family of an address."""
    owner = name_of(name)
    rdtype = "A" if address.version == 4 else "AAAA"
    if owner is None:
        return _Forward(name=name, found={}, unknown="no name that can be asked")
    found: dict[str, Names] = {}
    reasons = set()
    for server, answer in view.answers(owner, rdtype).items():
        if isinstance(answer, Unknown):
            reasons.add(answer.reason)
        else:
            found[server] = _addresses(answer, rdtype)
    return _Forward(
        name=name, found=found, unknown=", ".join(sorted(reasons)) or "it was not asked"
    )


def _addresses(answer: Answer, rdtype: str) -> Names:
    if not isinstance(answer, Found):
        return Names()
    family = Family.V4 if rdtype == "A" else Family.V6
    numbers = addresses(answer.rdatas, rdtype)
    return frozenset(str(family.address(number)) for number in numbers)


def _confirm(
    address: Address,
    now: Shown[Names],
    forwards: dict[str, _Forward],
    before: ReverseDnsEvidence,
    after: ReverseDnsEvidence,
    notes: _Notes,
) -> None:
    """One of the names must lead back; all of them should."""
    names = sorted(now.most)
    good = [name for name in names if forwards[name].confirms(str(address))]
    bad = [name for name in names if name not in good]
    if good:
        notes.remarks += [
            f"{name}, one of the PTR of {address}, does not forward-confirm" for name in bad
        ]
        return
    for name in bad:
        if forwards[name].found:
            notes.findings.append(_unconfirmed(address, forwards[name], before, after))
        else:
            notes.missing.append(_unreachable(address, forwards[name]))


def _unconfirmed(
    address: Address, forward: _Forward, before: ReverseDnsEvidence, after: ReverseDnsEvidence
) -> Finding:
    text = str(address)
    rdtype = "A" if address.version == 4 else "AAAA"
    odd = {server: names for server, names in forward.found.items() if text not in names}
    servers = tuple(sorted(odd)) if len(odd) < len(forward.found) else ()
    instead = sorted({name for names in odd.values() for name in names})
    earlier = _forward(forward.name, address, before.view)
    was = {name for names in earlier.found.values() for name in names}
    seen_from = _vantage(forward.name, rdtype, tuple(odd), after.view)
    return Finding(
        rule="not-forward-confirmed",
        subject=f"{forward.name} {rdtype}",
        expected=f"{forward.name} {rdtype} holds {address}",
        observed=f"{forward.name} {rdtype}: {_spell(instead)}"
        + (f" at {', '.join(servers)}" if servers else "")
        + (f", as seen from {', '.join(seen_from)}" if seen_from else ""),
        explanation=f"the PTR of {address}, {forward.name}, does not lead back to it: {rdtype} is "
        f"{_spell(instead)}",
        witness=(text, forward.name, *instead, *servers, *seen_from),
        before=_spell(was) if was else None,
        after=_spell(instead) if instead else None,
        records=after.records,
    )


def _vantage(name: str, rdtype: str, servers: tuple[str, ...], view: View) -> tuple[str, ...]:
    """From where the answers were seen: another view of the zone may be shown elsewhere."""
    owner = name_of(name)
    if owner is None:
        return ()
    found = (view.observation(server, owner, rdtype) for server in servers)
    return tuple(sorted({one.vantage for one in found if one is not None and one.vantage}))


def _unreachable(address: Address, forward: _Forward) -> Missing:
    rdtype = "A" if address.version == 4 else "AAAA"
    return Missing(
        what=f"whether {forward.name} leads back to {address}: {rdtype} {forward.unknown}",
        on=On.OPERATOR,
        rule="forward-unanswered",
        subject=f"{forward.name} {rdtype}",
        command=RECAPTURE,
    )


def _cleared(address: Address, owner: Name, before: Lookup, after: Lookup) -> Iterable[Cleared]:
    old, new = before(owner, "PTR"), after(owner, "PTR")
    if not isinstance(old, Found) or not isinstance(new, Found) or _pointers(old) != _pointers(new):
        return
    was, now = (sorted(name.to_text() for name in targets(side, "target")) for side in (old, new))
    subject = f"{text_of(owner)} PTR"
    if was != now:
        yield Cleared(
            rule="case",
            subject=subject,
            before=", ".join(was),
            after=", ".join(now),
            explanation=f"names have no case: the PTR of {address} is the same",
        )
    if old.chain != new.chain:
        yield Cleared(
            rule="cname-chain",
            subject=subject,
            before=" > ".join(map(text_of, old.chain)) or "no CNAME",
            after=" > ".join(map(text_of, new.chain)) or "no CNAME",
            explanation="another way to the same PTR (RFC 2317)",
        )


def _helo(after: ReverseDnsEvidence) -> Iterable[str]:
    """HELO names seen in mail that are not the PTR of their address: worth knowing."""
    agreed = {str(address) for address in after.sending_ips}
    seen: dict[str, set[str]] = {}
    for mail in after.mails:
        if mail.helo and normal(mail.peer) in agreed:
            seen.setdefault(normal(mail.peer), set()).add(mail.helo.lower().rstrip("."))
    lookup = after.view.lookup()
    for text, names in sorted(seen.items()):
        address = address_of(text)
        pointers = _pointers(lookup(reverse_name(address), "PTR")) if address else Names()
        odd = sorted(names - pointers)
        if odd and pointers:
            yield f"{text} says HELO {', '.join(odd[:3])}, and its PTR is {_spell(pointers)}"
