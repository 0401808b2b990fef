# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Captures of two NSD and Unbound, before and after; the second NSD is once a stale one."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from tests.real.judging import agreed, judged, taken
from tests.real.names import Nsd, pair, unbound
from tests.real.zones import PARENT, REVERSE, SENDER, Version

from wavegate.estate.model import Estate
from wavegate.observe.dns_client import DnsLimits
from wavegate.record.dns_view import DnsView
from wavegate.record.observation import Unreachable
from wavegate.record.snapshot import Snapshot
from wavegate.verdict import On, Verdict

HEALTHY = Version(serial=5)
REPUBLISHED = replace(
    HEALTHY, serial=6, policy="v=spf1 ip4:127.10.3.8/30 ip4:127.10.3.12/30 ip4:192.0.2.0/28 -all"
)
"""The same in other words: the addresses in other blocks, the include flattened."""
STALE = {
    "spf": replace(HEALTHY, serial=4, policy="v=spf1 ip4:127.10.3.11 ip4:192.0.2.0/28 -all"),
    "dkim": replace(HEALTHY, serial=4, key="one of last year"),
    "dmarc": replace(HEALTHY, serial=4, dmarc="v=DMARC1; p=none"),
    "reverse_dns": replace(HEALTHY, serial=4, pointer="unused.mailer.example."),
}
"""What an old backup of the zones says, by the promise that it breaks."""
SERIALS = "nothing_else_changed"
"""Where it shows besides that the two serve different versions of the zone."""


@dataclass(frozen=True)
class Place:
    """Two NSD and the resolver, running."""

    first: Nsd
    second: Nsd
    estate: Estate

    @contextmanager
    def published(self, first: Version, second: Version) -> Iterator[None]:
        """Both publish a version, and go back to the healthy one."""
        self.first.publish(first.zones())
        self.second.publish(second.zones())
        try:
            yield
        finally:
            for server in (self.first, self.second):
                server.publish(HEALTHY.zones())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The servers; those of sender and reverse zone are given by name, as an estate may."""
    folder = tmp_path_factory.mktemp("names")
    with (
        pair(folder, HEALTHY.zones()) as (first, second),
        unbound(folder, (first, second), (PARENT, REVERSE)) as resolver,
    ):
        names = [f"ns{n}.mailer.example:{first.port}" for n in (1, 2)]
        yield Place(first, second, agreed(resolver, dict.fromkeys((SENDER, REVERSE), names)))


@pytest.fixture(scope="module")
def before(place: Place) -> Snapshot:
    """The healthy servers, captured."""
    return taken("before", place.estate)


def silent(found: Snapshot) -> list[tuple[str, str]]:
    """What got no answer, and why."""
    return [
        (o.subject, o.outcome.reason)
        for o in found.observations
        if isinstance(o.outcome, Unreachable)
    ]


def test_everything_is_answered_by_both_servers_and_the_resolver(
    place: Place, before: Snapshot
) -> None:
    """NSD and Unbound answer all that a capture asks; servers are found by their names."""
    assert [] == silent(before)
    asked = {o.asked["server"] for o in before.observations if o.kind == "dns"}
    assert {place.first.server, place.second.server, *place.estate.resolvers} == asked
    assert {place.first.server, place.second.server} <= set(DnsView(before).servers)


def test_what_is_too_long_for_a_datagram_is_asked_for_by_tcp(before: Snapshot) -> None:
    """A key of 2 kB comes whole, from each server; nothing else needs TCP."""
    asked = [(o.subject, o.heard.get("transport")) for o in before.observations if o.kind == "dns"]
    assert 2 == asked.count((f"acc2._domainkey.{SENDER} TXT", "tcp"))
    assert 2 == sum(transport == "tcp" for _, transport in asked)


def test_the_same_in_other_words_is_the_same(place: Place, before: Snapshot) -> None:
    """A flattened policy and a new serial on both servers clear by their rules."""
    with place.published(REPUBLISHED, REPUBLISHED):
        found = judged(before, taken("after", place.estate))
    assert {} == {promise: one.findings for promise, one in found.items() if one.findings}
    assert Verdict.PASSED == found["spf"].verdict
    assert Verdict.PASSED == found["reverse_dns"].verdict
    assert Verdict.PASSED == found["nothing_else_changed"].verdict


@pytest.mark.parametrize("promise", STALE)
def test_a_stale_server_is_named_under_its_promise(
    place: Place, before: Snapshot, promise: str
) -> None:
    """One server with an old zone is FAILED under that promise, and it alone is the witness."""
    with place.published(REPUBLISHED, STALE[promise]):
        found = judged(before, taken("after", place.estate))
    failed = {name for name, one in found.items() if one.verdict is Verdict.FAILED}
    assert {promise, SERIALS} == failed
    servers = {place.first.server, place.second.server}
    witnesses = [one.witness for name in failed for one in found[name].findings]
    assert [{place.second.server}] * 2 == [servers & set(witness) for witness in witnesses]


def test_a_frozen_server_is_silent_and_nothing_is_absent(place: Place, before: Snapshot) -> None:
    """A stopped process still holds its socket: a time-out, never a missing record."""
    os.killpg(place.second.process.pid, signal.SIGSTOP)
    try:
        after = taken("after", place.estate, DnsLimits(timeout=0.3))
    finally:
        os.killpg(place.second.process.pid, signal.SIGCONT)
    reasons = {reason for _, reason in silent(after)}
    assert {"timeout"} == reasons
    found = judged(before, after)
    assert {} == {promise: one.findings for promise, one in found.items() if one.findings}
    assert Verdict.INCONCLUSIVE == found["spf"].verdict
    assert {On.OPERATOR} == {one.on for one in found["spf"].missing}
