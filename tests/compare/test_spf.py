# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders.estates import instance
from tests.compare.views import SERVERS, TableView, alike

from wavegate.compare.spf import compare_spf, gather
from wavegate.verdict import Finding, Judgement, Verdict

IPS = ("192.0.2.10", "192.0.2.11", "2001:db8::10")
INSTANCE = instance(sending_ips=IPS)
POLICY = (
    "v=spf1 ip4:192.0.2.8/29 ip4:192.0.2.64/28 ip6:2001:db8::/64 "
    "include:tickets.example include:mx.example -all"
)
ZONE: dict[str, Any] = {
    "news.acme.example": [{"TXT": "v=spf1 redirect=shared.example"}, {"TXT": "site=1"}],
    "shared.example": [{"TXT": POLICY}],
    "tickets.example": [{"TXT": "v=spf1 ip4:198.51.100.7 -all"}],
    "mx.example": [{"TXT": "v=spf1 mx -all"}, {"MX": [10, "in.mx.example"]}],
    "in.mx.example": [{"A": "192.0.2.90"}],
}


def shared(old: str, new: str) -> dict[str, Any]:
    """The zone with a change in the shared policy."""
    assert old in POLICY
    return {**ZONE, "shared.example": [{"TXT": POLICY.replace(old, new)}]}


def judged(after: TableView, before: TableView | None = None, **other: Any) -> Judgement:
    """The judgement over two views of the DNS."""
    subject = instance(**{"sending_ips": IPS, **other})
    return compare_spf(gather(subject, before or alike(ZONE)), gather(subject, after))


ELEVEN = " ".join(f"include:i{n}.example" for n in range(9))
INCLUDES = {f"i{n}.example": [{"TXT": "v=spf1 ip4:203.0.113.1 -all"}] for n in range(9)}
NEWS = "news.acme.example"

FAULTS: dict[str, tuple[Mapping[str, Any], str, set[str]]] = {
    "one address lost": (
        shared("ip4:192.0.2.8/29", "ip4:192.0.2.8/30 ip4:192.0.2.12 ip4:192.0.2.14/31"),
        "shared.example TXT",
        {"192.0.2.13", "pass", "fail", "ip4:192.0.2.8/29"},
    ),
    "half of an IPv6 prefix lost": (
        shared("2001:db8::/64", "2001:db8::/65"),
        "shared.example TXT",
        {"2001:db8:0:0:8000::"},
    ),
    "a region let in": (
        {
            **shared("-all", "include:cloud.example -all"),
            "cloud.example": [{"TXT": "v=spf1 ip4:198.18.0.0/24 -all"}],
        },
        "shared.example TXT",
        {"198.18.0.0", "include:cloud.example", "cloud.example"},
    ),
    "eleven lookups behind the sending IPs": (
        {**shared("-all", f"{ELEVEN} -all"), **INCLUDES},
        "shared.example TXT",
        {"permerror", "include:i6.example"},
    ),
    "eleven lookups before the sending IPs": (
        {**shared("ip4:192.0.2.8/29", f"{ELEVEN} include:i0.example ip4:192.0.2.8/29"), **INCLUDES},
        "shared.example TXT",
        {"192.0.2.10", "192.0.2.11", "permerror"},
    ),
    "three names without an address": (
        shared("-all", "a:a.old.example a:b.old.example a:c.old.example -all"),
        "shared.example TXT",
        {"a.old.example", "b.old.example", "c.old.example", "permerror"},
    ),
    "softened": (shared("-all", "~all"), "shared.example TXT", {"softfail", "fail", "~all"}),
    "two records": (
        {**ZONE, NEWS: [*ZONE[NEWS], {"TXT": "v=spf1 -all"}]},
        f"{NEWS} TXT",
        {NEWS, "permerror", "192.0.2.10"},
    ),
    "redirect to nothing": (
        {key: rows for key, rows in ZONE.items() if key != "shared.example"},
        "shared.example TXT",
        {"shared.example", "permerror", "192.0.2.10"},
    ),
    "the MX host moved": (
        {**ZONE, "in.mx.example": [{"A": "203.0.113.9"}]},
        "mx.example TXT",
        {"192.0.2.90", "203.0.113.9", "mx"},
    ),
    "an include dropped": (
        shared("include:tickets.example ", ""),
        "shared.example TXT",
        {"198.51.100.7", "include:tickets.example", "tickets.example"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    """Each convicts once, names the record that changed and the witness."""
    after, subject, witness = FAULTS[name]
    found = judged(alike(after))
    (finding,) = found.findings
    assert (Verdict.FAILED, subject) == (found.verdict, finding.subject)
    assert witness <= set(finding.witness), finding.witness
    assert not set(SERVERS) & set(finding.witness)
    assert finding.before != finding.after


def test_a_shared_policy_is_one_cause_for_all_that_use_it() -> None:
    """Two domains that redirect to one changed record have one finding and one cause."""
    domains = [
        {"name": "news.acme.example", "primary": True},
        {"name": "shop.acme.example"},
    ]
    zone = {**ZONE, "shop.acme.example": [{"TXT": "v=spf1 redirect=shared.example"}]}
    changed = {**zone, "shared.example": [{"TXT": POLICY.replace("-all", "~all")}]}
    found = judged(alike(changed), alike(zone), domains=domains)
    (finding,) = found.findings
    assert {"news.acme.example", "shop.acme.example"} <= set(finding.witness)


BENIGN: dict[str, tuple[Mapping[str, Any], str]] = {
    "include flattened": (
        shared("include:tickets.example", "ip4:198.51.100.7"),
        "include-flattened",
    ),
    "prefixes merged": (
        shared("ip4:192.0.2.8/29", "ip4:192.0.2.8/30 ip4:192.0.2.12/30"),
        "prefix-merged",
    ),
    "split and case": (
        {**ZONE, "shared.example": [{"TXT": [POLICY[:30].upper(), POLICY[30:]]}]},
        "case",
    ),
    "split": ({**ZONE, "shared.example": [{"TXT": [POLICY[:30], POLICY[30:]]}]}, "txt-split"),
    "dead term": (shared("-all", "-all ip4:203.0.113.1"), "dead-term"),
    "another order": (
        shared("ip4:192.0.2.8/29 ip4:192.0.2.64/28", "ip4:192.0.2.64/28 ip4:192.0.2.8/29"),
        "terms-reordered",
    ),
    "explanation": (shared("-all", "-all exp=why.example"), "dead-term"),
}


@pytest.mark.parametrize("name", BENIGN)
def test_benign_rewrites_are_cleared_by_name(name: str) -> None:
    """Every address gets the same result; the rule that cleared the other text is told."""
    after, rule = BENIGN[name]
    found = judged(alike(after))
    assert Verdict.PASSED is found.verdict, found.reason
    assert [("shared.example TXT", rule)] == [(c.subject, c.rule) for c in found.cleared]


def test_nothing_changed() -> None:
    """What was shown, over how much, and what could hide."""
    found = judged(alike(ZONE))
    assert (Verdict.PASSED, ()) == (found.verdict, found.cleared)
    assert "4 of 4 servers" in str(found.shown)
    assert "each of 3 sending IPs passes" in str(found.shown)
    assert "at most 4 lookups before, 4 after" in str(found.shown)
    assert "cached answer" in str(found.could_hide)


def test_the_odd_server_is_named() -> None:
    """One stale server of four is the witness, with the address that it loses."""
    found = judged(alike(ZONE, ns3=shared("ip4:192.0.2.8/29 ", "")))
    (finding,) = found.findings
    assert {SERVERS[2], "192.0.2.10", "192.0.2.11"} <= set(finding.witness)
    assert not {SERVERS[0], SERVERS[1], SERVERS[3]} & set(finding.witness)


def test_a_stale_copy_is_dated_by_its_serial() -> None:
    """The SOA serials of the odd server and of the others tell which copy is the old one."""
    fresh, stale = (f"ns1.example. hostmaster.example. {serial} 1 1 1 1" for serial in (27, 20))
    zone = {**ZONE, "example": [{"SOA": fresh}]}
    odd = {**shared("ip4:192.0.2.8/29 ", ""), "example": [{"SOA": stale}]}
    (finding,) = judged(alike(zone, ns3=odd), alike(zone)).findings
    assert {SERVERS[2], "20", "27"} <= set(finding.witness)
    assert "SOA serials 20, 27" in finding.observed


def test_servers_that_never_agreed_are_a_finding_of_their_own() -> None:
    """Unchanged, and still not one policy."""
    odd = shared("ip4:192.0.2.64/28 ", "")
    found = judged(alike(ZONE, ns3=odd), alike(ZONE, ns3=odd))
    assert ["servers-disagree"] == [finding.rule for finding in found.findings]
    assert SERVERS[2] in found.findings[0].witness


def test_a_server_that_came_into_line_is_no_loss() -> None:
    """A stale server before that says now what all said."""
    found = judged(alike(ZONE), alike(ZONE, ns3=shared("ip4:192.0.2.64/28 ", "")))
    assert Verdict.PASSED is found.verdict, found.reason


def test_silence_after_is_never_an_absence() -> None:
    """A server that answered before and is silent after makes it inconclusive, and is named."""
    found = judged(alike(ZONE, ns2="timeout"))
    assert Verdict.INCONCLUSIVE is found.verdict
    (gap,) = found.missing
    assert SERVERS[1] in gap.what
    assert "timeout" in gap.what
    assert "wavegate capture --phase after" == gap.command


def test_silence_of_all() -> None:
    """With no server at all, all are named."""
    found = judged(alike("timeout"))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert all(server in found.missing[0].what for server in SERVERS)


def test_silence_on_both_sides_is_listed() -> None:
    """A server that never answers is not compared, and does not hide the others."""
    found = judged(alike(ZONE, ns4="timeout"), alike(ZONE, ns4="REFUSED"))
    assert Verdict.PASSED is found.verdict, found.reason
    assert "3 of 3 servers" in str(found.shown)
    assert [f"{NEWS} TXT at {SERVERS[3]}"] == [listed.what for listed in found.not_compared]


def test_a_known_difference_convicts_although_a_server_is_silent() -> None:
    """Cannot tell about one server does not excuse the others."""
    found = judged(alike(shared("-all", "~all"), ns2="timeout"))
    assert Verdict.FAILED is found.verdict


def test_an_unanswered_question_behind_a_match_is_inconclusive() -> None:
    """An include that nobody answers leaves the rest of the addresses unknown."""
    found = judged(alike({**ZONE, "tickets.example": ["TIMEOUT"]}))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "ask again tickets.example TXT" in found.missing[0].what


def test_a_macro_of_the_client_is_inconclusive_for_the_whole_space() -> None:
    """The same macro on both sides is not the same policy."""
    zone = shared("-all", "exists:%{i}.ok.example -all")
    found = judged(alike(zone), alike(zone))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "exists:%{i}.ok.example" in found.missing[0].what


def test_each_sending_ip_must_pass() -> None:
    """An agreed address that the policy never authorised is a finding, before as after."""
    found = judged(alike(ZONE), sending_ips=[*IPS, "203.0.113.77"])
    (finding,) = found.findings
    assert ("sending-ip-not-authorised", "fail", "fail") == (
        finding.rule,
        finding.before,
        finding.after,
    )
    assert "203.0.113.77" in finding.witness
    assert "as before" in finding.explanation


def test_a_lost_sending_ip_is_one_finding() -> None:
    """The whole-space difference already names it."""
    found = judged(alike(shared("ip4:192.0.2.8/29 ", "")))
    assert ["other-result"] == [finding.rule for finding in found.findings]


def test_no_domain_is_not_a_pass() -> None:
    """Empty is never a pass."""
    assert Verdict.INCONCLUSIVE is judged(alike(ZONE), domains=[]).verdict


def test_no_question_is_not_a_pass() -> None:
    """A snapshot without any DNS answer is inconclusive."""
    assert Verdict.INCONCLUSIVE is judged(TableView({SERVERS[0]: {}}), TableView({})).verdict


def test_explanations_are_one_line() -> None:
    """A mail person understands it without the report."""
    finding: Finding = judged(alike(shared("-all", "~all"))).findings[0]
    assert "\n" not in finding.explanation
    assert "went from fail to softfail" in finding.explanation
    assert "shared.example TXT" in finding.explanation


def test_one_gap_is_told_once() -> None:
    """Sending IPs that wait for the same unanswered question add nothing to it."""
    odd = {**ZONE, "shared.example": ["TIMEOUT"]}
    found = judged(alike(ZONE, ns2=odd))
    (gap,) = found.missing
    assert Verdict.INCONCLUSIVE is found.verdict
    assert SERVERS[1] in gap.what
    assert "ask again shared.example TXT" in gap.what
