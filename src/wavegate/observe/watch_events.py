# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a watch tells as it goes: each function, sample, gap, turn and problem."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.record.timeline import Gap, Sample, Watched, gap_to_fields, watched_to_fields


@dataclass(frozen=True, slots=True)
class Began:
    """The watch of an instance began; functions: all of them, the not probed among them."""

    instance: str
    functions: tuple[Watched, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `--json-lines`."""
        functions = [watched_to_fields(found) for found in self.functions]
        return {"event": "began", "instance": self.instance, "functions": functions}


@dataclass(frozen=True, slots=True)
class Sampled:
    """A probe ended."""

    instance: str
    sample: Sample

    def to_json(self) -> dict[str, object]:
        """The object of `--json-lines`."""
        return {"event": "sample", "instance": self.instance, **self.sample.to_fields()}


@dataclass(frozen=True, slots=True)
class Shown:
    """A function showed only now, or turned out not to be there."""

    instance: str
    function: Watched

    def to_json(self) -> dict[str, object]:
        """The object of `--json-lines`."""
        fields = watched_to_fields(self.function)
        return {"event": "function", "instance": self.instance, **fields}


@dataclass(frozen=True, slots=True)
class Gapped:
    """A span was not looked at. instance: None for all."""

    instance: str | None
    gap: Gap

    def to_json(self) -> dict[str, object]:
        """The object of `--json-lines`."""
        return {"event": "gap", "instance": self.instance, **gap_to_fields(self.gap)}


@dataclass(frozen=True, slots=True)
class Told:
    """A turn of the watch, or a problem of it."""

    at: datetime
    text: str
    problem: bool = False
    instance: str | None = None

    def to_json(self) -> dict[str, object]:
        """The object of `--json-lines`."""
        return {
            "event": "problem" if self.problem else "told",
            "at": format_instant(self.at),
            "instance": self.instance,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Ticked:
    """Nothing but time went on; several times a second, for those who show a countdown."""

    at: datetime


Event = Began | Sampled | Shown | Gapped | Told | Ticked
Tell = Callable[[Event], None]
