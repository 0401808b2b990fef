# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""verdicts.json: one form, read back without loss, decided again from its own cells."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavegate.canonical import digest, dumps
from wavegate.decision import AppliedWaiver, Cell, GridCell, Word, decide
from wavegate.errors import DamagedError
from wavegate.estate.model import Waiver
from wavegate.evidence.verdicts import (
    Context,
    Digests,
    Verdicts,
    build,
    cells_of,
    contradictions,
    decision_of,
    dump,
    json_schema,
    parse,
    schema_text,
)
from wavegate.promise import PROMISES
from wavegate.record.snapshot import Tool
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    Verdict,
    inconclusive,
    judgement,
    not_applicable,
)

AT = datetime(2024, 1, 17, 1, 12, 0, 42, tzinfo=UTC)
SCHEMA_FILE = Path(__file__).parents[2] / "reports" / "schema" / "verdicts.schema.json"
HEX = digest(b"")

LATER = {"approvals", "decisions"}
"""Fields that bundles of earlier versions lack."""


def _finding(subject: str = "a.example TXT", **changes: Any) -> Finding:
    found = Finding(
        rule="differs",
        subject=subject,
        expected="as before",
        observed="otherwise",
        explanation="it differs",
        witness=("192.0.2.1",),
        before="x",
        after=None,
        records=(HEX,),
    )
    return replace(found, **changes)


def _missing(what: str = "more messages", **changes: Any) -> Missing:
    gap = Missing(
        what=what, on=On.TIME, rule="too-few", subject="pool", count=37, command="wavegate gate"
    )
    return replace(gap, **changes)


def _passed(text: str = "all of it") -> Judgement:
    return judgement(shown=text, could_hide="little")


def _cell(instance: str, promise: str, found: Judgement | None, **grid: Any) -> Cell:
    place = GridCell(instance=instance, customer="acme", promise=promise, due=AT)
    return Cell(grid=replace(place, **grid), judgement=found)


def _context(holds: Mapping[str, tuple[str, ...]], **changes: Any) -> Context:
    context = Context(
        run="r1",
        wave="w1",
        at=AT,
        holds=holds,
        promises=tuple(PROMISES.values()),
        digests=Digests(estate={"acme": HEX}, policy=HEX, suites=HEX, tool=HEX),
        tool=Tool(version="0.1.0", source=HEX),
        attempts={},
    )
    return replace(context, **changes)


def _verdicts(cells: list[Cell], **changes: Any) -> Verdicts:
    holds = {cell.grid.instance: () for cell in cells if not cell.grid.outside}
    context = replace(_context(holds), **changes)
    decision = decide(
        cells, at=context.at, holds=context.holds, final=context.final, partial=context.partial
    )
    return build(cells, decision, context)


def _sample() -> list[Cell]:
    """One cell of each kind, with everything that a cell can carry."""
    failed = judgement(
        findings=[_finding(), _finding("b.example TXT", before=None, after="y")],
        missing=[_missing()],
        cleared=[Cleared(rule="order", subject="s", before="1", after="2", explanation="e")],
        not_compared=[NotCompared(what="w", reason="r")],
        shown="-",
        could_hide="-",
        records=[HEX],
        remarks=["advice"],
    )
    open_cell = replace(
        inconclusive(_missing(settles_by=AT + timedelta(days=1))), off_track="stalled"
    )
    covers = frozenset({_finding().cause("dkim"), digest(b"other")})
    waiver = AppliedWaiver(reason="r", approved_by="a", until=AT, covers=covers)
    return [
        _cell("i1", "spf", failed),
        replace(_cell("i1", "dkim", judgement(findings=[_finding()], shown="-", could_hide="-")),
                waiver=waiver),
        _cell("i1", "throughput", open_cell, due=AT + timedelta(days=3)),
        replace(_cell("i1", "dmarc", _passed()), remedied="after 31 min"),
        _cell("i2", "spf", _passed()),
        _cell("i2", "dkim", None),
        _cell("i2", "throughput", not_applicable("no load"), not_applicable="no load",
              limit_by="A. Approver"),
        _cell("i3", "scope", not_applicable("later"), outside=True, due=None),
    ]  # fmt: skip


def test_the_schema_file_is_current() -> None:
    """reports/schema is generated: a field added without it fails here."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


def test_the_module_prints_the_schema() -> None:
    """The command that the module's docstring names writes that file."""
    ran = subprocess.run(
        [sys.executable, "-m", "wavegate.evidence.verdicts"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stdout == schema_text()


def test_the_design_s_fields_are_there() -> None:
    """Checks outside the repository rely on these names."""
    data = json.loads(dump(_verdicts(_sample())))
    assert data["schema"] == "wavegate/verdicts/v1"
    assert {
        "run", "wave", "decision", "closed", "open", "next_due", "instances", "customers", "cells",
    } <= data.keys()  # fmt: skip
    cell = next(c for c in data["cells"] if c["verdict"] == "FAILED" and c["promise"] == "spf")
    assert {
        "instance", "customer", "promise", "verdict", "reason", "due", "shown", "could_hide",
        "findings", "missing", "waiver",
    } <= cell.keys()  # fmt: skip
    assert {"expected", "observed", "witness", "explanation", "cause", "records"} <= cell[
        "findings"
    ][0].keys()
    assert {"what", "count", "on", "settles_by", "command", "cause"} <= cell["missing"][0].keys()
    assert cell["due"] == "2024-01-17T01:12:00.000042Z"


def test_round_trip() -> None:
    """What is dumped is read back equal, and dumped again to the same bytes."""
    verdicts = _verdicts(_sample(), partial="only spf", window=None, decide_by=AT)
    data = dump(verdicts)
    assert parse(data) == verdicts
    assert dump(parse(data)) == data


def test_bytes_do_not_depend_on_order() -> None:
    """The same cells in another order are the same file."""
    assert dump(_verdicts(_sample())) == dump(_verdicts(_sample()[::-1]))


def test_cells_come_back_whole() -> None:
    """Every cell, missing ones too, is what the decision was made from."""
    cells = _sample()
    found = {(c.grid.instance, c.grid.promise): c for c in cells_of(_verdicts(cells))}
    assert found == {(c.grid.instance, c.grid.promise): c for c in cells}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["i1", "i2", "i3"]),
            st.sampled_from(["spf", "dkim", "scope", "sound_evidence"]),
            st.sampled_from(["failed", "waiting", "passed", "none", "n/a"]),
            st.booleans(),
            st.integers(-1, 1),
        ),
        max_size=8,
        unique_by=lambda row: row[:2],
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_decision_can_be_made_again(
    rows: list[tuple[str, str, str, bool, int]], final: bool
) -> None:
    """From the file alone `decide` gives the same decision, so that verify can check it."""
    kinds: dict[str, Judgement | None] = {
        "failed": judgement(findings=[_finding()], shown="-", could_hide="-"),
        "waiting": inconclusive(_missing()),
        "passed": _passed(),
        "none": None,
        "n/a": not_applicable("no"),
    }
    waiver = AppliedWaiver(reason="r", approved_by="a", until=AT + timedelta(days=1))
    cells = [
        replace(
            _cell(name, promise, kinds[kind], due=AT + timedelta(days=days)),
            waiver=waiver if waived else None,
        )
        for name, promise, kind, waived, days in rows
    ]
    holds = {name: () for name, *_ in rows} | {"i9": ("its window has not ended",)}
    verdicts = _verdicts(cells, holds=holds, final=final)
    again = parse(dump(verdicts))
    told = decide(cells, at=AT, holds=holds, final=final)
    made = decision_of(again)
    assert replace(made, why=()) == replace(told, why=())
    assert {*made.why} == {*told.why}
    assert contradictions(again) == ()


def test_a_decision_of_other_cells_is_no_input() -> None:
    """A run cannot be written down with a decision that its cells do not force."""
    good = decide([_cell("i1", "spf", _passed())], at=AT, holds={"i1": ()})
    with pytest.raises(ValueError, match="not that of these cells"):
        build(_sample(), good, _context({"i1": ()}))


def test_a_changed_decision_contradicts_its_cells() -> None:
    """GO written over NO-GO is noticed by name."""
    verdicts = _verdicts(_sample())
    lie = verdicts.model_copy(update={"decision": Word.GO, "why": ()})
    assert contradictions(lie) == ("decision", "why")


def test_a_waiver_that_claims_force_contradicts_its_cell() -> None:
    """What is derived within a cell is made again too."""
    data = json.loads(dump(_verdicts(_sample())))
    cell = next(c for c in data["cells"] if c["waiver"])
    cell["waiver"]["in_force"] = not cell["waiver"]["in_force"]
    assert contradictions(parse(dumps(data))) == ("cells",)


def test_a_changed_cause_is_damage() -> None:
    """A cause is a digest of what it stands for; another one is refused."""
    data = json.loads(dump(_verdicts(_sample())))
    cell = next(c for c in data["cells"] if c["findings"])
    cell["findings"][0]["cause"] = HEX
    with pytest.raises(DamagedError, match="formula"):
        cells_of(parse(dumps(data)))


def test_a_cell_that_contradicts_itself_is_damage() -> None:
    """PASSED with a finding is no verdict."""
    data = json.loads(dump(_verdicts(_sample())))
    cell = next(c for c in data["cells"] if c["findings"])
    cell["verdict"] = "PASSED"
    with pytest.raises(DamagedError, match="contradicts itself"):
        cells_of(parse(dumps(data)))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "wavegate/verdicts/v2"},
        {"decision": "MAYBE"},
        {"open": "3"},
        {"closed": 1},
        {"at": "2024-01-17T01:12:00+00:00"},
        {"at": "2024-01-17"},
        {"at": 1705453920},
        {"at": "yesterday"},
        {"extra": 1},
        {"schema_id": "wavegate/verdicts/v1"},
        {"cells": [{}]},
    ],
)
def test_what_is_not_of_the_schema_is_refused(change: dict[str, object]) -> None:
    """No guess, no coercion, no unknown field: an error with its place and cure."""
    data = json.loads(dump(_verdicts(_sample()))) | change
    with pytest.raises(DamagedError) as caught:
        parse(dumps(data), where="bundle/verdicts.json")
    assert caught.value.where == "bundle/verdicts.json"
    assert caught.value.cure


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b"1.5", b"null"])
def test_bytes_that_are_no_verdicts_are_refused(data: bytes) -> None:
    """Damaged bytes end in one clear error, never in a traceback of a parser."""
    with pytest.raises(DamagedError):
        parse(data)


def test_a_missing_field_is_refused() -> None:
    """Nothing is filled in on reading, but what versions before had no word for."""
    for name in set(json.loads(dump(_verdicts(_sample())))) - LATER:
        data = json.loads(dump(_verdicts(_sample())))
        del data[name]
        with pytest.raises(DamagedError):
            parse(dumps(data))


def test_a_cell_that_was_not_judged_says_what_is_missing() -> None:
    """Cannot tell always comes with what would settle it, for a missing cell too."""
    (entry,) = _verdicts([_cell("i1", "spf", None)]).cells
    assert (entry.judged, entry.verdict) == (False, Verdict.INCONCLUSIVE)
    assert [(gap.on, gap.rule) for gap in entry.missing] == [(On.US, "not-judged")]


def test_causes_are_shared_over_instances() -> None:
    """One changed include is one cause, failed ones first."""
    failed = judgement(findings=[_finding()], shown="-", could_hide="-")
    cells = [
        _cell("i1", "dkim", inconclusive(_missing())),
        *(_cell(f"i{n}", "spf", failed) for n in range(3)),
    ]
    causes = _verdicts(cells).causes
    assert [(c.promise, c.verdict, c.instances, c.on) for c in causes] == [
        ("spf", Verdict.FAILED, ("i0", "i1", "i2"), None),
        ("dkim", Verdict.INCONCLUSIVE, ("i1",), On.TIME),
    ]


def test_waivers_count_what_they_cover() -> None:
    """Unused and expired waivers are listed with nothing applied."""
    failed = judgement(findings=[_finding()], shown="-", could_hide="-")
    cause = _finding().cause("spf")
    applied = AppliedWaiver(
        reason="r", approved_by="a", until=AT + timedelta(days=1), covers=frozenset({cause})
    )
    cells = [replace(_cell(f"i{n}", "spf", failed), waiver=applied) for n in range(3)]
    later, before = AT + timedelta(days=1), AT - timedelta(days=1)
    waivers = (
        Waiver(cause=cause, reason="r", approved_by="a", until=later),
        Waiver(cause=cause, reason="r", approved_by="a", until=before),
        Waiver(promise="spf", instance="i9", reason="r", approved_by="a", until=later),
    )
    verdicts = _verdicts(cells, waivers=waivers)
    assert [waiver.applied for waiver in verdicts.waivers] == [3, 0, 0]
    assert {c.waiver.cause if c.waiver else None for c in verdicts.cells} == {cause}
    assert all(c.waiver and c.waiver.in_force for c in verdicts.cells)


def test_a_waiver_of_scope_is_never_in_force_for_a_failure() -> None:
    """FAILED scope cannot be waived, and the file says that the waiver does nothing."""
    waiver = AppliedWaiver(reason="r", approved_by="a", until=AT + timedelta(days=1))
    failed = judgement(findings=[_finding()], shown="-", could_hide="-")
    (entry,) = _verdicts([replace(_cell("i1", "scope", failed), waiver=waiver)]).cells
    assert entry.waiver is not None
    assert entry.waiver.in_force is False


def test_limits_stand_apart_from_cells_outside_the_wave() -> None:
    """What the signed grid decides is listed; an instance outside the wave is no limit."""
    limits = _verdicts(_sample()).limits
    assert [(entry.instance, entry.promise, entry.approved_by) for entry in limits] == [
        ("i2", "throughput", "A. Approver")
    ]


def test_the_schema_refuses_unknown_fields() -> None:
    """An auditor's validator is as strict as ours."""
    schema: Any = json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"]) - LATER
