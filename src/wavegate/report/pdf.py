# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The PDF report, for those who sign for a run: PDF/A-2a and PDF/UA-1, from verdicts alone.

typst lays out `pdf/report.typ`. All values reach it as JSON, and none is ever markup. The same
verdicts give the same bytes: fonts are shipped, the date is the run's instant. Every list has a
bound, so that the largest run takes bounded memory and time; verdicts.json has the whole.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from wavegate.canonical import dumps
from wavegate.errors import InternalError
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import pdf_exceptions, pdf_findings, pdf_shown
from wavegate.report.html import Plot
from wavegate.report.page import build_page
from wavegate.report.pdf_cover import Asked, cover
from wavegate.report.pdf_text import LIMIT, Block, Ink, plain
from wavegate.report.resend import Handed
from wavegate.report.texts import ENGLISH, Language, texts

STANDARDS: Final[tuple[Literal["a-2a"], Literal["ua-1"]]] = ("a-2a", "ua-1")
"""What every report is checked against by typst as it is written: archive and accessibility."""
EXTRA = "wavegate[pdf]"
_NEEDED = ("typst", "pyhanko", "fontTools")


def available() -> bool:
    """Whether the extra `pdf` is installed."""
    return all(find_spec(name) is not None for name in _NEEDED)


def render(
    verdicts: Verdicts,
    *,
    keyid: str | None = None,
    plots: Sequence[Plot] = (),
    resends: Sequence[Handed] = (),
    asked: Asked | None = None,
    language: Language = ENGLISH,
    signed: bool = False,
    name: str = "report.pdf",
) -> bytes:
    """The report, unsigned; the same bytes each time.

    keyid: of the seal. signed: whether a signature follows, which the text then says. name: of the
    file, for the commands that verify it. Raises InternalError where typst cannot set it.
    """
    asked = asked or Asked()
    document = _document(verdicts, keyid, plots, resends, asked, language, name, signed=signed)
    return _set(document, verdicts)


def _document(
    verdicts: Verdicts,
    keyid: str | None,
    plots: Sequence[Plot],
    resends: Sequence[Handed],
    asked: Asked,
    language: Language,
    name: str,
    *,
    signed: bool,
) -> Block:
    ink, page = Ink(texts=texts(language)), build_page(verdicts)

    def blocks() -> Iterator[Block]:
        yield from pdf_findings.summary(ink, verdicts, page)
        yield from pdf_findings.matrix(ink, verdicts, page)
        yield from pdf_findings.findings(ink, verdicts, page)
        yield from pdf_shown.plots(ink, plots)
        yield from pdf_shown.passed(ink, page)
        yield from pdf_shown.cleared(ink, verdicts)
        yield from pdf_shown.not_compared(ink, verdicts)
        yield from pdf_exceptions.exceptions(ink, verdicts, page)
        yield from pdf_shown.resends(ink, resends)
        yield from pdf_exceptions.promises(ink, verdicts)
        yield from pdf_exceptions.production(ink, verdicts, asked)
        yield from pdf_exceptions.verification(ink, signed=signed, name=name)

    title = f"{verdicts.decision}: {ink.texts.title(verdicts)}"
    return {
        "language": language,
        "title": plain(title, LIMIT),
        "subject": ink.texts("pdf.subject"),
        "contents": ink.texts("pdf.contents"),
        "footer": plain(f"Wavegate {verdicts.tool.version} · {verdicts.run}", LIMIT),
        "page": ink.texts("pdf.page", page="{page}", pages="{pages}"),
        "cover": cover(ink, verdicts, page, asked, keyid=keyid, signed=signed),
        "blocks": list(blocks()),
    }


def _set(document: Block, verdicts: Verdicts) -> bytes:
    """Let typst set a document. Raises InternalError."""
    import typst  # noqa: PLC0415 - of an extra

    try:
        found = typst.compile(
            _template(),
            root=_template().parent,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=list(STANDARDS),
            sys_inputs={"data": dumps(document).decode("utf-8")},
            timestamp=int(verdicts.at.timestamp()),
        )
    except typst.TypstError as error:
        raise InternalError(
            f"the PDF report cannot be set: {error.message}",
            where="report.pdf",
            cure=f"reinstall {EXTRA}; report.html says the same",
        ) from error
    return bytes(found)


@cache
def _template() -> Path:
    with as_file(files("wavegate.report") / "pdf" / "report.typ") as path:
        return path


@cache
def _fonts() -> Any:
    """The shipped fonts and no other, so that every machine sets the same bytes."""
    import typst  # noqa: PLC0415 - of an extra

    from wavegate.report.pdf_glyphs import folder  # noqa: PLC0415 - of an extra

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder())]
    )
