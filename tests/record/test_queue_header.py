# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import contextlib
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.queues import delivery, look, row

from wavegate.canonical import loads
from wavegate.errors import DamagedError
from wavegate.record.queue_file import to_bytes
from wavegate.record.queue_header import KEY, header_of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


@given(rows=st.integers(0, 40), label=TEXT, count=st.integers(0, 60))
def test_it_is_what_parquet_readers_find(rows: int, label: str, count: int) -> None:
    """The header is the value that polars reads under the key, whatever its length and texts."""
    deliveries = tuple(delivery(number, label=label) for number in range(count))
    data = to_bytes(look([row(number) for number in range(rows)], deliveries))
    told = pl.read_parquet_metadata(io.BytesIO(data))[KEY]
    assert loads(str(told).encode()) == header_of(data, digest="x")


@given(st.data())
def test_any_bytes(data: st.DataObject) -> None:
    """Whatever is cut, changed or made up is one kind of error, or still a header."""
    good = to_bytes(look([row(1)]))
    at = data.draw(st.integers(0, len(good) - 1))
    changed = (
        good[:at] + data.draw(st.binary(max_size=9)) + good[at + data.draw(st.integers(0, 9)) :]
    )
    with contextlib.suppress(DamagedError):
        assert "wavegate/queue/v1" == header_of(changed, digest="x")["schema"]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(20) + b"PAR1", b"x" * 99])
def test_no_parquet(data: bytes) -> None:
    """Bytes without a footer of ours are damage, said where."""
    with pytest.raises(DamagedError, match="not Parquet of ours"):
        header_of(data, digest="x")


def test_two_headers() -> None:
    """Where two readers could find another header each, there is none."""
    told = {KEY: '{"schema":"wavegate/queue/v1"}', "more": f"\x18\x08{KEY}\x18"}
    out = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(out, metadata=told)
    with pytest.raises(DamagedError, match="2 headers"):
        header_of(out.getvalue(), digest="x")
