# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Cutting secrets out of bytes before they become an observation (design, rule 16).

Known secrets go by their text in every form a server could echo them; unknown ones by their shape.
"""

import base64
import json
import re
from html import escape
from urllib.parse import quote, quote_plus

CUT = b"[cut]"
SHORT = 6
"""A known secret shorter than this is cut from failures only: in an answer it hits by chance."""
SHORTEST_NAME = 4

_NAME = (
    rb"(?:(?:session|security|access|refresh|bearer|id)[_-]?token|token"
    rb"|password|passwd|secret|cookie|authorization)"
)
_WORD = rb"(?<![\w:-])[\w:-]{0,40}"  # bounded and anchored: linear on any input
_SHAPES = (
    (re.compile(rb"___[0-9A-Fa-f][0-9A-Fa-f-]{19,}"), CUT),
    (re.compile(rb"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), CUT),
    (re.compile(rb"@[A-Za-z0-9+/_-]{40,}={0,2}"), CUT),
    (re.compile(rb"(?i)\b(bearer|basic)(?:\s|%20)+[A-Za-z0-9._~+/=-]{16,}"), rb"\1 " + CUT),
    (re.compile(rb"(?i)(" + _WORD + _NAME + rb"\s*=\s*)(?:\"[^\"]*\"|'[^']*')"), rb'\1"[cut]"'),
    (re.compile(rb"(?i)(<" + _WORD + _NAME + rb"(?:\s[^<>]{0,2000})?(?<!/)>)[^<]+"), rb"\1" + CUT),
    (re.compile(rb"(?i)(\blogin(?:CS)?\s*=\s*)(?:\"[^\"]*\"|'[^']*')"), rb'\1"[cut]"'),
)


class Secrets:
    """The secrets of one session; more become known as replies come in."""

    def __init__(self, *known: str) -> None:
        self._long: dict[bytes, None] = {}
        self._short: dict[bytes, None] = {}
        for secret in known:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Cut this from now on."""
        book = self._long if len(secret) >= SHORT else self._short
        if secret:
            book.update(dict.fromkeys(_forms(secret)))

    def learn_name(self, name: str) -> None:
        """Cut an operator's name from failures, which echo it; answers hold it as `login`."""
        if len(name) >= SHORTEST_NAME:
            self._short.update(dict.fromkeys(_forms(name)))

    def cut(self, data: bytes, *, failure: bool) -> bytes:
        """The bytes without any secret. failure: these bytes answer nothing, be strict."""
        known = {**self._long, **(self._short if failure else {})}
        for form in sorted(known, key=len, reverse=True):
            data = data.replace(form, CUT)
        for shape, instead in _SHAPES:
            data = shape.sub(instead, data)
        return data

    def cut_text(self, text: str) -> str:
        """The same for a reason or a header."""
        return self.cut(text.encode("utf-8", "replace"), failure=True).decode("utf-8", "replace")


def _forms(secret: str) -> set[bytes]:
    """The secret as a server could echo it: escaped for XML, URL or JSON, in base64."""
    raw = secret.encode("utf-8")
    texts = {
        secret,
        escape(secret, quote=False),
        escape(secret),
        escape(secret).replace("&#x27;", "&apos;").replace("&quot;", "&#34;"),
        escape(secret).replace("&#x27;", "&#39;"),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode("ascii"),
    }
    return {text.encode("utf-8") for text in texts} | {secret.encode("latin-1", "replace")}
