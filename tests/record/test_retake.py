# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""No rerun until green: which captures count, what they may fill, what they never replace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable
from wavegate.record.retake import Chosen, choose_after, choose_before, fix_of
from wavegate.record.snapshot import Phase, Snapshot, Tool

OPENING = datetime(2024, 1, 16, 22, tzinfo=UTC)
CLOSE = datetime(2024, 1, 16, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
SILENT = Unreachable("timeout")


def observed(name: str, outcome: Outcome, at: datetime) -> Observation:
    """One DNS question about a name, and what came of it."""
    return Observation(
        kind="dns",
        subject=f"{name}. TXT",
        asked={"server": "192.0.2.53:53", "name": f"{name}.", "type": "TXT"},
        outcome=outcome,
        at=at,
        took_us=7,
        vantage="here",
    )


def snapshot(
    sequence: int,
    began: datetime,
    answers: dict[str, Outcome],
    *,
    phase: Phase = "before",
    because: str | None = None,
    complete: bool = True,
    forced: bool = False,
) -> Snapshot:
    """A capture that took one minute; its digest is `d` and its sequence."""
    return Snapshot(
        instance="acme-prod1",
        customer="acme",
        wave="w1",
        phase=phase,
        sequence=sequence,
        previous=None,
        because=because,
        began=began,
        ended=began + timedelta(minutes=1),
        complete=complete,
        forced=forced,
        vantage="here",
        estate="e",
        tool=Tool(version="1", source="s"),
        observations=tuple(observed(name, out, began) for name, out in answers.items()),
        digest=f"d{sequence}",
    )


def before(
    hours: float,
    answers: dict[str, Outcome],
    sequence: int = 1,
    *,
    complete: bool = True,
    forced: bool = False,
) -> Snapshot:
    """A `before` capture so many hours before the opening."""
    began = OPENING - timedelta(hours=hours)
    return snapshot(sequence, began, answers, complete=complete, forced=forced)


def after(
    minutes: float,
    answers: dict[str, Outcome],
    sequence: int = 1,
    *,
    because: str | None = None,
    complete: bool = True,
    forced: bool = False,
) -> Snapshot:
    """An `after` capture so many minutes after the close."""
    began = CLOSE + timedelta(minutes=minutes)
    return snapshot(
        sequence, began, answers, phase="after", because=because, complete=complete, forced=forced
    )


def chosen_before(*taken: Snapshot) -> Chosen:
    """The choice among `before` captures, of which there must be one."""
    chosen = choose_before(taken, opening=OPENING, max_age=WEEK)
    assert chosen is not None
    return chosen


def chosen_after(*taken: Snapshot) -> Chosen:
    """The choice among `after` captures, of which there must be one."""
    chosen = choose_after(taken, close=CLOSE)
    assert chosen is not None
    return chosen


def outcomes(chosen: Chosen) -> dict[str, Outcome]:
    """What the merged snapshot says, by subject."""
    return {o.subject.removesuffix(". TXT"): o.outcome for o in chosen.snapshot.observations}


def test_no_capture_is_no_choice() -> None:
    """Nothing taken in a phase is None, never an empty snapshot that could pass."""
    assert choose_before([after(1, {})], opening=OPENING, max_age=WEEK) is None
    assert choose_after([before(1, {})], close=CLOSE) is None


def test_last_complete_before_counts() -> None:
    """Of several complete captures before the opening the last one is the baseline."""
    old, new = before(5, {"a": Seen(b"1")}, 1), before(2, {"a": Seen(b"2")}, 2)
    chosen = chosen_before(new, old)
    assert (chosen.snapshot.digest, chosen.used, chosen.filled) == ("d2", ("d2",), 0)
    assert outcomes(chosen) == {"a": Seen(b"2")}
    assert chosen.attempts == (old, new)
    assert chosen.volatile_with == (old,)


def test_other_before_fills_a_silence_only() -> None:
    """A silence takes the answer of a younger-than-max-age capture; an answer is never replaced."""
    old = before(5, {"a": Absent("NXDOMAIN"), "b": Seen(b"old"), "c": Seen(b"x")}, 1)
    new = before(2, {"a": SILENT, "b": Seen(b"new")}, 2)
    chosen = chosen_before(old, new)
    assert outcomes(chosen) == {"a": Absent("NXDOMAIN"), "b": Seen(b"new")}
    assert (chosen.used, chosen.filled) == (("d2", "d1"), 1)


def test_nearest_capture_fills_first() -> None:
    """Where several captures could fill a silence, the one nearest to the opening does."""
    first, second = before(9, {"a": Seen(b"1")}, 1), before(6, {"a": Seen(b"2")}, 2)
    chosen = chosen_before(first, second, before(2, {"a": SILENT}, 3))
    assert outcomes(chosen) == {"a": Seen(b"2")}
    assert chosen.used == ("d3", "d2")


def test_too_old_before_neither_fills_nor_compares() -> None:
    """A capture older than before_max_age is kept as an attempt and used for nothing."""
    stale = before(24 * 8, {"a": Seen(b"1")}, 1)
    chosen = chosen_before(stale, before(2, {"a": SILENT}, 2))
    assert outcomes(chosen) == {"a": SILENT}
    assert (chosen.filled, chosen.volatile_with, len(chosen.attempts)) == (0, (), 2)


def test_too_old_base_still_counts() -> None:
    """A lone stale baseline is handed on, so that its age is judged and not hidden as missing."""
    assert chosen_before(before(24 * 8, {"a": Seen(b"1")})).snapshot.digest == "d1"


def test_incomplete_before_only_fills() -> None:
    """An interrupted later capture does not push out the last complete one, but fills it."""
    whole = before(5, {"a": SILENT, "b": Seen(b"1")}, 1)
    torn = before(2, {"a": Seen(b"2"), "b": Seen(b"3")}, 2, complete=False)
    chosen = chosen_before(whole, torn)
    assert outcomes(chosen) == {"a": Seen(b"2"), "b": Seen(b"1")}
    assert chosen.snapshot.complete


def test_only_incomplete_stays_visible() -> None:
    """Where nothing is complete the last capture counts and says that it is not complete."""
    chosen = chosen_before(
        before(5, {"a": Seen(b"1")}, 1, complete=False),
        before(2, {"a": SILENT}, 2, complete=False),
    )
    assert (chosen.snapshot.digest, chosen.snapshot.complete) == ("d2", False)


def test_before_that_ran_into_the_window_does_not_count() -> None:
    """A capture that ended after the opening is on the wrong side even without --force."""
    late = snapshot(2, OPENING - timedelta(seconds=30), {"a": Seen(b"2")})
    chosen = chosen_before(before(5, {"a": SILENT}, 1), late)
    assert (chosen.snapshot.digest, outcomes(chosen)) == ("d1", {"a": SILENT})
    assert late in chosen.attempts


def test_forced_before_counts_only_alone() -> None:
    """A forced capture neither counts nor fills while there is a right one."""
    forced = before(-2, {"a": Seen(b"2")}, 2, forced=True)
    right = chosen_before(before(5, {"a": SILENT}, 1), forced)
    assert (right.snapshot.digest, outcomes(right)) == ("d1", {"a": SILENT})
    assert right.volatile_with == ()
    alone = chosen_before(forced)
    assert (alone.snapshot.digest, alone.snapshot.forced) == ("d2", True)


def test_incomplete_right_one_beats_a_forced_one() -> None:
    """There is a right capture as soon as one was taken on the right side, complete or not."""
    torn = before(5, {"a": Seen(b"1")}, 1, complete=False)
    assert (
        chosen_before(torn, before(-2, {"a": Seen(b"2")}, 2, forced=True)).snapshot.digest == "d1"
    )


def test_first_after_counts() -> None:
    """A second capture does not turn the first one's answer, but fills its silence."""
    first = after(5, {"a": Seen(b"bad"), "b": SILENT}, 1)
    second = after(9, {"a": Seen(b"good"), "b": Seen(b"2"), "c": Seen(b"3")}, 2, because="again")
    chosen = chosen_after(second, first)
    assert outcomes(chosen) == {"a": Seen(b"bad"), "b": Seen(b"2")}
    assert (chosen.snapshot.digest, chosen.used, chosen.filled) == ("d1", ("d1", "d2"), 1)
    assert (chosen.fix, chosen.superseded, chosen.volatile_with) == (None, None, ())
    assert chosen.attempts == (first, second)


def test_after_taken_before_the_close_counts_only_alone() -> None:
    """A capture begun inside the window is no `after` while there is a right one."""
    early = after(-3, {"a": Seen(b"1")}, 1, forced=True)
    assert chosen_after(early, after(5, {"a": Seen(b"2")}, 2)).snapshot.digest == "d2"
    assert chosen_after(early).snapshot.forced


def test_interrupted_after_keeps_its_bad_answer() -> None:
    """Ctrl-C at the sight of a wrong answer and another capture do not make it good."""
    torn = after(5, {"a": Seen(b"bad"), "x": Absent("NODATA")}, 1, complete=False)
    whole = after(9, {"b": Seen(b"2"), "a": Seen(b"good")}, 2)
    chosen = chosen_after(torn, whole)
    assert outcomes(chosen) == {"b": Seen(b"2"), "a": Seen(b"bad"), "x": Absent("NODATA")}
    assert (chosen.snapshot.digest, chosen.snapshot.complete) == ("d2", True)
    assert (chosen.used, chosen.kept) == (("d2", "d1"), 2)


def test_interrupted_after_leaves_its_silences_open() -> None:
    """What the interrupted capture did not hear is answered by the complete one."""
    chosen = chosen_after(
        after(5, {"a": SILENT}, 1, complete=False), after(9, {"a": Seen(b"good")}, 2)
    )
    assert (outcomes(chosen), chosen.kept) == ({"a": Seen(b"good")}, 0)


def test_declared_fix_counts_and_keeps_what_it_superseded() -> None:
    """A capture that declares a fix counts as a whole; what stood before it stays to be seen."""
    first = after(5, {"a": Seen(b"bad"), "b": SILENT}, 1)
    fixed = after(36, {"a": Seen(b"good"), "b": SILENT}, 2, because="fix:CHG-123")
    later = after(50, {"a": Seen(b"other"), "b": Seen(b"2")}, 3)
    chosen = chosen_after(first, fixed, later)
    assert outcomes(chosen) == {"a": Seen(b"good"), "b": Seen(b"2")}
    assert (chosen.fix, chosen.used) == ("fix:CHG-123", ("d2", "d3"))
    assert chosen.superseded is not None
    assert outcomes(chosen.superseded) == {"a": Seen(b"bad"), "b": SILENT}
    assert chosen.superseded.snapshot.digest == "d1"
    assert chosen.attempts == (first, fixed, later)


def test_last_of_several_fixes_counts() -> None:
    """Each fix supersedes the one before it, so that the whole story can be told."""
    chosen = chosen_after(
        after(5, {"a": Seen(b"0")}, 1),
        after(9, {"a": Seen(b"1")}, 2, because="fix:CHG-1"),
        after(12, {"a": Seen(b"2")}, 3, because="fix:CHG-2"),
    )
    assert (chosen.snapshot.digest, chosen.fix) == ("d3", "fix:CHG-2")
    assert chosen.superseded is not None
    assert (chosen.superseded.snapshot.digest, chosen.superseded.fix) == ("d2", "fix:CHG-1")
    assert chosen.superseded.superseded is not None
    assert chosen.superseded.superseded.snapshot.digest == "d1"


def test_incomplete_fix_does_not_count() -> None:
    """An interrupted fix capture may fill a silence; it does not replace what was heard."""
    first = after(5, {"a": Seen(b"bad"), "b": SILENT}, 1)
    torn = after(9, {"a": Seen(b"good"), "b": Seen(b"2")}, 2, because="fix:CHG-1", complete=False)
    chosen = chosen_after(first, torn)
    assert outcomes(chosen) == {"a": Seen(b"bad"), "b": Seen(b"2")}
    assert (chosen.snapshot.digest, chosen.fix) == ("d1", None)


@pytest.mark.parametrize(
    ("because", "expected"),
    [(None, None), ("again", None), ("fix:", None), ("fix: ", None), ("fix:CHG-1", "fix:CHG-1")],
)
def test_fix_needs_a_reference(because: str | None, expected: str | None) -> None:
    """Only `fix:` with a reference declares a fix."""
    assert fix_of(after(1, {}, because=because)) == expected


def test_answer_beside_a_silence_is_not_filled() -> None:
    """A question asked twice, answered once, has its answer; another capture adds nothing."""
    twice = before(2, {"a": SILENT}, 2)
    heard = observed("a", Seen(b"1"), twice.began)
    twice = replace(twice, observations=(*twice.observations, heard))
    chosen = chosen_before(before(5, {"a": Seen(b"0")}, 1), twice)
    assert chosen.snapshot.observations == twice.observations


OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [SILENT, Absent("NXDOMAIN"), Seen(b"1"), Seen(b"2")]
)
ANSWERS = st.dictionaries(st.sampled_from("abc"), OUTCOMES, max_size=3)


@st.composite
def captures(draw: st.DrawFn) -> list[Snapshot]:
    """Up to six captures of both phases, in the order they were taken, around the window."""
    hours = sorted(draw(st.lists(st.integers(-200, 200), max_size=6)))
    return [
        snapshot(
            number,
            OPENING + timedelta(hours=hour),
            draw(ANSWERS),
            phase=draw(st.sampled_from(["before", "after"])),
            because=draw(st.sampled_from([None, "again", "fix:1"])),
            complete=draw(st.booleans()),
            forced=draw(st.booleans()),
        )
        for number, hour in enumerate(hours, start=1)
    ]


def answers_of(taken: Snapshot) -> dict[str, Outcome]:
    """What a capture definitely heard."""
    return {
        o.subject: o.outcome for o in taken.observations if not isinstance(o.outcome, Unreachable)
    }


@given(captures(), st.randoms(use_true_random=False))
def test_order_of_reading_does_not_matter(taken: list[Snapshot], random: Random) -> None:
    """The same records give the same choice, in whatever order a store lists them."""
    shuffled = list(taken)
    random.shuffle(shuffled)
    expected = choose_before(taken, opening=OPENING, max_age=WEEK)
    assert choose_before(shuffled, opening=OPENING, max_age=WEEK) == expected
    assert choose_after(shuffled, close=CLOSE) == choose_after(taken, close=CLOSE)


@given(captures())
def test_before_never_loses_an_answer_of_its_base(taken: list[Snapshot]) -> None:
    """Whatever else was captured, each answer of the base stands, and no question is added."""
    chosen = choose_before(taken, opening=OPENING, max_age=WEEK)
    if chosen is None:
        assert not [t for t in taken if t.phase == "before"]
        return
    base = next(t for t in taken if t.digest == chosen.snapshot.digest)
    merged = answers_of(chosen.snapshot)
    assert answers_of(base).items() <= merged.items()
    assert [o.identity for o in chosen.snapshot.observations] == [
        o.identity for o in base.observations
    ]
    assert len(merged) - len(answers_of(base)) == chosen.filled
    assert chosen.attempts == tuple(t for t in taken if t.phase == "before")


@given(captures(), st.dictionaries(st.sampled_from("abc"), OUTCOMES), st.booleans())
def test_later_after_without_a_fix_replaces_no_answer(
    taken: list[Snapshot], answers: dict[str, Outcome], complete: bool
) -> None:
    """However often it is repeated, an `after` that was chosen keeps every answer it has."""
    first = choose_after(taken, close=CLOSE)
    if first is None or first.snapshot.forced or first.snapshot.began < CLOSE:
        return
    again = after(60 * 300, answers, 99, because="again", complete=complete)
    second = choose_after([*taken, again], close=CLOSE)
    assert second is not None
    assert answers_of(first.snapshot).items() <= answers_of(second.snapshot).items()
    assert second.fix == first.fix
    assert again in second.attempts
