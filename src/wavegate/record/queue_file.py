# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A look at the queue as one Parquet object: log rows as columns, all else in its key-value data.

Stock tools read the rows; the header is canonical JSON under the key `wavegate`. Reading is
bounded by rows and bytes, and bytes that were not written so are a DamagedError.
"""

import io
from collections.abc import Callable, Mapping
from typing import TypeVar

import polars as pl
from polars.exceptions import PanicException, PolarsError

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError
from wavegate.record.fields import flag, instant, items, members, number, text, text_or_none, texts
from wavegate.record.ledger import Side
from wavegate.record.ledger_tally import SCHEMA as COLUMNS
from wavegate.record.ledger_tally import frame
from wavegate.record.queue import Delivery, Event, LogRow, Moment, QueueLook
from wavegate.record.queue_header import KEY, SCHEMA
from wavegate.record.snapshot import check_schema

T = TypeVar("T")
MAX_ROWS = 20_000_000
MAX_BYTES = 2 * 1024**3


def to_bytes(look: QueueLook) -> bytes:
    """The Parquet bytes that are stored and signed; the same for the same look."""
    return table_bytes(look, frame(look.rows))


def table_bytes(look: QueueLook, rows: pl.DataFrame) -> bytes:
    """The same of rows that are columns already; `look.rows` is not read."""
    buffer = io.BytesIO()
    header = dumps(_header(look)).decode("utf-8")
    rows.select(list(COLUMNS)).write_parquet(
        buffer, compression="zstd", statistics=False, metadata={KEY: header}
    )
    return buffer.getvalue()


def from_bytes(data: bytes, *, digest: str) -> QueueLook:
    """Read back a stored look. digest: that of the bytes, already checked by the store.

    Raises DamagedError for anything that `to_bytes` did not write.
    """
    header = _read_header(data, digest)
    try:
        rows = tuple(LogRow(**row) for row in _read_rows(data, digest).iter_rows(named=True))
        return _look(header, rows, digest)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(f"not a look at the queue: {error}", where=digest) from error


def side_of(data: bytes, *, digest: str) -> Side:
    """A stored look as the ledger takes it, its rows kept as columns. Raises DamagedError."""
    header = _read_header(data, digest)
    rows = _read_rows(data, digest)
    try:
        look = _look(header, (), digest)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(f"not a look at the queue: {error}", where=digest) from error
    found = {delivery.id: delivery for delivery in look.deliveries}
    named = not (rows["recipient"] == "").any()
    return Side(rows=rows.lazy(), deliveries=found, events=look.events, named=named)


def _read_header(data: bytes, digest: str) -> dict[str, object]:
    if len(data) > MAX_BYTES:
        raise DamagedError(f"more than {MAX_BYTES} bytes", where=digest)
    metadata = _guarded(lambda: pl.read_parquet_metadata(io.BytesIO(data)), digest)
    value = loads(str(metadata.get(KEY, "")).encode("utf-8", "replace"), where=digest)
    if not isinstance(value, dict):
        raise DamagedError("a look's header is a JSON object", where=digest)
    check_schema(value, SCHEMA, where=digest)
    return value


def _read_rows(data: bytes, digest: str) -> pl.DataFrame:
    """The rows, once their columns and their number are known to be what we write."""
    schema = _guarded(lambda: pl.read_parquet_schema(io.BytesIO(data)), digest)
    if dict(schema) != COLUMNS:
        raise DamagedError("other columns than a look has", where=digest)
    count = _guarded(
        lambda: pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item(), digest
    )
    if count > MAX_ROWS:
        raise DamagedError(f"{count} rows, more than {MAX_ROWS}", where=digest)
    rows = _guarded(lambda: pl.read_parquet(io.BytesIO(data)), digest)
    nulls = rows.drop("event_at").null_count().row(0)
    if any(nulls):
        raise DamagedError("a row without a value", where=digest)
    return rows


def _guarded(read: Callable[[], T], digest: str) -> T:
    """Read hostile bytes; whatever the reader makes of them is damage."""
    try:
        return read()
    except (PolarsError, PanicException, OSError, ValueError, OverflowError, MemoryError) as error:
        told = " ".join(str(error).split())[:120]
        raise DamagedError(f"not Parquet: {told}", where=digest) from error


def _header(look: QueueLook) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "instance": look.instance,
        "customer": look.customer,
        "wave": look.wave,
        "moment": look.moment,
        "began": format_instant(look.began),
        "ended": format_instant(look.ended),
        "complete": look.complete,
        "missing": look.missing,
        "problems": list(look.problems),
        "vantage": look.vantage,
        "deliveries": [_delivery_fields(found) for found in look.deliveries],
        "events": None if look.events is None else [_event_fields(found) for found in look.events],
    }


def _look(fields: Mapping[str, object], rows: tuple[LogRow, ...], digest: str) -> QueueLook:
    events = fields["events"]
    return QueueLook(
        instance=text(fields["instance"]),
        customer=text(fields["customer"]),
        wave=text(fields["wave"]),
        moment=_moment(fields["moment"]),
        began=instant(fields["began"]),
        ended=instant(fields["ended"]),
        deliveries=tuple(_delivery(members(found)) for found in items(fields["deliveries"])),
        rows=rows,
        complete=flag(fields["complete"]),
        missing=text_or_none(fields["missing"]),
        problems=texts(fields["problems"]),
        events=None if events is None else tuple(_event(members(e)) for e in items(events)),
        vantage=text(fields["vantage"]),
        digest=digest,
    )


def _moment(value: object) -> Moment:
    match value:
        case "before" | "window" | "after":
            return value
    raise ValueError(f"moment {value!r}")


def _delivery_fields(found: Delivery) -> dict[str, object]:
    return {
        "id": found.id,
        "name": found.name,
        "label": found.label,
        "state": found.state,
        "message_type": found.message_type,
        "to_deliver": found.to_deliver,
        "valid_until": format_instant(found.valid_until) if found.valid_until else None,
        "code": found.code,
        "changed_by": found.changed_by,
    }


def _delivery(fields: Mapping[str, object]) -> Delivery:
    ends = fields["valid_until"]
    return Delivery(
        id=text(fields["id"]),
        name=text(fields["name"]),
        label=text(fields["label"]),
        state=number(fields["state"]),
        message_type=number(fields["message_type"]),
        to_deliver=number(fields["to_deliver"]),
        valid_until=None if ends is None else instant(ends),
        code=text(fields["code"]),
        changed_by=text(fields["changed_by"]),
    )


def _event_fields(found: Event) -> dict[str, object]:
    return {
        "id": found.id,
        "type": found.type,
        "status": found.status,
        "status_name": found.status_name,
        "created_at": format_instant(found.created_at) if found.created_at else None,
    }


def _event(fields: Mapping[str, object]) -> Event:
    made = fields["created_at"]
    return Event(
        id=text(fields["id"]),
        type=text(fields["type"]),
        status=number(fields["status"]),
        status_name=text(fields["status_name"]),
        created_at=None if made is None else instant(made),
    )
