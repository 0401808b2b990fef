# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from tests.builders.migrations import Migration
from tests.builders.stores import Desk

from wavegate.run.suites import find_suites


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A store in which all is as it should be: planned, captured, watched, listed, received."""
    whole = Migration()
    found = Desk(tmp_path / "desk", whole.estate)
    found.plan(*(suite.promise.id for suite in find_suites()))
    whole.file(found)
    return found


@pytest.fixture
def gate(desk: Desk, tmp_path: Path) -> list[str]:
    """The command line that gates the desk into `bundle`."""
    home = desk.folder / "home"
    return [
        *("gate", "--estate", str(desk.folder / "estate.json"), "--wave", desk.wave),
        *("--store", str(desk.folder / "store"), "--out", str(tmp_path / "bundle")),
        *("--key", str(home / "keys" / "default.pem"), "--trust", str(home / "trust.json")),
    ]
