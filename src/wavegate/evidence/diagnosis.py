# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One thing that was found in a store: how bad, at which record, and what a person can do."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is, worst first."""

    DAMAGED = "damaged"
    ODD = "odd"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """name: the file in the store. about: which record that is, where it is known."""

    grade: Grade
    name: str
    text: str
    cure: str
    about: str | None = None

    def __str__(self) -> str:
        about = f" ({self.about})" if self.about else ""
        return f"{self.name}{about}: {self.text}"

    def to_json(self) -> dict[str, object]:
        """The object of `doctor --json`."""
        return {
            "grade": str(self.grade),
            "name": self.name,
            "about": self.about,
            "text": self.text,
            "cure": self.cure,
        }
