# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Untrusted text made visible: what a reader cannot see, or what moves text, is written U+202E.

Every report writes each value through `visible`; a DNS record may hold ANSI escapes, bidi
overrides, zero-width characters or line breaks, and none of them may act on a page or terminal.
"""

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = re.compile(
    "[\u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200a\u202f\u205f\u2800\u3000"
    "\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """The text with each control, format, bidi, zero-width or blank character as `[U+202E]`.

    A plain space stays; a line break or tab does not.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) in _UNSEEN or _BLANK.match(char):
        return f"[U+{ord(char):04X}]"
    return char


def shorten(text: str, limit: int) -> str:
    """The visible text, cut to a number of characters with a note of how many were cut."""
    shown = visible(text[: limit + 1])
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return f"{shown[:limit]}… ({len(text)} characters)"
