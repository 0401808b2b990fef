# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import START
from tests.builders.queues import delivery, event, look, row

from wavegate.canonical import digest
from wavegate.errors import DamagedError
from wavegate.record.ledger import side
from wavegate.record.ledger_tally import frame
from wavegate.record.queue import LogRow
from wavegate.record.queue_file import from_bytes, side_of, table_bytes, to_bytes

MICRO = timedelta(microseconds=1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INSTANT = st.integers(0, 2**52).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + us * MICRO)
ROW = st.builds(
    LogRow,
    id=TEXT,
    delivery=TEXT,
    recipient=TEXT,
    status=st.integers(-(2**31), 2**31 - 1),
    status_name=TEXT,
    event_at=st.none() | INSTANT,
    reason=TEXT,
)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(ROW, max_size=8), problems=st.lists(TEXT, max_size=3), missing=st.none() | TEXT
)
def test_round_trip(rows: list[LogRow], problems: list[str], missing: str | None) -> None:
    """Whatever a look holds comes back from its bytes, and the same look has the same bytes."""
    one = look(
        rows,
        [delivery(1, valid_until=START, code="C1", changed_by="jane")],
        problems=tuple(problems),
        missing=missing,
        complete=missing is None,
        events=(event(1), replace(event(2), created_at=None)),
        vantage="here",
    )
    data = to_bytes(one)
    assert replace(one, digest=digest(data)) == from_bytes(data, digest=digest(data))
    assert data == to_bytes(one)


def test_columns_stay_columns() -> None:
    """The ledger's side of stored bytes holds the same rows as the look in memory."""
    one = look([row(n) for n in range(5)])
    expected, found = side(one), side_of(to_bytes(one), digest="d")
    assert expected.rows.collect().equals(found.rows.collect())
    assert expected.deliveries == found.deliveries
    assert to_bytes(one) == table_bytes(replace(one, rows=()), frame(one.rows))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hostile_bytes_are_damage(data: st.DataObject) -> None:
    """Bytes changed, cut or made up are refused or read as they stand, and nothing else raises."""
    good = to_bytes(look([row(n) for n in range(30)]))
    where = data.draw(st.integers(0, len(good) - 1))
    junk = data.draw(st.binary(max_size=6))
    bad = data.draw(
        st.sampled_from(
            [good[:where], junk + good[where:], good[:where] + junk + good[where + 3 :]]
        )
    )
    with suppress(DamagedError):
        assert "d" == from_bytes(bad, digest="d").digest


def _parquet(rows: pl.DataFrame, header: str) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, metadata={"wavegate": header})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not Parquet"),
        (_parquet(frame([row(1)]), "{}"), "schema"),
        (_parquet(frame([row(1)]), "[]"), "a JSON object"),
        (_parquet(pl.DataFrame({"id": ["1"]}), '{"schema":"wavegate/queue/v1"}'), "other columns"),
        (
            _parquet(
                frame([row(1)]).with_columns(id=pl.lit(None, dtype=pl.String)),
                '{"schema":"wavegate/queue/v1"}',
            ),
            "a row without a value",
        ),
        (_parquet(frame([row(1)]), '{"schema":"wavegate/queue/v1"}'), "not a look at the queue"),
    ],
)
def test_what_was_not_written_so_is_refused(data: bytes, told: str) -> None:
    """Other Parquet than ours is refused with what is wrong with it."""
    with pytest.raises(DamagedError, match=told):
        from_bytes(data, digest="d")


def test_newer_schema_asks_for_a_newer_tool() -> None:
    """A look that a later version wrote says so."""
    with pytest.raises(DamagedError) as raised:
        from_bytes(_parquet(frame([]), '{"schema":"wavegate/queue/v2"}'), digest="d")
    assert "version" in (raised.value.cure or "")


def test_ends_do_not_change(tmp_path: object) -> None:
    """Microseconds survive, and a stock reader sees the rows."""
    at = START + timedelta(microseconds=1)
    data = to_bytes(look([row(1, event_at=at)]))
    path = f"{tmp_path}/look.parquet"
    with open(path, "wb") as file:  # noqa: PTH123 - a plain file
        file.write(data)
    assert [at] == pl.read_parquet(path)["event_at"].to_list()
