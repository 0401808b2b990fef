# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A snapshot: the observations of one instance in one phase, and its canonical bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError
from wavegate.record.fields import flag, instant, items, members, number, text, text_or_none
from wavegate.record.observation import Observation

SCHEMA = "wavegate/snapshot/v1"
Phase = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Which tool took a record: version, and the digest of its source files."""

    version: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that was not asked, and why: an address family without a route, a limit."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The observations of one instance in one phase.

    sequence: counts the captures of the instance in the wave, from 1. previous: digest of the
    record before it, None for the first. because: the reason of a retake (`fix:CHG-123`), or None.
    began, ended: instants of the first question and the last outcome. complete: every planned
    question has an outcome. forced: taken on the wrong side of the window by `--force`.
    estate: digest of the agreed estate of the customer in the wave. digest: of the record's bytes,
    empty until it is stored.
    """

    instance: str
    customer: str
    wave: str
    phase: Phase
    sequence: int
    previous: str | None
    because: str | None
    began: datetime
    ended: datetime
    complete: bool
    forced: bool
    vantage: str
    estate: str
    tool: Tool
    observations: tuple[Observation, ...]
    left_out: tuple[LeftOut, ...] = ()
    digest: str = ""

    def to_bytes(self) -> bytes:
        """The canonical bytes that are stored and signed."""
        return dumps(
            {
                "schema": SCHEMA,
                "instance": self.instance,
                "customer": self.customer,
                "wave": self.wave,
                "phase": self.phase,
                "sequence": self.sequence,
                "previous": self.previous,
                "because": self.because,
                "began": format_instant(self.began),
                "ended": format_instant(self.ended),
                "complete": self.complete,
                "forced": self.forced,
                "vantage": self.vantage,
                "estate": self.estate,
                "tool": {"version": self.tool.version, "source": self.tool.source},
                "observations": [found.to_json() for found in self.observations],
                "left_out": [{"what": i.what, "reason": i.reason} for i in self.left_out],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, digest: str) -> "Snapshot":
        """Read back a stored record. digest: that of the bytes, already checked by the store.

        Raises DamagedError for another schema version or anything that `to_bytes` did not write.
        """
        fields = loads(data, where=digest)
        if not isinstance(fields, dict):
            raise DamagedError("a snapshot is a JSON object", where=digest)
        check_schema(fields, SCHEMA, where=digest)
        try:
            return _from_fields(cls, fields, digest)
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"not a snapshot: {error}", where=digest) from error


def _from_fields(cls: type[Snapshot], fields: Mapping[str, object], digest: str) -> Snapshot:
    phase, tool = fields["phase"], members(fields["tool"])
    if phase not in ("before", "after"):
        raise ValueError(f"phase {phase!r}")
    return cls(
        instance=text(fields["instance"]),
        customer=text(fields["customer"]),
        wave=text(fields["wave"]),
        phase="before" if phase == "before" else "after",
        sequence=number(fields["sequence"]),
        previous=text_or_none(fields["previous"]),
        because=text_or_none(fields["because"]),
        began=instant(fields["began"]),
        ended=instant(fields["ended"]),
        complete=flag(fields["complete"]),
        forced=flag(fields["forced"]),
        vantage=text(fields["vantage"]),
        estate=text(fields["estate"]),
        tool=Tool(version=text(tool["version"]), source=text(tool["source"])),
        observations=tuple(
            Observation.from_json(members(o)) for o in items(fields["observations"])
        ),
        left_out=tuple(
            LeftOut(what=text(members(i)["what"]), reason=text(members(i)["reason"]))
            for i in items(fields["left_out"])
        ),
        digest=digest,
    )


def check_schema(fields: Mapping[str, object], expected: str, *, where: str) -> None:
    """Refuse a record of another kind, or of a newer schema than this tool reads.

    Raises DamagedError with the cure.
    """
    found = fields.get("schema")
    if found != expected:
        raise DamagedError(
            f"schema {found!r} where {expected!r} is read",
            where=where,
            cure="use the Wavegate version that wrote it, or a newer one",
        )
