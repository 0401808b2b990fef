# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest

from wavegate.verdict import (
    Finding,
    Judgement,
    Missing,
    On,
    Verdict,
    cause,
    judgement,
    not_applicable,
    worst,
)

FINDING = Finding(
    rule="changed", subject="x. TXT", expected="a", observed="b", explanation="changed"
)
GAP = Missing(what="ask again", on=On.OPERATOR, rule="silent", subject="x. TXT")


def test_cause_is_the_formula_of_the_design() -> None:
    """Anyone can recompute a cause from promise, rule, subject, before and after."""
    text = '["wavegate-cause-v1","spf","changed","x. TXT","a",null]'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert expected == cause("spf", "changed", "x. TXT", "a", None)


def test_a_finding_and_a_gap_have_causes_by_the_same_formula() -> None:
    """Waivers and notifications go by cause, for both kinds alike."""
    assert cause("spf", "changed", "x. TXT") == FINDING.cause("spf")
    assert cause("spf", "silent", "x. TXT") == GAP.cause("spf")


def test_empty_is_never_a_pass() -> None:
    """The worst of nothing is INCONCLUSIVE."""
    assert Verdict.INCONCLUSIVE is worst([])


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (list(Verdict), Verdict.FAILED),
        ([Verdict.PASSED, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.NOT_APPLICABLE, Verdict.PASSED], Verdict.PASSED),
        ([Verdict.NOT_APPLICABLE], Verdict.NOT_APPLICABLE),
    ],
)
def test_a_cell_is_the_worst_of_its_tests(verdicts: list[Verdict], expected: Verdict) -> None:
    """FAILED, INCONCLUSIVE, PASSED, NOT_APPLICABLE, in this order."""
    assert expected is worst(verdicts)


def test_findings_convict_even_where_something_is_missing() -> None:
    """A known difference is not excused by an unknown one."""
    found = judgement(findings=[FINDING], missing=[GAP], shown="s", could_hide="h")
    assert (found.verdict, found.shown, found.could_hide) == (Verdict.FAILED, None, None)


def test_a_gap_is_inconclusive_and_silence_about_it_a_pass() -> None:
    """Without findings and gaps the judgement passes and says what could hide."""
    assert Verdict.INCONCLUSIVE is judgement(missing=[GAP], shown="s", could_hide="h").verdict
    passed = judgement(shown="s", could_hide="h")
    assert (passed.verdict, passed.could_hide) == (Verdict.PASSED, "h")


@pytest.mark.parametrize(
    "fields",
    [
        {"verdict": Verdict.FAILED},
        {"verdict": Verdict.INCONCLUSIVE},
        {"verdict": Verdict.PASSED},
        {"verdict": Verdict.PASSED, "shown": "s"},
        {"verdict": Verdict.PASSED, "shown": "s", "could_hide": "h", "missing": (GAP,)},
        {"verdict": Verdict.PASSED, "shown": "s", "could_hide": "h", "findings": (FINDING,)},
        {"verdict": Verdict.NOT_APPLICABLE, "reason": ""},
    ],
)
def test_a_judgement_cannot_contradict_itself(fields: dict[str, object]) -> None:
    """FAILED needs a finding, INCONCLUSIVE what is missing, PASSED what it shows."""
    with pytest.raises(ValueError, match=r".+"):
        Judgement(**{"reason": "r", **fields})  # type: ignore[arg-type]  # wrong on purpose


def test_not_applicable_says_why() -> None:
    """A promise that does not apply has its reason."""
    assert not_applicable("no url").reason == "no url"
