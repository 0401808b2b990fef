# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a name of the catalogue stands for in the world that was played, and whether a text says it.

A witness is a fact of the world, not wording: addresses and host names compare in their normal
form, a description stands for the values that the lab knows once it has planted the fault.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

ADDRESS = re.compile(r"(?<![\w.:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
"""What may be an IPv6 address."""
DESCRIBED: Mapping[str, str] = {
    "a message id": r"<nm6[0-9a-f]+{instance}@[^>\s]+>",
    "an unsigned message id": r"<nm6[0-9a-f]+{instance}@[^>\s]+>",
    "a failing message id": r"<nm6[0-9a-f]+{instance}@[^>\s]+>",
    "the message id": r"<nm6[0-9a-f]+{instance}@[^>\s]+>",
    "the recipient": r"hmac:[0-9a-f]+|q[0-9a-f]+-[0-9a-f]+@seed\.example",
    "both fingerprints": r"(?s)sha256:\S+.*sha256:\S+",
    "the transactional binding": r"_prod\.transactional_[0-9a-f-]+",
    "the window": r"20\d\d-\d\d-\d\dt[\d:.]+z",
}
"""Patterns of values that only the running lab makes; {instance} is the name of the instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A witness that must be named. word: as the catalogue has it. texts: any of these will do.

    pattern: whether they are patterns.
    """

    word: str
    texts: tuple[str, ...]
    pattern: bool = False

    def said_in(self, text: str) -> bool:
        """Whether a normalised text names it."""
        found = self.texts if self.pattern else tuple(map(_bounded, self.texts))
        return any(re.search(pattern, text) for pattern in found)


def meant(
    words: Sequence[str], instance: str, short: Mapping[str, str], known: Mapping[str, str]
) -> tuple[Name, ...]:
    """What each word of the catalogue stands for.

    short: names of the reference world and what they are called here. known: what the play found
    out, under the catalogue's words.
    """
    return tuple(_meant(word, instance, short, known) for word in words)


def _meant(word: str, instance: str, short: Mapping[str, str], known: Mapping[str, str]) -> Name:
    if word in known:
        return Name(word=word, texts=(normal(known[word]),))
    if word in DESCRIBED:
        pattern = DESCRIBED[word].replace("{instance}", re.escape(instance))
        return Name(word=word, texts=(pattern,), pattern=True)
    return Name(word=word, texts=(normal(short.get(word, word)),))


def normal(text: str) -> str:
    """Lower case, IPv6 addresses in their shortest form (RFC 5952)."""
    return ADDRESS.sub(_shortest, text.lower())


def _shortest(found: re.Match[str]) -> str:
    try:
        return str(ip_address(found[0]))
    except ValueError:
        return found[0]


def _bounded(text: str) -> str:
    """The text where it is not part of a longer word, number or address."""
    before = r"(?<![\w-])(?<!\d\.)" if text[0].isalnum() else ""
    after = r"(?![\w-])(?!\.\d)" if text[-1].isalnum() else ""
    return before + re.escape(text) + after
