# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Snapshots: canonical bytes that read back whole, and nothing else that is taken for one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import digest, dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.observation import Observation, Seen
from wavegate.record.snapshot import LeftOut, Phase, Snapshot, Tool

AT = datetime(2024, 1, 16, 20, tzinfo=UTC)
ONE = Snapshot(
    instance="acme-prod1",
    customer="acme",
    wave="w1",
    phase="before",
    sequence=2,
    previous="a" * 64,
    because=None,
    began=AT,
    ended=AT,
    complete=True,
    forced=False,
    vantage="here",
    estate="b" * 64,
    tool=Tool(version="0.1.0", source="c" * 64),
    observations=(
        Observation(
            kind="http",
            subject="https://acme.example /r/test",
            asked={"method": "GET", "url": "https://acme.example/r/test"},
            outcome=Seen(b"<redir/>"),
            at=AT,
            took_us=1,
            vantage="here",
        ),
    ),
    left_out=(LeftOut(what="IPv6", reason="no route from here"),),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INSTANTS = st.datetimes(timezones=st.just(UTC))
PHASES: st.SearchStrategy[Phase] = st.sampled_from(["before", "after"])


def read(data: bytes) -> Snapshot:
    """The snapshot of some bytes, under their digest."""
    return Snapshot.from_bytes(data, digest=digest(data))


def changed(**fields: object) -> bytes:
    """The snapshot's record with other fields."""
    found = loads(ONE.to_bytes())
    assert isinstance(found, dict)
    return dumps({**found, **fields})


@given(
    st.builds(
        Snapshot,
        instance=TEXTS,
        customer=TEXTS,
        wave=TEXTS,
        phase=PHASES,
        sequence=st.integers(1, 999_999),
        previous=st.none() | TEXTS,
        because=st.none() | TEXTS,
        began=INSTANTS,
        ended=INSTANTS,
        complete=st.booleans(),
        forced=st.booleans(),
        vantage=TEXTS,
        estate=TEXTS,
        tool=st.builds(Tool, version=TEXTS, source=TEXTS),
        observations=st.just(ONE.observations) | st.just(()),
        left_out=st.lists(st.builds(LeftOut, what=TEXTS, reason=TEXTS), max_size=2).map(tuple),
    )
)
def test_snapshot_comes_back_without_loss(found: Snapshot) -> None:
    """What was written is read back equal, with its digest, and writes the same bytes again."""
    data = found.to_bytes()
    assert read(data) == replace(found, digest=digest(data))
    assert read(data).to_bytes() == data


def test_digest_is_not_part_of_the_record() -> None:
    """A record that knows its digest has the same bytes as before it was stored."""
    assert replace(ONE, digest="d" * 64).to_bytes() == ONE.to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b"nothing",
        changed(instance=7),
        changed(phase="window"),
        changed(sequence="2"),
        changed(sequence=True),
        changed(previous=7),
        changed(began="yesterday"),
        changed(complete="yes"),
        changed(forced=1),
        changed(forced=None),
        changed(tool=[]),
        changed(tool={"version": "1"}),
        changed(observations={}),
        changed(observations=["x"]),
        changed(observations=[{}]),
        changed(left_out=[{"what": "x"}]),
    ],
)
def test_other_bytes_are_damage(data: bytes) -> None:
    """A wrong type is damage with its place; above all `forced` is never lost on the way."""
    with pytest.raises(DamagedError):
        read(data)


def test_newer_schema_is_refused_with_its_cure() -> None:
    """A record of a newer version is not read half."""
    with pytest.raises(DamagedError, match="v2") as caught:
        read(changed(schema="wavegate/snapshot/v2"))
    assert "newer" in (caught.value.cure or "")
