# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judgements as JSON: what comes back is what went in; anything else is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import dumps
from wavegate.errors import DamagedError
from wavegate.plugin.wire import (
    JudgedCell,
    JudgedRun,
    judgement_from_json,
    judgement_to_json,
    read_cells,
    run_from_bytes,
    run_to_bytes,
)
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
    not_applicable,
)

AT = datetime(2024, 1, 17, 1, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
maybe = st.none() | words
texts = st.lists(words, max_size=3).map(tuple)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
findings = st.builds(
    Finding,
    rule=words,
    subject=words,
    expected=words,
    observed=words,
    explanation=words,
    witness=texts,
    before=maybe,
    after=maybe,
    records=texts,
)
gaps = st.builds(
    Missing,
    what=words,
    on=st.sampled_from(On),
    rule=words,
    subject=words,
    count=st.none() | st.integers(0, 10**9),
    settles_by=st.none() | instants,
    command=maybe,
    before=maybe,
    after=maybe,
)
cleared = st.builds(
    Cleared, rule=words, subject=words, before=words, after=words, explanation=words
)
apart = st.builds(NotCompared, what=words, reason=words)
judgements = st.one_of(
    st.builds(
        judgement,
        findings=st.lists(findings, max_size=2),
        missing=st.lists(gaps, max_size=2),
        cleared=st.lists(cleared, max_size=2),
        not_compared=st.lists(apart, max_size=2),
        shown=words,
        could_hide=words,
        off_track=maybe,
        records=texts,
        remarks=texts,
    ),
    st.builds(not_applicable, words),
    gaps.map(inconclusive),
)


@given(judgements)
def test_judgement_comes_back_as_it_was(found: Judgement) -> None:
    """Without loss, through canonical JSON."""
    assert judgement_from_json(judgement_to_json(found)) == found


@given(st.lists(st.tuples(judgements, st.none() | judgements, maybe), max_size=3), maybe)
def test_run_comes_back_as_it_was(
    rows: list[tuple[Judgement, Judgement | None, str | None]], partial: str | None
) -> None:
    """The file that the gate reads."""
    cells = tuple(
        JudgedCell(
            instance=f"i{n}",
            promise="spf",
            judgement=found,
            superseded=old,
            remedied=remedied,
            has_after=old is None,
        )
        for n, (found, old, remedied) in enumerate(rows)
    )
    run = JudgedRun(wave="w", at=AT, partial=partial, cells=cells)
    data = run_to_bytes(run)
    assert run_from_bytes(data) == run
    assert read_cells(data) == {(cell.instance, "spf"): cell for cell in cells}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        dumps({"schema": "wavegate/judgements/v2", "wave": "w", "at": "x", "cells": []}),
        dumps(
            {"schema": "wavegate/judgements/v1", "wave": 1, "at": "x", "partial": None, "cells": []}
        ),
        dumps(
            {
                "schema": "wavegate/judgements/v1",
                "wave": "w",
                "at": "2024-01-17T01:00:00Z",
                "partial": None,
                "cells": [{"instance": "i"}],
            }
        ),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """One error, no crash."""
    with pytest.raises(DamagedError):
        run_from_bytes(data)
