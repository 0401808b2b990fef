# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from wavegate.errors import DamagedError
from wavegate.evidence.night_file import parse_night, read_night, schema_text

CHECKED_IN = Path(__file__).parents[2] / "reports" / "schema" / "night.schema.json"


def test_the_schema_that_is_checked_in_is_current() -> None:
    """The file in the repo is what the model says; the module prints it."""
    assert schema_text() == CHECKED_IN.read_text("utf-8")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"schema":"wavegate/night/v2"}', b"\xff"])
def test_what_is_no_night_is_refused_with_a_cure(data: bytes) -> None:
    """Bytes of another version or of nobody are never half-read."""
    with pytest.raises(DamagedError):
        parse_night(data)


def test_a_bundle_without_a_night_is_told(tmp_path: Path) -> None:
    """A bundle of a nightly that lost its night.json cannot be judged again."""
    with pytest.raises(DamagedError, match=r"no night\.json"):
        read_night(tmp_path)
