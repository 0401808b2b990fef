# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which reports are written, in which languages; and what happens where one cannot be."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.builders.stores import Desk
from tests.builders.worlds import World
from tests.report.conftest import INSTANCES, _cell, passed, run_of

from wavegate.cli.entry import run
from wavegate.errors import InputError, InternalError, MissingError
from wavegate.evidence.bundle import REPORTS
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import pdf
from wavegate.report.texts import Language
from wavegate.run import papers
from wavegate.run.papers import Drawn, Paper, Writer, paper_for, stamped_by
from wavegate.run.suites import find_suites

NOTHING = Drawn(plots={}, plans={})
needs_pdf = pytest.mark.skipif(not pdf.available(), reason="the extra pdf is not installed")


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    """A small run."""
    return run_of(_cell(name, "spf", passed("spf", name)) for name in INSTANCES)


@pytest.fixture(scope="module")
def signer() -> FileSigner:
    """A key of the seal."""
    return FileSigner.of(ec.derive_private_key(7, ec.SECP256R1()))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A store with both captures and mail."""
    found = Desk(tmp_path / "desk")
    found.plan(*(suite.promise.id for suite in find_suites()))
    before, after = World(phase="before"), World(phase="after")
    found.capture(before.snapshot(), after.snapshot())
    found.deliver([*before.mails(), *after.mails()])
    return found


def written(folder: Path, verdicts: Verdicts, signer: FileSigner, paper: Paper) -> list[str]:
    """Write the reports; what was said about it."""
    said = list[str]()
    Writer(signer=signer, paper=paper, say=said.append).write(folder, verdicts, NOTHING)
    return said


@needs_pdf
@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (("en",), {"report.html", "report.pdf"}),
        (("de",), {"report.html", "report.pdf"}),
        (("de", "en"), {"report.html", "report.pdf", "report.en.html", "report.en.pdf"}),
        (("en", "de"), {"report.html", "report.pdf", "report.de.html", "report.de.pdf"}),
    ],
)
def test_each_language_has_its_reports(
    verdicts: Verdicts,
    signer: FileSigner,
    tmp_path: Path,
    languages: tuple[Language, ...],
    expected: set[str],
) -> None:
    """The first language has the plain names; the seal knows every name that is written."""
    said = written(tmp_path, verdicts, signer, Paper(languages=languages))

    names = {path.name for path in tmp_path.iterdir()}
    assert expected | {"summary.md", "junit.xml"} == names
    assert set() == names - set(REPORTS)
    assert f'<html lang="{languages[0]}">' in (tmp_path / "report.html").read_text("utf-8")
    assert [] == said


def test_without_the_extra_there_is_no_pdf(
    verdicts: Verdicts, signer: FileSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other reports are written as ever."""
    monkeypatch.setattr(pdf, "available", lambda: False)
    written(tmp_path, verdicts, signer, Paper())

    assert {"report.html", "summary.md", "junit.xml"} == {p.name for p in tmp_path.iterdir()}


@needs_pdf
def test_pdf_that_fails_takes_no_decision_away(
    verdicts: Verdicts, signer: FileSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hinders it is said, no half file stays, and the other reports are there."""

    def fail(*_: Any, **__: Any) -> bytes:
        raise InternalError("no such font")

    monkeypatch.setattr(pdf, "render", fail)
    said = written(tmp_path, verdicts, signer, Paper())

    assert ["report.pdf is not written: no such font"] == said
    assert not (tmp_path / "report.pdf").exists()
    assert (tmp_path / "report.html").exists()


@needs_pdf
def test_without_timestamp_the_signature_stays(
    verdicts: Verdicts, signer: FileSigner, tmp_path: Path
) -> None:
    """An authority that fails costs the token, never the signature; and it is said."""

    def fail(_: bytes) -> bytes:
        raise MissingError("nobody answers")

    said = written(tmp_path, verdicts, signer, Paper(stamp=fail))

    assert ["the PDF's signature has no timestamp: nobody answers"] == said
    assert b"ETSI.CAdES.detached" in (tmp_path / "report.pdf").read_bytes()


def test_authorities_are_asked_in_turn_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer counts; where all fail, hundreds of reports do not wait for them again."""
    from wavegate.evidence import timestamp_client
    from wavegate.evidence.timestamp import Answer

    asked = list[bytes]()
    answers = [
        (Answer(url="a", problem="a: silent"), Answer(url="b", raw=b"token")),
        (Answer(url="a", problem="a: silent"), Answer(url="b", problem="b: full")),
    ]

    def stamp(payloads: Sequence[bytes], urls: Sequence[str]) -> tuple[tuple[Answer, ...], ...]:
        assert ["a", "b"] == urls
        asked.extend(payloads)
        return (answers[len(asked) - 1],)

    monkeypatch.setattr(timestamp_client, "stamp", stamp)
    ask = stamped_by(("a", "b"))

    assert b"token" == ask(b"1")
    for payload in (b"2", b"3"):
        with pytest.raises(MissingError, match="a: silent; b: full"):
            ask(payload)
    assert [b"1", b"2"] == asked


def test_unknown_language_is_refused(signer: FileSigner) -> None:
    """Before any work is done, in one sentence that names those there are."""
    with pytest.raises(InputError, match="no texts in 'fr'") as caught:
        paper_for(("fr",), signer, None, None, "wavegate gate")

    assert "there are en, de" == caught.value.cure


def test_each_language_once(signer: FileSigner) -> None:
    """A language that is given twice is written once; English where none is."""
    assert ("de", "en") == paper_for(("de", "en", "de"), signer, None, None, "x").languages
    assert ("en",) == paper_for((), signer, None, None, "x").languages


def test_who_asked_is_who_was_named(signer: FileSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    """--by goes before the account, and an account without a name is no error."""

    def nobody() -> str:
        raise KeyError("uid not found")

    assert "J. Doe" == paper_for((), signer, "J. Doe", None, "x").asked.by
    monkeypatch.setattr(papers, "getuser", nobody)
    assert paper_for((), signer, None, None, "x").asked.by is None


def test_certificate_that_cannot_be_read_is_refused(signer: FileSigner, tmp_path: Path) -> None:
    """It is told before the records are judged."""
    with pytest.raises(InputError, match="cannot be read"):
        paper_for((), signer, None, tmp_path / "no.crt", "x")


@needs_pdf
def test_certificate_of_nobody_is_refused(signer: FileSigner, tmp_path: Path) -> None:
    """It is told before the records are judged."""
    (tmp_path / "junk.crt").write_text("junk")

    with pytest.raises(InputError, match="no certificates in PEM"):
        paper_for((), signer, None, tmp_path / "junk.crt", "x")


@needs_pdf
@pytest.mark.timeout(600)
def test_bundle_in_both_languages_is_sealed_and_verifies(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every report is a subject of the seal, the PDF is signed by its key, both verifiers agree."""
    assert run([*gate, "--language", "de", "--language", "en", "--by", "J. Doe"]) in (0, 1, 3)
    bundle, key = tmp_path / "bundle", desk.folder / "home/keys/default.pub"
    assert 0 == run(["verify", str(bundle), "--key", str(key)])
    command = ["/bin/sh", "verify.sh", str(key)]
    assert 0 == subprocess.run(command, cwd=bundle, check=False, capture_output=True).returncode

    envelope = json.loads((bundle / "seal.dsse.json").read_bytes())
    subjects = {one["name"] for one in json.loads(b64decode(envelope["payload"]))["subject"]}
    written = {"report.html", "report.pdf", "report.en.html", "report.en.pdf"}
    assert written == {name for name in subjects if name.startswith("report")}
    from pyhanko.pdf_utils.reader import PdfFileReader

    made = (bundle / "report.pdf").read_bytes()
    (signed,) = PdfFileReader(BytesIO(made)).embedded_signatures
    assert desk.signer.public.spki == signed.signer_cert.public_key.dump()
    assert made != (bundle / "customers/acme/report.pdf").read_bytes()
    (bundle / "report.en.pdf").write_bytes(made)
    assert 1 == run(["verify", str(bundle), "--key", str(key)])
    capsys.readouterr()
