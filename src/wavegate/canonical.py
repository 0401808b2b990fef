# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON (the profile of RFC 8785 without floats), a strict parser, and digests.

Profile: ASCII keys, integers within 2**53 - 1, no floats: microseconds, parts per million or
decimal strings instead. Within it `dumps` equals RFC 8785 byte for byte (property test).
"""

import hashlib
import json
import re
from typing import NoReturn

from wavegate.errors import DamagedError

Json = object
MAX_INT = 2**53 - 1
MAX_DEPTH = 64
MAX_DIGITS = 16
_TEXT = re.compile(rb'"[^"]*+"?')
_BRACES = bytes.maketrans(b"{}", b"[]")
_REST = bytes(set(range(256)) - set(b'"[]{}'))
"""All bytes that say nothing about nesting; no byte of a longer UTF-8 sequence is a bracket."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Text decoded from UTF-8 has no surrogates; only such an escape can bring one in."""


def digest(data: bytes) -> str:
    """SHA-256 of the bytes, as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def dumps(value: Json) -> bytes:
    """Canonical bytes of a JSON value.

    Raises ValueError for floats, integers beyond 2**53 - 1, keys that are not ASCII text, lone
    surrogates and types that JSON does not know.
    """
    _check(value, 0)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def _check(value: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"key {key!r} is not ASCII text")
            if type(item) is not str:
                _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) is not str:
                _check(item, depth + 1)
    else:
        _check_leaf(value)


def _check_leaf(value: Json) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if not isinstance(value, int):
        raise ValueError(f"{type(value).__name__} has no canonical form")  # noqa: TRY004 - one error type for all bad input
    if abs(value) > MAX_INT:
        raise ValueError(f"{value} is beyond 2**53 - 1")


def loads(data: bytes, *, where: str = "JSON") -> Json:
    """Strict parse: what Python and an auditor's tool would read alike, or nothing.

    Refuses duplicate keys, NaN and Infinity, floats, integers beyond 2**53 - 1, nesting beyond
    64, a byte order mark, bytes that are not UTF-8, lone surrogates and trailing data.
    Raises DamagedError, which names `where`.
    """
    try:
        text = _decode(data)
        _check_depth(data)
        value: Json = _DECODER.decode(text)
        if _SURROGATE.search(text):
            _check_text(value)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"not strict JSON: {error}", where=where) from error
    return value


def _decode(data: bytes) -> str:
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a BOM before it")
    return text


def _check_depth(data: bytes) -> None:
    """Refuse nesting that could exhaust a reader, before anything follows it.

    All but quotes and brackets is dropped, then what stands between quotes, then the innermost
    pair of brackets again and again. Whole-text steps only: a loop over brackets is ten times
    slower. What is no JSON may pass; the parser refuses it.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_BRACES, _REST).replace(b'""', b"")
    marks = _TEXT.sub(b"", marks)
    for _ in range(MAX_DEPTH):
        inner = marks.replace(b"[]", b"")
        if len(inner) == len(marks):
            break
        marks = inner
    if marks.count(b"[") > (0 if b"[]" in marks else MAX_DEPTH):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"number {text[:20]!r} is not an integer")


def _small(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS or abs(int(text)) > MAX_INT:
        raise ValueError(f"integer {text[:20]!r} is beyond 2**53 - 1")
    return int(text)


def _check_text(value: Json) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_refuse, parse_int=_small
)
