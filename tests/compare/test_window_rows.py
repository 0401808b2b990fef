# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Rows for the picture of the window: whole, without overlap, and honest about gaps."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import estate, instance, wave
from tests.builders.timelines import SETTLED, at, bad, every, sample, timeline, watched

from wavegate.compare.only_sending_disrupted import FunctionsCase
from wavegate.compare.window_rows import Row, window_rows
from wavegate.estate.model import Instance
from wavegate.record.timeline import Timeline

MINUTE = timedelta(minutes=1)


def rows(line: Timeline, agreed: Instance | None = None) -> tuple[Row, ...]:
    """The rows of one timeline."""
    mine = agreed or instance()
    return window_rows(
        FunctionsCase(
            estate=estate(mine), wave=wave(), instance=mine, at=at(SETTLED), timelines=(line,)
        )
    )


def told(row: Row) -> list[tuple[str, float, float]]:
    """The spans by minutes."""
    return [
        (s.state, round((s.since - at(0)) / MINUTE, 1), round((s.until - at(0)) / MINUTE, 1))
        for s in row.spans
    ]


def test_a_row_shows_what_was_when() -> None:
    """Right, wrong, silent, unheard, nobody there."""
    samples = (
        *every(since=-30, until=10),
        *every(since=10, until=20, shape=bad(0, 60)),
        *every(since=20, until=30, shape=bad(0, 60, "silent")),
        *every(since=40, until=60, shape=bad(0, 60, "silent", heard=False)),
    )
    found = told(rows(timeline(samples, ended=60))[0])
    assert ["ok", "wrong", "silent", "gap", "unheard"] == [state for state, _, _ in found]
    assert -30.0 == found[0][1]
    assert 60.0 == found[-1][2]


def test_masks_are_shown_as_masks() -> None:
    """Declared noise is told apart."""
    mine = instance(
        masks=({"function": "mta", "daily_at": "22:30", "for": "5m", "reason": "restart"},)
    )
    found = told(rows(timeline(every("mta", until=60), ended=60), mine)[0])
    assert ["ok", "masked", "ok"] == [state for state, _, _ in found]


def test_functions_that_were_not_probed_have_a_reason() -> None:
    """An empty row says why."""
    line = timeline(every(), functions=[watched(), watched("sms", not_probed="lacks it")])
    assert [("sms", "lacks it"), ("tracking", None)] == [
        (row.function, row.not_probed) for row in rows(line)
    ]


@given(
    st.lists(
        st.tuples(st.floats(-30, 130), st.sampled_from(["ok", "wrong", "silent"]), st.booleans()),
        max_size=30,
    )
)
def test_spans_are_whole_and_do_not_overlap(found: list[tuple[float, str, bool]]) -> None:
    """From the watch's start to its end, each next where the last ended."""
    samples = [sample(m, state, heard=heard) for m, state, heard in found]  # type: ignore[arg-type] # from a list of states
    spans = rows(timeline(samples, functions=[watched()]))[0].spans
    assert (at(-30), at(SETTLED)) == (spans[0].since, spans[-1].until)
    assert all(early.until == late.since for early, late in pairwise(spans))
    assert all(span.since < span.until for span in spans)
