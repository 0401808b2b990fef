# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_ips`: unlisted convicts at once, unseen only beyond chance, strangers not at all."""

import pytest
from tests.builders.estates import END, IPS, instance
from tests.builders.mails import cohort, mail, msfbl

from wavegate.compare.sending_ips import Terms, compare_sending_ips, gather
from wavegate.estate.model import Instance
from wavegate.record.message import Received
from wavegate.verdict import Judgement, Verdict

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
    assert found.remarks == (f"operator: {NEW} is a sending IP of globex-prod1",)


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
