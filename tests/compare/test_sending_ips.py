# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_ips`: unlisted convicts at once, unseen only beyond chance, strangers not at all."""

import base64
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.builders.estates import END, IPS, START, instance
from tests.builders.mails import cohort, mail, msfbl

from wavegate.compare.sending_ips import Terms, compare_sending_ips, gather
from wavegate.estate.model import Instance
from wavegate.record.dmarc_report import DmarcReport, ReportRow, Signature
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received
from wavegate.verdict import FOR_OPERATOR, Judgement, Verdict

NEW = "198.51.100.77"


def judged(
    before: tuple[Received, ...],
    after: tuple[Received, ...],
    *,
    agreed: Instance | None = None,
    terms: Terms | None = None,
    verified: tuple[Received, ...] = (),
) -> Judgement:
    """The judgement on two cohorts. verified: the mails whose signature holds."""
    held = frozenset(m.digest for m in verified)
    mine = agreed or instance()
    return compare_sending_ips(gather(mine, before), gather(mine, after, verified=held), terms)


def test_all_seen_passes_with_the_rogue_bound() -> None:
    """All listed addresses were met; what could hide is a number."""
    found = judged(cohort(IPS, 40), cohort(IPS, 299, after=True))
    assert found.verdict is Verdict.PASSED
    assert "1.0%" in (found.could_hide or "")


def test_unlisted_address_convicts_with_one_message() -> None:
    """The address and a message id from it are named."""
    odd = mail(NEW, at=END, n=900)
    found = judged(cohort(IPS, 40), (*cohort(IPS, 299, after=True), odd), verified=(odd,))
    assert [f.rule for f in found.findings] == ["unlisted-ip"]
    assert found.findings[0].witness == (NEW, odd.message_id)


def test_unsigned_mail_of_a_stranger_proves_nothing() -> None:
    """Anyone can write to a sink."""
    odd = mail(NEW, at=END, n=900)
    found = judged(cohort(IPS, 40), (*cohort(IPS, 40, after=True), odd))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert [m.rule for m in found.missing] == ["unlisted-ip-unproven"]


def test_unguessable_recipient_proves_it() -> None:
    """Nobody else knows the seed address."""
    odd = mail(NEW, at=END, n=900, recipient="x7f3k9q2m4z8w1c6v5b0n@seed.example")
    found = judged(cohort(IPS, 40), (*cohort(IPS, 40, after=True), odd))
    assert found.findings[0].rule == "unlisted-ip"


def test_missing_address_convicts_beyond_chance() -> None:
    """0 of 2000 over four equal addresses is no accident."""
    found = judged(cohort(IPS, 400), cohort(IPS[:3], 2000, after=True))
    assert [f.subject for f in found.findings] == [IPS[3]]
    assert "0 of 2000" in found.findings[0].witness


def test_missing_address_in_a_small_sample_is_open() -> None:
    """How many more messages settle it is said, and which addresses were not met."""
    found = judged(cohort(IPS, 400), cohort(IPS[:3], 20, after=True))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert [m.subject for m in found.missing] == [IPS[3]]
    assert 20 < (found.missing[0].count or 0) < 60


def test_missing_six_convicts() -> None:
    """IPv6 stopped, however it was written in the estate."""
    six = "2001:db8::10"
    agreed = instance(sending_ips=(*IPS, "2001:0DB8:0:0::10"))
    found = judged(cohort((*IPS, six), 500), cohort(IPS, 1000, after=True), agreed=agreed)
    assert [f.subject for f in found.findings] == [six]


def test_one_connection_is_one_piece_of_evidence() -> None:
    """A thousand messages over one connection of one delivery cover nothing."""
    at = END
    sticky = tuple(
        mail(IPS[n % 3], n=n % 3, at=at, connected=at, headers={"X-N": str(n)}) for n in range(1000)
    )
    found = judged(cohort(IPS, 400), sticky)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_listed_but_never_met_is_named() -> None:
    """A spare or stale entry: nothing proves a change."""
    found = judged(cohort(IPS[:3], 90), cohort(IPS[:3], 90, after=True))
    assert [m.rule for m in found.missing] == ["listed-never-met"]
    assert found.missing[0].subject == IPS[3]


def test_listed_and_only_met_after_is_listed_as_not_compared() -> None:
    """The estate says that it was used; mail before does not show it."""
    found = judged(cohort(IPS[:3], 90), cohort(IPS, 90, after=True))
    assert found.verdict is Verdict.PASSED
    assert IPS[3] in found.not_compared[0].what


def test_address_taken_from_the_estate_is_still_missed() -> None:
    """An expectation bent to fit the result does not help: it was used before."""
    bent = instance(sending_ips=IPS[:3])
    before = cohort(IPS, 400)
    held = frozenset(m.digest for m in before)
    found = compare_sending_ips(
        gather(bent, before, verified=held), gather(bent, cohort(IPS[:3], 2000, after=True))
    )
    assert [f.subject for f in found.findings] == [IPS[3]]


def test_swapped_between_customers_names_the_owner_to_the_operator_only() -> None:
    """A customer is not told of another customer's instance."""
    odd = mail(NEW, at=END, n=900)
    terms = Terms(owners={NEW: "globex-prod1"})
    found = judged(
        cohort(IPS, 40), (*cohort(IPS, 40, after=True), odd), terms=terms, verified=(odd,)
    )
    assert "globex" not in str(found.findings)
    told = [text for text in found.remarks if "globex" in text]
    assert [f"{FOR_OPERATOR}{NEW} is a sending IP of globex-prod1"] == told


def test_swapped_within_a_customer_is_named_in_the_finding() -> None:
    """It is their own instance."""
    odd = mail(NEW, at=END, n=900)
    terms = Terms(owners={NEW: "acme-stage1"}, same_customer=frozenset({"acme-stage1"}))
    found = judged(
        cohort(IPS, 40), (*cohort(IPS, 40, after=True), odd), terms=terms, verified=(odd,)
    )
    assert "acme-stage1" in found.findings[0].explanation


@pytest.mark.parametrize("folded", [False, True])
def test_binding_that_disagrees_is_a_finding(folded: bool) -> None:
    """The peer and X-MSFBL agreed before and do not after; folding makes no difference."""
    good = tuple(
        mail(ip, n=n, headers={"X-MSFBL": msfbl(ip, folded=folded)}) for n, ip in enumerate(IPS)
    )
    bad = tuple(
        mail(ip, n=n, at=END, headers={"X-MSFBL": msfbl(NEW, folded=folded)})
        for n, ip in enumerate(IPS)
    )
    found = judged(good, bad)
    assert [f.rule for f in found.findings] == ["sources-disagree"]
    assert NEW in found.findings[0].witness


@pytest.mark.parametrize("value", ["x|!!!", "x|bnVsbA==", "", "|" * 50])
def test_odd_binding_is_no_witness(value: str) -> None:
    """Hostile headers neither raise nor convict."""
    good = tuple(mail(ip, n=n, headers={"X-MSFBL": msfbl(ip)}) for n, ip in enumerate(IPS))
    odd = tuple(mail(ip, n=n, at=END, headers={"X-MSFBL": value}) for n, ip in enumerate(IPS))
    assert judged(good, odd).verdict is Verdict.PASSED


@pytest.mark.parametrize("sides", [(True, False), (False, True), (False, False)])
def test_no_mail_is_never_a_pass(sides: tuple[bool, bool]) -> None:
    """Empty on either side cannot be told."""
    found = judged(
        cohort(IPS, 9) if sides[0] else (), cohort(IPS, 9, after=True) if sides[1] else ()
    )
    assert found.verdict is Verdict.INCONCLUSIVE


def test_no_mail_source_asks_for_one() -> None:
    """The cure is a source or an approved limit."""
    found = judged((), (), agreed=instance(mail=()))
    assert [m.rule for m in found.missing] == ["no-mail-source"]


def test_share_drift_is_noise() -> None:
    """31/22/24/23 instead of equal shares is load balancing."""
    weighted = tuple(ip for ip, n in zip(IPS, (31, 22, 24, 23), strict=True) for _ in range(n))
    assert judged(cohort(IPS, 100), cohort(weighted, 400, after=True)).verdict is Verdict.PASSED


def reports(*rows: ReportRow, begin: datetime = END, org: str = "google.com") -> DmarcReport:
    """A report of a day with these rows."""
    return DmarcReport(
        org=org,
        report=f"{org}-1",
        domain="news.acme.example",
        begin=begin,
        end=begin + timedelta(hours=24),
        rows=rows,
        unread=0,
        xml=None,
        digest="d" * 64,
        place="a.xml",
    )


def told(
    ip: str, *, count: int = 50, own: bool = True, spf: bool = True, selector: str = "acc1"
) -> ReportRow:
    """A row on mail of the instance's domain. own: a signature passed. spf: SPF passed, aligned."""
    result = "pass" if own else "fail"
    one = Signature(domain="news.acme.example", selector=selector, result=result)
    return ReportRow(
        ip=ip,
        count=count,
        author="news.acme.example",
        disposition="none",
        dkim=own,
        spf=spf,
        signatures=(one,),
        spf_domain="news.acme.example",
        spf_result="pass" if spf else "fail",
    )


def with_reports(
    before: tuple[Received, ...],
    after: tuple[Received, ...],
    *found: DmarcReport,
    earlier: tuple[DmarcReport, ...] = (),
    terms: Terms | None = None,
) -> Judgement:
    """The judgement on two cohorts and reports."""
    mine = instance()
    old = gather(mine, before, reports=earlier)
    return compare_sending_ips(old, gather(mine, after, reports=found), terms)


def test_unlisted_address_that_only_reports_show_is_a_finding() -> None:
    """Sources that disagree: a receiver counts mail of the instance from where no seed came."""
    found = with_reports(cohort(IPS, 40), cohort(IPS, 40, after=True), reports(told(NEW)))
    (one,) = found.findings
    assert ("reported-unlisted-ip", NEW) == (one.rule, one.subject)
    assert (NEW, "google.com", "google.com-1") == one.witness
    assert "sources disagree" in one.explanation


def test_reports_convict_even_without_mail() -> None:
    """What a report shows needs no seed; what is missing is told beside it."""
    found = with_reports((), (), reports(told(NEW)))
    assert Verdict.FAILED is found.verdict
    assert ["no-mail-after", "no-mail-before"] == sorted(m.rule for m in found.missing)


INNOCENT = {
    "forwarded": told(NEW, spf=False),
    "another-sender": told(NEW, own=False),
    "another-key": told(NEW, selector="corp"),
    "no-selector": told(NEW, selector=""),
    "forged": told(NEW, own=False, spf=False),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_others_send_under_the_domain_convicts_nobody(name: str) -> None:
    """Reports count forwarders, forgers and other senders of a domain, too."""
    found = with_reports(cohort(IPS, 40), cohort(IPS, 40, after=True), reports(INNOCENT[name]))
    assert Verdict.PASSED is found.verdict
    shown = [entry.what for entry in found.not_compared if NEW in entry.what]
    assert (name != "forged") == bool(shown)


def test_address_of_an_instance_that_shares_the_domain_convicts_nobody() -> None:
    """Its mail bears the same key, and is its own."""
    terms = Terms(owners={NEW: "acme-prod2"}, shared=frozenset({NEW}))
    after = cohort(IPS, 40, after=True)
    assert (
        Verdict.PASSED
        is with_reports(cohort(IPS, 40), after, reports(told(NEW)), terms=terms).verdict
    )


def test_reported_address_of_another_customer_is_named_to_the_operator_only() -> None:
    """The same rule as for mail."""
    terms = Terms(owners={NEW: "globex-prod1"})
    after = cohort(IPS, 40, after=True)
    found = with_reports(cohort(IPS, 40), after, reports(told(NEW)), terms=terms)
    assert "globex" not in str(found.findings)
    assert f"{FOR_OPERATOR}{NEW} is a sending IP of globex-prod1" in found.remarks


def test_report_that_shows_a_missing_address_clears_it() -> None:
    """An address that no seed meets may serve other receivers; a report shows that it works."""
    before, after = cohort(IPS, 400), cohort(IPS[:3], 2000, after=True)
    found = with_reports(before, after, reports(told(IPS[3], count=7)))
    assert Verdict.PASSED is found.verdict
    assert [("met-in-dmarc-reports", IPS[3])] == [(c.rule, c.subject) for c in found.cleared]
    assert "7 messages" in found.cleared[0].explanation


@pytest.mark.parametrize("row", [told(IPS[3], spf=False), told(IPS[3], own=False)])
def test_one_pass_is_enough_for_a_listed_address(row: ReportRow) -> None:
    """The estate vouches for it already."""
    found = with_reports(cohort(IPS, 400), cohort(IPS[:3], 2000, after=True), reports(row))
    assert Verdict.PASSED is found.verdict


def test_report_on_failing_mail_from_a_listed_address_shows_nothing() -> None:
    """Anybody's mail could claim the domain; without any pass it is not the instance's."""
    row = told(IPS[3], own=False, spf=False)
    found = with_reports(cohort(IPS, 400), cohort(IPS[:3], 2000, after=True), reports(row))
    assert [IPS[3]] == [f.subject for f in found.findings]


def test_address_that_only_reports_before_show_stays_open() -> None:
    """It was used, and nothing after shows it: not a pass, and no proof either."""
    old = reports(told(IPS[3]), begin=START - timedelta(days=2))
    found = with_reports(cohort(IPS[:3], 90), cohort(IPS[:3], 90, after=True), earlier=(old,))
    assert [("reported-before-only", IPS[3])] == [(m.rule, m.subject) for m in found.missing]


def test_reports_over_the_window_and_unread_places_are_listed() -> None:
    """What was not compared is said, with its reason."""
    look = MailLook(
        kind="imap",
        place="imaps://mx/INBOX",
        receiver="mx",
        began=END,
        ended=END,
        met=0,
        kept=0,
        left_out=0,
        whole=False,
        problems=("refused",),
    )
    terms = Terms(across=("google.com 7",), looks=(look,))
    found = judged(cohort(IPS, 40), cohort(IPS, 40, after=True), terms=terms)
    shown = {entry.what: entry.reason for entry in found.not_compared}
    assert "it could not be read wholly: refused" == shown["imap imaps://mx/INBOX"]
    assert "cover the window" in shown["DMARC reports google.com 7"]


def test_sources_heard_and_silent_are_named() -> None:
    """A reader sees on how many legs the verdict stands."""
    found = judged(cohort(IPS, 40), cohort(IPS, 40, after=True))
    expected = (
        "sources heard: estate, peer address (sink); silent: trusted Received line, X-MSFBL "
        "binding, SPF, DMARC reports"
    )
    assert (expected,) == found.remarks


def test_spf_that_passes_no_listed_address_is_a_disagreement_of_sources() -> None:
    """Which `spf` judges, and this promise shows."""
    mine, after = instance(), cohort(IPS, 40, after=True)
    spf = dict.fromkeys(IPS, True) | {IPS[0]: False}
    found = compare_sending_ips(gather(mine, cohort(IPS, 40)), gather(mine, after, spf=spf))
    assert f"they disagree: SPF does not pass {IPS[0]}" in found.remarks[0]


@pytest.mark.parametrize(("passes", "words"), [(True, "SPF passes it"), (False, "does not pass")])
def test_unlisted_address_is_held_against_spf(passes: bool, words: str) -> None:
    """Whether it is authorised tells a swapped pool from a stray host."""
    odd = mail(NEW, at=END, n=900)
    mine, held = instance(), frozenset({odd.digest})
    after = gather(mine, (*cohort(IPS, 40, after=True), odd), verified=held, spf={NEW: passes})
    found = compare_sending_ips(gather(mine, cohort(IPS, 40)), after)
    assert words in found.findings[0].explanation


def grouped(peers: tuple[str, ...], group: str, count: int, *, after: bool) -> tuple[Received, ...]:
    """Mails of one affinity group."""
    at = END + timedelta(minutes=5) if after else START - timedelta(hours=2)
    text = base64.b64encode(json.dumps({"g": group}).encode()).decode()
    return tuple(
        mail(peers[n % len(peers)], n=n, at=at, headers={"X-MSFBL": f"s|{text}"})
        for n in range(count)
    )


def test_mail_of_one_affinity_says_nothing_of_another() -> None:
    """A group without mail after is open, however much mail the other group got."""
    before = (*grouped(IPS[:2], "a", 200, after=False), *grouped(IPS[2:], "b", 200, after=False))
    found = judged(before, grouped(IPS[:2], "a", 2000, after=True))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert {IPS[2], IPS[3]} == {m.subject for m in found.missing}
    assert all("of news.acme.example (b)" in m.what for m in found.missing)


def test_renamed_affinities_are_one_pool() -> None:
    """A migration may rename groups; then the addresses still have to be met."""
    before = (*grouped(IPS[:2], "a", 200, after=False), *grouped(IPS[2:], "b", 200, after=False))
    found = judged(before, grouped(IPS[:3], "aws", 2000, after=True))
    assert [IPS[3]] == [f.subject for f in found.findings]


def test_each_pool_says_how_many_more_it_needs() -> None:
    """The address sends for two domains; the operator sees what either would take."""
    one = cohort(IPS, 400)
    two = cohort((*IPS, *IPS[:1] * 4), 400, domain="info.acme.example")
    found = judged((*one, *two), cohort(IPS[:3], 8, after=True))
    (gap,) = found.missing
    assert re.fullmatch(
        r"(\d+) more messages of news\.acme\.example, or (\d+) of info\.acme\.example: .*", gap.what
    )


def test_weighted_pool_needs_what_its_rarest_address_needs() -> None:
    """Shares 8:4:2:1 are learned from the mail before, and the rarest decides."""
    weights = (IPS[0],) * 8 + (IPS[1],) * 4 + (IPS[2],) * 2 + (IPS[3],)
    found = judged(cohort(weights, 1500), cohort(IPS[:3], 60, after=True))
    (gap,) = found.missing
    assert 101 < (gap.count or 0) < 130


def test_mailbox_mail_of_one_moment_is_one_piece_of_evidence() -> None:
    """A mailbox does not tell connections, so a burst over one may look like many."""
    at = END + timedelta(minutes=5)
    burst = tuple(
        replace(
            mail(IPS[n % 3], n=n, at=at, headers={"Message-ID": "<same@x>"}), peer_by="received"
        )
        for n in range(400)
    )
    assert Verdict.INCONCLUSIVE is judged(cohort(IPS, 400), burst).verdict
