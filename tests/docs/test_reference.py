# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def maker() -> ModuleType:
    """The script that makes the pages, as a module."""
    spec = importlib.util.spec_from_file_location("make_reference", REFERENCE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["cli.md", "estate.md", "promises.md", "faults.md"])
def test_reference_pages_are_what_the_code_makes(page: str) -> None:
    """What is generated is checked in and never drifts; `python docs/reference/make.py` renews."""
    assert maker().pages()[page] == (REFERENCE / page).read_text("utf-8")
