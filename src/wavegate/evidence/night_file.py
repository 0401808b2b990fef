# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""night.json: what a night says beside its verdicts, because it knows of the nights before it.

`python -m wavegate.evidence.night_file > reports/schema/night.schema.json` writes its schema.

It is sealed in the night's bundle and filed in the store with seal and verdicts. Its verdicts rest
on one thing in it: which expected changes were used before (`spent`).
"""

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError
from wavegate.evidence.bundle import NIGHT
from wavegate.evidence.verdicts import Hex, Instant

SCHEMA: Final = "wavegate/night/v1"


class _Entry(BaseModel):
    """The base of every part of night.json: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class ChangeEntry(_Entry):
    """A transition of one cause for one customer: what notifications are made of."""

    kind: Literal["broke", "recovered", "undecided"]
    cause: Hex
    promise: str
    customer: str
    owner: str | None
    instances: tuple[str, ...]
    lines: tuple[str, ...]
    """What to say of it."""
    since: Instant
    """When what is told of began; for a recovery, when it was seen to have ended."""
    broken_since: Instant | None
    """Of a recovery, when it had begun."""


class ExpectedEntry(_Entry):
    """An expected change of the estate, and what became of it."""

    key: Hex
    promise: str
    instances: tuple[str, ...]
    ticket: str
    state: Literal["waiting", "consumed", "spent", "expired"]
    """consumed: seen, and waives its difference while `between` lasts; spent: it was undone or
    accepted after that, and covers nothing any more; expired: it never came."""
    at: Instant | None
    """When it was first seen."""
    run: str | None
    """The run that saw it first."""


class StandingEntry(_Entry):
    """A cause that stands, for one customer; carried from night to night until it is gone."""

    kind: Literal["failed", "undecided"]
    cause: Hex
    promise: str
    customer: str
    instances: tuple[str, ...]
    since: Instant
    """When it was first seen."""
    night: str
    """The night in which it was first seen."""
    told: bool
    """Whether a transition told of it."""


class BadEntry(_Entry):
    """A cell that is neither PASSED nor excused. promise: empty where the instance is held."""

    instance: str
    promise: str
    verdict: str
    causes: tuple[str, ...]


class FlipEntry(_Entry):
    """The nights of the last thirty in which the verdict of a cell turned, with nothing done."""

    instance: str
    promise: str
    nights: tuple[str, ...]


class UnstableEntry(_Entry):
    """A cell whose verdict went to and fro; it is listed, and judged as any other."""

    instance: str
    promise: str
    flips: int
    """In the last thirty nights."""


class Night(_Entry):
    """The whole of night.json."""

    schema_id: Literal["wavegate/night/v1"] = Field(SCHEMA, alias="schema")
    run: str
    night: str
    """The date of the morning on which the night ends; nights go from noon to noon UTC."""
    at: Instant
    looks: int
    """How many times this night was looked, this time included."""
    previous: str | None
    """The last run of an earlier night."""
    previous_at: Instant | None
    missed: tuple[str, ...]
    """Nights between the one before and this one in which nothing ran."""
    changed: bool
    """Whether a cell stands otherwise than in the night before, and nobody expected it."""
    transitions: tuple[ChangeEntry, ...]
    expected_changes: tuple[ExpectedEntry, ...]
    standing: tuple[StandingEntry, ...]
    bad: tuple[BadEntry, ...]
    flips: tuple[FlipEntry, ...]
    unstable: tuple[UnstableEntry, ...]
    trend: tuple[str, ...]
    """Notes on the rate of sending; never a verdict."""
    rates: dict[str, str]
    """Messages a minute of each instance since the night before, as a decimal text."""
    notes: tuple[str, ...]
    baseline: int
    """The version of the baseline that counts."""

    @property
    def spent(self) -> frozenset[str]:
        """The keys of the expected changes that cover nothing any more."""
        return frozenset(e.key for e in self.expected_changes if e.state == "spent")

    @property
    def date(self) -> date:
        """The night as a date."""
        return date.fromisoformat(self.night)


def dump_night(night: Night) -> bytes:
    """The canonical bytes of night.json."""
    return dumps(night.model_dump(mode="json"))


def parse_night(data: bytes, *, where: str = NIGHT) -> Night:
    """Read back what `dump_night` wrote. Raises DamagedError for anything else."""
    loads(data, where=where)
    try:
        return Night.model_validate_json(data, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        raise DamagedError(
            f"not of the schema {SCHEMA}: {place}: {first['msg']}",
            where=where,
            cure="read it with the Wavegate version that wrote it, or fetch it again",
        ) from error


def read_night(bundle: Path) -> Night:
    """The night.json of a bundle that was verified. Raises DamagedError."""
    try:
        return parse_night((bundle / NIGHT).read_bytes(), where=str(bundle / NIGHT))
    except OSError as error:
        raise DamagedError("the bundle of a night has no night.json", where=str(bundle)) from error


def night_to_json(night: Night) -> Mapping[str, object]:
    """The fields that `nightly --json` has beside those of verdicts.json."""
    found = night.model_dump(mode="json", exclude={"schema_id", "run", "at", "standing", "bad"})
    return {key: value for key, value in found.items() if key != "schema"}


def schema_text() -> str:
    """The checked-in text of the schema."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    found = head | Night.model_json_schema(mode="serialization")
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
