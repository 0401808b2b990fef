# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Typed reading of parsed JSON: each function gives its type or raises TypeError or ValueError."""

from datetime import datetime

from wavegate.clock import parse_instant


def text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def text_or_none(value: object) -> str | None:
    """A text, or null."""
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item) for item in items(value))


def number(value: object) -> int:
    """A whole number; true and false are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("expected a number")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def flag_or_none(value: object) -> bool | None:
    """True, false, or null."""
    return None if value is None else flag(value)


def items(value: object) -> list[object]:
    """A list."""
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def members(value: object) -> dict[str, object]:
    """An object."""
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def text_members(value: object) -> dict[str, str]:
    """An object whose values are texts."""
    return {key: text(item) for key, item in members(value).items()}


def instant(value: object) -> datetime:
    """An aware instant in its text form."""
    return parse_instant(text(value))
