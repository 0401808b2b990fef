# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`scope`: what stands where in the estate, and what mail tells of instances outside the wave."""

from datetime import timedelta

from tests.builders.estates import END, START, estate, instance, wave
from tests.builders.mails import mail

from wavegate.compare.scope import ScopeCase, bears_sign, compare_scope, received_by
from wavegate.estate.model import Estate, MovedWhen
from wavegate.record.message import Received
from wavegate.verdict import Judgement, Verdict

SIGN = MovedWhen(received_by="-mta-i-0[0-9a-f]{16}$")
NEW = {"Received": "from [10.0.0.1] by irl1-mta-i-0f68260768887617a (ecelerity) ; now"}
OLD = {"Received": "from [10.0.0.1] by momentum06.lon7 (ecelerity) ; now"}


def judged(
    found: Estate,
    name: str,
    *,
    before: tuple[Received, ...] = (),
    window: tuple[Received, ...] | None = None,
    after: tuple[Received, ...] = (),
) -> Judgement:
    """The judgement of one instance against the first wave."""
    return compare_scope(
        ScopeCase(
            estate=found,
            wave=found.waves[0],
            instance=found.instance(name),
            mail_before=before,
            mail_window=window,
            mail_after=after,
        )
    )


def outside(**other: object) -> Estate:
    """globex-prod1 is affected and stands in another wave."""
    return estate(
        instance(),
        instance("globex-prod1", **other),
        waves=(wave(), wave("2024-01-w2", "globex-prod1")),
    )


def steady(headers: dict[str, str] | None = None) -> tuple[Received, ...]:
    """A mail every ten seconds until the window opens."""
    return tuple(
        mail(n=n * 10, at=START - timedelta(seconds=610), headers=headers) for n in range(60)
    )


def test_passes_in_its_one_wave() -> None:
    """An affected instance in exactly one wave is right."""
    found = judged(estate(), "acme-prod1")
    assert found.verdict is Verdict.PASSED
    assert "2024-01-w1" in (found.shown or "")


def test_on_premise_in_the_wave_fails() -> None:
    """On-premise never moves."""
    found = judged(estate(instance(hosting="on-premise", product="campaign-v7")), "acme-prod1")
    assert [f.rule for f in found.findings] == ["on-premise-in-wave"]
    assert {"acme-prod1", "on-premise"} <= set(found.findings[0].witness)


def test_two_waves_fail_and_both_are_named() -> None:
    """A moved plan whose old line was kept."""
    found = judged(estate(waves=(wave(), wave("2024-01-w2"))), "acme-prod1")
    assert found.findings[0].rule == "in-several-waves"
    assert {"2024-01-w1", "2024-01-w2"} <= set(found.findings[0].witness)


def test_unplanned_in_the_wave_fails() -> None:
    """The estate contradicts itself."""
    found = judged(estate(instance(wave="unplanned")), "acme-prod1")
    assert found.findings[0].rule == "unplanned-in-wave"


def test_affected_in_no_wave_fails() -> None:
    """A forgotten instance adds a cell of its own to every grid."""
    found = judged(estate(instance(), instance("globex-prod1")), "globex-prod1")
    assert found.verdict is Verdict.FAILED
    assert found.findings[0].witness == ("globex-prod1",)


def test_unplanned_outside_does_not_apply() -> None:
    """Deliberately later is not forgotten; what was not looked at is listed."""
    found = judged(estate(instance(), instance("globex-prod1", wave="unplanned")), "globex-prod1")
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert len(found.not_compared) == 2


def test_in_another_wave_does_not_apply() -> None:
    """It has its turn."""
    found = judged(outside(), "globex-prod1")
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert "2024-01-w2" in found.reason


def test_in_two_other_waves_fails_too() -> None:
    """Wherever it stands, it stands in one."""
    twice = estate(
        instance(),
        instance("globex-prod1"),
        waves=(wave(), wave("2024-01-w2", "globex-prod1"), wave("2024-01-w3", "globex-prod1")),
    )
    found = judged(twice, "globex-prod1")
    assert {"2024-01-w2", "2024-01-w3"} <= set(found.findings[0].witness)


def test_newly_bears_the_sign_of_the_move() -> None:
    """A shared binding moved as a whole."""
    after = (mail(at=END, headers=NEW),)
    found = judged(outside(moved_when=SIGN), "globex-prod1", before=steady(OLD), after=after)
    assert [f.rule for f in found.findings] == ["moved-outside-its-wave"]
    assert after[0].message_id in found.findings[0].witness


def test_a_sign_that_was_there_before_is_no_move() -> None:
    """Only what is new convicts."""
    found = judged(
        outside(moved_when=SIGN),
        "globex-prod1",
        before=steady(NEW),
        after=(mail(at=END, headers=NEW),),
    )
    assert found.verdict is Verdict.NOT_APPLICABLE


def test_a_sign_without_mail_before_cannot_be_told() -> None:
    """Whether the sign is new is unknown: never a pass, never a conviction."""
    found = judged(outside(moved_when=SIGN), "globex-prod1", after=(mail(at=END, headers=NEW),))
    assert found.verdict is Verdict.INCONCLUSIVE


def test_stopped_in_the_window() -> None:
    """A silence that begins and ends with the window, in a steady stream."""
    found = judged(outside(), "globex-prod1", before=steady(), window=(), after=(mail(at=END),))
    assert [f.rule for f in found.findings] == ["stopped-outside-its-wave"]


def test_silence_that_nobody_listened_to_does_not_convict() -> None:
    """Where the receiving side may have been down, silence says nothing, and that is listed."""
    found = judged(outside(), "globex-prod1", before=steady(), window=None, after=(mail(at=END),))
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert any("stopped in the window" in n.what for n in found.not_compared)


def test_rare_mail_may_well_be_absent_from_a_window() -> None:
    """Gaps as long as the window were usual before."""
    rare = tuple(mail(n=n * 3600, at=START - timedelta(hours=30)) for n in range(30))
    found = judged(outside(), "globex-prod1", before=rare, window=(), after=(mail(at=END),))
    assert found.verdict is Verdict.NOT_APPLICABLE


def test_received_hosts_are_read_in_order() -> None:
    """The by-hosts, with what is in parentheses left out."""
    found = mail(headers={"Received": "from a (helo=b) by mx.example. (c) ; now"})
    assert received_by(found) == ("mx.example",)
    assert not bears_sign(instance(), found)
