# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What every report says alike: grouping by cause, standing, other reasons, counts."""

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.model import (
    Problem,
    Standing,
    counts,
    kind,
    other_reasons,
    problems,
    shared,
    standing,
    title,
)
from wavegate.verdict import Verdict


def _of(verdicts: Verdicts, promise: str, verdict: Verdict) -> Problem:
    (found,) = [p for p in problems(verdicts) if (p.promise.id, p.verdict) == (promise, verdict)]
    return found


def test_one_cause_is_one_problem(varied: Verdicts) -> None:
    """A shared include that changed is told once, with all its instances."""
    found = _of(varied, "spf", Verdict.FAILED)
    assert found.instances == ("acme-prod1", "acme-prod2", "borealis-prod")
    assert found.where == "3 instances"
    assert found.alike is True


def test_what_stops_stands_before_what_may_wait(varied: Verdicts) -> None:
    """Failed first, then what cannot be told, then open, then waived."""
    found = [(p.standing, p.verdict) for p in problems(varied)]
    order = list(Standing)
    ranks = [(order.index(stands), -verdict.badness) for stands, verdict in found]
    assert ranks == sorted(ranks)
    assert found[0] == (Standing.STOPS, Verdict.FAILED)


def test_each_bad_cell_has_one_standing(varied: Verdicts) -> None:
    """Waived, open and stopping cells are told apart; off track and not judged stop."""
    by_place = {(c.instance, c.promise): standing(c) for c in varied.cells}
    assert by_place["acme-mkt", "sending_ips"] is Standing.WAIVED
    assert by_place["acme-prod1", "throughput"] is Standing.OPEN
    assert by_place["acme-prod2", "queued_mail"] is Standing.STOPS
    assert by_place["cumulus-tx", "build_version"] is Standing.STOPS
    assert by_place["borealis-stage", "sound_evidence"] is Standing.STOPS


def test_a_problem_says_who_acts_by_when(varied: Verdicts) -> None:
    """A failed cell is for whoever runs the move, until it can no longer be rolled back."""
    failed = _of(varied, "spf", Verdict.FAILED)
    assert failed.actor.startswith("whoever runs the move")
    assert failed.deadline == varied.decide_by
    waiting = _of(varied, "dkim", Verdict.INCONCLUSIVE)
    assert waiting.actor == "the customer"
    assert waiting.headline == "no mail from 2001:db8::10 after the move: more messages (37)"


def test_reasons_beyond_cells_are_told_once(held: Verdicts) -> None:
    """A window that has not ended is one reason, with its instances; cells are not repeated."""
    assert [(r.text, len(r.instances)) for r in other_reasons(held)] == [
        ("its window has not ended", 8)
    ]


def test_counts_tell_judged_from_missing(varied: Verdicts) -> None:
    """A cell that was not judged never counts as a verdict."""
    told = dict(counts(varied.cells))
    assert told["not judged"] == 1
    assert sum(n for name, n in told.items() if name != "open") == len(varied.cells)


def test_the_same_text_is_told_once(good: Verdicts) -> None:
    """Equal texts of one promise share a line over instances."""
    found = shared(good.cells, lambda cell: [cell.shown])
    (spf,) = [group for group in found if group.promise == "spf"]
    assert len(spf.instances) == 8


def test_titles(good: Verdicts, varied: Verdicts) -> None:
    """Interim unless closed; the nightly has no wave."""
    assert (title(good), kind(good)) == ("Wave 2024-01-w1", "Report")
    assert kind(varied) == "Interim report"
    assert title(good.model_copy(update={"wave": None})) == "Nightly"


def test_a_night_asks_its_owner_to_undo_or_accept(varied: Verdicts) -> None:
    """Nothing moves in a night: it is no interim report, and what helps is a mend or an accept."""
    night = varied.model_copy(update={"wave": None})
    assert "Report" == kind(night)
    failed = [p for p in problems(night) if p.finding and p.promise.id == "spf"]
    assert failed
    for problem in failed:
        assert "the owner: undo what changed, or accept it" == problem.actor
        assert f"--cause {problem.item.cause} " in str(problem.command)
