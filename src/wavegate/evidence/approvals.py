# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Approvals of the estate's waivers and limits: what was approved, word for word, and by which key.

`approved_by` in the estate file is a claim of the file. An approval is signed over the content of
one waiver, or of one limit for one instance, by a key of the role approve; when the content changes
it is no approval of that any more. Its place: `approvals/<wave>/<digest of it>/<keyid>.dsse.json`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.errors import InvalidError, WavegateError
from wavegate.estate.model import Estate, Limit, Waiver
from wavegate.evidence.decisions import spoken
from wavegate.evidence.envelope import Opened, open_envelope
from wavegate.evidence.fields import Fields
from wavegate.evidence.predicates import BASE, tool_from_json, tool_to_json
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.snapshot import Tool
from wavegate.record.store import Store

FOLDER = "approvals/"
Kind = Literal["waiver", "limit"]
_NAMES = ("kind", "promise", "instance", "cause", "reason", "approved_by", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """A waiver, or a limit for one instance, as the estate words it. until: None for a limit."""

    kind: Kind
    promise: str | None
    instance: str | None
    cause: str | None
    reason: str
    approved_by: str
    until: datetime | None

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical form: what is approved."""
        return digest(dumps(self.to_json()))

    @property
    def what(self) -> str:
        """`waiver of spf for acme-prod1`."""
        about = self.promise or f"cause {str(self.cause)[:12]}"
        return f"{self.kind} of {about}" + (f" for {self.instance}" if self.instance else "")

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "kind": self.kind,
            "promise": self.promise,
            "instance": self.instance,
            "cause": self.cause,
            "reason": self.reason,
            "approved_by": self.approved_by,
            "until": format_instant(self.until) if self.until else None,
        }

    @classmethod
    def from_json(cls, value: object) -> "Approvable":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, *_NAMES)
        return cls(
            kind=_kind(fields.text("kind")),
            promise=fields.name_or_none("promise"),
            instance=fields.name_or_none("instance"),
            cause=fields.digest_or_none("cause"),
            reason=fields.text("reason"),
            approved_by=fields.text("approved_by"),
            until=fields.instant_or_none("until"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPredicate:
    """That somebody approves of something of the estate, for a wave; its subject is the content."""

    TYPE: ClassVar[str] = f"{BASE}/approval/v1"

    wave: str
    approved: Approvable
    by: str
    at: datetime
    tool: Tool

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "wave": self.wave,
            "approved": self.approved.to_json(),
            "by": self.by,
            "at": format_instant(self.at),
            "tool": tool_to_json(self.tool),
        }

    @classmethod
    def from_json(cls, value: object) -> "ApprovalPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        fields = Fields(value, "wave", "approved", "by", "at", "tool")
        return cls(
            wave=fields.name("wave"),
            approved=Approvable.from_json(fields.raw("approved")),
            by=spoken(fields, "by"),
            at=fields.instant("at"),
            tool=tool_from_json(fields.raw("tool")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An approval whose signature holds. digest: of its payload. keyid: of the key it names."""

    told: ApprovalPredicate
    place: str
    digest: str
    keyid: str
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of a wave by their places, and what is wrong with others, as sentences."""

    found: tuple[Approval, ...]
    problems: tuple[str, ...]


def approvables(estate: Estate, wave: str) -> tuple[Approvable, ...]:
    """All that can be approved for a wave: its waivers and limits, in the order of the file."""
    inside = estate.wave(wave).instances
    owned = {instance.name for instance in estate.instances}
    limits = (limit_of(limit, name) for limit in estate.limits for name in limit.instances)
    kept = (item for item in limits if item.instance in inside)
    waivers = (waiver_of(w) for w in estate.waivers if w.instance is None or w.instance in owned)
    return (*kept, *waivers)


def limit_of(limit: Limit, instance: str) -> Approvable:
    """A limit as it is for one instance, so that an extract can hold what was signed."""
    return Approvable(
        kind="limit",
        promise=limit.promise,
        instance=instance,
        cause=None,
        reason=limit.reason,
        approved_by=limit.approved_by,
        until=None,
    )


def waiver_of(waiver: Waiver) -> Approvable:
    """A waiver."""
    return Approvable(
        kind="waiver",
        promise=waiver.promise,
        instance=waiver.instance,
        cause=waiver.cause,
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        until=waiver.until,
    )


def place_of(wave: str, content: str, keyid: str) -> str:
    """Where an approval stands in a store. content: digest of what is approved."""
    return f"{FOLDER}{wave}/{content}/{keyid}.dsse.json"


def subjects(approved: Approvable) -> dict[str, str]:
    """The subject of an approval's statement."""
    return {approved.kind: approved.digest}


Open = Callable[[bytes, str], Opened]
"""Opens an envelope in the role approve, under a name for messages."""


def open_approval(data: bytes, opener: Open, name: str) -> Approval:
    """An approval in its place. Raises InvalidError, UnknownKeyError among them."""
    opened = opener(data, name)
    statement = read(opened.payload, ApprovalPredicate, where=name)
    told, keyid = statement.predicate, name.rpartition("/")[2].partition(".")[0]
    if dict(statement.subjects) != subjects(told.approved):
        raise InvalidError("it is not about what it says was approved", where=name)
    if name != place_of(told.wave, told.approved.digest, keyid):
        raise InvalidError("it stands in another's place", where=name)
    if opened.keyids and keyid not in opened.keyids:
        raise InvalidError(f"it was not signed by key {keyid[:64]!r}", where=name)
    return Approval(
        told=told,
        place=name,
        digest=digest(opened.payload),
        keyid=keyid,
        trusted=bool(opened.keyids),
    )


def read_approvals(store: Store, wave: str, trust: Trust) -> Approvals:
    """The approvals of a wave in a store, or in a bundle's `records/`."""

    def opener(data: bytes, where: str) -> Opened:
        return open_envelope(data, trust, Role.APPROVE, where=where)

    found: list[Approval] = []
    problems: list[str] = []
    for name in store.names(f"{FOLDER}{wave}/"):
        try:
            found.append(open_approval(store.read(name), opener, name))
        except WavegateError as error:
            problems.append(f"the approval {name} does not count: {error.message}")
    return Approvals(found=tuple(found), problems=tuple(problems))


def standing(estate: Estate, wave: str) -> frozenset[str]:
    """Digests of all that an approval can still be about."""
    return frozenset(item.digest for item in approvables(estate, wave))


def _kind(text: str) -> Kind:
    match text:
        case "waiver" | "limit":
            return text
    raise ValueError(f"kind {text[:80]!r}")
