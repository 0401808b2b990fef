# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Pools of sending IPs, and how much mail shows that an address of a pool is used no more.

A pool is a sender domain and, where X-MSFBL names one, the group of IPs that a delivery is bound
to (its affinity): mail of one group says nothing about the addresses of another. Shares are lower
bounds learned from the mail before; what shares a connection is one piece of evidence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wavegate.compare.coverage import chance_of_missing, lower_bound, messages_needed
from wavegate.compare.senders import affinity, from_domain, shipment, shipments
from wavegate.record.message import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The independent shipments of one pool: by address before, in all after.

    group: the affinity, or "" for all mail of the domain.
    """

    domain: str
    group: str
    before: Mapping[str, int]
    after: int

    @property
    def name(self) -> str:
        """The pool in words."""
        return f"{self.domain} ({self.group})" if self.group else self.domain

    def share(self, ip: str) -> float:
        """The least share of the pool that an address had before, 95 % one-sided."""
        return lower_bound(self.before.get(ip, 0), sum(self.before.values()))


def pools(old: Sequence[Received], new: Sequence[Received]) -> tuple[Pool, ...]:
    """The pools that the mail before shows, each with the mail after that belongs to it.

    Where groups were renamed (some are gone and others are new) nobody can tell which became
    which, and the domain is one pool.
    """
    found: list[Pool] = []
    for domain in sorted({from_domain(mail) for mail in old}):
        before = [mail for mail in old if from_domain(mail) == domain]
        after = [mail for mail in new if from_domain(mail) == domain]
        groups, now = {affinity(m) for m in before}, {affinity(m) for m in after}
        if groups - now and now - groups:
            found.append(_pool(domain, "", before, after))
            continue
        found += [
            _pool(
                domain,
                group,
                [m for m in before if affinity(m) == group],
                [m for m in after if affinity(m) == group],
            )
            for group in sorted(groups)
        ]
    return tuple(found)


def _pool(domain: str, group: str, before: Iterable[Received], after: Iterable[Received]) -> Pool:
    counts = Counter(one.peer for one in {shipment(mail) for mail in before})
    return Pool(domain=domain, group=group, before=counts, after=shipments(after))


def beyond_chance(ip: str, found: Sequence[Pool], alpha: float, unseen: int) -> bool:
    """Whether so much mail came after that an address still in use would have been met.

    alpha: the accepted chance, shared by all unseen addresses. Either the chance of missing it in
    all pools is below its part, or one pool got as much mail as meets all of its addresses.
    """
    chance = 1.0
    for pool in found:
        chance *= chance_of_missing([pool.share(ip)], pool.after)
    return chance <= alpha / unseen or any(
        ip in pool.before and pool.after >= _need(pool, alpha) for pool in found
    )


def _need(pool: Pool, alpha: float) -> int:
    """How many messages meet all addresses of a pool."""
    return messages_needed([pool.share(ip) for ip in sorted(pool.before)], alpha)


def more(
    ip: str, found: Sequence[Pool], unseen: Sequence[str], alpha: float
) -> tuple[tuple[Pool, int], ...]:
    """Per pool that used an address before: how many more messages settle it, fewest first.

    It is the smallest N with which the pool's unseen addresses are all met but for a chance of
    alpha.
    """
    mine = [pool for pool in found if ip in pool.before]
    counts = [
        (pool, messages_needed([pool.share(one) for one in unseen if one in pool.before], alpha))
        for pool in mine
    ]
    return tuple(sorted(counts, key=lambda item: (item[1], item[0].name)))
