# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from tests.report.contents import contents_of

from wavegate.decision import Word
from wavegate.evidence.verdicts import Verdicts
from wavegate.report.in_toto import statement
from wavegate.verdict import Verdict


def made(verdicts: Verdicts) -> Any:
    """The statement of some verdicts."""
    return json.loads(statement(contents_of(verdicts)))


def test_statement_is_of_the_published_form(good: Verdicts) -> None:
    """Statement v1 and test-result v0.1 with their required fields; each digest is a SHA-256."""
    found = made(good)
    assert "https://in-toto.io/Statement/v1" == found["_type"]
    assert "https://in-toto.io/attestation/test-result/v0.1" == found["predicateType"]
    assert ["MANIFEST", "verdicts.json"] == [subject["name"] for subject in found["subject"]]
    described = [*found["subject"], *found["predicate"]["configuration"]]
    assert {64} == {len(item["digest"]["sha256"]) for item in described}


def test_go_is_passed(good: Verdicts) -> None:
    """A GO in which every cell passed is PASSED, and names each cell."""
    found = made(good)["predicate"]
    assert ("PASSED", len(good.cells), []) == (
        found["result"],
        len(found["passedTests"]),
        found["failedTests"],
    )


def test_what_could_not_be_told_is_never_passed(varied: Verdicts, held: Verdicts) -> None:
    """INCONCLUSIVE and NOT_APPLICABLE stand in no list; HOLD is FAILED; WARNED is never used."""
    found = made(varied)["predicate"]
    told = {*found["passedTests"], *found["failedTests"]}
    silent = {
        f"{cell.promise}[{cell.instance}]"
        for cell in varied.cells
        if cell.verdict in {Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE}
    }
    assert (set(), []) == (told & silent, found["warnedTests"])
    assert ["FAILED", "FAILED"] == [made(run)["predicate"]["result"] for run in (varied, held)]


def test_a_waived_gap_is_not_passed(varied: Verdicts) -> None:
    """Even where a person let the wave go, a cell that could not be told makes it FAILED."""
    gap = next(cell for cell in varied.cells if cell.waiver and cell.waiver.in_force)
    fine = [cell for cell in varied.cells if cell.verdict is Verdict.PASSED]
    eased = varied.model_copy(update={"decision": Word.GO, "cells": (*fine, gap)})
    assert "FAILED" == made(eased)["predicate"]["result"]


def test_empty_is_not_passed(empty: Verdicts) -> None:
    """A run over nothing proves nothing."""
    assert "FAILED" == made(empty)["predicate"]["result"]
