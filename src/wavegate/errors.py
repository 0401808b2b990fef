# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Every error that a user can meet, with its exit code and its cure.

WavegateError
├── InvalidError      exit 1: what was given to be verified is not valid
├── InputError        exit 2: usage, estate file, wrong side of the window
├── MissingError      exit 3: something that is needed is not there yet
├── DamagedError      exit 3: a record or journal does not match its digest
└── InternalError     exit 4: a fault of Wavegate itself or of this machine
"""

from typing import ClassVar


class WavegateError(Exception):
    """An error with a place and a cure; the CLI prints it and never a traceback."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f"\n  cure: {self.cure}" if self.cure else ""
        return f"{place}{self.message}{cure}"

    def as_json(self) -> dict[str, object]:
        """The object under "error" of `--json` (design, interfaces)."""
        return {
            "kind": self.kind,
            "message": self.message,
            "where": self.where,
            "cure": self.cure,
        }


class InvalidError(WavegateError):
    """What was given to be verified is not valid."""

    kind = "invalid"
    exit_code = 1


class InputError(WavegateError):
    """Usage, estate file, or a request on the wrong side of the window."""

    kind = "input"
    exit_code = 2


class MissingError(WavegateError):
    """Something that is needed is not there yet."""

    kind = "missing"
    exit_code = 3


class DamagedError(WavegateError):
    """A record or journal does not match its digest, or its schema is newer than this tool."""

    kind = "damaged"
    exit_code = 3


class InternalError(WavegateError):
    """A fault of Wavegate itself or of the machine it runs on (disk full, no sockets left)."""

    kind = "internal"
    exit_code = 4
