# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Observations: three outcomes that stay apart, raw bytes that come back, one question one id."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(max_codepoint=126), max_size=9)
FACTS = st.dictionaries(KEYS, TEXTS, max_size=3)
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Seen, st.binary(max_size=50)),
    st.builds(Absent, TEXTS, st.binary(max_size=50)),
    st.builds(Unreachable, TEXTS, st.binary(max_size=50)),
)
OBSERVATIONS = st.builds(
    Observation,
    kind=st.sampled_from(["dns", "http", "soap"]),
    subject=TEXTS,
    asked=FACTS,
    outcome=OUTCOMES,
    at=st.datetimes(timezones=st.just(UTC)),
    took_us=st.integers(0, 2**53 - 1),
    vantage=TEXTS,
    heard=FACTS,
)
ONE = Observation(
    kind="dns",
    subject="news.acme.example. TXT",
    asked={"server": "192.0.2.53:53", "name": "news.acme.example.", "type": "TXT"},
    outcome=Seen(b"\x00\xff"),
    at=datetime(2024, 1, 16, 20, tzinfo=UTC),
    took_us=900,
    vantage="here",
    heard={"rcode": "NOERROR"},
)


@given(OBSERVATIONS)
def test_observation_comes_back_without_loss(found: Observation) -> None:
    """Through canonical bytes and back an observation is the same, its raw bytes too."""
    fields = loads(dumps(found.to_json()))
    assert isinstance(fields, dict)
    assert Observation.from_json(fields) == found


def test_outcomes_stay_apart() -> None:
    """The same bytes heard, absent and unreachable are three different outcomes on paper too."""
    outcomes: list[Outcome] = [Seen(b"x"), Absent("NODATA", b"x"), Unreachable("SERVFAIL", b"x")]
    written = [dumps(replace(ONE, outcome=outcome).to_json()) for outcome in outcomes]
    assert len(set(written)) == 3
    assert [Observation.from_json(replace(ONE, outcome=o).to_json()).outcome for o in outcomes] == (
        outcomes
    )


def test_same_question_has_one_identity() -> None:
    """When, from where and what was answered do not change the question; how it was asked does."""
    again = replace(
        ONE,
        outcome=Unreachable("timeout"),
        at=datetime(2024, 1, 17, tzinfo=UTC),
        took_us=1,
        vantage="there",
        heard={},
        asked=dict(sorted(ONE.asked.items(), reverse=True)),
    )
    other = replace(ONE, asked={**ONE.asked, "server": "192.0.2.54:53"})
    assert again.identity == ONE.identity
    assert other.identity != ONE.identity
    assert replace(ONE, kind="http").identity != ONE.identity


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "ftp"},
        {"subject": None},
        {"subject": 7},
        {"asked": {"port": 53}},
        {"heard": []},
        {"outcome": "seen"},
        {"outcome": {"outcome": "seen"}},
        {"outcome": {"outcome": "maybe", "value": ""}},
        {"outcome": {"outcome": "seen", "value": "no base64!"}},
        {"outcome": {"outcome": "absent", "value": ""}},
        {"at": "2024-01-16T20:00:00"},
        {"at": 5},
        {"took_us": "900"},
        {"took_us": True},
        {"vantage": None},
    ],
)
def test_anything_else_is_damage(change: dict[str, object]) -> None:
    """A field of another type, or an outcome that there is not, is never read as something."""
    with pytest.raises(DamagedError, match="not an observation"):
        Observation.from_json({**ONE.to_json(), **change})


@pytest.mark.parametrize("key", list(ONE.to_json()))
def test_missing_field_is_damage(key: str) -> None:
    """Every field must be there."""
    fields = ONE.to_json()
    del fields[key]
    with pytest.raises(DamagedError, match="not an observation"):
        Observation.from_json(fields)
