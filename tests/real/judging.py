# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Captures of real servers, and what the comparisons make of two of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.builders.estates import estate, instance
from tests.builders.snapshots import BEFORE, campaign, snapshot

from wavegate.compare.dkim import compare_dkim
from wavegate.compare.dkim import gather as dkim
from wavegate.compare.dmarc import compare_dmarc
from wavegate.compare.dmarc import gather as dmarc
from wavegate.compare.nothing_else_changed import compare_nothing_else_changed
from wavegate.compare.nothing_else_changed import gather as rest
from wavegate.compare.reverse_dns import compare_reverse_dns
from wavegate.compare.reverse_dns import gather as reverse_dns
from wavegate.compare.spf import compare_spf
from wavegate.compare.spf import gather as spf
from wavegate.estate.model import Estate, SenderDomain
from wavegate.observe.capture import capture
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.probe import Task
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import DnsView
from wavegate.record.snapshot import Phase, Snapshot
from wavegate.verdict import Judgement

DOMAIN = "news.acme.example"
SELECTORS = ("acc1", "acc2")
IPS = ("127.10.3.11", "127.10.3.12")
PROD = instance(
    sending_ips=IPS,
    url=None,
    domains=(SenderDomain(name=DOMAIN, selectors=SELECTORS, primary=True),),
)


def agreed(resolver: str, authoritative: Mapping[str, Sequence[str]]) -> Estate:
    """The estate of one instance, asked at these servers; the rest through the resolver."""
    found = {zone: tuple(servers) for zone, servers in authoritative.items()}
    return estate(PROD, resolvers=(resolver,), authoritative=found)


def taken(phase: Phase, agreed: Estate, limits: DnsLimits | None = None) -> Snapshot:
    """A real capture of the names; what Campaign says is that of a healthy instance."""
    task = Task(estate=agreed, instance=PROD, vantage="here", base=Path())
    ((_, captured),) = capture([task], [DnsProbe(limits)])
    assert captured.complete
    return snapshot(phase, (*captured.looked.observations, *campaign(BEFORE)))


def judged(before: Snapshot, after: Snapshot) -> dict[str, Judgement]:
    """What the five promises about names make of two captures."""
    was, now = DnsView(before), DnsView(after)
    return {
        "spf": compare_spf(spf(PROD, was), spf(PROD, now)),
        "dkim": compare_dkim(dkim(PROD, was), dkim(PROD, now)),
        "dmarc": compare_dmarc(dmarc(PROD, was), dmarc(PROD, now)),
        "reverse_dns": compare_reverse_dns(reverse_dns(PROD, was), reverse_dns(PROD, now)),
        "nothing_else_changed": compare_nothing_else_changed(
            rest(PROD, was, CampaignView(before)), rest(PROD, now, CampaignView(after))
        ),
    }
