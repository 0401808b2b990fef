# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "wavegate"
PURE = ("mailauth", "compare", "evidence", "report", "record")
NETWORK = ("dns.query", "dns.asyncquery", "dns.resolver", "dns.asyncresolver", "urllib.request")


def sources(*folders: str) -> list[Path]:
    """The source files of some packages, of all without arguments."""
    places = [PACKAGE / folder for folder in folders] or [PACKAGE]
    return sorted(path for place in places for path in place.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_import_contracts_hold() -> None:
    """Imports run one way, without circles; the lab shares no code with what it tests."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    pytest.importorskip("importlinter", reason="import-linter is in the lint environment")
    done = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", sources(*PURE), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_judging_imports_no_network_part_of_a_library(path: Path) -> None:
    """Messages of dnspython are fine, its sockets are not; the linter sees whole packages only."""
    found = {name for name in imports(path) if name.startswith(NETWORK)}
    assert set() == found


def test_only_the_clock_reads_the_clock() -> None:
    """One instant per run, read in one module (design, rule 9)."""
    reads = re.compile(
        r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time|time\.monotonic)\("
    )
    found = [
        str(path.relative_to(PACKAGE))
        for path in sources()
        if path.name != "clock.py" and reads.search(path.read_text("utf-8"))
    ]
    assert [] == found


def test_no_circle_hides_under_type_checking() -> None:
    """A TYPE_CHECKING import is a circle that the linter does not see."""
    found = [path for path in sources() if re.search(r"if TYPE_CHECKING", path.read_text("utf-8"))]
    assert [] == found


def test_suites_import_nothing_but_pytest_and_testing() -> None:
    """A suite is the promise in code; what it needs, `wavegate.testing` offers."""
    allowed = ("pytest", "wavegate.testing", "__future__")
    for path in sorted((ROOT / "suites").glob("*.py")):
        odd = [name for name in imports(path) if not name.startswith(allowed)]
        assert [] == odd, path.name


def test_no_function_is_longer_than_fifty_lines() -> None:
    """What does not fit on a screen does more than one thing."""
    found = []
    for path in [*sources(), *sorted((ROOT / "suites").glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += [f"{path.name}:{node.name}"] if _length(node) > 50 else []
    assert [] == found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function less its docstring."""
    text = ast.get_docstring(node, clean=False)
    first = node.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if text is not None else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring
