# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders.nights import Nights, night

from wavegate.cli.entry import run

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """A store without any night."""
    return Nights(tmp_path)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_first_slice(nights: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a baseline the look is kept; once it is accepted, a like night is one quiet GO."""
    first = nights.play(night(1))
    assert (3, None) == (first.exit_code, first.gated)
    assert ["acme-dev1"] == [row.instance for row in first.taken]
    assert 1 == nights.accept(night(1, hours=7)).version
    second = nights.play(night(2))
    assert second.gated is not None
    print({(c.promise): (str(c.verdict), c.reason) for c in second.gated.verdicts.cells})
    assert 0 == second.exit_code
    assert second.night is not None
    assert not second.night.changed
    key = str(nights.home / "keys" / "default.pub")
    capsys.readouterr()
    assert 0 == run(["verify", str(second.gated.bundle), "--key", key, "--rejudge", "--json"])
    assert told(capsys)["rejudged"]
