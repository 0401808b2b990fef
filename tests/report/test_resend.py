# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import END, estate, instance, wave
from tests.builders.queues import delivery, letter, look, row

from wavegate.compare.queued_mail import Account, QueueCase, account
from wavegate.estate.model import MailSource
from wavegate.report.resend import (
    COLUMNS,
    Action,
    Line,
    NoPlan,
    ResendPlan,
    as_csv,
    as_json,
    handed,
    plan,
)

LATE = END + timedelta(hours=86)
LATEST = "2024-01-20T13:00:00Z"


def told(*labels: str) -> Account:
    """Rows 0 to 3: lost, sent, expired, bounced; in a delivery labelled so."""
    sink = (MailSource(sink=True, recipients=("*@seed.example",)),)
    one = instance(mail=sink)
    rows = [row(n) for n in range(4)]
    known = [delivery(1, label=label) for label in labels or ("D1",)]
    new = [rows[0], row(1, status=1), row(2, status=7), row(3, status=2, reason="5.1.1")]
    case = QueueCase(
        estate=estate(one),
        wave=wave(),
        instance=one,
        at=LATE,
        looks=(look(rows, known), look(new, known, moment="after", at=LATE, digest="d" * 64)),
        mail_before=(),
        mail_window=(),
        mail_after=(letter(1),),
    )
    found = account(case)
    assert isinstance(found, Account)
    return found


def test_plan_lists_what_was_not_sent() -> None:
    """Lost messages are to be resent, expired ones decided on; what is accounted for is not in."""
    found = plan(told())
    assert [(Action.RESEND, "70000"), (Action.DECIDE, "70002")] == [
        (line.action, line.log_row) for line in found.lines
    ]
    assert ("4001", "DM1", "D1", "seed0@seed.example", "still pending") == (
        found.lines[0].delivery,
        found.lines[0].name,
        found.lines[0].label,
        found.lines[0].recipient,
        found.lines[0].reason,
    )
    assert (4, ("d" * 64,)) == (found.queued, found.records)


def test_same_account_same_bytes() -> None:
    """The plan does not depend on the order of its lines in memory, and is plain JSON and CSV."""
    found = plan(told())
    assert as_csv(found) == as_csv(plan(told()))
    assert "wavegate/resend-plan/v1" == json.loads(as_json(found))["schema"]
    assert as_json(found) == as_json(plan(told()))


def test_labels_are_no_formulas() -> None:
    """A label that a spreadsheet would run becomes text."""
    text = as_csv(plan(told('=HYPERLINK("http://evil.example")'))).decode()
    (_, first, _) = csv.reader(io.StringIO(text))
    assert '\'=HYPERLINK("http://evil.example")' == first[COLUMNS.index("label")]


CELL = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["=1+1", "+1", "-1+1", "@x", "\t=1", " =1", "-5", "|calc", "%0a", "\r=1"]
)


@given(cells=st.lists(CELL, min_size=6, max_size=6))
def test_no_cell_runs(cells: list[str]) -> None:
    """Whatever a field holds, no cell starts like a formula, and the text comes back whole."""
    names = ("delivery", "name", "label", "log_row", "recipient", "reason")
    line = Line(action=Action.RESEND, **dict(zip(names, cells, strict=True)))
    one = ResendPlan(
        instance="i",
        customer="c",
        wave="w",
        queued=1,
        records=(),
        lines=(line,),
        at=LATE,
        deadline=LATE,
    )
    rows = list(csv.reader(io.StringIO(as_csv(one).decode(), newline="")))
    for expected, found in zip(cells, rows[1][1:], strict=True):
        assert found in (expected, f"'{expected}")
        risky = found.lstrip()[:1] in ("=", "+", "-", "@") and not found.lstrip("-").isdecimal()
        assert not risky
    assert cells[0] == json.loads(as_json(one))["messages"][0]["delivery"]
    assert as_json(one) == as_json(replace(one))


def test_reports_tell_the_counts_worst_first() -> None:
    """Much to do, then what nobody could list, then nothing to do: each says so, none is blank."""
    some = plan(told())
    none = replace(some, instance="quiet", lines=(), queued=0)
    late = replace(some, instance="late", lines=(), waiting=2, deadline=LATE)
    rows = handed([none, late, NoPlan(instance="blind", why="nobody looked"), some])
    assert [
        ("acme-prod1", "1 to resend, 1 to decide on, of 4 queued messages"),
        ("blind", "no plan could be made: nobody looked"),
        (
            "late",
            f"nothing of 4 queued messages is to be resent; 2 may still come until {LATEST}",
        ),
        ("quiet", "nothing is to be resent: nothing was queued"),
    ] == [(row.instance, row.told) for row in rows]
    assert [2, 0, 0, 0] == [row.lines for row in rows]
    assert ["resend/acme-prod1", None] == [row.stem for row in rows[:2]]
