# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Without an estate the plugin is inert: nothing is imported, nothing changed."""

import subprocess
import sys

import pytest


def test_costs_nothing_where_it_is_not_used() -> None:
    """Importing the entry point brings in none of our libraries."""
    code = (
        "import sys, wavegate.plugin; "
        "print(sorted(n for n in sys.modules if n.startswith('wavegate')), "
        "[n for n in ('pydantic', 'dns', 'lxml', 'cryptography', 'requests') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['wavegate', 'wavegate.plugin'] []"


def test_foreign_suites_are_left_alone(pytester: pytest.Pytester) -> None:
    """A project with fixtures of the same names keeps its own."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def judge():
            return "mine"

        def test_mine(judge, record_property):
            assert judge == "mine"
        """
    )
    result = pytester.runpytest_inprocess("--strict-markers")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*wavegate:*")


def test_suite_without_estate_says_what_it_needs(pytester: pytest.Pytester) -> None:
    """Not a pass, and not a riddle."""
    pytester.makepyfile(test_spf="def test_it(before, judge):\n    pass\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--estate FILE --wave NAME --store DIR*"])


def test_options_have_their_own_group(pytester: pytest.Pytester) -> None:
    """--help shows them together, the hidden one not."""
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        ["wavegate: judge the records of a migration wave:", "*--estate=FILE*"]
    )
    result.stdout.no_fnmatch_line("*--run-instant*")


def test_marker_is_registered(pytester: pytest.Pytester) -> None:
    """--strict-markers holds."""
    pytester.runpytest_inprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.promise(*"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--estate=none.yaml", "--wave=w", "--store=s"], "*none.yaml*"),
        (["--estate=none.yaml"], "*--estate, --wave and --store go together*"),
    ],
)
def test_bad_input_is_one_clear_error(
    pytester: pytest.Pytester, options: list[str], said: str
) -> None:
    """Pytest's usage error, no traceback."""
    result = pytester.runpytest_inprocess(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
    result.stderr.no_fnmatch_line("*Traceback*")
