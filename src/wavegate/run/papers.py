# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The reports of a run, or of a customer's part of it, in each language that was asked for.

The first language has the plain names (`report.html`, `report.pdf`), the others have theirs in the
name (`report.de.html`). The PDF is written where the extra `pdf` is installed.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from wavegate.errors import InputError, MissingError, WavegateError
from wavegate.evidence.signer import Signer
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import html, junit, markdown, pdf
from wavegate.report.html import Plot
from wavegate.report.pdf_cover import Asked
from wavegate.report.resend import Handed, NoPlan, ResendPlan, handed
from wavegate.report.texts import ENGLISH, LANGUAGES, Language

MISSING = f"report.pdf is not written: pip install '{pdf.EXTRA}' brings what sets it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How reports are written.

    certificates: PEM, of the signing key and its chain, None for one that the key signs itself.
    stamp: gets a timestamp for the PDF's signature, None for none.
    """

    languages: tuple[Language, ...] = (ENGLISH,)
    asked: Asked = Asked()  # noqa: RUF009 - frozen
    certificates: bytes | None = None
    stamp: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What was drawn and listed of each instance, worst first."""

    plots: Mapping[str, tuple[Plot, ...]]
    plans: Mapping[str, ResendPlan | NoPlan]

    def of(self, verdicts: Verdicts) -> "Drawn":
        """Only of the instances that some verdicts are about."""
        own = verdicts.instances
        return Drawn(
            plots={name: found for name, found in self.plots.items() if name in own},
            plans={name: found for name, found in self.plans.items() if name in own},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes reports; with the key of the seal, the PDF's signature."""

    signer: Signer
    paper: Paper
    say: Callable[[str], None]

    def write(self, folder: Path, verdicts: Verdicts, drawn: Drawn) -> None:
        """Write the reports of some verdicts: of a run, or of a customer's part of it."""
        plots = tuple(plot for found in drawn.plots.values() for plot in found)
        resends = handed(list(drawn.plans.values()))
        (folder / "summary.md").write_text(markdown.render(verdicts, resends=resends), "utf-8")
        (folder / "junit.xml").write_bytes(junit.render(verdicts))
        for number, language in enumerate(self.paper.languages):
            stem = "report" if number == 0 else f"report.{language}"
            page = html.render(
                verdicts,
                keyid=self.signer.keyid,
                plots=plots,
                resends=resends,
                language=language,
            )
            (folder / f"{stem}.html").write_text(page, "utf-8")
            if pdf.available():
                self._pdf(folder / f"{stem}.pdf", verdicts, plots, resends, language)

    def _pdf(
        self,
        path: Path,
        verdicts: Verdicts,
        plots: tuple[Plot, ...],
        resends: tuple[Handed, ...],
        language: Language,
    ) -> None:
        """Set and sign the PDF; what hinders it is said, and takes no decision from anybody."""
        try:
            made = pdf.render(
                verdicts,
                keyid=self.signer.keyid,
                plots=plots,
                resends=resends,
                asked=self.paper.asked,
                language=language,
                signed=True,
                name=path.name,
            )
            path.write_bytes(self._signed(made, verdicts))
        except WavegateError as error:
            self.say(f"{path.name} is not written: {error.message}")

    def _signed(self, made: bytes, verdicts: Verdicts) -> bytes:
        """The PDF with its signature; stamped, unless the authority's answer is no use."""
        from wavegate.report.pdf_seal import seal_pdf  # noqa: PLC0415 - of an extra

        paper = self.paper
        if paper.stamp is not None:
            try:
                return seal_pdf(
                    made,
                    self.signer,
                    at=verdicts.at,
                    certificates=paper.certificates,
                    stamp=paper.stamp,
                )
            except WavegateError as error:
                self.say(f"the PDF's signature has no timestamp: {error.message}")
        return seal_pdf(made, self.signer, at=verdicts.at, certificates=paper.certificates)


def stamped_by(urls: Sequence[str]) -> Callable[[bytes], bytes]:
    """What asks authorities in turn for a timestamp; after a failure of all it asks no more.

    It raises MissingError where there is none.
    """
    failed: list[str] = []

    def ask(payload: bytes) -> bytes:
        from wavegate.evidence.timestamp_client import stamp  # noqa: PLC0415 - takes half a second

        if not failed:
            with ThreadPoolExecutor(max_workers=1) as own:  # signing has a loop of its own
                ((*answers,),) = own.submit(stamp, [payload], list(urls)).result()
            found = next((answer.raw for answer in answers if answer.raw), None)
            if found is not None:
                return found
            failed.extend(answer.problem or "" for answer in answers)
        raise MissingError("; ".join(failed), cure="gate again when an authority answers")

    return ask


def paper_for(
    languages: tuple[str, ...],
    signer: Signer,
    by: str | None,
    certificate: Path | None,
    command: str,
) -> Paper:
    """The paper that a verb was asked for; by: the account's name where nobody is named.

    Raises InputError (no such language; no certificate of the signing key).
    """
    return Paper(
        languages=languages_of(languages),
        asked=Asked(by=by or _account(), command=command),
        certificates=certificates_for(certificate, signer),
    )


def _account() -> str | None:
    """The account that runs this, None where the system names none."""
    try:
        return getuser()
    except (OSError, KeyError):
        return None


def languages_of(wanted: tuple[str, ...]) -> tuple[Language, ...]:
    """The languages asked for, each once; English where none was. Raises InputError."""
    known = {str(language): language for language in LANGUAGES}
    for name in wanted:
        if name not in known:
            raise InputError(f"no texts in {name!r}", cure=f"there are {', '.join(LANGUAGES)}")
    return tuple(dict.fromkeys(known[name] for name in wanted)) or (ENGLISH,)


def certificates_for(path: Path | None, signer: Signer) -> bytes | None:
    """The certificates in a file, the first of which must be the signer's. Raises InputError."""
    if path is None:
        return None
    try:
        found = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if pdf.available():
        from wavegate.report.pdf_seal import certificates_of  # noqa: PLC0415 - of an extra

        certificates_of(found, signer)
    return found
