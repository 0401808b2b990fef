# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The strict reader of JSON objects that we wrote ourselves: every field typed, none left over."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

from wavegate.clock import parse_instant

DIGEST = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Fields:
    """One JSON object; each getter raises ValueError, which names the field."""

    def __init__(self, value: object, *names: str) -> None:
        """names: exactly the fields that the object must have."""
        if not isinstance(value, dict):
            raise ValueError("expected an object")  # noqa: TRY004 - one error type for all bad input
        if value.keys() != frozenset(names):
            _complain(value, names)
        self._value: Mapping[str, object] = value

    def raw(self, name: str) -> object:
        """The value as it was parsed."""
        return self._value[name]

    def text(self, name: str) -> str:
        """A text without NUL."""
        value = self._value[name]
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(f"{name}: expected a text")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A text or null."""
        return None if self._value[name] is None else self.text(name)

    def name(self, name: str) -> str:
        """An id of ASCII letters, digits, `.`, `_` and `-`: no look-alikes, no path."""
        value = self.text(name)
        if not NAME.fullmatch(value):
            raise ValueError(f"{name}: {value!r} is not a plain name")
        return value

    def name_or_none(self, name: str) -> str | None:
        """An id or null."""
        return None if self._value[name] is None else self.name(name)

    def digest(self, name: str) -> str:
        """A SHA-256 in lower-case hex."""
        return check_digest(self.text(name))

    def digest_or_none(self, name: str) -> str | None:
        """A SHA-256 in lower-case hex, or null."""
        return None if self._value[name] is None else self.digest(name)

    def instant(self, name: str) -> datetime:
        """An aware instant."""
        return parse_instant(self.text(name))

    def instant_or_none(self, name: str) -> datetime | None:
        """An aware instant or null."""
        return None if self._value[name] is None else self.instant(name)

    def count(self, name: str) -> int:
        """An integer from 1."""
        value = self._value[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: expected an integer from 1")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value[name]
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected true or false")  # noqa: TRY004 - one error type for all bad input
        return value

    def items(self, name: str) -> list[object]:
        """A list."""
        value = self._value[name]
        if not isinstance(value, list):
            raise ValueError(f"{name}: expected a list")  # noqa: TRY004 - one error type for all bad input
        return value


def _complain(value: Mapping[str, object], names: tuple[str, ...]) -> NoReturn:
    unknown, absent = sorted(set(value) - set(names)), sorted(set(names) - set(value))
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}")
    raise ValueError(f"field {absent[0]!r} is missing")


def check_digest(value: object) -> str:
    """The value if it is 64 lower-case hex digits. Raises ValueError."""
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise ValueError(f"{str(value)[:80]!r} is not a SHA-256 in lower-case hex")
    return value
