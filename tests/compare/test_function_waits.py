# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest
from tests.builders.estates import estate, instance, wave
from tests.builders.timelines import SETTLED, Shape, at, every, timeline, watched

from wavegate.clock import format_instant
from wavegate.compare.function_waits import BOUNCES, EVENTS
from wavegate.compare.only_sending_disrupted import FunctionsCase, compare_only_sending_disrupted
from wavegate.verdict import Judgement, Verdict

Oldest = Callable[[float], float | None]
"""Since which minute the oldest waits, by the minute of looking; None where nothing does."""


def judged(name: str, oldest: Oldest, *, until: float = SETTLED) -> Judgement:
    """The judgement at a minute on a function of which something waits."""
    line = timeline(
        every(name, shape=_shape(oldest), until=until),
        functions=[watched(name)],
        ended=until,
        settled=until >= SETTLED,
    )
    mine = instance(functions={"inbound_mail": {"seed": "gone@bounce.example"}})
    case = FunctionsCase(
        estate=estate(mine), wave=wave(), instance=mine, at=at(until), timelines=(line,)
    )
    return compare_only_sending_disrupted(case)


def _shape(oldest: Oldest) -> Shape:
    def shape(minute: float) -> dict[str, object]:
        since = oldest(minute)
        if since is None:
            return {"value": "none"}
        value = f"{round(since * 10)} since {format_instant(at(since))}"
        return {"value": value, "detail": f"1 of 9 mails to gone@bounce.example wait, {value}"}

    return shape


def _soon(minute: float) -> float | None:
    """Each is handled within a minute."""
    return minute - 0.5 if minute % 2 < 1 else None


def test_bounces_that_go_on_being_counted_pass() -> None:
    """In the window as before and after it: inMail has nothing to do with sending."""
    found = judged(BOUNCES, _soon)
    assert (Verdict.PASSED, ()) == (found.verdict, found.not_compared)


@pytest.mark.parametrize("stuck", [5.0, 61.0])
def test_a_bounce_that_is_never_counted_is_found(stuck: float) -> None:
    """The exchanger takes it and inMail does not: the seed, and since when, are named."""
    found = judged(BOUNCES, lambda m: stuck if m >= stuck else _soon(m))
    assert (Verdict.FAILED, ["not-handled"]) == (found.verdict, [f.rule for f in found.findings])
    (finding,) = found.findings
    assert {"inMail", format_instant(at(stuck))} <= set(finding.witness)
    assert "gone@bounce.example" in finding.explanation


def test_a_bounce_counted_as_late_as_before_passes() -> None:
    """What is usual is learned from the samples before the opening."""
    found = judged(BOUNCES, lambda m: m // 10 * 10 if m % 10 < 8 else None)
    assert found.verdict is Verdict.PASSED


def test_what_waited_before_already_is_not_compared() -> None:
    """A bounce that was lost long ago says nothing about the move."""
    found = judged(BOUNCES, lambda _: -300.0)
    assert [BOUNCES] == [item.what for item in found.not_compared]
    assert () == found.findings


def test_events_may_wait_until_the_close() -> None:
    """They end in mail, which is what stops; afterwards the backlog goes down."""

    def drains(minute: float) -> float | None:
        if minute < 0:
            return _soon(minute)
        if minute < 60:
            return 0.1
        oldest = 0.1 + (minute - 60) * 6
        return oldest if oldest < 60 else None

    assert judged(EVENTS, drains).verdict is Verdict.PASSED


def test_an_event_that_stays_pending_is_found() -> None:
    """Taken in and never handled: its id and `Pending` are named."""
    found = judged(EVENTS, lambda m: _soon(m) if m < 0 else 0.1)
    assert (Verdict.FAILED, ["not-handled"]) == (found.verdict, [f.rule for f in found.findings])
    assert {"1", "Pending"} <= set(found.findings[0].witness)


def test_an_event_may_still_be_handled_while_the_watch_runs() -> None:
    """Before the watch has ended it is open, not failed."""
    line = judged(EVENTS, lambda m: _soon(m) if m < 0 else 0.1, until=70)
    assert "still-waiting" in [gap.rule for gap in line.missing]
    assert line.verdict is Verdict.INCONCLUSIVE


def test_nothing_that_could_have_been_handled_is_said() -> None:
    """Nobody mailed to the seed: listed, never a pass of its own."""
    line = timeline(every(BOUNCES), functions=[watched(BOUNCES)])
    mine = instance()
    found = compare_only_sending_disrupted(
        FunctionsCase(
            estate=estate(mine), wave=wave(), instance=mine, at=at(SETTLED), timelines=(line,)
        )
    )
    assert BOUNCES in [item.what for item in found.not_compared]
