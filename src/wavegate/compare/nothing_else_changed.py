# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`nothing_else_changed`: what was observed and no other promise explains is unchanged.

Facts are compared place by place (server by server); a difference is a finding unless a named
rule clears it. What already differed between two captures before is volatile: such a difference
is neither cleared nor held against anyone, it makes the cell INCONCLUSIVE.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from wavegate.compare.learned import HELO, TraitChange, Traits, changes, learn
from wavegate.compare.residue import (
    Known,
    Place,
    Silent,
    State,
    campaign_facts,
    dns_facts,
)
from wavegate.compare.residue_blocklists import blocklist_facts, blocklist_questions
from wavegate.compare.residue_dnssec import dnssec_facts
from wavegate.compare.residue_hosts import host_facts, with_policies
from wavegate.compare.residue_rules import Difference, clearing_rule
from wavegate.compare.scope import received_by
from wavegate.estate.model import Instance
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import DnsView
from wavegate.record.host_view import HostView
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

PROMISE = "nothing_else_changed"
RECAPTURE = "wavegate capture --phase after"
REFUSALS = frozenset({"REFUSED", "lame", "NOTAUTH"})
"""Definite answers of a listed server that it does not serve the zone."""


STANDS_FOR = {"instance at /r/test": "instanceName at Logon"}
"""Facts that need not be seen where another source told the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """One side of the comparison.

    facts: by place. traits: learned from mail. hops: hosts that the Received headers name.
    volatile: subjects that differed between captures of this phase.
    """

    instance: Instance
    facts: Mapping[Place, State]
    traits: Traits
    hops: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()
    records: tuple[str, ...] = ()


def gather(
    instance: Instance,
    dns: DnsView,
    campaign: CampaignView,
    mails: tuple[Received, ...] = (),
    *,
    hosts: HostView | None = None,
    blocklists: tuple[str, ...] = (),
    verified: frozenset[str] = frozenset(),
    records: tuple[str, ...] = (),
) -> Residue:
    """The evidence of one side.

    blocklists: zones of the policy. verified: digests of mails whose signature verifies.
    """
    domains, ips = [domain.name for domain in instance.domains], instance.sending_ips
    facts = [
        *dns_facts(dns, domains, blocklist_questions(ips, blocklists)),
        *dnssec_facts(dns),
        *blocklist_facts(dns, ips, blocklists),
        *campaign_facts(campaign),
        *(host_facts(hosts) if hosts is not None else ()),
    ]
    return Residue(
        instance=instance,
        facts=_merged(with_policies(facts)),
        traits=learn(instance, mails, verified),
        hops=frozenset(host for mail in mails for host in received_by(mail)[-1:]),
        records=records,
    )


def _merged(facts: Iterable[tuple[Place, State]]) -> Mapping[Place, State]:
    """One state per place; a definite one wins over a silence (the chain of A and of AAAA)."""
    merged: dict[Place, State] = {}
    for place, state in facts:
        if not isinstance(merged.get(place), Known):
            merged[place] = state
    return merged


def with_volatility(residue: Residue, others: Iterable[Residue]) -> Residue:
    """The same side, knowing what differed in other captures of its phase (A/A)."""
    volatile = {
        place.subject
        for other in others
        for place, state in other.facts.items()
        if isinstance(state, Known) and _differs(residue.facts.get(place), state)
    }
    return replace(residue, volatile=frozenset(volatile))


def _differs(mine: State | None, other: Known) -> bool:
    return isinstance(mine, Known) and mine.items != other.items


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """One difference and the servers that show it. everywhere: all that can be compared.

    shadowed: names at which it shows only because a wildcard answers for them.
    """

    difference: Difference
    servers: tuple[str, ...]
    everywhere: bool
    shadowed: tuple[str, ...] = ()


def compare_nothing_else_changed(before: Residue, after: Residue) -> Judgement:
    """Judge `nothing_else_changed` for one instance."""
    if not any(isinstance(state, Known) for state in before.facts.values()):
        return inconclusive(_nothing_before(after.instance))
    changed = _changed(before, after)
    cleared = [clear for row in changed if (clear := _cleared(row))]
    guilty = _folded([row for row in changed if clearing_rule(row.difference) is None])
    steady = [row for row in guilty if row.difference.subject not in before.volatile]
    refusing = _refusing(before, after)
    traits = list(changes(before.traits, after.traits))
    findings = [
        *(_finding(row, after) for row in steady),
        *_split_serials(before, after),
        *(_refusal(server, zone, reason) for (server, zone), reason in refusing.items()),
        *_trait_findings(change for change in traits if change.beyond_chance),
    ]
    missing = [
        *_unseen_before(before),
        *(_volatile(row) for row in guilty if row.difference.subject in before.volatile),
        *_silences(before, after, refusing),
        *(_trait_gap(c) for c in traits if not c.beyond_chance and c.gained and not c.serves),
    ]
    return judgement(
        findings=findings,
        missing=missing,
        cleared=cleared,
        not_compared=_not_compared(before, after, traits),
        shown=_shown(before, after),
        could_hide="what was not captured, and changes under names that nobody asked for",
        records=(*before.records, *after.records),
        remarks=_new_hops(before, after),
    )


def _changed(before: Residue, after: Residue) -> list[_Changed]:
    groups: dict[tuple[str, Known, Known], list[str]] = {}
    comparable: Counter[str] = Counter()
    usual = _usual(before.facts)
    for place, new in sorted(after.facts.items()):
        old = before.facts.get(place) or usual.get(place.subject)
        if not isinstance(new, Known) or not isinstance(old, Known):
            continue
        comparable[place.subject] += 1
        if old.items != new.items:
            groups.setdefault((place.subject, old, new), []).append(place.server)
    return [
        _Changed(
            difference=Difference(subject=subject, before=old, after=new),
            servers=tuple(servers),
            everywhere=len(servers) == comparable[subject],
        )
        for (subject, old, new), servers in groups.items()
    ]


def _folded(rows: list[_Changed]) -> list[_Changed]:
    """A new wildcard is one difference, however many names it answers for."""
    rest = list(rows)
    for wild in (row for row in rows if row.difference.subject.startswith("*.")):
        hit = [row for row in rest if row is not wild and _shadowed_by(wild, row)]
        rest = [row for row in rest if row is not wild and row not in hit]
        names = tuple(row.difference.subject.partition(" ")[0] for row in hit)
        rest.append(replace(wild, shadowed=names))
    return rest


def _shadowed_by(wild: _Changed, row: _Changed) -> bool:
    owner, _, kind = row.difference.subject.partition(" ")
    domain, _, wild_kind = wild.difference.subject.removeprefix("*").partition(" ")
    gained = wild.difference.gained
    return (
        (kind, row.difference.lost, row.difference.gained) == (wild_kind, (), gained)
        and owner.endswith(domain)
        and row.servers == wild.servers
    )


def _usual(facts: Mapping[Place, State]) -> Mapping[str, Known]:
    """Per subject what most servers said, for servers that are new after."""
    found: dict[str, Counter[Known]] = {}
    for place, state in sorted(facts.items()):
        if isinstance(state, Known):
            found.setdefault(place.subject, Counter())[state] += 1
    return {subject: counts.most_common(1)[0][0] for subject, counts in found.items()}


def _cleared(row: _Changed) -> Cleared | None:
    rule = clearing_rule(row.difference)
    if rule is None:
        return None
    return Cleared(
        rule=rule.name,
        subject=row.difference.subject,
        before=row.difference.before.text,
        after=row.difference.after.text,
        explanation=rule.explanation,
    )


def _finding(row: _Changed, after: Residue) -> Finding:
    found, where = row.difference, _where(row)
    lost, gained = ", ".join(found.lost), ", ".join(found.gained)
    owner = found.subject.partition(" ")[0]
    return Finding(
        rule="differs",
        subject=found.subject,
        expected=f"{found.subject}: {found.before.text}",
        observed=f"{found.subject}: {found.after.text}{where}",
        explanation=f"{found.subject} {_how(lost, gained)}{where}",
        witness=(owner, *found.lost, *found.gained, *row.shadowed, *_odd_servers(row)),
        before=lost or None,
        after=gained or None,
        records=after.records,
    )


def _odd_servers(row: _Changed) -> tuple[str, ...]:
    return () if row.everywhere else row.servers


def _where(row: _Changed) -> str:
    if row.everywhere or not any(row.servers):
        return ""
    return f" (at {', '.join(row.servers)} only)"


def _how(lost: str, gained: str) -> str:
    if lost and gained:
        return f"changed from {lost} to {gained}"
    return f"lost {lost}" if lost else f"gained {gained}"


def _split_serials(before: Residue, after: Residue) -> Iterator[Finding]:
    """Servers that serve different versions of a zone after, where they agreed before."""
    old, new = _serials(before), _serials(after)
    for subject, by_serial in new.items():
        if len(by_serial) < 2 or len(old.get(subject, {})) > 1:
            continue
        usual = max(by_serial, key=lambda serial: len(by_serial[serial]))
        odd = {s: servers for s, servers in by_serial.items() if s != usual}
        parts = [f"{', '.join(servers)}: {serial}" for serial, servers in by_serial.items()]
        yield Finding(
            rule="servers-serve-different-zones",
            subject=subject,
            expected="all servers serve one version of the zone, as before",
            observed="; ".join(parts),
            explanation=f"{subject} differs between the servers: {'; '.join(parts)}",
            witness=(*by_serial, *(server for servers in odd.values() for server in servers)),
            before="one version",
            after="several versions",
            records=after.records,
        )


def _serials(side: Residue) -> Mapping[str, Mapping[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for place, state in sorted(side.facts.items()):
        if place.subject.endswith(" SOA serial") and isinstance(state, Known):
            found.setdefault(place.subject, {}).setdefault(state.text, []).append(place.server)
    return found


def _zone(subject: str, instance: Instance) -> str:
    """The sender domain that a subject belongs to, or empty."""
    owner = subject.partition(" ")[0]
    own = [d.name for d in instance.domains if owner == d.name or owner.endswith("." + d.name)]
    return max(own, key=len, default="")


def _refusing(before: Residue, after: Residue) -> Mapping[tuple[str, str], str]:
    """Servers that answered for a domain before and refuse everything about it after.

    Only where another server answers for it: if all refuse, it may be us whom they refuse. And not
    where the server refused a part before: then it answers by the drop.
    """
    said = _reasons(after, before)
    alive = {zone for (_, zone), reasons in said.items() if None in reasons}
    grudging = {key for key, reasons in _reasons(before, before).items() if reasons & REFUSALS}
    return {
        key: " ".join(sorted(str(reason) for reason in reasons))
        for key, reasons in sorted(said.items())
        if reasons <= REFUSALS and key[1] in alive and key not in grudging
    }


def _reasons(side: Residue, before: Residue) -> Mapping[tuple[str, str], set[str | None]]:
    """Per server and domain, the reasons of its silences; None stands for an answer.

    Of what came after only that counts which was answered before.
    """
    said: dict[tuple[str, str], set[str | None]] = {}
    for place, state in side.facts.items():
        if place.server and (side is before or isinstance(before.facts.get(place), Known)):
            key = (place.server, _zone(place.subject, side.instance))
            said.setdefault(key, set()).add(state.reason if isinstance(state, Silent) else None)
    return said


def _refusal(server: str, zone: str, reason: str) -> Finding:
    what = zone or "every name it was asked for"
    return Finding(
        rule="server-refuses",
        subject=server,
        expected=f"{server} answers for {what}, as before",
        observed=f"{server} answers {reason} for {what}",
        explanation=f"{server} does not serve {what} any more: it answers {reason}",
        witness=(server, reason, *([zone] if zone else [])),
        before="answers",
        after=reason,
    )


def _silences(
    before: Residue, after: Residue, refusing: Mapping[tuple[str, str], str]
) -> Iterator[Missing]:
    """What was known before and is silent after: one item per server and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for place, old in before.facts.items():
        new = after.facts.get(place)
        if not isinstance(old, Known) or not isinstance(new, Silent):
            continue
        if _told_elsewhere(place, after):
            continue
        if (place.server, _zone(place.subject, after.instance)) not in refusing:
            counts[place.server or place.subject, new.reason] += 1
    for (where, reason), count in sorted(counts.items()):
        yield Missing(
            what=f"{count} answers of {where} that were there before: {reason}",
            on=On.OPERATOR,
            rule="silent-after",
            subject=where,
            count=count,
            command=RECAPTURE,
            before="answered",
            after=reason,
        )


def _told_elsewhere(place: Place, side: Residue) -> bool:
    other = STANDS_FOR.get(place.subject)
    return other is not None and isinstance(side.facts.get(Place(subject=other)), Known)


def _unseen_before(before: Residue) -> Iterator[Missing]:
    """Sender domains that no server said anything about before: there is nothing to compare."""
    asked, known = set(), set()
    for place, state in before.facts.items():
        zone = _zone(place.subject, before.instance)
        if place.server and zone:
            asked.add(zone)
            known |= {zone} if isinstance(state, Known) else set()
    for zone in sorted(asked - known):
        yield Missing(
            what=f"any answer about {zone} from before the window; none can follow",
            on=On.OPERATOR,
            rule="domain-not-seen-before",
            subject=zone,
        )


def _volatile(row: _Changed) -> Missing:
    subject = row.difference.subject
    return Missing(
        what=f"{subject}: it already differed between two captures before, so that a change "
        f"cannot be told ({row.difference.before.text} / {row.difference.after.text})",
        on=On.OPERATOR,
        rule="volatile-before",
        subject=subject,
    )


def _trait_findings(traits: Iterable[TraitChange]) -> Iterator[Finding]:
    """One finding per cause, with everything that shows it as its witness."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[TraitChange]] = {}
    for change in traits:
        key = (change.subject, () if change.gained else change.lost, change.gained)
        groups.setdefault(key, []).append(change)
    for found in groups.values():
        yield _trait_finding(found)


def _trait_finding(found: list[TraitChange]) -> Finding:
    first = found[0]
    lost, gained = ", ".join(first.lost), ", ".join(first.gained)
    old, new = first.counts
    example = [first.example] if first.example else []
    where = ", ".join(change.key.of for change in found)
    return Finding(
        rule="mail-differs",
        subject=first.subject,
        expected=f"{first.key.subject}: {', '.join(first.usual)} (in {old} shipments)",
        observed=f"{_how(lost, gained)} (in {new} shipments)",
        explanation=f"{first.key.trait} {where} {_how(lost, gained)}",
        witness=(*(change.key.of for change in found), *first.lost, *first.gained, *example),
        before=None if first.key.trait == HELO else lost or None,
        after=gained or None,
    )


def _trait_gap(change: TraitChange) -> Missing:
    old, new = change.counts
    return Missing(
        what=f"more mail to tell whether {change.key.subject} {', '.join(change.gained)} is new: "
        f"not met in {old} shipments before, met after ({new})",
        on=On.OPERATOR,
        rule="mail-may-differ",
        subject=change.key.subject,
        after=", ".join(change.gained),
    )


def _not_compared(
    before: Residue, after: Residue, traits: Iterable[TraitChange]
) -> Iterator[NotCompared]:
    yield NotCompared(what="TTLs", reason="they are lowered around a move and have no other effect")
    for subject, reason in sorted(_one_sided(before, after).items()):
        yield NotCompared(what=subject, reason=reason)
    for change in traits:
        if not change.beyond_chance and (change.serves or not change.gained):
            values = ", ".join((*change.lost, *change.gained))
            old, new = change.counts
            yield NotCompared(
                what=f"{change.key.subject}: {values}",
                reason=f"too few mails to tell ({old} shipments before, {new} after)",
            )


def _one_sided(before: Residue, after: Residue) -> Mapping[str, str]:
    """Subjects without a definite state on both sides, that nothing else speaks of."""
    reasons: dict[str, str] = {}
    for place in before.facts.keys() | after.facts.keys():
        old, new = before.facts.get(place), after.facts.get(place)
        name = f"{place.subject} at {place.server}" if place.server else place.subject
        if isinstance(old, Silent) and (new is None or isinstance(new, Silent)):
            reasons[name] = f"silent on both sides: {old.reason}"
        elif isinstance(old, Silent):
            reasons[name] = f"silent before: {old.reason}"
        elif isinstance(new, Silent) and _told_elsewhere(place, after):
            reasons[name] = f"{new.reason} after; {STANDS_FOR[place.subject]} tells the same"
        elif new is None:
            reasons[name] = "not asked after"
        elif old is None and place.subject not in _usual(before.facts):
            reasons[name] = "not asked before"
    return reasons


def _shown(before: Residue, after: Residue) -> str:
    same = sum(
        1
        for place, state in after.facts.items()
        if isinstance(state, Known) and isinstance(before.facts.get(place), Known)
    )
    traits = len(before.traits.keys() & after.traits.keys())
    return f"{same} facts and {traits} traits of mail are the same, or differ by a named rule"


def _new_hops(before: Residue, after: Residue) -> tuple[str, ...]:
    """Internal hosts have new names: that is the migration itself, shown as information."""
    if not before.hops or not after.hops or before.hops & after.hops:
        return ()
    old, new = min(before.hops), min(after.hops)
    return (f"information: mail passes through other hosts after, {new} where it was {old}",)


def _nothing_before(instance: Instance) -> Missing:
    return Missing(
        what=f"the state of {instance.name} before the window: nothing was seen, none can follow",
        on=On.OPERATOR,
        rule="nothing-seen-before",
        subject=f"instance:{instance.name}",
    )
