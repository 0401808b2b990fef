# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The repo's own wiring: pages that run as tests, the shared hypothesis profile, the corpora."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

pytest_plugins = ["pytester"]
pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["docs/**/*.md", "README.md", "CONTRIBUTING.md"],
).pytest()


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the keys or settings of the person who runs it."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "wavegate-home"))
    for name in [n for n in os.environ if n.startswith("WAVEGATE_") and n != "WAVEGATE_HOME"]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The public conformance data; a machine without it skips, with the reason."""
    found = ROOT.parent / "shared" / "corpora"
    if not found.is_dir():
        pytest.skip("the public corpora are not on this machine")
    return found
