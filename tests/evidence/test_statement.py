# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.small_bundle import RUN, SUITES, TOOL, WAVE, described, plan, snapshot

from wavegate.canonical import dumps, loads
from wavegate.evidence.predicates import (
    PlanPredicate,
    RecordPredicate,
    SealPredicate,
    SeedRuns,
)
from wavegate.evidence.statement import (
    StatementError,
    grid_subject,
    read,
    record_subject,
    write,
)

RECORD = described(snapshot("acme-prod1", "before", 1, None))
SEAL = SealPredicate(
    run=RUN,
    wave=WAVE,
    timestamps_required=False,
    tool=TOOL,
    suites=SUITES,
    drill="not drilled",
)
SUBJECT = record_subject("ab" * 32)


def test_round_trip() -> None:
    """Each predicate reads back as it was written, with its subjects."""
    for subjects, predicate in (
        (grid_subject(plan()), plan()),
        (SUBJECT, RECORD),
        ({"MANIFEST": "ab" * 32, "verdicts.json": "cd" * 32}, SEAL),
        ({"MANIFEST": "ab" * 32}, replace(SEAL, wave=None)),
    ):
        found = read(write(subjects, predicate), type(predicate))
        assert (found.subjects, found.predicate) == (subjects, predicate)


def test_a_plan_tells_its_bursts_of_seeds_and_an_old_one_has_none() -> None:
    """Ordered bursts read back; a plan without any is byte for byte what plans always were."""
    old = plan()
    subjects = grid_subject(old)
    assert b'"seeds"' not in write(subjects, old)
    assert {} == read(write(subjects, old), PlanPredicate).predicate.seeds
    bursts = {"acme-prod1": SeedRuns(runs=20, seeds=20, stem="5e" * 16)}
    found = read(write(subjects, replace(old, seeds=bursts)), PlanPredicate).predicate
    assert bursts == found.seeds


@pytest.mark.parametrize(
    "told", [[], "x", {"a": 1}, {"a": {"runs": 0, "seeds": 20, "stem": "x"}}, {"a": {"runs": 1}}]
)
def test_strange_bursts_are_refused(told: object) -> None:
    """What a plan says of seeds has its type, or the plan does not count."""
    old = plan()
    made = loads(write(grid_subject(old), old))
    assert isinstance(made, dict)
    with pytest.raises(StatementError):
        read(dumps(made | {"predicate": {**made["predicate"], "seeds": told}}), PlanPredicate)


def test_journal_belongs_to_nobody() -> None:
    """Only a mail journal may lack instance, customer, wave, phase and estate."""
    none = {"instance": None, "customer": None, "wave": None, "phase": None, "estate": None}
    journal = replace(RECORD, kind="mail-journal", **none)  # type: ignore[arg-type] # all None
    assert read(write(SUBJECT, journal), RecordPredicate).predicate == journal
    with pytest.raises(StatementError, match="snapshot record without"):
        read(write(SUBJECT, replace(journal, kind="snapshot")), RecordPredicate)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
        ({"predicateType": RecordPredicate.TYPE}, "predicateType"),
        ({"predicateType": "https://wavegate.dev/predicate/seal/v2"}, "predicateType"),
        ({"more": 1}, "unknown field 'more'"),
        ({"subject": []}, "0 subjects"),
        ({"subject": [{"name": "a", "digest": {"sha256": "zz"}}]}, "SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "AB" * 32}}]}, "SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha512": "ab" * 64}}]}, "sha512"),
        ({"subject": [{"name": "../a", "digest": {"sha256": "ab" * 32}}]}, "plain names"),
        ({"subject": [{"name": "\u0430", "digest": {"sha256": "ab" * 32}}]}, "plain names"),
        ({"subject": [{"name": n, "digest": {"sha256": "ab" * 32}} for n in "aa"]}, "twice"),
        ({"subject": [{"name": n, "digest": {"sha256": "ab" * 32}} for n in "aA"]}, "one file"),
        ({"subject": ["a"]}, "expected an object"),
        ({"predicate": None}, "expected an object"),
    ],
)
def test_refused(change: dict[str, object], says: str) -> None:
    """A signed statement that is not exactly ours is refused, and says why."""
    found = loads(write({"MANIFEST": "ab" * 32}, SEAL))
    assert isinstance(found, dict)
    with pytest.raises(StatementError, match=says):
        read(dumps(found | change), SealPredicate)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"run": "../x"}, "plain name"),
        ({"run": "a\u0000"}, "without NUL|expected a text"),
        ({"timestamps_required": 0}, "true or false"),
        ({"suites": "ab"}, "SHA-256"),
        ({"tool": {"version": "1"}}, "'source' is missing"),
    ],
)
def test_predicate_refused(change: dict[str, object], says: str) -> None:
    """Fields of our own predicates have their type, or the statement is refused."""
    found = loads(write({"MANIFEST": "ab" * 32}, SEAL))
    assert isinstance(found, dict)
    with pytest.raises(StatementError, match=says):
        read(dumps(found | {"predicate": found["predicate"] | change}), SealPredicate)


def test_time_runs_forward() -> None:
    """A record cannot end before it began."""
    odd = replace(RECORD, ended=RECORD.began - timedelta(seconds=1))
    with pytest.raises(StatementError, match="before it began"):
        read(write(SUBJECT, odd), RecordPredicate)


def test_grid_digest_is_of_all_cells() -> None:
    """The plan's subject changes with any cell."""
    whole = plan()
    assert grid_subject(whole) != grid_subject(replace(whole, cells=whole.cells[1:]))


@given(payload=st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_junk_never_crashes(payload: bytes) -> None:
    """Any bytes are refused with a sentence."""
    with pytest.raises(StatementError):
        read(payload, PlanPredicate)
