# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The PDF: archivable, accessible, the same bytes each time, true to the verdicts, and inert."""

import io
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typst", reason="the extra pdf is not installed")

from pypdf import PdfReader
from tests.report.conftest import HOSTILE

from wavegate.canonical import digest
from wavegate.decision import Word
from wavegate.evidence.verdicts import Verdicts, dump
from wavegate.report import pdf
from wavegate.report.html import Plot
from wavegate.report.pdf_cover import Asked
from wavegate.report.pdf_glyphs import covered, drawable, folder
from wavegate.report.plots import QueueFigure, QueuePoint, queue_svg
from wavegate.report.resend import Handed
from wavegate.report.texts import LANGUAGES, Language, texts

POPPLER = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
)


def text_of(made: bytes, tmp_path: Path) -> str:
    """What a reader of the file reads, without line breaks: long words may be broken anywhere."""
    path = tmp_path / "report.pdf"
    path.write_bytes(made)
    found = subprocess.run(
        [shutil.which("pdftotext") or "", str(path), "-"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return re.sub(r"\s", "", found.stdout)


def squeezed(text: str) -> str:
    """A text as `text_of` gives it."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_is_for_the_archive_and_for_everybody(varied: Verdicts, language: Language) -> None:
    """PDF/A-2a and PDF/UA-1 in its metadata, tagged, in the right language, with a title."""
    found = PdfReader(io.BytesIO(pdf.render(varied, language=language)))
    root: Any = found.root_object
    told = root["/Metadata"].get_data().decode()

    assert ["2", "A", "1"] == [
        re.search(pattern, told)[1]  # type: ignore[index] # it fails where there is none
        for pattern in (
            r"<pdfaid:part>(\w)<",
            r"<pdfaid:conformance>(\w)<",
            r"<pdfuaid:part>(\w)<",
        )
    ]
    assert language == root["/Lang"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert found.metadata is not None
    assert f"NO-GO: {texts(language).title(varied)}" == found.metadata.title


def test_only_shipped_fonts_are_used_and_embedded(varied: Verdicts) -> None:
    """No machine's own fonts change the page, and no reader needs fonts of its own."""
    found = PdfReader(io.BytesIO(pdf.render(varied)))
    names = set()
    pages: Any = found.pages
    for page in pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in inner["/FontDescriptor"]
            names.add(inner["/BaseFont"].partition("+")[2].partition("-")[0])

    assert {"IBMPlexSans", "IBMPlexMono", "DejaVuSans"} == names


def test_fonts_come_with_their_licences() -> None:
    """A font without its licence may not be handed on (OFL 1.1, condition 2)."""
    assert {"DejaVu.LICENSE.txt", "IBMPlex.LICENSE.txt"} == {
        path.name for path in folder().glob("*.LICENSE.txt")
    }


def test_same_bytes_each_time(varied: Verdicts, tmp_path: Path) -> None:
    """Another process, with other hashes of strings, makes the very same file."""
    source = tmp_path / "verdicts.json"
    source.write_bytes(dump(varied))
    code = (
        "import sys, pathlib\n"
        "from wavegate.evidence.verdicts import parse\n"
        "from wavegate.report import pdf\n"
        "verdicts = parse(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "sys.stdout.buffer.write(pdf.render(verdicts, language='de'))\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(source)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )

    assert digest(pdf.render(varied, language="de")) == digest(other.stdout)


@POPPLER
@pytest.mark.parametrize("language", LANGUAGES)
def test_says_what_the_verdicts_say(varied: Verdicts, language: Language, tmp_path: Path) -> None:
    """Decision, fingerprint, every instance, cause, waiver and count are those of verdicts.json."""
    asked = Asked(by="J. Doe", command="wavegate gate --wave 2024-01-w1")
    made = pdf.render(varied, keyid="ab" * 32, asked=asked, language=language)
    found = text_of(made, tmp_path)

    wanted = [varied.decision, varied.run, digest(dump(varied)), "ab" * 32, "J. Doe"]
    wanted += [*varied.instances, *(waiver.approved_by for waiver in varied.waivers)]
    wanted += [cause.cause[:12] for cause in varied.causes]
    wanted += [f"{len(varied.cells)}", varied.digests.suites, varied.digests.policy]
    wanted += [asked.command or "", *varied.digests.estate.values()]
    wanted += [texts(language).sentence(promise) for promise in varied.promises]
    assert [] == [text for text in wanted if squeezed(text) not in found]


@POPPLER
def test_copied_text_has_no_hidden_characters(varied: Verdicts, tmp_path: Path) -> None:
    """A digest or command copied from the page is just that; line breaks cost no character."""
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf.render(varied))
    found = subprocess.run(
        [shutil.which("pdftotext") or "", str(path), "-"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout

    assert set() == {char for char in found if char in "\u200b\u00ad\ufeff"}
    assert digest(dump(varied)) in found


@POPPLER
def test_hostile_text_stays_text(varied: Verdicts, tmp_path: Path) -> None:
    """Nothing that a DNS record holds acts on the page, and what cannot be seen is shown."""
    markup = '#panic(1) $x$ *b* _i_ `r` <label> @ref \\ #include "/etc/passwd" //'
    found = varied.model_copy(update={"notes": (*HOSTILE, markup)})
    told = text_of(pdf.render(found), tmp_path)

    assert squeezed(markup) in told
    assert "[U+202E]" in told
    assert "[U+001B]" in told
    assert "\u202e" not in told


@POPPLER
def test_hostile_names_stay_text(make_hostile: object, tmp_path: Path) -> None:
    """Names that no estate would load can do nothing either."""
    assert callable(make_hostile)
    told = text_of(pdf.render(make_hostile()), tmp_path)

    assert squeezed("<script>alert('x')</script>") in told


def test_every_character_can_be_set(good: Verdicts) -> None:
    """PDF/A knows no missing glyph: whatever a record holds, the report is still made."""
    known = "".join(map(chr, sorted(covered())))
    chance = random.Random(6)  # noqa: S311 - no secret
    strange = "".join(chr(chance.randrange(0x20, 0xD800)) for _ in range(2_000))
    marks = "e\u0301 a\u0323\u0302 \u0915\u094d\u0937 \u1100\u1161\u11a8 \U0001f468\u200d\U0001f469"
    parts = [known[n : n + 600] for n in range(0, len(known), 600)]
    parts += [strange[n : n + 600] for n in range(0, len(strange), 600)]
    found = good.model_copy(update={"notes": (*parts[:18], marks)})

    assert b"%PDF-1.7" == pdf.render(found)[:8]


def test_what_no_font_has_is_named() -> None:
    """A character that cannot be drawn is told by its number, never left out."""
    assert "\u00e4[U+6F22][U+13000]e[U+0301]" == drawable("\u00e4\u6f22\U00013000e\u0301")


def test_pictures_say_the_same_in_words(good: Verdicts) -> None:
    """Each drawing has the text that those read who do not see it (PDF/UA-1, 7.3)."""
    figure = QueueFigure(
        title="acme-prod1: queue",
        opening=good.at,
        close=good.at,
        points=(QueuePoint(at=good.at, waiting=39),),
    )
    plot = Plot(title=figure.title, svg=queue_svg(figure))
    found = PdfReader(io.BytesIO(pdf.render(good, plots=[plot])))
    told = _alternatives(found)

    assert ["39 mails were queued; 39 were not accounted for at the last look."] == told


def _alternatives(found: PdfReader) -> list[str]:
    """The /Alt of every structure element."""
    told = list[str]()

    def walk(element: Any) -> None:
        entry = element.get_object()
        for one in entry if isinstance(entry, list) else [entry]:
            inner = one.get_object()
            if isinstance(inner, dict):
                told.extend([str(inner["/Alt"])] if "/Alt" in inner else [])
                if "/K" in inner:
                    walk(inner["/K"])

    walk(found.root_object["/StructTreeRoot"])
    return told


def test_long_runs_are_bounded(chaos: Verdicts) -> None:
    """Of 1,280 causes 100 are told in full and 300 in a line: the file does not grow with more."""
    found = PdfReader(io.BytesIO(pdf.render(chaos)))

    assert len(found.pages) < 60


@POPPLER
def test_wave_beyond_the_matrix_names_the_customers_reports(
    fleet: Verdicts, tmp_path: Path
) -> None:
    """Above 500 instances the matrix shows the worst, and says where the others are."""
    more = fleet.model_copy(update={"customers": {**fleet.customers, "other": Word.GO}})
    told = text_of(pdf.render(more), tmp_path)

    assert squeezed("This wave has more than 500 instances") in told
    assert squeezed("And 1501 more instances, none of them worse") in told


@pytest.mark.parametrize("name", ["good", "empty", "held"])
def test_every_kind_of_run_can_be_set(name: str, request: pytest.FixtureRequest) -> None:
    """A run over nothing, one before its window, and a closed one have their report."""
    found: Verdicts = request.getfixturevalue(name)
    resends = [Handed(instance="acme-prod1", told="2 to resend", lines=2, stem="resend/acme-prod1")]

    assert b"%PDF-1.7" == pdf.render(found, resends=resends)[:8]


def test_night_is_told_as_one(good: Verdicts) -> None:
    """A night has no window, and is not called a wave."""
    night = good.model_copy(update={"wave": None, "window": None, "closed": False})
    found = PdfReader(io.BytesIO(pdf.render(night)))

    assert found.metadata is not None
    assert "GO: Nightly" == found.metadata.title


def test_is_not_promised_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, gate knows beforehand that there will be no PDF."""
    monkeypatch.setattr(pdf, "find_spec", lambda name: None if name == "typst" else object())

    assert not pdf.available()


@POPPLER
@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_the_decisions_of_people(
    varied: Verdicts, good: Verdicts, language: Language, tmp_path: Path
) -> None:
    """The exceptions page names course, person, key and who approved their own work, or none."""
    said, found = texts(language), text_of(pdf.render(varied, language=language), tmp_path)

    wanted = [said("course.keep"), "A. Approver", "SPF is repaired by CHG-77", "c1" * 32]
    wanted += [said("way.key"), said("way.name"), said("decisions.may_record")]
    assert [] == [text for text in wanted if squeezed(text) not in found]
    none = text_of(pdf.render(good, language=language), tmp_path)
    assert squeezed(said("decisions.none")) in none


@POPPLER
@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_withdrawn_instances(varied: Verdicts, language: Language, tmp_path: Path) -> None:
    """On the exceptions page, with who and why."""
    said, found = texts(language), text_of(pdf.render(varied, language=language), tmp_path)

    wanted = [said("withdrawn.title"), "cumulus-late", "W. Drawer", "CHG-9"]
    assert [] == [text for text in wanted if squeezed(text) not in found]


@POPPLER
@pytest.mark.parametrize("language", LANGUAGES)
def test_tells_signed_approvals_from_claims(
    varied: Verdicts, language: Language, tmp_path: Path
) -> None:
    """The exceptions page names the approver's key, and what is but a claim of the estate file."""
    said, found = texts(language), text_of(pdf.render(varied, language=language), tmp_path)

    wanted = ["Cora Approver", "e5" * 32, said("approval.claim")]
    assert [] == [text for text in wanted if squeezed(text) not in found]
