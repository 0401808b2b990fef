# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The end of a gate on the terminal."""

import io

import pytest
from rich.console import Console

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.terminal import summary


def _printed(verdicts: Verdicts, *, colour: bool = False, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, no_color=not colour)
    console.print(summary(verdicts, paths=[("report", "/tmp/[red]x[/red]/report.html")]))  # noqa: S108 - printed, never opened
    return out.getvalue()


def test_the_decision_stands_first(varied: Verdicts) -> None:
    """The first word is the one that QA wants."""
    assert _printed(varied).startswith("NO-GO, 8 open, next due 2024-01-20T12:00:00Z")


def test_a_finding_is_told_in_four_lines(varied: Verdicts) -> None:
    """Promised, before, after, where to look."""
    said = _printed(varied)
    for part in ("promised", "before", "after", "where to look", "_spf.campaign.example TXT"):
        assert part in said
    assert "throughput, 7 instances" in said


def test_no_value_acts_on_the_terminal(varied: Verdicts) -> None:
    """No escape of an attacker reaches the terminal, and no value is read as rich markup."""
    said = _printed(varied)
    assert [c for c in said if c != "\n" and not c.isprintable()] == []
    assert "[red]x[/red]" in said


def test_colour_only_where_asked(good: Verdicts) -> None:
    """NO_COLOR and pipes get the words alone."""
    assert "\x1b[" in _printed(good, colour=True)
    assert "\x1b[" not in _printed(good)


@pytest.mark.parametrize("name", ["good", "empty", "huge", "held", "chaos"])
def test_every_run_can_be_told(name: str, request: pytest.FixtureRequest) -> None:
    """Any run ends in a bounded summary."""
    said = _printed(request.getfixturevalue(name), width=60)
    assert 0 < len(said.splitlines()) < 400
