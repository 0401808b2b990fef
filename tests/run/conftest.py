# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from tests.builders.stores import Desk
from tests.builders.worlds import World

from wavegate.run.suites import find_suites


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A store in which everything is as it should be, planned, captured and received."""
    found = Desk(tmp_path / "desk")
    found.plan(*(suite.promise.id for suite in find_suites()))
    before, after = World(phase="before"), World(phase="after")
    found.capture(before.snapshot(), after.snapshot())
    found.deliver([*before.mails(), *after.mails()])
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
