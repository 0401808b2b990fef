# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mails of one instance in one phase, frozen as a record, as a bundle keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError
from wavegate.record.fields import instant, items, members, text
from wavegate.record.mail_fields import from_fields, to_fields
from wavegate.record.message import Received
from wavegate.record.snapshot import check_schema

SCHEMA = "wavegate/mails/v1"
MailPhase = Literal["before", "window", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailsRecord:
    """Every mail of an instance that was received in a phase, whole.

    since, until: the span that was read (`from` and `to` in the record). messages keep the order
    in which they were given, and the place in the journal they came from.
    """

    instance: str
    customer: str
    wave: str
    phase: MailPhase
    since: datetime
    until: datetime
    messages: tuple[Received, ...]

    def to_bytes(self) -> bytes:
        """The canonical bytes that are stored and signed."""
        return dumps(
            {
                "schema": SCHEMA,
                "instance": self.instance,
                "customer": self.customer,
                "wave": self.wave,
                "phase": self.phase,
                "from": format_instant(self.since),
                "to": format_instant(self.until),
                "messages": [
                    {**to_fields(mail), "journal": mail.journal} for mail in self.messages
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, digest: str) -> "MailsRecord":
        """Read back a stored record. digest: that of the bytes, already checked by the store.

        Raises DamagedError for another schema version or anything that `to_bytes` did not write.
        """
        fields = loads(data, where=digest)
        if not isinstance(fields, dict):
            raise DamagedError("a record of mails is a JSON object", where=digest)
        check_schema(fields, SCHEMA, where=digest)
        try:
            return cls(
                instance=text(fields["instance"]),
                customer=text(fields["customer"]),
                wave=text(fields["wave"]),
                phase=_phase(fields["phase"]),
                since=instant(fields["from"]),
                until=instant(fields["to"]),
                messages=tuple(_mail(mail) for mail in items(fields["messages"])),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"not a record of mails: {error}", where=digest) from error


def _mail(value: object) -> Received:
    fields = members(value)
    return from_fields(fields, journal=text(fields["journal"]))


def _phase(value: object) -> MailPhase:
    match value:
        case "before" | "window" | "after":
            return value
    raise ValueError(f"phase {value!r}")
