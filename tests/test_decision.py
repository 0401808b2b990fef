# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.decision import AppliedWaiver, Cell, Decision, GridCell, Word, decide
from wavegate.verdict import (
    Finding,
    Judgement,
    Missing,
    On,
    Verdict,
    inconclusive,
    judgement,
    not_applicable,
)

AT = datetime(2024, 1, 17, tzinfo=UTC)
DUE = AT + timedelta(hours=3)
FINDING = Finding(rule="r", subject="s", expected="e", observed="o", explanation="changed")
GAP = Missing(what="37 more messages", on=On.TIME, rule="few", subject="instance:a")
PASSED = judgement(shown="s", could_hide="h")
FAILED = judgement(findings=[FINDING], shown="s", could_hide="h")
UNTOLD = inconclusive(GAP)
WAIVER = AppliedWaiver(reason="known", approved_by="eve", until=AT + timedelta(days=1))


def cell(
    judged: Judgement | None,
    promise: str = "spf",
    *,
    due: datetime | None = None,
    waiver: AppliedWaiver | None = None,
) -> Cell:
    """A cell of instance `a` of customer `acme`."""
    grid = GridCell(instance="a", customer="acme", promise=promise, due=due)
    return Cell(grid=grid, judgement=judged, waiver=waiver)


def decided(*cells: Cell, **extra: object) -> Decision:
    """The decision over one instance, with one PASSED cell beside those given."""
    rows = (cell(PASSED, "scope"), *cells)
    return decide(rows, at=AT, **{"holds": {"a": ()}, **extra})  # type: ignore[arg-type]  # test helper


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (decided(), Word.GO),
        (decided(cell(FAILED)), Word.NO_GO),
        (decided(cell(UNTOLD)), Word.HOLD),
        (decided(cell(UNTOLD, due=DUE)), Word.GO),
        (decided(cell(UNTOLD, due=DUE), final=True), Word.HOLD),
        (decided(cell(UNTOLD, due=AT)), Word.HOLD),
        (decided(cell(replace(UNTOLD, off_track="stale"), due=DUE)), Word.HOLD),
        (decided(cell(None)), Word.HOLD),
        (decided(cell(not_applicable("limit"))), Word.GO),
        (decided(cell(FAILED, waiver=WAIVER)), Word.GO),
        (decided(cell(FAILED, waiver=replace(WAIVER, until=AT - timedelta(1)))), Word.NO_GO),
        (decided(cell(FAILED, "sound_evidence", waiver=WAIVER)), Word.NO_GO),
        (decided(cell(UNTOLD, "sound_evidence", waiver=WAIVER)), Word.GO),
        (decided(cell(FAILED, waiver=replace(WAIVER, covers=frozenset()))), Word.NO_GO),
        (
            decided(cell(FAILED, waiver=replace(WAIVER, covers=frozenset({FINDING.cause("spf")})))),
            Word.GO,
        ),
        (decided(holds={"a": ("the window has not ended",)}), Word.HOLD),
        (decided(cell(FAILED), holds={"a": ("the window has not ended",)}), Word.NO_GO),
        (decided(partial="only one instance"), Word.HOLD),
        (decided(holds={"a": (), "b": ()}), Word.HOLD),
        (decide([], at=AT, holds={}), Word.HOLD),
        (decide([], at=AT, holds={"a": ()}), Word.HOLD),
        (decide([cell(not_applicable("limit"))], at=AT, holds={"a": ()}), Word.HOLD),
    ],
)
def test_the_decision_follows_the_design(found: Decision, word: Word) -> None:
    """NO-GO, HOLD and GO as the design words them; empty is never GO."""
    assert word is found.word
    assert {Word.GO: 0, Word.NO_GO: 1, Word.HOLD: 3}[word] == found.exit_code


def test_open_cells_stand_in_the_line_and_keep_the_wave_from_closing() -> None:
    """`GO, 1 open, next due ...`; closed only when nothing is open."""
    found = decided(cell(UNTOLD, due=DUE))
    assert found.line == "GO, 1 open, next due 2024-01-17T03:00:00Z"
    assert not found.closed
    assert decided().closed


def test_a_waived_cell_is_not_open() -> None:
    """A waiver closes what it covers."""
    found = decided(cell(UNTOLD, due=DUE, waiver=WAIVER))
    assert (found.open, found.closed) == (0, True)


def test_a_wave_is_its_worst_and_so_is_a_customer() -> None:
    """One bad instance decides for its customer and the wave, not for the other customer."""
    other = GridCell(instance="b", customer="globex", promise="spf", due=None)
    found = decided(cell(FAILED), Cell(grid=other, judgement=PASSED), holds={"a": (), "b": ()})
    assert dict(found.customers) == {"acme": Word.NO_GO, "globex": Word.GO}
    assert Word.NO_GO is found.word


@given(st.lists(st.sampled_from([PASSED, FAILED, UNTOLD, None, not_applicable("n")])))
def test_go_needs_a_pass_and_nothing_bad(judged: list[Judgement | None]) -> None:
    """Whatever is judged: GO only if some cell PASSED and none FAILED, is missing or untold."""
    cells = [cell(found, f"p{number}") for number, found in enumerate(judged)]
    found = decide(cells, at=AT, holds={"a": ()})
    verdicts = [each.verdict for each in cells]
    good = Verdict.PASSED in verdicts and None not in judged
    bad = {Verdict.FAILED, Verdict.INCONCLUSIVE} & set(verdicts)
    assert (good and not bad) == (found.word is Word.GO)
