# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import wavegate.report
from wavegate.evidence.verdicts import PromiseEntry, Verdicts
from wavegate.promise import PROMISES
from wavegate.report.html import render
from wavegate.report.texts import LANGUAGES, Piece, pieces, texts

HERE = Path(wavegate.report.__file__).parent


def fields(text: str) -> list[str]:
    """The values that a text asks for."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def sources() -> Iterator[str]:
    """The text of everything that asks for texts."""
    for pattern in ("*.py", "templates/*.j2", "pdf/*.typ"):
        yield from (path.read_text("utf-8") for path in sorted(HERE.glob(pattern)))


def test_catalogues_say_the_same_things() -> None:
    """No text is missing in a language, and each asks for the same values in all."""
    english = texts("en").said
    for language in LANGUAGES:
        said = texts(language).said

        assert list(english) == list(said)
        assert {k: fields(v) for k, v in english.items()} == {k: fields(v) for k, v in said.items()}
        assert [] == [key for key, text in said.items() if not text and english[key]]


def test_no_text_is_left_over() -> None:
    """Every text of the catalogue is used: what nobody prints would rot."""
    used = "\n".join(sources())
    keys = {key.removesuffix("_one") for key in texts("en").said}
    by_name = ("actor.", "course.", "section.", "verdict.", "way.", "pdf.mark_")

    assert [] == sorted(
        key for key in keys if f'"{key}"' not in used and not key.startswith(by_name)
    )


def test_every_text_asked_for_is_there() -> None:
    """A report never ends in a KeyError because a key was mistyped."""
    asked = {key for text in sources() for key in re.findall(r'\bt\("([a-z_-]+\.[\w-]+)"', text)}

    assert set() == asked - set(texts("en").said)


def test_every_promise_is_told_in_german() -> None:
    """No built-in sentence, nor where it was promised, stays English in a German report."""
    known = texts("de").known
    for promise in PROMISES.values():
        assert promise.sentence in known
        assert promise.source.document in known
        assert promise.source.withdrawn is None or promise.source.withdrawn in known


def test_the_words_are_those_of_the_german_notice() -> None:
    """The sentences that the German notice makes are given in its own terms."""
    known = texts("de").known

    assert (
        "Andere Campaign-Funktionen sind nicht betroffen"
        == (known[PROMISES["only_sending_disrupted"].sentence])
    )
    assert "Migrationsfensters" in known[PROMISES["sending_window"].sentence]
    assert "Migrationswelle" in known[PROMISES["scope"].sentence]


def test_promise_in_other_words_is_not_translated(varied: Verdicts) -> None:
    """A sentence that is not ours is shown as it stands, never replaced by ours."""
    spf = next(p for p in varied.promises if p.id == "spf")
    other = PromiseEntry.model_validate({**spf.model_dump(), "sentence": "SPF is fine"})

    assert "SPF is fine" == texts("de").sentence(other)
    assert texts("de").known[spf.sentence] == texts("de").sentence(spf)


def test_one_has_its_own_form() -> None:
    """`1 instances` is never written."""
    assert "in force for 1 cell" == texts("en")("waivers.in_force", n=1)
    assert "in force for 2 cells" == texts("en")("waivers.in_force", n=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [Piece(mark="", text="plain")]),
        ("a `b` c", [Piece(mark="", text="a "), Piece(mark="code", text="b"),
                     Piece(mark="", text=" c")]),
        ("**a** *b*", [Piece(mark="strong", text="a"), Piece(mark="", text=" "),
                       Piece(mark="em", text="b")]),
    ],
)  # fmt: skip
def test_marks_of_a_text(text: str, expected: list[Piece]) -> None:
    """Code, emphasis and strong are the only marks, and nothing of the text is lost."""
    assert expected == list(pieces(text))


def test_value_with_marks_stays_a_value(varied: Verdicts) -> None:
    """What a run says can bring no mark of the catalogue's: values go in after the marks."""
    hostile = varied.model_copy(update={"wave": "**w** `x` {n}"})

    assert "<h1>Wave **w** `x` {n}</h1>" in render(hostile)


def test_german_page_is_german(varied: Verdicts) -> None:
    """The German page says its own sentences in German, and quotes the run as it is."""
    page = render(varied, language="de")

    assert '<html lang="de">' in page
    assert "Migrationswelle 2024-01-w1" in page
    assert "Rolling back" not in page
    assert "Andere Campaign-Funktionen sind nicht betroffen" in page
    assert "198.51.100.7 passed SPF before and gets softfail after" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_holds_the_same_facts_in_each_language(varied: Verdicts, language: str) -> None:
    """Anchors, digests and instants do not depend on the language of the page."""
    pattern = r'id="[^"]+"|[0-9a-f]{64}|datetime="[^"]+"'

    assert re.findall(pattern, render(varied)) == (
        re.findall(pattern, render(varied, language="de" if language == "de" else "en"))
    )
