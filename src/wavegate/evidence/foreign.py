# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The names that an extract must not hold: those of other customers and of their instances.

A name is met where it stands by itself: `beta-prod1` in `instance:beta-prod1`, not in
`beta-prod10`, and `beta` not in `spf.beta.example`, which anybody may ask the DNS for.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

HIDDEN = "(another customer's)"
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]*")
_BYTES = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9._@-]*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """customers, instances: lower case. An instance is also met before a dot, as in a file name."""

    customers: frozenset[str]
    instances: frozenset[str]

    @classmethod
    def of(cls, customers: Iterable[str], instances: Iterable[str]) -> "Foreign":
        """Of names in whatever case."""
        return cls(
            customers=frozenset(name.lower() for name in customers),
            instances=frozenset(name.lower() for name in instances),
        )

    @classmethod
    def to(cls, customer: str, owners: Mapping[str, str]) -> "Foreign":
        """What is foreign to a customer. owners: the customer of each instance."""
        others = {name: owner for name, owner in owners.items() if owner != customer}
        return cls.of(set(others.values()), set(others))

    def __contains__(self, text: str | None) -> bool:
        """Whether a text names one of them."""
        return any(self._name(word) for word in _WORD.findall(text or ""))

    def _name(self, word: str) -> str | None:
        plain = _plain(word)
        if plain in self.customers or plain in self.instances:
            return plain
        parts = plain.split(".")
        heads = (".".join(parts[:end]) for end in range(1, len(parts)))
        return next((head for head in heads if head in self.instances), None)

    def part_of(self, name: str) -> frozenset[str]:
        """Those that a name is made of: `acme` in the wave `2024-acme-w1`."""
        plain = name.lower()
        return frozenset(
            found
            for found in self.customers | self.instances
            if re.search(rf"(?<![a-z0-9]){re.escape(found)}(?![a-z0-9])", plain)
        )

    def hide(self, text: str) -> str:
        """The text with each of them replaced."""

        def instead(found: re.Match[str]) -> str:
            word = found[0]
            bare = word.rstrip(".-_@")
            return HIDDEN + word[len(bare) :] if self._name(word) else word

        return _WORD.sub(instead, text)

    def hide_or_none(self, text: str | None) -> str | None:
        """`hide`, of a text that may not be there."""
        return None if text is None else self.hide(text)

    def met(self, data: bytes) -> frozenset[str]:
        """Those that stand in some bytes, or in what is base64 in them."""
        words = {word for layer in _layers(data, _DEPTH) for word in _BYTES.findall(layer)}
        names = {self._name(word.decode("ascii")) for word in words}
        return frozenset(name for name in names if name)


def _plain(word: str) -> str:
    return word.lower().rstrip(".-_@")


def _layers(data: bytes, depth: int) -> Iterator[bytes]:
    yield data
    if depth:
        for run in _BASE64.findall(data):
            try:
                inner = base64.b64decode(run, validate=True)
            except binascii.Error:
                continue
            yield from _layers(inner, depth - 1)
