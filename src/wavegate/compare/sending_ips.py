# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_ips`: the sending IPs are the ones used before.

Sources: the estate's list, the peer address of mail before and after, and the binding that
X-MSFBL names. An unlisted address convicts at once; a missing one only when enough mail arrived
that chance is excluded (facts: occupancy bound per pool, a pool being a sender domain).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wavegate.compare.coverage import (
    chance_of_missing,
    lower_bound,
    messages_needed,
    rogue_bound,
)
from wavegate.compare.senders import (
    address,
    binding_ip,
    from_domain,
    listed,
    shipment,
    shipments,
    speaks_for,
)
from wavegate.estate.model import Instance
from wavegate.record.message import Received
from wavegate.verdict import Finding, Judgement, Missing, NotCompared, On, inconclusive, judgement

PROMISE = "sending_ips"
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingIpsEvidence:
    """One side: the instance as agreed, and the mails of the phase.

    verified: digests of the mails with a valid DKIM signature of one of the instance's domains.
    """

    instance: Instance
    mails: tuple[Received, ...]
    verified: frozenset[str] = frozenset()
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the comparison takes from elsewhere than mail.

    alpha: the accepted chance of missing an IP, in parts per million. owners: sending IPs of the
    other instances of the estate, with the name of the instance. same_customer: those of them
    that belong to the same customer, who may be told. heard: whether a mail source was listening.
    """

    alpha: int = 1_000
    owners: Mapping[str, str] = field(default_factory=dict)
    same_customer: frozenset[str] = frozenset()
    heard: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """The independent shipments of one sender domain, by address, on both sides."""

    domain: str
    before: Mapping[str, int]
    after: int

    def share(self, ip: str) -> float:
        """The least share of the pool that an address had before, 95 % one-sided."""
        return lower_bound(self.before.get(ip, 0), sum(self.before.values()))


def gather(
    instance: Instance,
    mails: tuple[Received, ...],
    *,
    verified: frozenset[str] = frozenset(),
    records: tuple[str, ...] = (),
) -> SendingIpsEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return SendingIpsEvidence(instance=instance, mails=mails, verified=verified, records=records)


def compare_sending_ips(
    before: SendingIpsEvidence, after: SendingIpsEvidence, terms: Terms | None = None
) -> Judgement:
    """Judge `sending_ips` for one instance."""
    terms = terms or Terms()
    old, new = _believed(before), _believed(after)
    if not old or not new:
        return _too_little(before, after, terms)
    used, agreed = {address(m.peer) for m in old}, listed(after.instance)
    seen = {address(m.peer) for m in new}
    pools = _pools(old, new)
    gone = _gone(sorted((agreed | used) - seen), used, pools, new, terms)
    findings = [*_unlisted(new, agreed, used, terms), *_disagree(old, new)]
    findings += [item for item in gone if isinstance(item, Finding)]
    missing = [*_strangers(after), *(item for item in gone if isinstance(item, Missing))]
    return judgement(
        findings=findings,
        missing=missing,
        not_compared=_only_once(agreed, used, seen),
        shown=_shown(seen, new),
        could_hide=_could_hide(shipments(new)),
        records=(*before.records, *after.records),
        remarks=_operator_remarks(seen - agreed, terms),
    )


def _believed(side: SendingIpsEvidence) -> list[Received]:
    return [m for m in side.mails if speaks_for(side.instance, m, side.verified)]


def _too_little(before: SendingIpsEvidence, after: SendingIpsEvidence, terms: Terms) -> Judgement:
    """No mail on one side: empty is never a pass."""
    name = after.instance.name
    if not after.instance.mail:
        return inconclusive(
            _gap("no-mail-source", name, "a mail source of the instance, or an approved limit")
        )
    gaps = list(_strangers(after))
    if not _believed(before):
        what = f"mail of {name} from before the window: none was received, and none can follow"
        gaps.insert(0, _gap("no-mail-before", name, what))
    if not _believed(after):
        what = f"mail of {name} from after the window: none was received"
        heard = what if terms.heard else f"{what}; no mail source was listening (wavegate sink)"
        gaps.insert(0, _gap("no-mail-after", name, heard, count=1))
    return inconclusive(*gaps)


def _gap(rule: str, name: str, what: str, count: int | None = None) -> Missing:
    return Missing(what=what, on=On.OPERATOR, rule=rule, subject=f"instance:{name}", count=count)


def _unlisted(
    new: list[Received], agreed: frozenset[str], used: set[str], terms: Terms
) -> Iterable[Finding]:
    """Addresses that the estate does not list, seen after: one message is enough."""
    for ip in sorted({address(m.peer) for m in new} - agreed):
        mail = next(m for m in new if address(m.peer) == ip)
        owner = terms.owners.get(ip)
        whose = f", a sending IP of {owner}" if owner in terms.same_customer else ""
        known = "used, not listed" if ip in used else None
        was = "it was used before, but is not listed" if known else "it was not used before"
        yield Finding(
            rule="unlisted-ip",
            subject=ip,
            expected=f"mail from the listed addresses: {', '.join(sorted(agreed)) or 'none'}",
            observed=f"{mail.message_id} came from {ip}{whose}",
            explanation=f"mail leaves from {ip}{whose}, which is not a listed sending IP; {was}",
            witness=(ip, mail.message_id),
            before=known,
            after="used",
            records=(mail.digest,),
        )


def _disagree(old: list[Received], new: list[Received]) -> Iterable[Finding]:
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


def _pools(old: list[Received], new: list[Received]) -> tuple[_Pool, ...]:
    domains = sorted({from_domain(mail) for mail in old})
    return tuple(_pool(domain, old, new) for domain in domains)


def _pool(domain: str, old: list[Received], new: list[Received]) -> _Pool:
    groups = {shipment(mail) for mail in old if from_domain(mail) == domain}
    return _Pool(
        domain=domain,
        before=Counter(group.peer for group in groups),
        after=shipments(mail for mail in new if from_domain(mail) == domain),
    )


def _gone(
    absent: list[str],
    used: set[str],
    pools: tuple[_Pool, ...],
    new: list[Received],
    terms: Terms,
) -> list[Finding | Missing]:
    """What is to be said of each address that no mail after came from."""
    alpha = terms.alpha / PPM
    unseen = [ip for ip in absent if ip in used]
    more = _more(unseen, pools, alpha)
    items: list[Finding | Missing] = [_never_used(ip) for ip in absent if ip not in used]
    for ip in unseen:
        proven = _chance(ip, pools) <= alpha / len(unseen) or _need_met(ip, pools, alpha)
        items.append(_lost(ip, new) if proven else _not_met(ip, more, new))
    return items


def _chance(ip: str, pools: tuple[_Pool, ...]) -> float:
    """The chance that an address with its shares of before is missed in all pools after."""
    chance = 1.0
    for pool in pools:
        chance *= chance_of_missing([pool.share(ip)], pool.after)
    return chance


def _need_met(ip: str, pools: tuple[_Pool, ...], alpha: float) -> bool:
    """Whether a pool of the address got as many messages as meet all addresses of the pool."""
    return any(
        ip in pool.before and pool.after >= messages_needed(_shares(pool), alpha) for pool in pools
    )


def _shares(pool: _Pool) -> list[float]:
    return [pool.share(ip) for ip in sorted(pool.before)]


def _more(unseen: list[str], pools: tuple[_Pool, ...], alpha: float) -> int:
    """How many more messages settle it, spread as before over the pools."""
    everything: Counter[str] = Counter()
    for pool in pools:
        everything.update(pool.before)
    total = sum(everything.values())
    shares = [lower_bound(everything[ip], total) for ip in unseen]
    return messages_needed(shares, alpha)


def _lost(ip: str, new: list[Received]) -> Finding:
    n = shipments(new)
    return Finding(
        rule="ip-not-used-any-more",
        subject=ip,
        expected=f"mail from {ip}, as before",
        observed=f"0 of {len(new)} messages came from {ip} ({n} independent)",
        explanation=f"no mail leaves from {ip} any more; so many messages exclude chance",
        witness=(ip, f"0 of {len(new)}"),
        before="used",
        after=None,
    )


def _not_met(ip: str, more: int, new: list[Received]) -> Missing:
    return Missing(
        what=f"{more} more messages: {ip} was not met in {len(new)} messages after",
        on=On.OPERATOR,
        rule="ip-not-met",
        subject=ip,
        count=more,
        before="used",
    )


def _never_used(ip: str) -> Missing:
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


def _only_once(agreed: frozenset[str], used: set[str], seen: set[str]) -> list[NotCompared]:
    return [
        NotCompared(what=f"{ip} with before", reason="listed and used after, not met before")
        for ip in sorted((agreed & seen) - used)
    ]


def _shown(seen: set[str], new: list[Received]) -> str:
    bound = sum(1 for mail in new if binding_ip(mail))
    witness = f", X-MSFBL agrees in {bound}" if bound else ""
    return f"all {len(seen)} addresses are listed and used, in {len(new)} messages after{witness}"


def _could_hide(n: int) -> str:
    share = rogue_bound(n)
    return (
        f"another address that carries up to {share:.1%} of the mail (95 %, {n} independent "
        "messages after)"
    )


def _operator_remarks(foreign: set[str], terms: Terms) -> list[str]:
    """Whose an address is, where the customer must not be told."""
    return [
        f"operator: {ip} is a sending IP of {terms.owners[ip]}"
        for ip in sorted(foreign)
        if ip in terms.owners and terms.owners[ip] not in terms.same_customer
    ]
