# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import snapshot, zone
from tests.builders.timelines import every, timeline
from tests.evidence.small_bundle import AT, END, START, mail

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.mail_sources import SCHEMA as MAIL_SOURCES
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import SCHEMA as MAILS
from wavegate.record.mails import MailsRecord
from wavegate.record.outline import LISTS, outline
from wavegate.record.snapshot import SCHEMA as SNAPSHOT
from wavegate.record.timeline import SCHEMA as TIMELINE


def mails(*names: str) -> bytes:
    """A record of mails."""
    return MailsRecord(
        instance="acme-prod1",
        customer="acme",
        wave="w",
        phase="after",
        since=END,
        until=AT,
        messages=tuple(map(mail, names)),
    ).to_bytes()


RECORDS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    SNAPSHOT: (lambda: snapshot("before", zone(START)).to_bytes(), {"observations"}),
    MAILS: (lambda: mails("one", "two"), {"messages"}),
    TIMELINE: (lambda: timeline(every()).to_bytes(), {"samples"}),
    MAIL_SOURCES: (
        lambda: MailSourcesRecord(
            instance="acme-prod1", customer="acme", wave="w", looks=(), reports=()
        ).to_bytes(),
        {"looks", "reports"},
    ),
}


@pytest.mark.parametrize("schema", LISTS)
def test_all_but_the_lists(schema: str) -> None:
    """The fields are those that a strict reader of the whole record finds."""
    made, lists = RECORDS[schema]
    whole = loads(made())
    assert isinstance(whole, dict)
    expected = {name: value for name, value in whole.items() if name not in lists}
    assert expected == outline(made(), schema, where="x")


@given(st.text(max_size=30), st.sampled_from(['],"phase":', '"observations":[', "\\", '"']))
def test_no_text_misleads(text: str, trap: str) -> None:
    """A text that looks like the edge of a list, in a field or in an observation, is a text."""
    taken = snapshot("before", zone(START))
    odd = replace(taken, because=f"{trap}{text}{trap}", vantage=f"{text}{trap}")
    seen = replace(odd.observations[0], subject=f"{trap}{text}")
    data = replace(odd, observations=(seen, *odd.observations)).to_bytes()
    whole = loads(data)
    assert isinstance(whole, dict)
    whole.pop("observations")
    assert whole == outline(data, SNAPSHOT, where="x")


@pytest.mark.parametrize("schema", LISTS)
def test_other_records_are_refused(schema: str) -> None:
    """A record of another kind, a cut one, none at all: damage, said where."""
    made, _ = RECORDS[schema]
    others = [record() for other, (record, _) in RECORDS.items() if other != schema]
    for data in (*others, b"", b"[]", b"{}", made()[:-1], made()[1:], dumps({"schema": schema})):
        with pytest.raises(DamagedError) as caught:
            outline(data, schema, where="x")
        assert "x" == caught.value.where


def test_a_field_that_stands_twice() -> None:
    """Outside the lists nothing can stand twice."""
    data = RECORDS[SNAPSHOT][0]().replace(b'"phase":', b'"phase":"after","phase":', 1)
    with pytest.raises(DamagedError, match="duplicate"):
        outline(data, SNAPSHOT, where="x")
