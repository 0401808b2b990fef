# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a stored look at the queue says of itself, read from the end of its Parquet bytes alone.

No reader of columns takes part: that is slow to load, and bytes that were made to can end it. The
footer (Parquet, "File Format") holds our header as a text under the key `wavegate`, in Thrift's
compact protocol: field 1, the key, then field 2, the value, each with its length before it.
"""

from collections.abc import Mapping

from wavegate.canonical import loads
from wavegate.errors import DamagedError
from wavegate.record.snapshot import check_schema

SCHEMA = "wavegate/queue/v1"
KEY = "wavegate"
_MAGIC = b"PAR1"
_ENTRY = b"\x18%c%s\x18" % (len(KEY), KEY.encode())
"""A text as field 1, and the head of the text that follows as field 2."""
_LONGEST = 5
"""Bytes of a length below 2**32: seven bits each, the lowest first."""


def header_of(data: bytes, *, digest: str) -> Mapping[str, object]:
    """The header of a look, as JSON values. Raises DamagedError."""
    try:
        text = _value(_footer(data))
    except ValueError as error:
        raise DamagedError(f"not Parquet of ours: {error}", where=digest) from error
    value = loads(text, where=digest)
    if not isinstance(value, dict):
        raise DamagedError("a look's header is a JSON object", where=digest)
    check_schema(value, SCHEMA, where=digest)
    return value


def _footer(data: bytes) -> bytes:
    size = int.from_bytes(data[-8:-4], "little")
    if data[:4] != _MAGIC or data[-4:] != _MAGIC or not 0 < size <= len(data) - 12:
        raise ValueError("it has no footer")
    return data[-8 - size : -8]


def _value(footer: bytes) -> bytes:
    if footer.count(_ENTRY) != 1:
        raise ValueError(f"{footer.count(_ENTRY)} headers where a look has one")
    at = footer.index(_ENTRY) + len(_ENTRY)
    length = shift = 0
    for octet in footer[at : at + _LONGEST]:
        at += 1
        length |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            break
    if length > len(footer) - at:
        raise ValueError("its header is cut short")
    return footer[at : at + length]
