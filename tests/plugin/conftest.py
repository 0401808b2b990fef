# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A desk with two instances of acme, captured, for suites that are written on the spot."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance, wave
from tests.builders.snapshots import snapshot
from tests.builders.stores import Desk, named

from wavegate.plugin import session
from wavegate.plugin.wire import JudgedCell, read_cells

LOADED_ONCE = session
"""pytester forgets modules that a run inside it imports; this one keeps ours between runs."""

TWO = ("acme-prod1", "acme-prod2")
PASS = 'judgement(shown="s", could_hide="c")'
FAIL = (
    'judgement(findings=[Finding(rule="r", subject="s", expected="was a", observed="is b", '
    'explanation="changed", witness=("192.0.2.1",))], shown="-", could_hide="-")'
)
GAP = 'inconclusive(Missing(what="37 more messages", on=On.OPERATOR, rule="g", subject="s"))'


@dataclass
class Bench:
    """pytester at a desk."""

    pytester: pytest.Pytester
    desk: Desk

    def suite(self, promise: str, body: str, arguments: str = "judge") -> Path:
        """Write a suite with one test."""
        text = f'"""A promise."""\nfrom wavegate.testing import *\n\ndef test_it({arguments}):\n'
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        return self.file(promise, text + lines)

    def file(self, promise: str, text: str) -> Path:
        """Write a suite as it stands."""
        path = self.pytester.path / f"test_{promise}.py"
        path.write_text(text, "utf-8")
        return path

    def run(self, *more: str) -> pytest.RunResult:
        """Judge with all suites written so far."""
        return self.pytester.runpytest_inprocess(
            *self.desk.options, "-p", "no:cacheprovider", f"--verdicts={self._out}", *more
        )

    @property
    def _out(self) -> Path:
        return self.pytester.path / "out.json"

    @property
    def cells(self) -> dict[tuple[str, str], JudgedCell]:
        """What the last run wrote for the gate."""
        return dict(read_cells(self._out.read_bytes()))


@pytest.fixture
def bench(pytester: pytest.Pytester, tmp_path: Path) -> Bench:
    """Two instances with sound snapshots of both phases; the plan is the test's."""
    found = estate(*(instance(name) for name in TWO), waves=(wave("2024-01-w1", *TWO),))
    desk = Desk(tmp_path / "desk", found)
    for name in TWO:
        desk.capture(*named((snapshot("before"), snapshot("after")), name))
    return Bench(pytester=pytester, desk=desk)
