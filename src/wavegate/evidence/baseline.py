# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The baseline of the nightly: what a person accepted, who and why, and the grid it is judged by.

`baselines/<version>.dsse.json` in a store. Each version is whole: it names the accepted record of
every instance, those that an earlier version accepted too. Nothing else moves a baseline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.decision import GridCell
from wavegate.errors import InvalidError, WavegateError
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.fields import Fields
from wavegate.evidence.predicates import (
    BASE,
    agreed_from_json,
    cell_from_json,
    cell_to_json,
    tool_from_json,
    tool_to_json,
)
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.snapshot import Tool
from wavegate.record.store import Store

FOLDER = "baselines/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What was accepted of one instance.

    record: digest of the accepted snapshot. mails: of the accepted mails. version: of the baseline
    that accepted it. sources: the captures that its answers are from.
    """

    instance: str
    record: str
    mails: str
    version: int
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "instance": self.instance,
            "record": self.record,
            "mails": self.mails,
            "version": self.version,
            "sources": list(self.sources),
        }

    @classmethod
    def from_json(cls, value: object) -> "Accepted":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, "instance", "record", "mails", "version", "sources")
        sources = fields.items("sources")
        if not all(isinstance(source, str) for source in sources):
            raise ValueError("sources: expected texts")
        return cls(
            instance=fields.name("instance"),
            record=fields.digest("record"),
            mails=fields.digest("mails"),
            version=fields.count("version"),
            sources=tuple(str(source) for source in sources),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePredicate:
    """One act of accepting, and the whole baseline after it.

    previous: digest of the payload of the version before, None for the first. by, why, ticket: as
    the person said. causes, instances: what the act was limited to, empty for all. cells: the grid
    of the nightly. accepted: per instance. agreed: digest of the agreed estate per customer.
    """

    TYPE: ClassVar[str] = f"{BASE}/baseline/v1"

    version: int
    previous: str | None
    at: datetime
    by: str
    why: str
    ticket: str | None
    causes: tuple[str, ...]
    instances: tuple[str, ...]
    cells: tuple[GridCell, ...]
    accepted: tuple[Accepted, ...]
    agreed: Mapping[str, str]
    suites: str
    tool: Tool

    @property
    def grid_digest(self) -> str:
        """SHA-256 of the canonical list of cells: the statement's subject `grid`."""
        return digest(dumps([cell_to_json(cell) for cell in self.cells]))

    def of(self, instance: str) -> Accepted | None:
        """What was accepted of an instance."""
        return next((found for found in self.accepted if found.instance == instance), None)

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "version": self.version,
            "previous": self.previous,
            "at": format_instant(self.at),
            "by": self.by,
            "why": self.why,
            "ticket": self.ticket,
            "causes": list(self.causes),
            "instances": list(self.instances),
            "cells": [cell_to_json(cell) for cell in self.cells],
            "accepted": [found.to_json() for found in self.accepted],
            "agreed": dict(self.agreed),
            "suites": self.suites,
            "tool": tool_to_json(self.tool),
        }

    @classmethod
    def from_json(cls, value: object) -> "BaselinePredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        act = ("version", "previous", "at", "by", "why", "ticket", "causes", "instances")
        fields = Fields(value, *act, "cells", "accepted", "agreed", "suites", "tool")
        return cls(
            version=fields.count("version"),
            previous=fields.digest_or_none("previous"),
            at=fields.instant("at"),
            by=fields.text("by"),
            why=fields.text("why"),
            ticket=fields.text_or_none("ticket"),
            causes=tuple(str(item) for item in fields.items("causes")),
            instances=tuple(str(item) for item in fields.items("instances")),
            cells=tuple(cell_from_json(item) for item in fields.items("cells")),
            accepted=tuple(Accepted.from_json(item) for item in fields.items("accepted")),
            agreed=agreed_from_json(fields.raw("agreed")),
            suites=fields.digest("suites"),
            tool=tool_from_json(fields.raw("tool")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A version of the baseline whose signature holds. name: in the store. digest: of its payload.

    keyids: who signed it. approved: those of them that are trusted to approve.
    """

    name: str
    digest: str
    signed: BaselinePredicate
    keyids: tuple[str, ...]
    approved: tuple[str, ...] = ()


def baseline_name(version: int) -> str:
    """Where a version stands."""
    return f"{FOLDER}{version:06d}.dsse.json"


def last_baseline(store: Store, trust: Trust) -> Baseline | None:
    """The last version, None where nothing was ever accepted.

    Raises InvalidError where the last one does not hold: an earlier one is no substitute for it.
    """
    names = store.names(FOLDER)
    return read_baseline(store, names[-1], trust) if names else None


def read_baseline(store: Store, name: str, trust: Trust) -> Baseline:
    """One version. Raises InvalidError, with the cure, where it does not hold."""
    try:
        opened = open_envelope(store.read(name), trust, Role.RECORD, where=name)
        statement = read(opened.payload, BaselinePredicate, where=name)
    except WavegateError as error:
        raise _broken(name, error.message) from error
    signed = statement.predicate
    if baseline_name(signed.version) != name:
        raise _broken(name, f"it is version {signed.version}, in another's place")
    if dict(statement.subjects) != {"grid": signed.grid_digest}:
        raise _broken(name, "it is not about its own grid")
    return Baseline(
        name=name,
        digest=digest(opened.payload),
        signed=signed,
        keyids=opened.keyids,
        approved=tuple(k for k in opened.keyids if _may_approve(trust, k, signed.at)),
    )


def _may_approve(trust: Trust, keyid: str, at: datetime) -> bool:
    found = trust.find(keyid)
    return found is not None and Role.APPROVE in found.roles and found.valid_at(at)


def _broken(name: str, what: str) -> InvalidError:
    return InvalidError(
        f"the accepted baseline does not hold: {what}",
        where=name,
        cure="bring the file back from a copy, or give the trust file with the key that signed it "
        "(--trust); or accept all anew: wavegate nightly accept --all --by NAME --why TEXT",
    )
