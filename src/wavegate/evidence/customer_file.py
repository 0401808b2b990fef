# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""CUSTOMER.json: whose extract it is, of which run, and of how many records.

Its salt keeps others from trying which MANIFEST a line of RUN may be.
"""

from dataclasses import dataclass

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError, InvalidError
from wavegate.evidence.fields import Fields

CUSTOMER = "CUSTOMER.json"
FOLDER = "customers/"
SCHEMA = "wavegate/customer/v1"
SALT_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFile:
    """records: how many objects lie under `records/`. salt: 32 random bytes, hex.

    agreed: whether a secret was in hand at sealing; without it the line of RUN bears no tag that
    the customer could know.
    """

    customer: str
    run: str
    records: int
    salt: str
    agreed: bool

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        return dumps(
            {
                "schema": SCHEMA,
                "customer": self.customer,
                "run": self.run,
                "records": self.records,
                "salt": self.salt,
                "secret_agreed": self.agreed,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str = CUSTOMER) -> "CustomerFile":
        """Read back what `to_bytes` wrote. Raises InvalidError for anything else."""
        try:
            return cls._read(loads(data, where=where))
        except (DamagedError, ValueError) as error:
            text = error.message if isinstance(error, DamagedError) else str(error)
            cure = "get the extract again, or use the version of Wavegate that wrote it"
            raise InvalidError(f"not a {SCHEMA}: {text}", where=where, cure=cure) from error

    @classmethod
    def _read(cls, value: object) -> "CustomerFile":
        names = ("schema", "customer", "run", "records", "salt", "secret_agreed")
        fields = Fields(value, *names)
        if fields.text("schema") != SCHEMA:
            raise ValueError(f"schema {fields.text('schema')[:80]!r}")
        return cls(
            customer=fields.name("customer"),
            run=fields.name("run"),
            records=_number(fields.raw("records")),
            salt=fields.digest("salt"),
            agreed=fields.flag("secret_agreed"),
        )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("records: expected an integer from 0")
    return value
