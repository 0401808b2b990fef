# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ipaddress
from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders.estates import instance
from tests.builders.mails import mail
from tests.compare.views import SERVERS, TableView, alike

from wavegate.compare.reverse_dns import compare_reverse_dns, gather
from wavegate.verdict import Judgement, Verdict

IP1, IP2, SIX = "192.0.2.10", "192.0.2.11", "2001:db8::10"
HOSTS = {IP1: "r10.news.example", IP2: "r11.news.example", SIX: "r20.news.example"}


def pointer(ip: str) -> str:
    """The name of the PTR of an address."""
    return ipaddress.ip_address(ip).reverse_pointer


ZONE: dict[str, Any] = {
    **{pointer(ip): [{"PTR": host}] for ip, host in HOSTS.items()},
    HOSTS[IP1]: [{"A": IP1}],
    HOSTS[IP2]: [{"A": IP2}],
    HOSTS[SIX]: [{"A": "192.0.2.99"}, {"AAAA": SIX}],
}


def zone(**changes: Any) -> dict[str, Any]:
    """The zone with other rows at `ptr1`, `ptr2`, `ptr6`, `host1`, `host2`, `host6`."""
    names = {"ptr1": pointer(IP1), "ptr2": pointer(IP2), "ptr6": pointer(SIX)}
    names |= {"host1": HOSTS[IP1], "host2": HOSTS[IP2], "host6": HOSTS[SIX]}
    return {**ZONE, **{names.get(key, key): rows for key, rows in changes.items()}}


def judged(after: TableView, before: TableView | None = None, **other: Any) -> Judgement:
    """The judgement over two views of the DNS."""
    subject = instance(**{"sending_ips": [IP1, IP2, SIX], **other})
    return compare_reverse_dns(gather(subject, before or alike(ZONE)), gather(subject, after))


CLOUD = "ec2-192-0-2-10.cloud.example"
FAULTS: dict[str, tuple[Mapping[str, Any], str, set[str]]] = {
    "no PTR": (zone(ptr2=[]), "ptr-gone", {IP2, HOSTS[IP2]}),
    "no IPv6 PTR": (zone(ptr6=[]), "ptr-gone", {SIX}),
    "the cloud's name": (
        {**zone(ptr1=[{"PTR": CLOUD}]), CLOUD: [{"A": IP1}]},
        "other-ptr",
        {IP1, CLOUD, HOSTS[IP1]},
    ),
    "no AAAA": (
        zone(host6=[{"A": "192.0.2.99"}]),
        "not-forward-confirmed",
        {SIX, HOSTS[SIX]},
    ),
    "another address": (
        zone(host1=[{"A": "203.0.113.9"}]),
        "not-forward-confirmed",
        {IP1, HOSTS[IP1], "203.0.113.9"},
    ),
    "a second name": (
        zone(ptr1=[{"PTR": HOSTS[IP1]}, {"PTR": "host.old.example"}]),
        "other-ptr",
        {IP1, "host.old.example"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    """Each convicts, by its rule, with the address and the names."""
    after, rule, witness = FAULTS[name]
    found = judged(alike(after))
    (finding,) = found.findings
    assert (Verdict.FAILED, rule) == (found.verdict, finding.rule)
    assert witness <= set(finding.witness), finding.witness


def test_exchanged_names_convict_although_both_confirm() -> None:
    """Forward confirmation alone would pass."""
    swapped = zone(
        ptr1=ZONE[pointer(IP2)],
        ptr2=ZONE[pointer(IP1)],
        host1=[{"A": IP2}],
        host2=[{"A": IP1}],
    )
    found = judged(alike(swapped))
    assert {IP1, IP2} == {finding.witness[0] for finding in found.findings}


def test_the_stale_server_is_named() -> None:
    """One of the reverse servers says another name."""
    found = judged(alike(ZONE, ns2={**zone(ptr1=[{"PTR": CLOUD}]), CLOUD: [{"A": IP1}]}))
    (finding,) = found.findings
    assert {IP1, CLOUD, SERVERS[1]} <= set(finding.witness)


def test_private_addresses_behind_the_name() -> None:
    """Another view of the zone leaked."""
    found = judged(alike(zone(host1=[{"A": "10.0.0.7"}])))
    assert {IP1, HOSTS[IP1], "10.0.0.7"} <= set(found.findings[0].witness)


BENIGN: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "nothing": (ZONE, ZONE),
    "two names on both sides": (
        {**zone(ptr1=[{"PTR": "b.example"}, {"PTR": HOSTS[IP1]}]), "b.example": [{"A": IP1}]},
        {**zone(ptr1=[{"PTR": HOSTS[IP1]}, {"PTR": "b.example"}]), "b.example": [{"A": IP1}]},
    ),
    "one more address": (ZONE, zone(host1=[{"A": IP1}, {"A": IP2}])),
    "delegated by CNAME": (
        ZONE,
        {
            **zone(ptr1=[{"CNAME": "10.0-63.2.0.192.in-addr.arpa"}]),
            "10.0-63.2.0.192.in-addr.arpa": ZONE[pointer(IP1)],
        },
    ),
}


@pytest.mark.parametrize("name", BENIGN)
def test_benign(name: str) -> None:
    """Order, a further address and the way to the same name do not matter."""
    before, after = BENIGN[name]
    found = judged(alike(after), alike(before))
    assert Verdict.PASSED is found.verdict, found.reason


def test_a_delegated_name_is_told_as_cleared() -> None:
    """RFC 2317: the chain is another way to the same PTR."""
    found = judged(alike(BENIGN["delegated by CNAME"][1]))
    assert ["cname-chain"] == [cleared.rule for cleared in found.cleared]


def test_one_of_two_names_confirms() -> None:
    """A pass with a remark, where it was so before."""
    both = zone(ptr1=[{"PTR": HOSTS[IP1]}, {"PTR": "host.old.example"}])
    found = judged(alike(both), alike(both))
    assert Verdict.PASSED is found.verdict
    assert ["host.old.example"] == [remark.split(",")[0] for remark in found.remarks]


def test_no_ptr_on_either_side_breaks_the_promise() -> None:
    """Each sending IP has a PTR: an address that never had one is a finding, as before."""
    found = judged(alike(zone(ptr6=[])), alike(zone(ptr6=[])))
    (finding,) = found.findings
    assert ("no-ptr", SIX) == (finding.rule, finding.witness[0])


def test_silence() -> None:
    """A silent server is named; a silent forward name is inconclusive too."""
    found = judged(alike(ZONE, ns1="timeout"))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert SERVERS[0] in found.missing[0].what
    found = judged(alike(zone(host1=["TIMEOUT"])))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert [f"{HOSTS[IP1]} A"] == [gap.subject for gap in found.missing]


def test_no_sending_ip_is_not_a_pass() -> None:
    """Empty is never a pass."""
    assert Verdict.INCONCLUSIVE is judged(alike(ZONE), sending_ips=[]).verdict


def test_helo_beside_ptr() -> None:
    """An internal HELO name is worth a remark here; another promise judges it."""
    subject = instance(sending_ips=[IP1])
    mails = (mail(IP1, helo="ip-10-0-3-7.internal"),)
    found = compare_reverse_dns(gather(subject, alike(ZONE)), gather(subject, alike(ZONE), mails))
    assert Verdict.PASSED is found.verdict
    assert "ip-10-0-3-7.internal" in found.remarks[0]
