# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`schedule`: dates in UTC, and the proof that dev and staging were closed before."""

from datetime import datetime, timedelta

import pytest
from tests.builders.estates import END, NOW, START, estate, instance, wave

from wavegate.clock import parse_instant
from wavegate.compare.schedule import ScheduleCase, SealedGate, compare_schedule
from wavegate.estate.model import Closed, Estate, Instance, Wave, Window
from wavegate.verdict import Judgement, Verdict

STAGE_WINDOW = Window(start=START - timedelta(days=30), end=START - timedelta(days=29))
EARLY = START - timedelta(days=20)


def judged(found: Estate, *gates: SealedGate, at: datetime = NOW) -> Judgement:
    """The judgement about acme-prod1 in the first wave."""
    case = ScheduleCase(
        estate=found, wave=found.waves[0], instance=found.instance("acme-prod1"), at=at, gates=gates
    )
    return compare_schedule(case)


def with_stage(*more: Instance, **other: object) -> Estate:
    """acme-stage1 moved a month before."""
    stage = wave("2023-12-w1", "acme-stage1", **({"window": STAGE_WINDOW} | other))
    return estate(instance(), instance("acme-stage1"), *more, waves=(wave(), stage))


def gate(word: str = "GO", *, at: datetime = EARLY, closed: bool = True) -> SealedGate:
    """A sealed gate of acme-stage1's wave."""
    return SealedGate(
        wave="2023-12-w1",
        run="r1",
        at=at,
        decision={"acme-stage1": word},
        closed=frozenset({"acme-stage1"} if closed and word == "GO" else ()),
    )


def alone(start: str, environment: str = "prod") -> Estate:
    """acme-prod1 with a window of its own; no dev or stage."""
    opening = parse_instant(start)
    window = Window(start=opening, end=opening + timedelta(hours=1))
    return estate(instance(environment=environment), waves=(wave(window=window),))


@pytest.mark.parametrize("start", ["2023-12-31T23:30:00Z", "2024-01-01T00:30:00+01:00"])
def test_production_before_january_in_utc_fails(start: str) -> None:
    """Half an hour early is early, whatever the local date says."""
    found = judged(alone(start))
    assert found.findings[0].rule == "window-too-early"
    assert "2023-12-31T23:30:00Z" in found.findings[0].witness


@pytest.mark.parametrize(
    ("start", "environment"), [("2024-01-01T00:00:00Z", "prod"), ("2023-10-01T00:00:00Z", "stage")]
)
def test_the_first_instant_is_right(start: str, environment: str) -> None:
    """The earliest date is included."""
    assert judged(alone(start, environment)).verdict is Verdict.PASSED


def test_customer_with_production_only_passes_and_says_so() -> None:
    """There is nothing to wait for."""
    found = judged(estate())
    assert found.verdict is Verdict.PASSED
    assert "acme has no dev or stage" in (found.shown or "")


def test_closed_before_the_opening_passes() -> None:
    """A sealed gate proves it, and is named."""
    found = judged(with_stage(), gate())
    assert found.verdict is Verdict.PASSED
    assert "r1" in (found.shown or "")


def test_no_go_of_stage_fails() -> None:
    """The last gate up to the opening speaks."""
    found = judged(with_stage(), gate(at=EARLY - timedelta(days=1)), gate("NO-GO"))
    assert found.findings[0].rule == "production-before-stage"
    assert {"acme-stage1", "NO-GO"} <= set(found.findings[0].witness)


def test_repeated_gate_makes_it_good() -> None:
    """A NO-GO that was mended before the opening is no obstacle."""
    found = judged(with_stage(), gate("NO-GO", at=EARLY - timedelta(days=1)), gate())
    assert found.verdict is Verdict.PASSED


def test_never_gated_cannot_be_told() -> None:
    """Evidence lost is not evidence of failing."""
    found = judged(with_stage())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "acme-stage1" in found.missing[0].what


def test_closed_after_the_opening_fails_with_both_times() -> None:
    """Order, not existence."""
    late = START + timedelta(hours=2)
    found = judged(with_stage(), gate(at=late))
    assert found.findings[0].rule == "closed-after-opening"
    assert {"2024-01-16T22:00:00Z", "2024-01-17T00:00:00Z"} <= set(found.findings[0].witness)


def test_open_gate_before_the_opening_fails_once_it_opened() -> None:
    """GO with open cells is not closed; before the opening it can still become so."""
    waiting = gate(closed=False)
    assert judged(with_stage(), waiting).verdict is Verdict.FAILED
    early = judged(with_stage(), waiting, at=START - timedelta(hours=1))
    assert early.verdict is Verdict.INCONCLUSIVE
    assert early.missing[0].settles_by == START


def test_stage_in_no_wave_fails() -> None:
    """The other customer's stage does not help."""
    found = judged(
        estate(
            instance(),
            instance("acme-stage1"),
            instance("globex-stage1"),
            waves=(wave(), wave("2023-12-w1", "globex-stage1", window=STAGE_WINDOW)),
        ),
        SealedGate(
            wave="2023-12-w1",
            run="r1",
            at=EARLY,
            decision={"globex-stage1": "GO"},
            closed=frozenset({"globex-stage1"}),
        ),
    )
    assert found.findings[0].witness[0] == "acme-stage1"
    assert "globex" not in str(found)


def test_unplanned_stage_fails() -> None:
    """It moves later than production."""
    found = judged(estate(instance(), instance("acme-stage1", wave="unplanned")))
    assert found.verdict is Verdict.FAILED


def test_stage_in_the_same_window_fails() -> None:
    """Closed before the opening is impossible there."""
    found = judged(
        estate(
            instance(),
            instance("acme-stage1"),
            waves=(wave("2024-01-w1", "acme-prod1", "acme-stage1"),),
        )
    )
    assert found.findings[0].subject == "instance:acme-stage1"


def test_stage_window_after_production_fails() -> None:
    """Planned in the wrong order."""
    later = Window(start=END + timedelta(days=1), end=END + timedelta(days=2))
    assert judged(with_stage(window=later)).verdict is Verdict.FAILED


CLAIM = Closed(at=EARLY, approved_by="J. Doe", reference="CHG-77")


def test_claim_passes_and_says_that_it_is_one() -> None:
    """A wave that ended before Wavegate was used."""
    found = judged(with_stage(closed=CLAIM, window=None))
    assert found.verdict is Verdict.PASSED
    assert "claim" in (found.shown or "")
    assert any("J. Doe" in remark for remark in found.remarks)


def test_claim_after_the_opening_fails() -> None:
    """Even a claim has to be in order."""
    late = CLAIM.model_copy(update={"at": START + timedelta(hours=1)})
    assert judged(with_stage(closed=late)).findings[0].rule == "closed-after-opening"


def test_sealed_gate_overrides_the_claim() -> None:
    """What was proven goes before what was claimed."""
    assert judged(with_stage(closed=CLAIM), gate("NO-GO")).verdict is Verdict.FAILED


def test_on_premise_stage_is_not_waited_for() -> None:
    """It never moves."""
    found = judged(estate(instance(), instance("acme-stage1", hosting="on-premise")))
    assert found.verdict is Verdict.PASSED


def test_wave_without_a_window_cannot_be_judged() -> None:
    """A claim of being closed has no opening to hold anything against."""
    claimed: Wave = wave(window=None, closed=CLAIM)
    assert judged(estate(waves=(claimed,))).verdict is Verdict.INCONCLUSIVE
