# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The signed word that a customer's records were deleted: what, when, by whom and why.

`forgotten/<customer>/<number>.dsse.json`. The statements over the deleted records stay, so that
each of them is missed by name; the tombstone tells why it is not there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.errors import WavegateError
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.fields import Fields, check_digest
from wavegate.evidence.predicates import BASE
from wavegate.evidence.safe_path import check_path
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.store import Store

FOLDER = "forgotten"
_FIELDS = ("customer", "at", "by", "why", "sequence", "previous", "records", "journals")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenPredicate:
    """records: digests of the deleted objects. journals: names of the deleted journals.

    sequence, previous: the customer's tombstones are a chain; previous is the digest of a payload.
    """

    TYPE: ClassVar[str] = f"{BASE}/forgotten/v1"

    customer: str
    at: datetime
    by: str
    why: str
    sequence: int
    previous: str | None
    records: tuple[str, ...]
    journals: tuple[str, ...]

    @property
    def subjects(self) -> dict[str, str]:
        """The list of what was deleted, as a whole."""
        return {"forgotten": digest(dumps([list(self.records), list(self.journals)]))}

    @property
    def told(self) -> str:
        """It in a clause, for a person."""
        return f"deleted on {format_instant(self.at)} by {self.by}: {self.why}"

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "customer": self.customer,
            "at": format_instant(self.at),
            "by": self.by,
            "why": self.why,
            "sequence": self.sequence,
            "previous": self.previous,
            "records": list(self.records),
            "journals": list(self.journals),
        }

    @classmethod
    def from_json(cls, value: object) -> "ForgottenPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, *_FIELDS)
        return cls(
            customer=fields.name("customer"),
            at=fields.instant("at"),
            by=fields.text("by"),
            why=fields.text("why"),
            sequence=fields.count("sequence"),
            previous=fields.digest_or_none("previous"),
            records=tuple(map(check_digest, fields.items("records"))),
            journals=tuple(map(_place, fields.items("journals"))),
        )


def _place(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("journals: expected texts")  # noqa: TRY004 - one error type for all bad input
    check_path(value)
    return value


def tombstone_name(customer: str, sequence: int) -> str:
    """Where a tombstone stands."""
    return f"{FOLDER}/{customer}/{sequence:06d}.dsse.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What the tombstones of a store tell of deleted records, by digest, and journals, by name."""

    records: dict[str, ForgottenPredicate]
    journals: dict[str, ForgottenPredicate]


def forgotten(store: Store, trust: Trust) -> Forgotten:
    """What was deleted on purpose. A tombstone that does not verify excuses nothing."""
    found = Forgotten(records={}, journals={})
    for name in store.names(f"{FOLDER}/"):
        try:
            opened = open_envelope(store.read(name), trust, Role.RECORD)
            statement = read(opened.payload, ForgottenPredicate)
        except WavegateError:
            continue
        told = statement.predicate
        if dict(statement.subjects) == told.subjects:
            found.records.update(dict.fromkeys(told.records, told))
            found.journals.update(dict.fromkeys(told.journals, told))
    return found
