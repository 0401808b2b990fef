# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A harness that is broken in one place is noticed by the drill, or the place is told."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from wavegate.errors import MissingError
from wavegate.lab.drill_lots import Lot
from wavegate.lab.drill_mutants import tried

LOT = Lot(
    name="still-1", kind="still", copies=(("ptr-missing-one",), ("mx-lost",), ()), healthy=True
)
MX = ("news.acme55.example", "inbound.news.acme55.example")


def cell(number: int, promise: str, verdict: str, *findings: tuple[str, ...]) -> dict[str, Any]:
    """A cell as the gate prints it; each finding is its rule and its witnesses."""
    return {
        "customer": f"acme{number}",
        "instance": f"acme{number}-prod1",
        "promise": promise,
        "verdict": verdict,
        "reason": "",
        "shown": None,
        "could_hide": None,
        "remarks": [],
        "findings": [{"rule": rule, "witness": list(words)} for rule, *words in findings],
        "missing": [],
        "cleared": [],
        "not_compared": [],
    }


CELLS = (
    cell(54, "reverse_dns", "FAILED", ("ptr", "127.54.3.12"), ("aside", "127.54.3.13")),
    cell(54, "nothing_else_changed", "PASSED"),
    cell(55, "reverse_dns", "PASSED"),
    cell(55, "nothing_else_changed", "FAILED", ("changed", *MX)),
    cell(56, "reverse_dns", "PASSED"),
    cell(56, "nothing_else_changed", "PASSED"),
    cell(56, "throughput", "NOT_APPLICABLE"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a finished drill with two faults and a healthy copy."""
    (tmp_path / "verdicts").mkdir()
    decisions = {"acme54-prod1": "NO-GO", "acme55-prod1": "NO-GO", "acme56-prod1": "GO"}
    verdicts = {"cells": CELLS, "instances": decisions}
    told = {"lot": asdict(LOT), "verdicts": verdicts, "known": {}, "verified": {}}
    (tmp_path / "verdicts" / "still-1.json").write_text(json.dumps(told))
    return tmp_path


def turned(folder: Path) -> dict[tuple[str, str | None, str], int]:
    """How many results each mutant turned."""
    return {
        (one.mutant.promise, one.mutant.rule, one.mutant.name): one.seen for one in tried(folder)
    }


@pytest.mark.parametrize("promise", ["reverse_dns", "nothing_else_changed"])
def test_a_broken_promise_is_noticed(folder: Path, promise: str) -> None:
    """A judge that always passes, always convicts or never can tell."""
    found = turned(folder)
    assert 1 == found[promise, None, "always passes"]
    assert 2 == found[promise, None, "always convicts"]
    assert 2 == found[promise, None, "never can tell"]


def test_a_broken_rule_is_noticed(folder: Path) -> None:
    """One that clears what it should convict, and one that does not say what it saw."""
    found = turned(folder)
    assert 1 == found["nothing_else_changed", "changed", "clears"]
    assert 1 == found["nothing_else_changed", "changed", "forgets"]
    assert 1 == found["reverse_dns", "ptr", "forgets"]


def test_a_rule_that_no_fault_needs_is_told(folder: Path) -> None:
    """Beside another rule that names the witness, nobody would miss it."""
    assert 0 == turned(folder)["reverse_dns", "aside", "clears"]


def test_a_promise_that_was_not_played_is_not_broken(folder: Path) -> None:
    """What the grid itself decides cannot be judged wrongly."""
    assert {"reverse_dns", "nothing_else_changed"} == {promise for promise, _, _ in turned(folder)}


def test_without_a_drill(tmp_path: Path) -> None:
    """There is nothing to judge again."""
    with pytest.raises(MissingError, match="no drill was played here"):
        tried(tmp_path)
