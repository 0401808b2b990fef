# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The grid: which cells a wave must have, until when, and which the estate itself decides."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.decision import GridCell
from wavegate.errors import InputError
from wavegate.estate.grid import grid
from wavegate.estate.model import Estate
from wavegate.promise import PROMISES

WAVE = "2024-01-w1"
END = datetime(2024, 1, 16, 23, tzinfo=UTC)


def cell(full: Estate, instance: str, promise: str) -> GridCell:
    """The one cell of an instance and a promise."""
    (found,) = [
        c for c in grid(full, WAVE, PROMISES) if (c.instance, c.promise) == (instance, promise)
    ]
    return found


def test_every_instance_has_every_promise_in_order(full: Estate) -> None:
    """Cells are complete, in the wave's and the design's order; a user's promises come last."""
    found = grid(full, WAVE, ["own_check", "spf", "scope", "spf"])

    assert [
        ("acme-prod1", "acme", "scope"),
        ("acme-prod1", "acme", "spf"),
        ("acme-prod1", "acme", "own_check"),
        ("globex-hyb1", "globex", "scope"),
        ("globex-hyb1", "globex", "spf"),
        ("globex-hyb1", "globex", "own_check"),
        ("acme-stage1", "acme", "scope"),
        ("initech-prod1", "initech", "scope"),
    ] == [(c.instance, c.customer, c.promise) for c in found]


def test_affected_instances_outside_add_a_scope_cell(full: Estate) -> None:
    """They are judged, so the grid never decides them; on-premise ones outside add none."""
    outside = [c for c in grid(full, WAVE, PROMISES) if c.outside]

    assert [("acme-stage1", None), ("initech-prod1", None)] == [
        (c.instance, c.not_applicable) for c in outside
    ]
    assert () == tuple(c for c in grid(full, WAVE, ["spf"]) if c.outside)


def test_an_on_premise_instance_in_the_wave_is_judged(full: Estate) -> None:
    """Its cells are those of any other, so that `scope` can fail."""
    wave = full.wave(WAVE).model_copy(update={"instances": ("initech-own1",)})
    moved = full.model_copy(update={"waves": (wave,)})
    found = [c for c in grid(moved, WAVE, ["scope"]) if not c.outside]

    assert [("initech-own1", None)] == [(c.instance, c.not_applicable) for c in found]


@pytest.mark.parametrize(
    ("promise", "after"),
    [
        ("spf", timedelta()),
        ("throughput", timedelta(days=15)),
        ("queued_mail", timedelta(hours=85)),
        ("sending_window", timedelta(hours=3)),
    ],
)
def test_due_is_the_windows_end_and_the_policy(
    promise: str, after: timedelta, full: Estate
) -> None:
    """The due of a cell is the end of the window plus what the policy grants."""
    assert END + after == cell(full, "acme-prod1", promise).due


def test_a_users_promise_has_its_due_too(full: Estate) -> None:
    """`policy.due` also holds for a promise that is not built in."""
    (found,) = [c for c in grid(full, WAVE, ["own_check"]) if c.instance == "acme-prod1"]

    assert END + timedelta(days=1) == found.due


def test_a_limit_decides_its_cell(full: Estate) -> None:
    """A limited cell is not applicable, by the limit's reason and approver, and no other is."""
    limited = cell(full, "acme-prod1", "availability_after")

    assert ("node stops are forbidden in prod", "A. Person") == (
        limited.not_applicable,
        limited.limit_by,
    )
    assert [("acme-prod1", "availability_after")] == [
        (c.instance, c.promise)
        for c in grid(full, WAVE, PROMISES)
        if c.instance == "acme-prod1" and c.not_applicable
    ]


def test_without_url_what_needs_it_is_not_looked_at(full: Estate) -> None:
    """An instance without url has three cells decided by that, none with an approver."""
    found = {
        c.promise: (c.not_applicable, c.limit_by)
        for c in grid(full, WAVE, PROMISES)
        if c.instance == "globex-hyb1" and c.not_applicable and c.promise != "availability_after"
    }

    assert found == dict.fromkeys(
        ("build_version", "queued_mail", "throughput"), ("not looked at: no url", None)
    )


def test_a_limit_says_more_than_a_missing_url(full: Estate) -> None:
    """Where both decide a cell, the approved reason stands in it."""
    limit = full.limits[0].model_copy(update={"promise": "throughput"})
    found = cell(full.model_copy(update={"limits": (limit,)}), "globex-hyb1", "throughput")

    assert "A. Person" == found.limit_by


def test_a_limit_never_decides_a_cell_outside(full: Estate) -> None:
    """An instance outside the wave is judged by `scope`, whatever limits say."""
    limit = full.limits[0].model_copy(update={"promise": "scope", "instances": ("initech-prod1",)})
    found = cell(full.model_copy(update={"limits": (limit,)}), "initech-prod1", "scope")

    assert (None, None, True) == (found.not_applicable, found.limit_by, found.outside)


@given(promises=st.lists(st.sampled_from([*PROMISES, "own_check"])))
def test_no_cell_stands_twice_and_none_is_lost(promises: list[str], full: Estate) -> None:
    """Whatever the order and number of the promises given, each cell is there once."""
    found = grid(full, WAVE, promises)
    inside = {(c.instance, c.promise) for c in found if not c.outside}

    assert len(found) == len({(c.instance, c.promise) for c in found})
    assert {(i, p) for i in full.wave(WAVE).instances for p in promises} == inside
    assert found == grid(full, WAVE, reversed(promises))


@pytest.mark.parametrize(
    ("wave", "said"), [("2024-01-w2", "no wave is named"), ("2023-11-stage", "has no window")]
)
def test_no_grid_without_a_window(wave: str, said: str, full: Estate) -> None:
    """An unknown wave and a wave that is only `closed` are input errors with a cure."""
    with pytest.raises(InputError, match=said) as caught:
        grid(full, wave, ["spf"])

    assert caught.value.cure
