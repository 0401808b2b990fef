# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Small changes to bytes: what a disk, a mail gateway or an attacker does to a file."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TOKENS = (
    *(b"", b"\0", b"\xff", b"\r\n", b"\n", b" ", b'"', b"'", b"\\", b"{}", b"[]", b"[", b"{", b"}"),
    *(b",", b":", b"-", b"null", b"true", b"NaN", b"1e400", b"-1", b"0", b"9007199254740993"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\\ud800", b"\\u0000", b"../", b"/"),
    *(
        b"<",
        b">",
        b"&",
        b"<!DOCTYPE x>",
        b"&x;",
        b"]]>",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"%s",
        b"\x1b[",
    ),
    *(b"[" * 200, b"(" * 200, b"A" * 5_000, b"9" * 5_000, b"\xc0\x0c" * 40, b"\xff" * 64),
)


@dataclass(frozen=True)
class Change:
    """One change. kind: which of KINDS. at: place in parts per million of the length. size: bytes.

    token: which of TOKENS, where the kind takes one.
    """

    kind: int
    at: int
    size: int
    token: int

    def on(self, data: bytes) -> bytes:
        """The changed bytes."""
        place = self.at * len(data) // 1_000_000
        return KINDS[self.kind % len(KINDS)](data, place, self)


def _flip(data: bytes, place: int, change: Change) -> bytes:
    if not data:
        return b"\x80"
    flipped = data[place] ^ 1 << change.size % 8
    return data[:place] + bytes([flipped]) + data[place + 1 :]


def _insert(data: bytes, place: int, change: Change) -> bytes:
    return data[:place] + TOKENS[change.token % len(TOKENS)] + data[place:]


def _replace(data: bytes, place: int, change: Change) -> bytes:
    token = TOKENS[change.token % len(TOKENS)]
    return data[:place] + token + data[place + change.size :]


def _drop(data: bytes, place: int, change: Change) -> bytes:
    return data[:place] + data[place + change.size :]


def _double(data: bytes, place: int, change: Change) -> bytes:
    return data[: place + change.size] + data[place:]


def _cut(data: bytes, place: int, _change: Change) -> bytes:
    return data[:place]


def _move(data: bytes, place: int, change: Change) -> bytes:
    piece = data[place : place + change.size]
    rest = data[:place] + data[place + change.size :]
    target = change.token * len(rest) // len(TOKENS)
    return rest[:target] + piece + rest[target:]


KINDS: tuple[Callable[[bytes, int, Change], bytes], ...] = (
    _flip,
    _insert,
    _replace,
    _drop,
    _double,
    _cut,
    _move,
)


def change_of(chance: random.Random) -> Change:
    """Any change."""
    size = chance.choice((1, 1, 2, 4, chance.randrange(64), chance.randrange(2_000)))
    kind, token = chance.randrange(len(KINDS)), chance.randrange(len(TOKENS))
    return Change(kind=kind, at=chance.randrange(1_000_000), size=size, token=token)


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds with one to four changes."""
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 2, 3, 4))):
        data = change_of(chance).on(data)
    return data
