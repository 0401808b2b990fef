# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The statement (in-toto Statement v1): a predicate about subjects, each bound by its digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from wavegate.canonical import dumps, loads
from wavegate.errors import DamagedError, InvalidError
from wavegate.evidence.fields import Fields, check_digest
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.safe_path import check_distinct, check_path

TYPE = "https://in-toto.io/Statement/v1"
MAX_SUBJECTS = 1_000


class StatementError(InvalidError):
    """Signed, but not a statement of the kind that is expected here."""

    kind = "statement"


class Predicate(Protocol):
    """What a statement says about its subjects."""

    TYPE: ClassVar[str]

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form."""

    @classmethod
    def from_json(cls, value: object) -> "Predicate":
        """Read back strictly. Raises ValueError."""


P = TypeVar("P", bound=Predicate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Generic[P]):
    """subjects: SHA-256 by name. predicate: what is said about them."""

    subjects: Mapping[str, str]
    predicate: P

    def only_digest(self) -> str:
        """The digest of the one subject. Raises StatementError where there are more."""
        if len(self.subjects) != 1:
            raise StatementError(f"{len(self.subjects)} subjects where there must be one")
        return next(iter(self.subjects.values()))


def write(subjects: Mapping[str, str], predicate: Predicate) -> bytes:
    """The canonical payload bytes. subjects: SHA-256 by name, for a record its object's name.

    Raises ValueError for unsafe names and what is no digest.
    """
    _check_subjects(subjects)
    return dumps(
        {
            "_type": TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)
            ],
            "predicateType": predicate.TYPE,
            "predicate": predicate.to_json(),
        }
    )


def record_subject(digest: str) -> dict[str, str]:
    """The subject of a record's statement: its object in the store."""
    return {f"objects/{digest[:2]}/{digest}": digest}


def grid_subject(plan: PlanPredicate) -> dict[str, str]:
    """The subject of a plan's statement: the grid as a whole."""
    return {"grid": plan.grid_digest}


def read(payload: bytes, kind: type[P], *, where: str | None = None) -> Statement[P]:
    """Read a verified payload as a statement of one predicate type, strictly.

    Raises StatementError for another type or version, an unknown field of ours, a bad digest or
    name.
    """
    try:
        fields = Fields(loads(payload), "_type", "subject", "predicateType", "predicate")
        _check_types(fields, kind)
        subjects = _subjects(fields.items("subject"))
        predicate = kind.from_json(fields.raw("predicate"))
    except (DamagedError, ValueError) as error:
        text = error.message if isinstance(error, DamagedError) else str(error)
        raise StatementError(
            f"not a statement of {kind.TYPE}: {text}",
            where=where,
            cure="verify with the version of Wavegate that wrote it, or a newer one",
        ) from error
    if not isinstance(predicate, kind):
        raise TypeError(f"{kind.__name__}.from_json made a {type(predicate).__name__}")
    return Statement(subjects=subjects, predicate=predicate)


def _check_types(fields: Fields, kind: type[P]) -> None:
    if fields.text("_type") != TYPE:
        raise ValueError(f"_type {fields.text('_type')[:80]!r}")
    if fields.text("predicateType") != kind.TYPE:
        raise ValueError(f"predicateType {fields.text('predicateType')[:80]!r}")


def _subjects(entries: list[object]) -> dict[str, str]:
    subjects: dict[str, str] = {}
    for entry in entries:
        fields = Fields(entry, "name", "digest")
        name = fields.text("name")
        if name in subjects:
            raise ValueError(f"subject {name!r} stands twice")
        subjects[name] = Fields(fields.raw("digest"), "sha256").digest("sha256")
    _check_subjects(subjects)
    return subjects


def _check_subjects(subjects: Mapping[str, str]) -> None:
    if not 1 <= len(subjects) <= MAX_SUBJECTS:
        raise ValueError(f"{len(subjects)} subjects, expected 1 to {MAX_SUBJECTS}")
    for name, digest in subjects.items():
        check_path(name)
        check_digest(digest)
    if len(subjects) > 1:
        check_distinct(subjects)
