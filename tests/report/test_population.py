# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import csv
import io
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.population import COLUMNS, as_csv
from wavegate.report.safe_csv import safe_cell, table


def rows(verdicts: Verdicts) -> list[dict[str, str]]:
    """The lines as a spreadsheet reads them."""
    return list(csv.DictReader(io.StringIO(as_csv(verdicts).decode(), newline="")))


def test_every_cell_is_a_line(varied: Verdicts) -> None:
    """The population is whole: each cell once, with verdict, due and decision."""
    found = rows(varied)
    keys = [(row["instance"], row["promise"]) for row in found]
    assert [(cell.instance, cell.promise) for cell in varied.cells] == keys
    assert {str(cell.verdict) for cell in varied.cells} | {"not judged"} == {
        row["verdict"] for row in found
    }
    assert dict(varied.instances) == {row["instance"]: row["decision"] for row in found}


def test_standing_is_told(varied: Verdicts) -> None:
    """A waived, an open and a stopping cell are told apart; a waiver that expired is none."""
    found = {(row["instance"], row["promise"]): row for row in rows(varied)}
    assert "waived" == found["acme-mkt", "sending_ips"]["standing"]
    assert "J. Doe" == found["acme-mkt", "sending_ips"]["waived_by"]
    assert "open" == found["acme-mkt", "throughput"]["standing"]
    assert ("stops", "") == (
        found["borealis-stage", "sound_evidence"]["standing"],
        found["borealis-stage", "sound_evidence"]["waived_by"],
    )
    assert "no" == found["delta-prod1", "scope"]["in_wave"]


def test_instance_without_a_cell(held: Verdicts) -> None:
    """An instance of which nothing was judged is in the population all the same."""
    bare = held.model_copy(update={"cells": held.cells[1:]})
    gone = held.cells[0].instance
    (row,) = [row for row in rows(bare) if row["instance"] == gone]
    assert ("not judged", "stops", "its window has not ended") == (
        row["verdict"],
        row["standing"],
        row["reason"],
    )


def test_nothing_is_a_formula(make_hostile: Callable[[], Verdicts], varied: Verdicts) -> None:
    """No cell begins like a formula, and no control character is in any."""
    for verdicts in (varied, make_hostile()):
        for row in rows(verdicts):
            assert not [v for v in row.values() if v[:1] in {"=", "+", "-", "@", "\t", "\r", "|"}]
            assert not [v for v in row.values() if not v.isprintable()]


@given(st.text(max_size=40))
def test_escaped_text_reads_back(text: str) -> None:
    """Whatever a cell holds is read back whole, at most with a quote before it."""
    data = table(("a",), [(text,)]).decode("utf-8", "surrogatepass")
    (found,) = list(csv.reader(io.StringIO(data, newline="")))[1]
    assert found in {text, f"'{text}"}


def test_formulas_are_made_text() -> None:
    """The characters that start a formula, also behind blanks and in full width; numbers stay."""
    for text in ("=1+1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "|cmd", "%x", "\uff1d1"):
        assert f"'{text}" == safe_cell(text)
    for text in ("-12", "42", "a=1", "", "x@example"):
        assert text == safe_cell(text)


def test_columns_are_the_header(varied: Verdicts) -> None:
    """The first line names the columns; lines end as RFC 4180 has it."""
    first = as_csv(varied).decode().split("\r\n")[0]
    assert ",".join(f'"{name}"' for name in COLUMNS) == first
