# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`nothing_else_changed`: every difference is guilty until a named rule explains it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders.estates import END, IPS, START, instance
from tests.builders.mails import mail
from tests.builders.snapshots import (
    AFTER,
    BEFORE,
    NS,
    answered,
    campaign,
    dns_seen,
    everywhere,
    logon,
    no_name,
    redir,
    silent,
    snapshot,
    zone,
)

from wavegate.compare.nothing_else_changed import (
    Residue,
    compare_nothing_else_changed,
    gather,
    with_volatility,
)
from wavegate.compare.residue import CANARY
from wavegate.observe.dns_names import CANARY as ASKED_CANARY
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import DnsView
from wavegate.record.message import Received
from wavegate.record.observation import Observation
from wavegate.record.snapshot import Phase
from wavegate.verdict import Judgement, Verdict

D = "news.acme.example"


def side(
    phase: Phase, observations: Sequence[Observation], mails: tuple[Received, ...] = ()
) -> Residue:
    """One side."""
    taken = snapshot(phase, observations)
    return gather(instance(), DnsView(taken), CampaignView(taken), mails)


def healthy(at: object = BEFORE) -> tuple[Observation, ...]:
    """The whole healthy world at an instant."""
    when = BEFORE if at is BEFORE else AFTER
    return (*zone(when), *campaign(when))


def changed(*new: Observation) -> tuple[Observation, ...]:
    """The healthy world after, with these answers instead of those to the same questions."""
    asked = {found.identity for found in new}
    return (*(o for o in healthy(AFTER) if o.identity not in asked), *new)


def judged(after: Sequence[Observation], before: Sequence[Observation] | None = None) -> Judgement:
    """The judgement on a healthy world before and another one after."""
    old = side("before", before if before is not None else healthy())
    return compare_nothing_else_changed(old, side("after", after))


def rows(name: str, rdtype: str, *records: str) -> tuple[Observation, ...]:
    """The same answer from all servers after."""
    return everywhere(name, rdtype, *records, at=AFTER)


def test_healthy_world_passes_and_says_what_could_hide() -> None:
    """Nothing differs."""
    found = judged(healthy(AFTER))
    assert found.verdict is Verdict.PASSED
    assert any(n.what == "TTLs" for n in found.not_compared)


FAULTS = {
    "mx-lost": (rows(D, "MX"), {D, "10 inbound.news.acme.example"}),
    "mx-priority": (
        rows(D, "MX", "20 inbound.news.acme.example."),
        {"20 inbound.news.acme.example"},
    ),
    "ns-lost": (rows(D, "NS", "ns1.acme.example."), {D, "ns2.acme.example"}),
    "txt-lost": (rows(D, "TXT", '"v=spf1 ip4:192.0.2.0/24 -all"'), {D, "site-verification=abc"}),
    "cname-elsewhere": (
        rows(
            f"t.{D}", "A", f"@t.{D} CNAME t1.cust-b.example.", "@t1.cust-b.example A 198.51.100.2"
        ),
        {f"t.{D}", "t1.cust-b.example", "t1.cust-a.example"},
    ),
    "soa-contact": (
        rows(D, "SOA", "ns1.acme.example. other.acme.example. 7 3600 600 86400 300"),
        {"other.acme.example 3600 600 86400 300"},
    ),
    "dmarc-shadowed": (rows(f"_dmarc.{D}", "TXT", '"wildcard text"'), {"wildcard text"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_difference_is_guilty_and_its_witness_is_named(fault: str) -> None:
    """No rule explains it."""
    new, witness = FAULTS[fault]
    found = judged(changed(*new))
    assert found.verdict is Verdict.FAILED
    assert witness <= {text for f in found.findings for text in f.witness}


BENIGN = {
    "soa-serial": (
        rows(D, "SOA", "ns1.acme.example. host.acme.example. 8 3600 600 86400 300"),
        "soa-serial-counts-edits",
    ),
    "soa-primary": (
        rows(D, "SOA", "ns9.aws.example. host.acme.example. 7 3600 600 86400 300"),
        "soa-primary-is-for-updates",
    ),
    "address-rotation": (
        rows(
            f"t.{D}", "A", f"@t.{D} CNAME t1.cust-a.example.", "@t1.cust-a.example A 198.51.100.9"
        ),
        "address-behind-cname",
    ),
}


@pytest.mark.parametrize("variation", BENIGN)
def test_named_rule_clears(variation: str) -> None:
    """Each rule clears its own difference and stands in the report."""
    new, rule = BENIGN[variation]
    found = judged(changed(*new))
    assert found.verdict is Verdict.PASSED
    assert {c.rule for c in found.cleared} == {rule}


def test_addresses_of_a_cname_target_rotate_too() -> None:
    """The target is asked by itself: it is the same difference."""
    target = "t1.cust-a.example"
    old = (*healthy(), *everywhere(target, "A", "198.51.100.1"))
    alias = f"@t.{D} CNAME {target}."
    new = changed(*rows(f"t.{D}", "A", alias, f"@{target} A 198.51.100.9"))
    found = judged((*new, *rows(target, "A", "198.51.100.9")), old)
    assert found.verdict is Verdict.PASSED
    assert {c.subject for c in found.cleared} == {f"t.{D} A", f"{target} A"}


def test_absent_either_way_is_cleared() -> None:
    """NXDOMAIN instead of NODATA: there is nothing on both sides."""
    name = f"_mta-sts.{D}"
    old = (*healthy(), dns_seen(name, "TXT", answered(name, "TXT")))
    new = (*healthy(AFTER), dns_seen(name, "TXT", no_name(name, "TXT"), at=AFTER))
    found = judged(new, old)
    assert found.verdict is Verdict.PASSED
    assert [c.rule for c in found.cleared] == ["absent-either-way"]


def test_order_case_and_splitting_are_equal() -> None:
    """Records in another order, names in other case, a TXT in two strings."""
    new = (
        *rows(D, "NS", "NS2.acme.example.", "Ns1.Acme.example."),
        *rows(D, "TXT", '"site-verifi" "cation=abc"', '"v=spf1 ip4:192.0.2.0/24 -all"'),
    )
    found = judged(changed(*new))
    assert found.verdict is Verdict.PASSED
    assert found.cleared == ()


def test_other_promises_keep_their_records() -> None:
    """SPF, DKIM and DMARC text are judged by their own promises."""
    key = f"acc1._domainkey.{D}"
    old = (*healthy(), *everywhere(key, "TXT", '"v=DKIM1; p=AAAA"'))
    new = (
        *changed(
            *rows(D, "TXT", '"v=spf1 -all"', '"site-verification=abc"'),
            *rows(f"_dmarc.{D}", "TXT", '"v=DMARC1; p=none"'),
        ),
        *rows(key, "TXT", '"v=DKIM1; p=BBBB"'),
    )
    assert judged(new, old).verdict is Verdict.PASSED


def test_spf_at_a_host_name_is_ours() -> None:
    """SPF at the name that mail greets with is no sender domain's."""
    host = f"r10.{D}"
    old = (*healthy(), *everywhere(host, "TXT", '"v=spf1 a -all"'))
    new = (*healthy(AFTER), *rows(host, "TXT", '"v=spf1 -all"'))
    assert judged(new, old).findings[0].subject == f"{host} TXT"


def test_new_wildcard_is_one_difference() -> None:
    """However many names it answers for; the star and those names are the witness."""
    canary = f"{CANARY}.{D}"
    old = (*healthy(), *(dns_seen(n, "TXT", no_name(n, "TXT")) for n in (canary, f"x.{D}")))
    text = '"catch-all"'
    new = (*changed(*rows(f"_dmarc.{D}", "TXT", '"v=DMARC1; p=reject"')),)
    shadow = (dns_seen(n, "TXT", answered(n, "TXT", text), at=AFTER) for n in (canary, f"x.{D}"))
    found = judged((*new, *shadow), old)
    assert [f.subject for f in found.findings] == [f"*.{D} TXT"]
    assert {f"*.{D}", f"x.{D}", "catch-all"} <= set(found.findings[0].witness)
    assert CANARY == ASKED_CANARY


def test_server_that_refuses_the_zone_is_named() -> None:
    """REFUSED is a definite answer of a listed server, not a failure to look."""
    new = [silent(o, "REFUSED") if o.asked.get("server") == NS[1] else o for o in healthy(AFTER)]
    found = judged(new)
    assert [f.rule for f in found.findings] == ["server-refuses"]
    assert {NS[1], "REFUSED"} <= set(found.findings[0].witness)


def test_all_servers_refusing_may_mean_us() -> None:
    """Nobody answers for the zone: whether others get an answer cannot be told from here."""
    new = [silent(o, "REFUSED") if o.kind == "dns" else o for o in healthy(AFTER)]
    assert judged(new).verdict is Verdict.INCONCLUSIVE


def test_domain_that_nobody_spoke_of_before_is_no_pass() -> None:
    """Silent on both sides: Campaign alone does not make it unchanged."""
    old = [silent(o) if o.kind == "dns" else o for o in healthy()]
    new = [silent(o) if o.kind == "dns" else o for o in healthy(AFTER)]
    found = judged(new, old)
    assert [m.rule for m in found.missing] == ["domain-not-seen-before"]


def test_server_that_answers_by_the_drop_is_not_lame() -> None:
    """It refused a part before already: a limit on our questions."""
    mx = dns_seen(D, "MX", answered(D, "MX"), server=NS[1])
    old = [silent(o, "REFUSED") if o.identity == mx.identity else o for o in healthy()]
    new = [silent(o, "REFUSED") if o.asked.get("server") == NS[1] else o for o in healthy(AFTER)]
    assert judged(new, old).verdict is Verdict.INCONCLUSIVE


def test_server_that_refuses_some_questions_cannot_be_told() -> None:
    """Rate limiting: the rest was answered."""
    mx = dns_seen(D, "MX", answered(D, "MX"), at=AFTER, server=NS[1])
    found = judged(changed(silent(mx, "REFUSED")))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.missing[0].subject == NS[1]


def test_silence_after_is_inconclusive_and_counted() -> None:
    """No server answers: absence must not be inferred."""
    new = [silent(o) if o.kind == "dns" else o for o in healthy(AFTER)]
    found = judged(new)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {m.subject for m in found.missing} == set(NS)
    assert "timeout" in found.missing[0].what


def test_servers_with_several_serials_are_a_finding() -> None:
    """A half-done change shows as different answers; the odd server is named."""
    stale = dns_seen(
        D,
        "SOA",
        answered(D, "SOA", "ns1.acme.example. host.acme.example. 5 3600 600 86400 300"),
        at=AFTER,
        server=NS[1],
    )
    found = judged(changed(stale))
    assert [f.rule for f in found.findings] == ["servers-serve-different-zones"]
    assert NS[1] in found.findings[0].witness


def test_zones_of_others_are_not_ours_to_date() -> None:
    """The serial of a shared policy's zone tells `spf` of a stale copy, and no other instance."""
    texts = [f"ns1.mailer.example. host.mailer.example. {n} 3600 600 86400 300" for n in (7, 5)]
    old = (*healthy(), *everywhere("mailer.example", "SOA", texts[0]))
    stale = answered("mailer.example", "SOA", texts[1])
    odd = dns_seen("mailer.example", "SOA", stale, at=AFTER, server=NS[1])
    new = (*healthy(AFTER), *rows("mailer.example", "SOA", texts[0])[:1], odd)
    assert judged(new, old).verdict is Verdict.PASSED


def test_new_server_is_held_against_what_most_said() -> None:
    """A server that replaced another must say the same."""
    moved = [
        replace(o, asked={**o.asked, "server": "203.0.113.53:53"})
        if o.asked.get("server") == NS[1]
        else o
        for o in changed(*rows(D, "MX", "10 elsewhere.example."))
    ]
    found = judged(moved)
    assert found.findings[0].subject == f"{D} MX"


def test_what_was_volatile_before_neither_convicts_nor_clears() -> None:
    """A/A: it turns a FAILED into INCONCLUSIVE, nothing else."""
    flapping = (*zone(BEFORE), *campaign(BEFORE))
    other = [
        dns_seen(D, "MX", answered(D, "MX", "10 other.example."), server=o.asked["server"])
        if o.subject == f"{D} MX"
        else o
        for o in flapping
    ]
    old = with_volatility(side("before", flapping), [side("before", other)])
    found = compare_nothing_else_changed(old, side("after", changed(*rows(D, "MX"))))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert [m.rule for m in found.missing] == ["volatile-before"]
    lost_too = changed(*rows(D, "MX"), *rows(D, "NS", "ns1.acme.example."))
    assert compare_nothing_else_changed(old, side("after", lost_too)).verdict is Verdict.FAILED


def test_another_instance_under_the_name() -> None:
    """InstanceName and databaseId prove which instance answers."""
    new = logon(at=AFTER, name="acme_mkt_stage1", database="uOTHER")
    found = judged(changed(new))
    assert {"acme_mkt_stage1", "databaseId"} <= {t for f in found.findings for t in f.witness}


def test_lost_package_is_named() -> None:
    """An image built from a shorter list; the cause is the package, not the list."""
    found = judged(changed(logon(at=AFTER, packages=("nms:core",))))
    assert found.findings[0].before == "nms:mobile"
    assert found.findings[0].after is None


def test_hidden_instance_name_is_not_a_change() -> None:
    """/r/test hides it from this caller: Logon tells the same; without Logon nobody does."""
    hidden = redir("date='2024-01-16 23:30:00Z'", at=AFTER)
    found = judged(changed(hidden))
    assert found.verdict is Verdict.PASSED
    assert any(n.what == "instance at /r/test" for n in found.not_compared)
    blind = judged(changed(hidden, logon(at=AFTER, fault=True)))
    assert blind.verdict is Verdict.INCONCLUSIVE


def test_silent_on_both_sides_is_listed() -> None:
    """It is not compared, and said so."""
    old = [*healthy(), silent(dns_seen(f"x.{D}", "A", answered("x", "A")))]
    new = [*healthy(AFTER), silent(dns_seen(f"x.{D}", "A", answered("x", "A"), at=AFTER))]
    found = judged(new, old)
    assert found.verdict is Verdict.PASSED
    assert any(n.what.startswith(f"x.{D} A") for n in found.not_compared)


def test_nothing_before_is_never_a_pass() -> None:
    """Empty is not equal."""
    assert judged(healthy(AFTER), ()).verdict is Verdict.INCONCLUSIVE


def mails(after: bool, count: int, **other: object) -> tuple[Received, ...]:
    """Mails of one address, each over a connection of its own."""
    at = END if after else START - timedelta(hours=1)
    return tuple(mail(IPS[0], n=n, at=at, **other) for n in range(count))  # type: ignore[arg-type] # test data


def by_mail(before: tuple[Received, ...], after: tuple[Received, ...]) -> Judgement:
    """The judgement where only mail differs."""
    return compare_nothing_else_changed(
        side("before", healthy(), before), side("after", healthy(AFTER), after)
    )


UNSUBSCRIBE = {"List-Unsubscribe": f"<https://u.{D}/1>, <mailto:u@{D}>"}
POST = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
TRAITS: dict[str, dict[str, object]] = {
    "helo": {"helo": "ip-10-0-3-7.internal"},
    "starttls": {"tls": False},
    "unsubscribe": {"headers": {"List-Unsubscribe": "<https://other.example/u>"}},
    "one-click-lost": {"headers": UNSUBSCRIBE},
    "one-click-misspelt": {"headers": UNSUBSCRIBE | {"List-Unsubscribe-Post": "One-Click"}},
    "one-click-without-https": {"headers": POST | {"List-Unsubscribe": f"<mailto:u@{D}>"}},
    "signed-headers": {"headers": {"DKIM-Signature": f"v=1; d={D}; h=From:To; s=acc1"}},
}
USUAL: dict[str, dict[str, object]] = {
    "helo": {},
    "starttls": {"tls": True},
    "unsubscribe": {"headers": {"List-Unsubscribe": f"<mailto:bounce@{D}?subject=u>"}},
    "one-click-lost": {"headers": UNSUBSCRIBE | POST},
    "one-click-misspelt": {"headers": UNSUBSCRIBE | POST},
    "one-click-without-https": {"headers": UNSUBSCRIBE | POST},
    "signed-headers": {"headers": {"DKIM-Signature": f"v=1; d={D}; h=From:To:Subject; s=acc1"}},
}


@pytest.mark.parametrize("trait", TRAITS)
def test_trait_of_mail_that_changed_is_a_finding(trait: str) -> None:
    """Learned before, another one after, a message id as witness."""
    before, after = mails(False, 10, **USUAL[trait]), mails(True, 10, **TRAITS[trait])
    found = by_mail(before, after)
    assert found.verdict is Verdict.FAILED
    assert after[0].message_id in found.findings[0].witness


@pytest.mark.parametrize("trait", TRAITS)
def test_trait_of_mail_that_is_the_same_passes(trait: str) -> None:
    """The usual mail on both sides."""
    found = by_mail(mails(False, 10, **USUAL[trait]), mails(True, 10, **USUAL[trait]))
    assert found.verdict is Verdict.PASSED


def test_one_greeting_of_several_addresses_is_one_cause() -> None:
    """The host that greets is at fault, whichever address it sends from."""
    ips = IPS[:2]
    old = tuple(mail(ips[n % 2], n=n, helo=f"r{n % 2}.{D}") for n in range(40))
    new = tuple(mail(ips[n % 2], n=n, at=END, helo="ip-10-0-3-7.internal") for n in range(40))
    found = by_mail(old, new)
    assert [f.subject for f in found.findings] == ["HELO ip-10-0-3-7.internal"]
    assert set(ips) <= set(found.findings[0].witness)


def test_new_trait_in_one_of_few_mails_cannot_be_told() -> None:
    """Two mails before are too few to say that a HELO name is new."""
    found = by_mail(mails(False, 2), mails(True, 2, helo="odd.example"))
    assert found.verdict is Verdict.INCONCLUSIVE


def test_lost_affinity_is_a_finding() -> None:
    """Streams that were kept apart mix: the domain and the addresses are named."""
    shop = instance(domains=({"name": D}, {"name": "shop.acme.example"}))

    def stream(after: bool, shop_ips: Sequence[str]) -> tuple[Received, ...]:
        at = END if after else START - timedelta(hours=3)
        news = [mail(IPS[n % 2], n=n, at=at) for n in range(100)]
        other = [
            mail(shop_ips[n % len(shop_ips)], n=500 + n, at=at, domain="shop.acme.example")
            for n in range(100)
        ]
        return (*news, *other)

    taken = snapshot("before", healthy()), snapshot("after", healthy(AFTER))
    old = gather(shop, DnsView(taken[0]), CampaignView(taken[0]), stream(False, IPS[2:]))
    new = gather(shop, DnsView(taken[1]), CampaignView(taken[1]), stream(True, IPS))
    found = compare_nothing_else_changed(old, new)
    assert found.verdict is Verdict.FAILED
    assert {"shop.acme.example", IPS[0], IPS[1]} <= set(found.findings[0].witness)


def test_new_internal_host_is_information() -> None:
    """That is the migration itself."""
    old = mails(False, 5, headers={"Received": "from x by momentum06.lon7; now"})
    new = mails(True, 5, headers={"Received": "from x by irl1-mta-i-0f68; now"})
    found = by_mail(old, new)
    assert found.verdict is Verdict.PASSED
    assert any("irl1-mta-i-0f68" in remark for remark in found.remarks)
