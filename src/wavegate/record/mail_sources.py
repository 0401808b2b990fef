# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail sources of one instance besides the sink, frozen as a record, as a bundle keeps them.

The looks into its mailboxes say what was read and what was not; the DMARC aggregate reports about
its sender domains are another receiver's word.
"""

from dataclasses import dataclass

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.dmarc_report import DmarcReport
from wavegate.record.fields import items, members, text
from wavegate.record.mail_look import MailLook
from wavegate.record.snapshot import check_schema

SCHEMA = "wavegate/mail-sources/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSourcesRecord:
    """Looks, the last one of each source, and reports."""

    instance: str
    customer: str
    wave: str
    looks: tuple[MailLook, ...]
    reports: tuple[DmarcReport, ...]

    def to_bytes(self) -> bytes:
        """The canonical bytes that are stored and signed."""
        return dumps(
            {
                "schema": SCHEMA,
                "instance": self.instance,
                "customer": self.customer,
                "wave": self.wave,
                "looks": [look.to_fields() for look in self.looks],
                "reports": [report.to_fields() for report in self.reports],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, digest: str) -> "MailSourcesRecord":
        """Read back a stored record. Raises DamagedError for anything `to_bytes` did not write."""
        fields = loads(data, where=digest)
        if not isinstance(fields, dict):
            raise DamagedError("a record of mail sources is a JSON object", where=digest)
        check_schema(fields, SCHEMA, where=digest)
        try:
            return cls(
                instance=text(fields["instance"]),
                customer=text(fields["customer"]),
                wave=text(fields["wave"]),
                looks=tuple(MailLook.from_fields(members(x)) for x in items(fields["looks"])),
                reports=tuple(
                    DmarcReport.from_fields(members(x)) for x in items(fields["reports"])
                ),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"not a record of mail sources: {error}", where=digest) from error
