# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a judgement: outcome, exit status, the file for the gate, the last line."""

import pytest
from tests.plugin.conftest import FAIL, GAP, PASS, Bench

from wavegate.verdict import Verdict

ONE, OTHER = ("acme-prod1", "greeting"), ("acme-prod2", "greeting")


def plan(bench: Bench, *promises: str) -> None:
    """Sign the grid."""
    bench.desk.plan(*(promises or ("greeting",)))


def test_all_passed_is_go(bench: Bench) -> None:
    """Two cells, exit 0, GO."""
    plan(bench)
    bench.suite("greeting", f"judge({PASS})")
    result = bench.run()
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert {cell.judgement.verdict for cell in bench.cells.values()} == {Verdict.PASSED}
    result.stdout.fnmatch_lines(["wavegate: wave 2024-01-w1, estate *", "GO"])


def test_failed_is_no_go_with_its_cause(bench: Bench) -> None:
    """One cause in two cells: promised, before, after, where to look, who must act."""
    plan(bench)
    bench.suite("greeting", f"judge({FAIL})")
    result = bench.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "FAILED greeting[[]2024-01-w1/acme-prod1[]] greeting[[]2024-01-w1/acme-prod2[]]*cause*",
            "  before *was a",
            "  after *is b",
            "  where to look *192.0.2.1",
            "  who must act *operator",
            "NO-GO",
        ]
    )
    assert bench.cells[ONE].judgement.findings[0].witness == ("192.0.2.1",)


def test_inconclusive_is_hold_and_has_its_own_word(bench: Bench) -> None:
    """Never a skip, never a pass; exit 1."""
    plan(bench)
    bench.suite("greeting", f"judge({GAP})")
    result = bench.run("-v")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*INCONCLUSIVE*", "*37 more messages*", "HOLD"])
    assert bench.cells[ONE].judgement.verdict is Verdict.INCONCLUSIVE


def test_not_applicable_is_a_skip_with_its_reason(bench: Bench) -> None:
    """The only verdict that skips; with nothing PASSED it is HOLD all the same."""
    plan(bench)
    bench.suite("greeting", 'judge(not_applicable("no load in dev"))')
    result = bench.run("-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*no load in dev*", "HOLD"])
    assert result.ret == 1


def test_no_judgement_is_an_error(bench: Bench) -> None:
    """A test that ends without calling judge is no pass."""
    plan(bench)
    bench.suite("greeting", "pass")
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.missing[0].rule == "no-judgement"


def test_suite_that_raises_cannot_tell(bench: Bench) -> None:
    """Its error stands in the cell, also where it is an assertion."""
    plan(bench)
    bench.suite("greeting", "assert judge is None, 'odd'")
    assert bench.run().ret == 1
    found = bench.cells[ONE].judgement
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "AssertionError: odd" in found.reason


@pytest.mark.parametrize("body", ["import pytest; pytest.skip('no')", "raise SystemExit(0)"])
def test_suite_that_ends_itself_cannot_tell(bench: Bench, body: str) -> None:
    """A skip in disguise is none."""
    plan(bench)
    bench.suite("greeting", body)
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.verdict is Verdict.INCONCLUSIVE


def test_skip_mark_is_no_way_out(bench: Bench) -> None:
    """The cell was not judged, and that is not GO."""
    plan(bench)
    bench.file(
        "greeting",
        '"""A promise."""\nimport pytest\n\n@pytest.mark.skip\ndef test_it(judge):\n    pass\n',
    )
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.verdict is Verdict.INCONCLUSIVE


def test_xfail_mark_is_no_way_out(bench: Bench) -> None:
    """An expected failure is a failure."""
    plan(bench)
    bench.file(
        "greeting",
        '"""A promise."""\nimport pytest\nfrom wavegate.testing import *\n\n'
        f"@pytest.mark.xfail\ndef test_it(judge):\n    judge({FAIL})\n",
    )
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.verdict is Verdict.FAILED


def test_worst_of_several_calls_and_tests(bench: Bench) -> None:
    """Two calls in one test, two tests in one file."""
    plan(bench)
    bench.file(
        "greeting",
        '"""A promise."""\nfrom wavegate.testing import *\n\n'
        f"def test_a(judge):\n    judge({PASS})\n    judge({GAP})\n\n"
        f"def test_b(judge):\n    judge({FAIL})\n",
    )
    bench.run()
    found = bench.cells[ONE].judgement
    assert found.verdict is Verdict.FAILED
    assert [m.what for m in found.missing] == ["37 more messages"]


def test_fixture_that_raises_cannot_tell(bench: Bench) -> None:
    """Errors in setup and teardown are errors of the cell."""
    plan(bench)
    bench.file(
        "greeting",
        '"""A promise."""\nimport pytest\nfrom wavegate.testing import *\n\n'
        "@pytest.fixture\ndef odd():\n    yield\n    raise OSError('late')\n\n"
        f"def test_a(odd, judge):\n    judge({PASS})\n",
    )
    assert bench.run().ret == 1
    assert "late" in bench.cells[ONE].judgement.reason


def test_suite_that_cannot_be_imported_leaves_others_judged(bench: Bench) -> None:
    """Its cells cannot be told, the others are."""
    plan(bench, "greeting", "parting")
    bench.file("greeting", '"""A promise."""\nimport no_such_module\n')
    bench.suite("parting", f"judge({PASS})")
    assert bench.run().ret == 1
    assert bench.cells[ONE].judgement.verdict is Verdict.INCONCLUSIVE
    assert bench.cells["acme-prod1", "parting"].judgement.verdict is Verdict.PASSED


def test_foreign_failure_keeps_its_status(bench: Bench) -> None:
    """GO does not hide a failed test that is not ours."""
    plan(bench)
    bench.suite("greeting", f"judge({PASS})")
    bench.file("other", "def test_mine():\n    assert 0\n")
    result = bench.run()
    result.stdout.fnmatch_lines(["GO"])
    assert result.ret == 1


def test_no_cell_is_never_zero(bench: Bench) -> None:
    """Only foreign tests, all passing: HOLD."""
    plan(bench)
    bench.file("other", "def test_mine():\n    pass\n")
    result = bench.run()
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["HOLD"])


def test_no_test_at_all_is_pytests_five(bench: Bench) -> None:
    """Pytest's own code for nothing collected stays."""
    plan(bench)
    assert bench.run().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_judging_something_else_is_an_error(bench: Bench) -> None:
    """True is no judgement."""
    plan(bench)
    bench.suite("greeting", "judge(True)")
    bench.run()
    assert "not bool" in bench.cells[ONE].judgement.reason
