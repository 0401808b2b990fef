# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Text on its way into the PDF: spans of a style, as JSON, never as markup.

A span is `[style, text]`. Styles: "" our own words, "quote" words of the run (English), "code" a
value, "strong", "em", "soft", "gone". Long words get places where a line may break.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from wavegate.clock import format_instant
from wavegate.report.pdf_glyphs import drawable
from wavegate.report.texts import Texts, pieces

Style = Literal["", "quote", "code", "strong", "em", "soft", "gone"]
Span: TypeAlias = tuple[str, str]
Spans: TypeAlias = list[Span]
Block: TypeAlias = dict[str, object]
"""A piece of the document as `report.typ` reads it: its `kind`, and what that kind has."""

LIMIT = 700
"""Characters of a value that are printed; verdicts.json has the whole."""
NAMES = 24
"""Instances that are named where many share a text."""
_LONG = re.compile(r"\S{15,}")
_STOP = re.compile(r"([./:=_,;@|>-]+)(?=\S)|(\w{8})(?=\w)")
BREAK = "\u200b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """Writes spans in the language of a report."""

    texts: Texts

    def say(self, key: str, style: Style = "", /, **values: object) -> Spans:
        """A text of the catalogue with its values, in its marks or in the style given."""
        shown = {name: plain(str(value), LIMIT) for name, value in values.items()}
        form = self.texts.form(key, values)
        return [
            (p.mark or style, soft_breaks(p.text.format(**shown))) for p in pieces(form) if form
        ]

    def quote(self, text: str, limit: int = LIMIT) -> Spans:
        """Words of the run, as they stand in verdicts.json."""
        found = [("quote", soft_breaks(plain(text, limit)))]
        return found if len(text) <= limit else [*found, *self.say_cut(text)]

    def code(self, text: str, limit: int = LIMIT) -> Spans:
        """A value, in a font that tells its characters apart."""
        found = [("code", soft_breaks(plain(text, limit)))]
        return found if len(text) <= limit else [*found, *self.say_cut(text)]

    def say_cut(self, text: str) -> Spans:
        """That a value goes on, and where the whole stands."""
        whole = self.texts("word.all_characters", n=len(text))
        return [("soft", f"… ({whole}: verdicts.json)")]

    def state(self, text: str | None) -> Spans:
        """A normalised state, or that there is none."""
        return self.say("word.nothing", "soft") if text is None else self.code(text)

    def names(self, names: tuple[str, ...], most: int = NAMES) -> Spans:
        """Some names, and how many more."""
        shown = [("", soft_breaks(plain(", ".join(names[:most]), 4000)))]
        rest = len(names) - most
        return shown if rest <= 0 else [*shown, ("soft", " "), *self.more(rest)]

    def more(self, count: int, key: str = "word.and_more") -> Spans:
        """How many more there are."""
        return self.say(key, "soft", n=count)

    def instant(self, instant: datetime) -> Spans:
        """An instant to the second."""
        return [("", moment(instant))]


def plain(text: str, limit: int) -> str:
    """Text that can be drawn, of bounded length."""
    return drawable(text[:limit])


def moment(instant: datetime) -> str:
    """`2024-01-16 22:00:00 UTC`; not broken within date, time or zone."""
    shown = format_instant(instant.replace(microsecond=0)).removesuffix("Z")
    return f"{shown.replace('T', ' ')} UTC"


def soft_breaks(text: str) -> str:
    """The text with zero-width spaces in long words, after signs and after every eight letters."""
    return _LONG.sub(lambda word: _STOP.sub(lambda part: part[0] + BREAK, word[0]), text)


def join(*parts: Spans, by: str = " ") -> Spans:
    """Spans one after the other, with something between those that are not empty."""
    found: Spans = []
    for part in filter(None, parts):
        found += [("", by), *part] if found else part
    return found


def heading(level: int, text: str) -> Block:
    """A heading; levels from 1, none left out."""
    return {"kind": "heading", "level": level, "text": text}


def paragraph(spans: Spans, style: Literal["", "lead", "none"] = "") -> Block:
    """A paragraph: lead says what a section is, none that there is nothing."""
    return {"kind": "paragraph", "style": style, "spans": spans}


def facts(rows: Iterable[tuple[Spans, Spans]]) -> Block:
    """Names and values."""
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def entries(rows: Iterable[tuple[Spans, list[Spans], Spans]]) -> Block:
    """A list: each with a head, its lines, and where it holds."""
    return {"kind": "entries", "rows": [{"head": h, "lines": b, "at": a} for h, b, a in rows]}


def table(head: list[str], widths: list[str], rows: Iterable[list[Spans]]) -> Block:
    """A table with a header row; widths as `report.typ` knows them: "auto" or "fr"."""
    return {"kind": "table", "head": head, "widths": widths, "rows": list(rows)}


def commands(text: str) -> Block:
    """What a person types in a shell, our own words."""
    return {"kind": "commands", "text": text}
