# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sound_evidence`: complete, signed, in time, by one tool, and after the move."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.builders.estates import END, NOW, START, estate, instance
from tests.builders.mails import mail
from tests.builders.snapshots import (
    AFTER,
    AGREED,
    BEFORE,
    NS,
    answered,
    campaign,
    chosen,
    dns_seen,
    logon,
    redir,
    silent,
    snapshot,
    zone,
)

from wavegate.compare.sound_evidence import (
    RecordFlaw,
    SignedPlan,
    SoundCase,
    compare_sound_evidence,
)
from wavegate.record.snapshot import LeftOut, Phase, Tool
from wavegate.record.stamp import Stamp
from wavegate.verdict import Judgement, Verdict

D = "news.acme.example"
PLAN = SignedPlan(version=1, at=START - timedelta(days=2), agreed={"acme": AGREED})


def case(**other: object) -> SoundCase:
    """A sound case, with some of it replaced."""
    found = estate()
    fields: dict[str, object] = {
        "estate": found,
        "wave": found.waves[0],
        "instance": found.instances[0],
        "at": NOW,
        "before": chosen(snapshot("before")),
        "after": chosen(snapshot("after")),
        "agreed": AGREED,
        "plan": PLAN,
    }
    return SoundCase(**(fields | other))  # type: ignore[arg-type] # test data of known shape


def judged(**other: object) -> Judgement:
    """The judgement on it."""
    return compare_sound_evidence(case(**other))


def test_sound_evidence_passes() -> None:
    """It says which captures counted, and that the move was not checked."""
    found = judged()
    assert found.verdict is Verdict.PASSED
    assert snapshot("before").digest[:16] in (found.shown or "")
    assert any("move itself was not checked" in remark for remark in found.remarks)


def late_before(**other: object) -> Mapping[str, object]:
    """A before capture whose last observation is after the opening."""
    late = dns_seen(D, "MX", answered(D, "MX"), at=START + timedelta(minutes=3))
    return {"before": chosen(snapshot("before", [*zone(BEFORE), late], **other))}


FAILED: Mapping[str, tuple[Mapping[str, object], str, str]] = {
    "straddles": (late_before(), "wrong-side-of-window", "2024-01-16T22:03:00Z"),
    "after-too-early": (
        {"after": chosen(snapshot("after", [*zone(END - timedelta(minutes=12))]))},
        "wrong-side-of-window",
        "2024-01-16T22:48:00Z",
    ),
    "forced": (
        {"before": chosen(snapshot("before", forced=True))},
        "forced",
        "2024-01-16T19:00:00Z",
    ),
    "plan-late": (
        {"plan": replace(PLAN, at=START + timedelta(minutes=1))},
        "plan-after-opening",
        "2024-01-16T22:01:00Z",
    ),
    "estate-changed": ({"agreed": "f" * 64}, "agreed-estate-changed", "f" * 64),
    "unknown-key": (
        {"flaws": (RecordFlaw(kind="unknown-key", subject="signed/x", detail="key k1"),)},
        "record-unknown-key",
        "signed/x",
    ),
    "digest": (
        {"flaws": (RecordFlaw(kind="digest", subject="o", detail="differs", record="d" * 64),)},
        "record-digest",
        "d" * 64,
    ),
    "wrong-instance": (
        {"flaws": (RecordFlaw(kind="wrong-instance", subject="acme-prod1", detail="acme-stage1"),)},
        "record-wrong-instance",
        "acme-prod1",
    ),
}


@pytest.mark.parametrize("fault", FAILED)
def test_unsound_evidence_fails(fault: str) -> None:
    """What is wrong is named."""
    other, rule, witness = FAILED[fault]
    found = judged(**other)
    assert found.verdict is Verdict.FAILED
    convicted = [f for f in found.findings if f.rule == rule]
    assert witness in convicted[0].witness


def test_one_record_for_both_phases_fails() -> None:
    """A copy to make the wave green."""
    before = chosen(snapshot("before"))
    found = judged(before=before, after=before)
    assert "same-record-both-phases" in [f.rule for f in found.findings]


INCONCLUSIVE: Mapping[str, tuple[Mapping[str, object], str, str]] = {
    "no-before": ({"before": None}, "no-before", "acme-prod1"),
    "no-after": ({"after": None}, "no-after", "acme-prod1"),
    "no-plan": ({"plan": None}, "no-plan", "plan"),
    "incomplete": ({"after": chosen(snapshot("after", complete=False))}, "incomplete", "complete"),
    "no-dns": (
        {"before": chosen(snapshot("before", campaign(BEFORE)))},
        "nothing-observed",
        "DNS",
    ),
    "too-old": (
        {
            "before": chosen(
                snapshot(
                    "before", zone(START - timedelta(days=45)), ended=START - timedelta(days=45)
                )
            )
        },
        "baseline-too-old",
        "45 d",
    ),
    "tool": (
        {"after": chosen(snapshot("after", tool=Tool(version="1.5.0", source="t" * 64)))},
        "tool-differs",
        "1.4.0 and 1.5.0",
    ),
    "same-version-other-source": (
        {"after": chosen(snapshot("after", tool=Tool(version="1.4.0", source="t" * 64)))},
        "tool-differs",
        "changed sources",
    ),
    "missing-object": (
        {"flaws": (RecordFlaw(kind="missing-object", subject="signed/x", detail="gone"),)},
        "record-missing-object",
        "gone",
    ),
}


@pytest.mark.parametrize("gap", INCONCLUSIVE)
def test_gap_cannot_be_told(gap: str) -> None:
    """What is missing is said."""
    other, rule, text = INCONCLUSIVE[gap]
    found = judged(**other)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert text in next(m.what for m in found.missing if m.rule == rule)


def test_asked_less_after_is_listed() -> None:
    """A selector and a server that were not asked again."""
    key = f"acc2._domainkey.{D}"
    more = [dns_seen(key, "TXT", answered(key, "TXT", '"v=DKIM1; p="'))]
    other = [dns_seen(D, "MX", answered(D, "MX"), server="192.0.2.56:53")]
    before = chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), *more, *other]))
    found = judged(before=before)
    missing = next(m for m in found.missing if m.rule == "asked-less-after")
    assert "acc2" in missing.what
    assert "192.0.2.56:53" in missing.what


def test_history_read_at_another_time_may_go() -> None:
    """An early capture reads older stretches of the rate than a later one; no question was lost."""
    early = replace(campaign(BEFORE)[0], asked={"series": "rates", "body": "rates before 7"})
    found = judged(before=chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), early])))
    assert found.verdict is Verdict.PASSED


def test_question_that_an_answer_led_to_may_go() -> None:
    """A CNAME that is no CNAME any more: its target is not asked again, and need not be."""
    key, target = f"acc1._domainkey.{D}", "acc1.dkim.vendor.example"
    old = [
        dns_seen(key, "TXT", answered(key, "TXT", f"@{key} CNAME {target}.")),
        dns_seen(target, "TXT", answered(target, "TXT", '"v=DKIM1; p=AAAA"')),
    ]
    new = [dns_seen(key, "TXT", answered(key, "TXT", '"v=DKIM1; p=AAAA"'), at=AFTER)]
    found = judged(
        before=chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), *old])),
        after=chosen(snapshot("after", [*zone(AFTER), *campaign(AFTER), *new])),
    )
    assert found.verdict is Verdict.PASSED


def test_zone_of_an_include_that_is_gone_may_go() -> None:
    """An include written out: neither it nor its zone is asked any more."""
    spf = '"v=spf1 include:_spf.tickets.example -all"'
    old = [
        dns_seen("mail.acme.example", "TXT", answered("mail.acme.example", "TXT", spf)),
        dns_seen("_spf.tickets.example", "TXT", answered("_spf.tickets.example", "TXT", '"x"')),
        dns_seen("tickets.example", "SOA", answered("tickets.example", "SOA")),
    ]
    flat = answered("mail.acme.example", "TXT", '"v=spf1 ip4:192.0.2.1 -all"')
    new = [dns_seen("mail.acme.example", "TXT", flat, at=AFTER)]
    found = judged(
        before=chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), *old])),
        after=chosen(snapshot("after", [*zone(AFTER), *campaign(AFTER), *new])),
    )
    assert found.verdict is Verdict.PASSED


def test_question_behind_an_answer_that_nobody_gave_may_go() -> None:
    """The servers were silent: what their answers led to could not be asked."""
    host = "ns1.acme.example"
    old = [dns_seen(host, "A", answered(host, "A", "192.0.2.53"))]
    before = chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), *old]))
    mute = [silent(o) if o.subject == f"{D} NS" else o for o in zone(AFTER)]
    after = chosen(snapshot("after", [*mute, *campaign(AFTER)]))
    assert judged(before=before, after=after).verdict is Verdict.PASSED


def test_without_a_session_nothing_else_can_be_asked() -> None:
    """Logon was refused after: what a session is needed for is no gap of the capture."""
    option = replace(
        logon(at=BEFORE),
        subject="https://acme-prod1.example xtk:session#GetOption X",
        asked={"url": "x", "action": "xtk:session#GetOption", "option": "X"},
    )
    before = chosen(snapshot("before", [*zone(BEFORE), *campaign(BEFORE), option]))
    refused = [redir("build='9282'", at=AFTER), logon(at=AFTER, fault=True)]
    assert judged(before=before).verdict is Verdict.INCONCLUSIVE
    after = chosen(snapshot("after", [*zone(AFTER), *refused]))
    assert judged(before=before, after=after).verdict is Verdict.PASSED


def test_servers_of_another_ns_set_may_go() -> None:
    """The delegation changed: who is not listed any more is not asked any more."""
    gone = [o for o in zone(AFTER) if o.asked["server"] == NS[0] and not o.subject.endswith(" NS")]
    ns = [dns_seen(D, "NS", answered(D, "NS", "ns1.acme.example."), at=AFTER)]
    found = judged(after=chosen(snapshot("after", [*gone, *ns, *campaign(AFTER)])))
    assert found.verdict is Verdict.PASSED


SIGN = {"received_by": "-mta-i-"}
NEW = {"Received": "from x by irl1-mta-i-0f68; now"}
OLD = {"Received": "from x by old-a.lon7; now"}


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [(OLD, OLD, "move-not-seen"), (NEW, NEW, "sign-seen-before"), (OLD, NEW, None)],
)
def test_nothing_moved_is_not_a_pass(
    before: Mapping[str, str], after: Mapping[str, str], rule: str | None
) -> None:
    """Rule 12: the estate names a sign of the move, and it has to be seen, newly."""
    found = judged(
        instance=instance(moved_when=SIGN),
        mail_before=(mail(headers=before),),
        mail_after=(mail(at=END, headers=after),),
    )
    assert [m.rule for m in found.missing] == ([rule] if rule else [])


def test_old_site_is_named_where_nothing_moved() -> None:
    """An all-green report would be false."""
    found = judged(instance=instance(moved_when=SIGN), mail_after=(mail(at=END, headers=OLD),))
    assert "old-a.lon7" in found.reason


@pytest.mark.parametrize(("seconds", "sound"), [(2, True), (90, False), (-90, False)])
def test_clock_skew_beyond_tolerance(seconds: int, sound: bool) -> None:
    """Edges of the window cannot be told with a clock that is 90 s off."""
    date = AFTER + timedelta(seconds=seconds)
    look = redir("build='9282' sha1='cc45440' instance='acme_mkt_prod1'", at=AFTER, date=date)
    rest = [o for o in campaign(AFTER) if o.kind == "soap"]
    found = judged(after=chosen(snapshot("after", [*zone(AFTER), look, *rest])))
    assert (found.verdict is Verdict.PASSED) is sound
    if not sound:
        assert "s ahead" in found.reason or "s behind" in found.reason


def test_required_timestamps_are_missing() -> None:
    """Policy asks for them; the digests are named."""
    bound = estate(policy={"timestamps": "required"})
    found = judged(estate=bound)
    assert {m.rule for m in found.missing} == {"no-timestamp"}
    assert len(found.missing) == 2


def stamp(phase: Phase, at: datetime) -> Stamp:
    """A token over the capture of a phase."""
    record = snapshot(phase).digest
    name = f"stamps/w1/acme-prod1/{phase}.1.tsr"
    second = timedelta(seconds=1)
    return Stamp(name=name, record=record, at=at, accuracy=second, authority="tsa")


GOOD_STAMPS = (stamp("before", START - timedelta(minutes=1)), stamp("after", NOW))


def test_required_timestamps_are_there() -> None:
    """Both sides are borne out: what could hide is the authority itself, not our clock."""
    found = judged(estate=estate(policy={"timestamps": "required"}), stamps=GOOD_STAMPS)
    assert Verdict.PASSED is found.verdict
    assert "authority that is none" in (found.could_hide or "")
    assert not any("our clock only" in remark for remark in found.remarks)


@pytest.mark.parametrize(("demand", "verdict"), [("required", "FAILED"), ("optional", "PASSED")])
def test_late_timestamp_of_before(demand: str, verdict: str) -> None:
    """It proves existence by then, no more: no use where optional, wrong where required."""
    late = (stamp("before", START + timedelta(seconds=2)), GOOD_STAMPS[1])
    found = judged(estate=estate(policy={"timestamps": demand}), stamps=late)
    assert verdict == str(found.verdict)


def test_timestamp_on_the_edge() -> None:
    """Within its accuracy of the opening nobody can tell: missing, not wrong."""
    edge = (stamp("before", START), GOOD_STAMPS[1])
    found = judged(estate=estate(policy={"timestamps": "required"}), stamps=edge)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert ["no-timestamp"] == [missing.rule for missing in found.missing]


@pytest.mark.parametrize("demand", ["required", "optional"])
def test_after_stamped_before_the_close(demand: str) -> None:
    """What an authority saw before the close was not captured after it, whatever is required."""
    early = (GOOD_STAMPS[0], stamp("after", END - timedelta(minutes=5)))
    found = judged(estate=estate(policy={"timestamps": demand}), stamps=early)
    assert Verdict.FAILED is found.verdict
    assert "timestamp-wrong-side" in {finding.rule for finding in found.findings}


def test_one_good_timestamp_of_two_suffices() -> None:
    """A second authority that was late takes nothing away from the first."""
    two = (*GOOD_STAMPS, stamp("before", START + timedelta(minutes=1)))
    found = judged(estate=estate(policy={"timestamps": "required"}), stamps=two)
    assert Verdict.PASSED is found.verdict


def test_stamped_before_it_was_there() -> None:
    """A token from before the capture ended: one of the two clocks is wrong."""
    early = (stamp("before", snapshot("before").ended - timedelta(minutes=5)), GOOD_STAMPS[1])
    found = judged(stamps=early)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert ["clock-skew"] == [missing.rule for missing in found.missing]


def test_timestamp_of_another_record_counts_for_nothing() -> None:
    """Only a token over the record itself bears it out."""
    other = replace(GOOD_STAMPS[0], record="0" * 64)
    found = judged(estate=estate(policy={"timestamps": "required"}), stamps=(other, GOOD_STAMPS[1]))
    assert Verdict.INCONCLUSIVE is found.verdict


def test_torn_last_line_of_a_journal_is_a_remark() -> None:
    """A writer at work: what it never acknowledged is no evidence, and no fault."""
    flaw = RecordFlaw(kind="torn-journal", subject="mail/1.jsonl", detail="left out")
    found = judged(flaws=(flaw,))
    assert found.verdict is Verdict.PASSED
    assert any("left out" in remark for remark in found.remarks)


def test_what_was_left_out_is_listed() -> None:
    """An address family without a route here was not asked."""
    left = (LeftOut(what="IPv6 servers", reason="no route"),)
    found = judged(after=chosen(snapshot("after", left_out=left)))
    assert found.not_compared[0].what == "IPv6 servers"


def test_all_attempts_are_told() -> None:
    """Two before captures: which one counts is said."""
    first, second = snapshot("before", sequence=1), snapshot("before", sequence=2)
    found = judged(before=chosen(second, attempts=(first, second)))
    assert found.verdict is Verdict.PASSED
    assert any("capture 2 counts" in remark for remark in found.remarks)
