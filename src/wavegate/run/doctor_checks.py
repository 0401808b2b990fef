# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One thing that doctor looked at, and what it found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands, worst first. NOTE: fine as it is, but to be known."""

    DAMAGED = "damaged"
    MISSING = "missing"
    NOTE = "note"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """what: a resolver, a key, a record. text: how it stands. cure: what a person can do."""

    what: str
    state: State
    text: str
    cure: str | None = None

    def to_json(self) -> dict[str, object]:
        """The object of `doctor --json`."""
        return {"what": self.what, "state": str(self.state), "text": self.text, "cure": self.cure}
