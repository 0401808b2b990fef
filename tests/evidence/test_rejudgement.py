# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from tests.evidence.small_bundle import GOOD, NO_GO, make

from wavegate.evidence.rejudgement import compare_verdicts
from wavegate.evidence.verdicts import Verdicts, parse


def verdicts(tmp_path: Path, *, good: bool) -> Verdicts:
    """The verdicts of a bundle."""
    bundle = make(tmp_path / ("go" if good else "no-go"), GOOD if good else NO_GO)
    return parse((bundle / "verdicts.json").read_bytes())


def test_same_judgement(tmp_path: Path) -> None:
    """Another run name and instant are no difference."""
    found = verdicts(tmp_path, good=False)
    again = found.model_copy(update={"run": "again"})
    assert compare_verdicts(found, again) == ()


def test_other_judgement(tmp_path: Path) -> None:
    """A changed verdict is named with its place and cause, and so is the changed decision."""
    sealed, again = verdicts(tmp_path, good=True), verdicts(tmp_path, good=False)
    found = compare_verdicts(sealed, again)
    assert [d.place for d in found] == ["decision_line", "closed", "acme-prod1: spf"]
    cause = again.causes[0].cause[:12]
    assert str(found[2]) == f"acme-prod1: spf: sealed PASSED, judged again FAILED {cause}"


def test_missing_cell(tmp_path: Path) -> None:
    """A cell that is not judged again is a difference, never an agreement."""
    found = verdicts(tmp_path, good=True)
    part = found.model_copy(update={"cells": found.cells[1:]})
    place = f"{found.cells[0].instance}: {found.cells[0].promise}"
    assert [(d.place, d.rejudged) for d in compare_verdicts(found, part)] == [(place, "no cell")]
