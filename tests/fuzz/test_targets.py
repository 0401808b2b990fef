# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every reader of foreign bytes, given mutated ones: a refusal in a sentence, or a reading."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.mutation import KINDS, TOKENS, Change
from tests.fuzz.targets import TARGETS, Target

CHANGES = st.lists(
    st.builds(
        Change,
        kind=st.integers(0, len(KINDS) - 1),
        at=st.integers(0, 999_999),
        size=st.integers(0, 2_000),
        token=st.integers(0, len(TOKENS) - 1),
    ),
    min_size=1,
    max_size=4,
)
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@every_target
def test_good_bytes_are_read(target: Target) -> None:
    """The mutations begin at bytes that the reader takes: at least one of the seeds."""
    seeds = target.seeds()
    assert seeds
    assert True in [target.check(seed) for seed in seeds]


@every_target
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 10_000), changes=CHANGES)
def test_mutated_bytes(target: Target, number: int, changes: list[Change]) -> None:
    """Some small changes to good bytes never bring more than the errors that the reader names."""
    seeds = _SEEDS.setdefault(target.name, target.seeds())
    data = seeds[number % len(seeds)]
    for change in changes:
        data = change.on(data)
    target.check(data)


@every_target
@settings(max_examples=15)
@given(data=st.binary(max_size=400))
def test_any_bytes(target: Target, data: bytes) -> None:
    """Neither do bytes that were never anything."""
    target.check(data)


_SEEDS: dict[str, tuple[bytes, ...]] = {}


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_changes_change(kind: int) -> None:
    """Each kind of change makes other bytes of some; none breaks on nothing at all."""
    change = Change(kind=kind, at=400_000, size=3, token=3)
    assert b"0123456789" != change.on(b"0123456789")
    assert isinstance(change.on(b""), bytes)
