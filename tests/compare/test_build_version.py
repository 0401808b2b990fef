# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`build_version`: one source convicts, hidden is not changed, and X-mailer never acquits alone."""

from collections.abc import Sequence

from tests.builders.estates import END, IPS, instance
from tests.builders.mails import mail
from tests.builders.snapshots import AFTER, BEFORE, logon, redir, silent, snapshot

from wavegate.compare.build_version import compare_build_version, gather
from wavegate.record.campaign_view import CampaignView
from wavegate.record.message import Received
from wavegate.record.observation import Observation
from wavegate.verdict import Judgement, Verdict

SHOWN = "build='9282' sha1='cc45440' instance='acme' localHost='app-1'"
HIDDEN = "date='2024-01-16 20:00:00.000Z' sourceIP='198.51.100.9'"


def judged(
    before: Sequence[Observation],
    after: Sequence[Observation],
    *,
    mail_before: tuple[Received, ...] = (),
    mail_after: tuple[Received, ...] = (),
) -> Judgement:
    """The judgement on two captures."""
    old, new = snapshot("before", before), snapshot("after", after)
    return compare_build_version(
        gather(instance(), CampaignView(old), mail_before),
        gather(instance(), CampaignView(new), mail_after),
    )


def both(attributes: str = SHOWN, **changes: str) -> tuple[Observation, ...]:
    """/r/test and Logon after."""
    return redir(attributes, at=AFTER), logon(at=AFTER, **changes)  # type: ignore[arg-type] # names of logon's texts


OLD = (redir(SHOWN, at=BEFORE), logon(at=BEFORE))


def test_same_build_passes() -> None:
    """Two sources show what they showed."""
    found = judged(OLD, both())
    assert found.verdict is Verdict.PASSED
    assert "9282" in (found.shown or "")


def test_newer_build_fails_on_every_source() -> None:
    """Both numbers are named."""
    found = judged(OLD, both(SHOWN.replace("9282", "9347"), build="9347"))
    assert found.verdict is Verdict.FAILED
    assert {"9282", "9347"} <= set(found.findings[0].witness)


def test_same_build_with_another_commit_fails() -> None:
    """A hot fix under the same number; both commits are named."""
    found = judged(OLD, both(SHOWN.replace("cc45440", "dd00001"), commit="9999999"))
    rules = [f.rule for f in found.findings]
    assert rules == ["commit-differs", "commit-differs"]
    assert {"cc45440", "dd00001"} <= set(found.findings[0].witness)
    assert {"8f3ef8e", "9999999"} <= set(found.findings[1].witness)


def test_one_front_with_another_build_fails() -> None:
    """A rolling upgrade that stopped half way; the front is named."""
    odd = redir("build='9347' sha1='cc45440' localHost='app-2'", at=AFTER, n=1)
    found = judged(OLD, (*both(), odd))
    witness = {text for f in found.findings for text in f.witness}
    assert {"9347", "/r/test of app-2"} <= witness


def test_hidden_build_is_not_a_changed_one() -> None:
    """The caller is outside the security zone; the code and the source are named."""
    found = judged(OLD, (redir(HIDDEN, at=AFTER), logon(at=AFTER, fault=True)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "XSV-350013" in found.reason
    assert "/r/test" in found.reason


def test_one_witness_suffices_to_convict() -> None:
    """Hidden in /r/test, shown by Logon and different."""
    found = judged(OLD, both(HIDDEN, build="9347"))
    assert found.verdict is Verdict.FAILED
    assert {"9347", "Logon"} <= set(found.findings[0].witness)


def test_one_witness_suffices_to_acquit_and_the_silent_one_is_listed() -> None:
    """Logon shows the same build; what /r/test hides is not compared."""
    found = judged(OLD, both(HIDDEN))
    assert found.verdict is Verdict.PASSED
    assert any("/r/test" in n.what for n in found.not_compared)


def test_sources_that_disagree_are_a_finding_of_their_own() -> None:
    """/r/test says 9282 and Logon 9347."""
    found = judged(OLD, both(build="9347"))
    assert "sources-disagree" in [f.rule for f in found.findings]
    witness = {text for f in found.findings for text in f.witness}
    assert {"9282", "9347", "Logon", "/r/test of app-1"} <= witness


def test_mailer_version_convicts_and_names_the_message() -> None:
    """The sending module was deployed from a newer image."""
    old = (mail(IPS[0], headers={"X-mailer": "nlserver, Build 8.5.1"}),)
    new = (mail(IPS[0], at=END, headers={"X-mailer": "nlserver, Build 8.6.0"}),)
    found = judged(OLD, both(), mail_before=old, mail_after=new)
    assert found.findings[0].witness == ("X-mailer", "8.6.0", new[0].message_id)


def test_mailer_of_a_stranger_does_not_convict() -> None:
    """Anyone can write to a sink, under any name."""
    old = (mail(IPS[0], headers={"X-mailer": "nlserver, Build 8.5.1"}),)
    new = (mail("203.0.113.9", at=END, headers={"X-mailer": "evil 1.0"}),)
    assert judged(OLD, both(), mail_before=old, mail_after=new).verdict is Verdict.PASSED


def test_mailer_alone_never_acquits() -> None:
    """It often carries no build number."""
    old = (mail(IPS[0], headers={"X-mailer": "nlserver, Build 6.7.0"}),)
    new = (mail(IPS[0], at=END, headers={"X-mailer": "nlserver, Build 6.7.0"}),)
    hidden = (redir(HIDDEN, at=AFTER), logon(at=AFTER, fault=True))
    assert judged(OLD, hidden, mail_before=old, mail_after=new).verdict is Verdict.INCONCLUSIVE


def test_maintenance_page_is_no_answer() -> None:
    """200 with text/html: the build was not seen."""
    page = redir("", at=AFTER, content_type="text/html", body="<html>back soon</html>")
    found = judged(OLD, (page, silent(logon(at=AFTER))))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "text/html" in found.reason
    assert "/r/test" in found.reason


def test_version_attribute_added_is_cleared_by_name() -> None:
    """Display only: build and sha1 hold."""
    found = judged(OLD, both(f"{SHOWN} version='8.5.1'"))
    assert found.verdict is Verdict.PASSED
    assert [c.rule for c in found.cleared] == ["version-attribute-is-display"]


def test_version_that_changes_is_not_display() -> None:
    """Shown on both sides, and another one."""
    old = (redir(f"{SHOWN} version='8.5.1'", at=BEFORE), logon(at=BEFORE))
    found = judged(old, both(f"{SHOWN} version='8.6.0'"))
    assert [f.rule for f in found.findings] == ["version-differs"]


def test_dates_hosts_and_callers_vary() -> None:
    """Both documented forms of the date, another front's name, another caller's address."""
    other = "localHost='app-9' date='2024/01/16 23:59:00' sourceIP='192.0.2.4'"
    new = f"build='9282' sha1='cc45440' {other}"
    assert judged(OLD, both(new)).verdict is Verdict.PASSED


def test_front_that_is_gone_with_its_build_cannot_be_told() -> None:
    """Two builds before, one after: the other front was not met."""
    old = (*OLD, redir("build='9347' sha1='cc45440' localHost='app-2'", at=BEFORE, n=1))
    found = judged(old, both())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.missing[0].rule == "front-not-seen-after"


def test_nothing_before_is_never_a_pass() -> None:
    """No amount of data after settles it."""
    found = judged((redir(HIDDEN, at=BEFORE),), both())
    assert [m.rule for m in found.missing] == ["build-not-seen-before"]
