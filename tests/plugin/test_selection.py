# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which cells run: the grid's, in the order of instances; a part of them is never GO."""

import pytest
from tests.plugin.conftest import GAP, PASS, Bench


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two promises that pass."""
    bench.desk.plan("greeting", "parting")
    bench.suite("greeting", f"judge({PASS})")
    bench.suite("parting", f"judge({PASS})")
    return bench


def test_ids_and_order(two: Bench) -> None:
    """Instance by instance, so that records are loaded once; wave and instance in the id."""
    result = two.run("--co", "-q")
    lines = [line for line in result.outlines if "::" in line]
    assert lines == [
        "test_greeting.py::test_it[2024-01-w1/acme-prod1]",
        "test_parting.py::test_it[2024-01-w1/acme-prod1]",
        "test_greeting.py::test_it[2024-01-w1/acme-prod2]",
        "test_parting.py::test_it[2024-01-w1/acme-prod2]",
    ]
    assert result.ret == 0


@pytest.mark.parametrize(
    "choice",
    [
        ("-k", "greeting"),
        ("-m", "promise(id='greeting')"),
        ("--instance", "acme-prod1"),
        ("--deselect", "test_parting.py"),
        ("test_greeting.py",),
        ("test_greeting.py::test_it", "test_parting.py::test_it"),
        ("-x", "--maxfail=1", "test_greeting.py"),
    ],
)
def test_partial_run_is_never_go(two: Bench, choice: tuple[str, ...]) -> None:
    """Everything that ran passed, and the line says HOLD; the exit status is not 0."""
    result = two.run(*choice)
    assert result.parseoutcomes()["passed"] >= 2
    result.stdout.fnmatch_lines(["HOLD"])
    assert result.ret == 1


def test_unknown_instance_is_a_usage_error(two: Bench) -> None:
    """An empty run would look like a quiet one."""
    result = two.run("--instance", "acme-prod9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no instance acme-prod9; there are: acme-prod1, acme-prod2"])


def test_marker_selects_by_promise(two: Bench) -> None:
    """-m with the promise's id."""
    two.run("-m", "promise(id='greeting')").assert_outcomes(passed=2, deselected=2)


def test_without_a_plan_it_is_hold(bench: Bench) -> None:
    """The grid was never fixed."""
    bench.suite("greeting", f"judge({PASS})")
    result = bench.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*no signed plan*", "HOLD"])


def test_suite_that_is_not_planned_is_said(bench: Bench) -> None:
    """A promise that joined after the plan has no cells."""
    bench.desk.plan("greeting")
    bench.suite("greeting", f"judge({PASS})")
    bench.suite("parting", f"judge({PASS})")
    result = bench.run()
    result.stdout.fnmatch_lines(["parting is not in the signed grid*", "GO"])
    assert result.ret == 0


def test_open_cell_with_go_does_not_fail_the_run(bench: Bench) -> None:
    """Before its due an INCONCLUSIVE is open: GO, 2 open, exit 0; --final makes it HOLD."""
    bench.desk.plan("greeting", "throughput")
    bench.suite("greeting", f"judge({PASS})")
    bench.suite("throughput", f"judge({GAP})")
    result = bench.run()
    result.stdout.fnmatch_lines(["GO, 2 open, next due 2024-01-31T23:00:00Z"])
    assert result.ret == 0
    final = bench.run("--final")
    final.stdout.fnmatch_lines(["HOLD"])
    assert final.ret == 1
