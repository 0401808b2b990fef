# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The outer fields of a stored record: whose it is and when it was taken, not what was observed.

A record is canonical JSON, in which its long lists stand together, between the fields that sort
before them and those that sort behind. These are read strictly; the lists are skipped. What stands
in the lists is read by whoever judges the record (`Snapshot.from_bytes` and the others).
"""

from wavegate.canonical import loads
from wavegate.errors import DamagedError

LISTS = {
    "wavegate/snapshot/v1": ("observations", "phase"),
    "wavegate/mails/v1": ("messages", "phase"),
    "wavegate/mail-sources/v1": ("looks", "schema"),
    "wavegate/timeline/v1": ("samples", "schema"),
}
"""By schema: the first long list, and the field behind the last one."""


def outline(data: bytes, schema: str, *, where: str) -> dict[str, object]:
    """The fields of a record but its long lists. Raises DamagedError for another schema.

    A quote within a text is escaped, so what is looked for can stand in no text. In a record that
    was not written by us the lists may hold anything; the fields are then still those that a
    strict reader finds, or refuses for standing twice.
    """
    first, behind = LISTS[schema]
    begin = data.find(b'"%s":[' % first.encode())
    end = data.rfind(b'],"%s":' % behind.encode())
    if not 0 <= begin < end:
        raise DamagedError(f"no record of {schema}", where=where)
    fields = loads(data[:begin] + data[end + 2 :], where=where)
    if not isinstance(fields, dict) or fields.get("schema") != schema:
        raise DamagedError(f"no record of {schema}", where=where)
    return fields
