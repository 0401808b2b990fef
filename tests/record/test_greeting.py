# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sink's greeting tells its time, and a hostile one tells none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.record.greeting import greeted_at, greeting
from wavegate.record.observation import Absent, Observation, Outcome, Seen

AT = datetime(2024, 1, 16, 22, 0, 0, 123456, tzinfo=UTC)


def heard(outcome: Outcome, kind: str = "smtp") -> Observation:
    """An observation of a greeting."""
    return Observation(
        kind=kind,  # type: ignore[arg-type]  # another kind is tried on purpose
        subject="clock of the sink at 127.0.0.1:2525",
        asked={},
        heard={},
        outcome=outcome,
        at=AT,
        took_us=1,
        vantage="here",
    )


def test_what_is_said_is_understood() -> None:
    """To the microsecond."""
    assert greeted_at(heard(Seen(b"220 mx.example " + greeting(AT).encode()))) == AT


@given(st.binary(max_size=80))
def test_any_bytes_are_no_traceback(said: bytes) -> None:
    """Whatever listens there."""
    assert greeted_at(heard(Seen(b"220 x Wavegate sink; " + said))) is None or said


@pytest.mark.parametrize(
    "seen", [heard(Absent("closed")), heard(Seen(greeting(AT).encode()), "tls")]
)
def test_other_observations_tell_no_time(seen: Observation) -> None:
    """Only the greeting itself."""
    assert greeted_at(seen) is None
