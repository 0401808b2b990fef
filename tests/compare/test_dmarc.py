# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders.estates import IPS, instance
from tests.compare.signed import NEW, OLD, key_text, some
from tests.compare.views import SERVERS, TableView, alike

from wavegate.compare.dmarc import compare_dmarc, gather
from wavegate.record.message import Received
from wavegate.verdict import Judgement, Verdict

NEWS = "news.acme.example"
RECORD = "v=DMARC1; p=reject; rua=mailto:dmarc@acme.example"
ZONE: dict[str, Any] = {
    NEWS: [{"TXT": f"v=spf1 {' '.join(f'ip4:{ip}' for ip in IPS)} -all"}],
    f"acc1._domainkey.{NEWS}": [{"TXT": key_text(OLD)}],
    f"_dmarc.{NEWS}": [{"TXT": RECORD}],
    "_dmarc.acme.example": [{"TXT": "v=DMARC1; p=quarantine; sp=none"}],
}
BEFORE, AFTER = some(), some(after=True)


def record(text: Any) -> dict[str, Any]:
    """The zone with another record at the sender domain; None: without."""
    rows = [] if text is None else [{"TXT": text}]
    return {**ZONE, f"_dmarc.{NEWS}": rows}


def judged(
    after: TableView | None = None,
    before: TableView | None = None,
    *,
    mails: tuple[Received, ...] = AFTER,
    earlier: tuple[Received, ...] = BEFORE,
) -> Judgement:
    """The judgement over two views of the DNS."""
    subject = instance()
    return compare_dmarc(
        gather(subject, before or alike(ZONE), earlier),
        gather(subject, after or alike(ZONE), mails),
    )


FAULTS: dict[str, tuple[Mapping[str, Any], str, set[str]]] = {
    "weakened": (
        record(RECORD.replace("reject", "none")),
        "other-policy",
        {NEWS, "reject", "none"},
    ),
    "the parent's sp applies": (record(None), "other-policy", {NEWS, "sp=none", "p=reject"}),
    "strict alignment": (
        record(f"{RECORD}; aspf=s; adkim=s"),
        "other-policy",
        {NEWS, "aspf=s", "adkim=s"},
    ),
    "testing": (record(f"{RECORD}; t=y"), "other-policy", {NEWS, "t=y", "quarantine"}),
    "sampled": (record(f"{RECORD}; pct=20"), "other-policy", {NEWS, "pct=20"}),
    "reports go elsewhere": (
        record(RECORD.replace("dmarc@acme", "dmarc@operator")),
        "other-reporting",
        {NEWS, "dmarc@acme.example", "dmarc@operator.example"},
    ),
    "two records": (
        {**ZONE, f"_dmarc.{NEWS}": [{"TXT": RECORD}, {"TXT": "v=DMARC1; p=none"}]},
        "other-policy",
        {NEWS},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    """Each convicts once, at the record that applied, with the tags responsible."""
    after, rule, witness = FAULTS[name]
    found = judged(alike(after))
    (finding,) = found.findings
    assert (Verdict.FAILED, rule) == (found.verdict, finding.rule)
    assert f"_dmarc.{NEWS} TXT" == finding.subject
    assert witness <= set(finding.witness), finding.witness


def test_nothing_changed() -> None:
    """The policy in effect, under both RFCs, and mail that aligns."""
    found = judged()
    assert Verdict.PASSED is found.verdict, found.reason
    assert "4 of 4 messages after align" in str(found.shown)


BENIGN = {
    "tag-order": "v=DMARC1; rua=mailto:dmarc@acme.example; p=reject",
    "defaults-explicit": f"{RECORD}; pct=100; adkim=r; aspf=r; ri=86400",
    "case": "v=DMARC1; P=Reject; rua=mailto:dmarc@ACME.example",
    "txt-split": [RECORD[:12], RECORD[12:]],
}


@pytest.mark.parametrize("rule", BENIGN)
def test_benign_rewrites_are_cleared_by_name(rule: str) -> None:
    """The same policy in effect."""
    found = judged(alike(record(BENIGN[rule])))
    assert Verdict.PASSED is found.verdict, found.reason
    assert [rule] == [cleared.rule for cleared in found.cleared]


def test_an_own_record_in_place_of_an_inherited_one() -> None:
    """The same in effect, and mentioned."""
    text = "v=DMARC1; p=none; psd=u"
    before = {**record(None), "_dmarc.acme.example": [{"TXT": text}]}
    after = {**record(text), "_dmarc.acme.example": [{"TXT": text}]}
    found = judged(alike(after), alike(before))
    assert Verdict.PASSED is found.verdict, found.reason
    assert ["own-record-for-inherited"] == [cleared.rule for cleared in found.cleared]


def test_the_odd_server_is_named() -> None:
    """One stale server of four."""
    found = judged(alike(ZONE, ns3=record("v=DMARC1; p=none")))
    (finding,) = found.findings
    assert SERVERS[2] in finding.witness
    assert SERVERS[0] not in finding.witness


def test_silence_is_not_the_absence_of_a_policy() -> None:
    """Silent servers are named; a silent name of the walk is asked again."""
    found = judged(alike("timeout"))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert all(server in found.missing[0].what for server in SERVERS)
    found = judged(alike({**ZONE, f"_dmarc.{NEWS}": ["TIMEOUT"]}))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert f"_dmarc.{NEWS} TXT" in found.missing[0].what


def test_mail_that_aligns_by_neither() -> None:
    """A broken signature and a MAIL FROM of another domain: no identity speaks for it."""
    mails = some(after=True, which=NEW, mail_from="bounce@eu-west.mta.example")
    (finding,) = judged(mails=mails).findings
    assert ("mail-does-not-align", NEWS) == (finding.rule, finding.subject)
    assert {mails[0].message_id, "eu-west.mta.example"} <= set(finding.witness)
    assert ("aligns", "does not align") == (finding.before, finding.after)


@pytest.mark.parametrize(
    "given",
    [
        {"which": NEW},  # the signature is broken, SPF passes and aligns
        {"mail_from": "bounce@eu-west.mta.example"},  # SPF does not align, the signature does
        {"which": NEW, "mail_from": "", "helo": NEWS},  # null MAIL FROM: the HELO name counts
    ],
)
def test_one_aligned_identity_is_enough(given: Mapping[str, Any]) -> None:
    """RFC 9989 4.4."""
    found = judged(mails=some(after=True, **given))
    assert Verdict.PASSED is found.verdict, found.reason


def test_alignment_that_rests_on_an_unanswered_key() -> None:
    """Cannot tell whether the signature verifies, and SPF does not align."""
    zone = {**ZONE, f"acc1._domainkey.{NEWS}": ["TIMEOUT"]}
    mails = some(after=True, mail_from="bounce@eu-west.mta.example")
    found = judged(alike(zone), mails=mails)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert ["alignment-not-decidable"] == [gap.rule for gap in found.missing]


def test_without_mail_it_is_inconclusive() -> None:
    """The policy alone does not keep the promise."""
    assert Verdict.INCONCLUSIVE is judged(mails=()).verdict
    assert Verdict.INCONCLUSIVE is judged(earlier=()).verdict


def test_the_rfcs_may_part() -> None:
    """Where they part before as after, it is told and nothing more."""
    both = alike(record(f"{RECORD}; t=y"))
    found = judged(both, both)
    assert Verdict.PASSED is found.verdict, found.reason
    assert any("the RFCs part" in remark for remark in found.remarks)
