# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the reports for people say, in one catalogue per language: `texts/<language>.toml`.

Only our own sentences are here. What a finding says is evidence: it stands as it is in
verdicts.json, in the words of the run, whatever the language of the report.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from wavegate.evidence.verdicts import PromiseEntry, Verdicts
from wavegate.promise import PROMISES

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
ENGLISH: Language = "en"
"""The language of verdicts.json, and so of what is quoted from it."""
_MARK = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*|\*(?P<em>[^*]+)\*")
Mark = Literal["", "code", "strong", "em"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a text in one style."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The catalogue of one language.

    said: by `section.key`. known: what the run says in English in fixed words, such as where a
    promise was made, in this language.
    """

    language: Language
    said: Mapping[str, str]
    known: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """A text with its values. Raises KeyError for a key or value that is not there."""
        return self.form(key, values).format(**values)

    def form(self, key: str, values: Mapping[str, object]) -> str:
        """The text without its values; that for one, where `n` is 1 and there is such a form."""
        one = f"{key}_one"
        return self.said[one if values.get("n") == 1 and one in self.said else key]

    def named(self, text: str) -> str:
        """A fixed English text of the run in this language, or as it is where it is not fixed."""
        return self.known.get(text, text)

    def sentence(self, promise: PromiseEntry) -> str:
        """The sentence of a promise; a user's own, or one in other words, stays as it is."""
        built_in = PROMISES.get(promise.id)
        if built_in is None or built_in.sentence != promise.sentence:
            return promise.sentence
        return self.named(promise.sentence)

    def title(self, verdicts: Verdicts) -> str:
        """`Wave 2024-01-w1`, or `Nightly`."""
        wave = verdicts.wave
        return self("word.wave", wave=wave) if wave else self("word.nightly")

    def kind(self, verdicts: Verdicts) -> str:
        """Reports before a wave is closed are interim (design, "Decision"); a night's never is."""
        whole = verdicts.closed or verdicts.wave is None
        return self("word.report" if whole else "word.interim")


@cache
def texts(language: Language) -> Texts:
    """The catalogue of a language."""
    place = files("wavegate.report") / "texts" / f"{language}.toml"
    found = tomllib.loads(place.read_text("utf-8"))
    known = found.pop("known")
    return Texts(language=language, said=dict(_flat(found)), known=known)


def pieces(text: str) -> Iterator[Piece]:
    """A text of the catalogue in its parts: `code`, *emphasis* and **strong** are the marks."""
    end = 0
    for match in _MARK.finditer(text):
        if match.start() > end:
            yield Piece(mark="", text=text[end : match.start()])
        yield _marked(match)
        end = match.end()
    if end < len(text):
        yield Piece(mark="", text=text[end:])


def _marked(match: re.Match[str]) -> Piece:
    for mark in ("code", "strong", "em"):
        if match[mark] is not None:
            return Piece(mark=mark, text=match[mark])
    raise AssertionError("the pattern has no other group")  # pragma: no cover


def _flat(sections: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for section, entries in sections.items():
        for key, text in entries.items():
            yield f"{section}.{key}", text
