# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What people decided about a wave or one of its instances: signed, in order, kept for good.

It stands beside the gate's decision and never changes it. `decisions/<wave>/<number>.dsse.json` is
about the whole wave, `decisions/<wave>/<instance>/<number>.dsse.json` about one instance; each of
these is a chain of its own, so that an extract holds whole chains.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, get_args

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InvalidError, WavegateError
from wavegate.evidence.envelope import Opened, UnknownKeyError, open_envelope
from wavegate.evidence.fields import Fields
from wavegate.evidence.predicates import BASE, tool_from_json, tool_to_json
from wavegate.evidence.statement import Statement, read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.snapshot import Tool
from wavegate.record.store import Store

FOLDER = "decisions/"
MAX_TEXT = 4_000
Course = Literal["keep", "roll-back", "extend"]
COURSES: tuple[Course, ...] = get_args(Course)
SignedAs = Literal["approve", "record"]
_ROLES: tuple[tuple[SignedAs, Role], ...] = (("approve", Role.APPROVE), ("record", Role.RECORD))
_SUFFIX = ".dsse.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPredicate:
    """What somebody decided; its one subject is the plan that stood then.

    instance: None for the whole wave. sequence: counts from 1, per wave or instance. previous:
    digest of the payload before it, None for the first. run: the last gate of the wave that was
    filed when it was decided, None where there was none.
    """

    TYPE: ClassVar[str] = f"{BASE}/decision/v1"

    wave: str
    instance: str | None
    course: Course
    by: str
    why: str
    at: datetime
    sequence: int
    previous: str | None
    run: str | None
    tool: Tool

    @property
    def place(self) -> str:
        """Its name in a store."""
        return f"{folder_of(self.wave, self.instance)}{self.sequence:06d}{_SUFFIX}"

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""
        return {
            "wave": self.wave,
            "instance": self.instance,
            "decision": self.course,
            "by": self.by,
            "why": self.why,
            "at": format_instant(self.at),
            "sequence": self.sequence,
            "previous": self.previous,
            "run": self.run,
            "tool": tool_to_json(self.tool),
        }

    @classmethod
    def from_json(cls, value: object) -> "DecisionPredicate":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        names = ("wave", "instance", "decision", "by", "why", "at", "sequence", "previous", "run")
        fields = Fields(value, *names, "tool")
        return cls(
            wave=fields.name("wave"),
            instance=fields.name_or_none("instance"),
            course=_course(fields.text("decision")),
            by=spoken(fields, "by"),
            why=spoken(fields, "why"),
            at=fields.instant("at"),
            sequence=fields.count("sequence"),
            previous=fields.digest_or_none("previous"),
            run=fields.name_or_none("run"),
            tool=tool_from_json(fields.raw("tool")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision whose signature holds. digest: of its payload. plan: digest of the plan it names.

    keyids: who signed, empty where nobody looked. signed_as: the role in which the key is trusted.
    """

    told: DecisionPredicate
    place: str
    digest: str
    plan: str
    keyids: tuple[str, ...]
    signed_as: SignedAs


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The decisions of a wave by their instants, and what is wrong with others, as sentences."""

    found: tuple[Decided, ...]
    problems: tuple[str, ...]


Open = Callable[[bytes, Role, str], Opened]
"""Opens an envelope in a role, under a name for messages. Raises an InvalidError of `envelope`."""


def folder_of(wave: str, instance: str | None) -> str:
    """Where the decisions about a wave, or about one instance in it, stand."""
    return f"{FOLDER}{wave}/{instance}/" if instance else f"{FOLDER}{wave}/"


def names_of(names: Iterable[str], wave: str, instance: str | None) -> tuple[str, ...]:
    """Of names in a store, those of the decisions of one chain, in order."""
    folder = folder_of(wave, instance)
    inner = (name for name in names if name.startswith(folder) and name.endswith(_SUFFIX))
    return tuple(sorted(name for name in inner if "/" not in name.removeprefix(folder)))


def read_decisions(store: Store, wave: str, trust: Trust) -> Decisions:
    """The decisions of a wave in a store, or in a bundle's `records/`."""

    def opener(data: bytes, role: Role, where: str) -> Opened:
        return open_envelope(data, trust, role, where=where)

    found: list[Decided] = []
    problems: list[str] = []
    for name in store.names(f"{FOLDER}{wave}/"):
        try:
            one = open_decision(store.read(name), opener, name)
        except WavegateError as error:
            problems.append(f"the decision {name} does not count: {error.message}")
            continue
        found.append(one)
    return Decisions(found=in_order(found), problems=(*problems, *gaps(found)))


def in_order(found: Iterable[Decided]) -> tuple[Decided, ...]:
    """By instant; what was decided at one instant, by place."""
    return tuple(sorted(found, key=lambda one: (one.told.at, one.place)))


def open_decision(data: bytes, opener: Open, name: str) -> Decided:
    """A decision in its place, signed in the role approve or else record. Raises InvalidError."""
    opened, signed_as = _in_some_role(data, opener, name)
    statement = read(opened.payload, DecisionPredicate, where=name)
    if statement.predicate.place != name:
        raise InvalidError(f"it is signed as {statement.predicate.place}", where=name)
    return Decided(
        told=statement.predicate,
        place=name,
        digest=digest(opened.payload),
        plan=_plan(statement, name),
        keyids=opened.keyids,
        signed_as=signed_as,
    )


def _in_some_role(data: bytes, opener: Open, name: str) -> tuple[Opened, SignedAs]:
    for signed_as, role in _ROLES[:-1]:
        try:
            return opener(data, role, name), signed_as
        except UnknownKeyError:
            continue
    signed_as, role = _ROLES[-1]
    return opener(data, role, name), signed_as


def _plan(statement: Statement[DecisionPredicate], name: str) -> str:
    if set(statement.subjects) != {"plan"}:
        raise InvalidError("it is not about a plan", where=name)
    return statement.only_digest()


def gaps(found: Iterable[Decided]) -> Iterator[str]:
    """Chains of which a link is missing: numbers go up by one, each names the one before."""
    chains: dict[str | None, list[Decided]] = {}
    for one in found:
        chains.setdefault(one.told.instance, []).append(one)
    for instance, links in chains.items():
        number, previous = 1, None
        for one in sorted(links, key=lambda link: link.told.sequence):
            if (one.told.sequence, one.told.previous) != (number, previous):
                about = instance or "the wave"
                yield f"a decision about {about} before number {one.told.sequence} is missing"
            number, previous = one.told.sequence + 1, one.digest


def subjects(plan: str) -> Mapping[str, str]:
    """The subject of a decision's statement. plan: digest of the payload of the plan."""
    return {"plan": plan}


def spoken(fields: Fields, name: str) -> str:
    """A text that somebody wrote: not blank, and not a book. Raises ValueError."""
    text = fields.text(name)
    if not text.strip() or len(text) > MAX_TEXT:
        raise ValueError(f"{name}: expected 1 to {MAX_TEXT} characters")
    return text


def _course(text: str) -> Course:
    for course in COURSES:
        if course == text:
            return course
    raise ValueError(f"decision {text[:80]!r}")
