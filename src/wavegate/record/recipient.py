# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A recipient's address as it is written down: in plain, or as HMAC-SHA-256 under a secret key.

A plain hash of an address can be reversed by trying addresses; an HMAC cannot, without its key.
"""

import hashlib
import hmac
import re

HMAC = "hmac:"
"""What a recipient that is not kept in plain begins with."""
UNGUESSABLE = re.compile(r"[0-9a-z]{20,}")
_OWN_DOMAIN = re.compile(r"(?:\*\.)?[^*?@]+\.[^*?@]+")


def normal_recipient(text: str) -> str:
    """An address as recipients are compared: lower case, without brackets."""
    return text.strip().strip("<>").strip().lower()


def hidden(address: str, key: bytes) -> str:
    """The HMAC of a normal address: `hmac:` and 64 hex digits."""
    return HMAC + hmac.new(key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def hidden_at(address: str, key: bytes) -> str:
    """The HMAC of a normal address with its domain, which tells what takes it in."""
    _, at, domain = address.rpartition("@")
    return hidden(address, key) + at + (domain if at else "")


def without_domain(recipient: str) -> str:
    """A hidden recipient without the domain behind it, as logs hold it; any other as it is."""
    return recipient.partition("@")[0] if recipient.startswith(HMAC) else recipient


def is_unguessable(recipient: str) -> bool:
    """Whether nobody can guess the local part of a plain address (design, "Seeds")."""
    local = recipient.rpartition("@")[0].lower()
    return not local.startswith("hmac") and UNGUESSABLE.search(local) is not None


def expression(patterns: list[str]) -> "re.Pattern[str]":
    """What the addresses look like that an estate calls its own: seeds, which are no person's.

    A pattern counts where it names a domain: `*@seed.example`, `*@*.seed.example`; one that takes
    anybody, such as `*`, makes nobody a seed.
    """
    named = [text for text in patterns if _OWN_DOMAIN.fullmatch(text.rpartition("@")[2])]
    return re.compile("|".join(map(_expression, named)) or r"(?!)")


def _expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern.lower())
