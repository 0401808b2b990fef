# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Bursts of seeds on their way from the signed plan to the comparison of `throughput`."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.builders.estates import END, START, WAVE, estate
from tests.builders.mails import mail

from wavegate.evidence.dossier import Dossier, PlanFacts
from wavegate.evidence.predicates import SeedRuns
from wavegate.record.message import Received
from wavegate.testing import Case, File

STEM = "5e" * 16


def dossier(mails: tuple[Received, ...], seeds: dict[str, SeedRuns]) -> Dossier:
    """Mails of before, and a plan that ordered these bursts."""
    agreed = estate()
    return Dossier(
        estate=agreed,
        wave=agreed.wave(WAVE),
        instance=agreed.instances[0],
        at=END,
        before=None,
        after=None,
        mail_before=mails,
        mail_after=(),
        flaws=(),
        plan=PlanFacts(
            version=1, at=START, digest="d", agreed={}, cells=(), suites="s", seeds=seeds
        ),
        earlier=(),
        agreed="",
        mail_heard=True,
    )


@pytest.mark.parametrize("ordered", [True, False])
def test_ordered_bursts_reach_the_comparison(*, ordered: bool) -> None:
    """The runs that the plan ordered are judged by the mails to their addresses alone."""
    at: datetime = START - timedelta(hours=2)
    mails = tuple(
        mail(
            n=n,
            at=at,
            headers={"Date": format_datetime(at)},
            recipient=f"{STEM}-{n:02d}@seed.example" if n < 3 else "other@seed.example",
        )
        for n in range(4)
    )
    seeds = {"acme-prod1": SeedRuns(runs=20, seeds=20, stem=STEM)} if ordered else {}
    found = Case(File(dossier(mails, seeds))).throughput
    assert (20 if ordered else 0) == found.planned_runs
    assert (3 if ordered else 0) == sum(len(run.delays) for run in found.runs_before)
    assert {run.planned for run in found.runs_before} == ({20} if ordered else set())
