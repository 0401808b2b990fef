# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The PDF's signature, as pyHanko and pdfsig see it: whole, certifying, and by the seal's key."""

import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyhanko", reason="the extra pdf is not installed")
pytest.importorskip("typst", reason="the extra pdf is not installed")

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from wavegate.errors import InputError, InternalError
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import pdf
from wavegate.report.pdf_seal import seal_pdf, self_signed
from wavegate.report.texts import LANGUAGES, Language

AT = datetime(2024, 1, 17, 1, 12, tzinfo=UTC)
PDFSIG = pytest.mark.skipif(
    shutil.which("pdfsig") is None, reason="pdfsig (poppler-utils) is not installed"
)
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
TSA_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = tsa
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[tsa_ext]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = tsa1
[tsa1]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.crt
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def signer() -> FileSigner:
    """A key of the seal."""
    return FileSigner.of(ec.derive_private_key(7, ec.SECP256R1()))


@pytest.fixture(scope="module")
def plain(varied: Verdicts) -> bytes:
    """A report before it is signed."""
    return pdf.render(varied, signed=True)


@pytest.fixture(scope="module")
def sealed(plain: bytes, signer: FileSigner) -> bytes:
    """The report, signed."""
    return seal_pdf(plain, signer, at=AT)


def checked(data: bytes, *roots: asn1.Certificate, stamps: asn1.Certificate | None = None) -> Any:
    """What pyHanko says of the one signature of a file, offline."""
    (found,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    context = ValidationContext(trust_roots=list(roots), allow_fetching=False)
    return validate_pdf_signature(
        found,
        signer_validation_context=context,
        ts_validation_context=ValidationContext(
            trust_roots=[stamps] if stamps else [], allow_fetching=False
        ),
    )


def pdfsig(data: bytes, folder: Path) -> str:
    """What pdfsig says of a file; its exit code says nothing."""
    (folder / "report.pdf").write_bytes(data)
    found = subprocess.run(
        [shutil.which("pdfsig") or "pdfsig", "report.pdf"],
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return found.stdout


def test_certifies_the_whole_file(sealed: bytes, signer: FileSigner) -> None:
    """One signature, over every byte, by the seal's key, after which no change is allowed."""
    status = checked(sealed, self_signed(signer))

    assert status.bottom_line
    assert SignatureCoverageLevel.ENTIRE_FILE == status.coverage
    assert status.docmdp_ok
    (found,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    assert "/ETSI.CAdES.detached" == found.sig_object["/SubFilter"]
    assert signer.public.spki == found.signer_cert.public_key.dump()
    assert AT == found.self_reported_timestamp
    (how,) = found.sig_object["/Reference"]
    assert (1, "/DocMDP") == (how["/TransformParams"]["/P"], how["/TransformMethod"])


def test_signature_is_appended(plain: bytes, sealed: bytes) -> None:
    """The unsigned report is a prefix: what was set can be compared with what was signed."""
    assert plain == sealed[: len(plain)]


def test_leaves_what_the_standards_ask_for(plain: bytes, sealed: bytes) -> None:
    """The signature adds one field; metadata, tags, language and title stay as they were set."""
    before, after = (PdfFileReader(io.BytesIO(data)) for data in (plain, sealed))

    assert before.root["/Metadata"].data == after.root["/Metadata"].data
    assert before.trailer["/Info"] == after.trailer["/Info"]
    assert {"/AcroForm", "/Extensions", "/Perms"} == set(after.root) ^ set(before.root)
    fields = after.root["/AcroForm"]["/Fields"]
    assert 1 == len(fields)
    found = fields[0]
    assert (4, "Seal of the run") == (found["/F"] & 0b111, found["/TU"])
    assert all(edge < 0 for edge in found["/Rect"])


def test_flipped_byte_is_seen(sealed: bytes, signer: FileSigner) -> None:
    """A change of one byte breaks the signature."""
    flipped = sealed[:2_000] + bytes([sealed[2_000] ^ 1]) + sealed[2_001:]

    assert not checked(flipped, self_signed(signer)).intact


def test_later_change_is_seen(sealed: bytes, signer: FileSigner) -> None:
    """An update appended after signing, with all signed bytes in place, is refused."""
    updated = _updated(sealed)
    status = checked(updated, self_signed(signer))

    assert SignatureCoverageLevel.ENTIRE_FILE != status.coverage
    assert not status.bottom_line


def _updated(data: bytes) -> bytes:
    writer, out = IncrementalPdfFileWriter(io.BytesIO(data)), io.BytesIO()
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(StreamObject(stream_data=b"% a page that says GO"))
    writer.update_container(page)
    writer.write(out)  # type: ignore[no-untyped-call] # of pyHanko
    return out.getvalue()


@PDFSIG
def test_pdfsig_sees_the_same(sealed: bytes, tmp_path: Path) -> None:
    """Another program, by other people, finds one valid signature over the total document."""
    told = pdfsig(sealed, tmp_path)

    assert 1 == told.count("Signature #")
    assert "Signature is Valid" in told
    assert "- Total document signed" in told


@PDFSIG
def test_pdfsig_sees_tampering(sealed: bytes, tmp_path: Path) -> None:
    """A flipped byte and an update each lack one of the sentences that a good file has."""
    flipped = sealed[:2_000] + bytes([sealed[2_000] ^ 1]) + sealed[2_001:]

    assert "Signature is Valid" not in pdfsig(flipped, tmp_path)
    assert "- Total document signed" not in pdfsig(_updated(sealed), tmp_path)


@PDFSIG
@OPENSSL
@pytest.mark.parametrize("language", LANGUAGES)
def test_printed_commands_give_the_key_id(
    varied: Verdicts, signer: FileSigner, language: Language, tmp_path: Path
) -> None:
    """What the report tells a person to type ends with the key id of the seal."""
    from wavegate.report.pdf_exceptions import verification
    from wavegate.report.pdf_text import Ink
    from wavegate.report.texts import texts

    ink = Ink(texts=texts(language))
    blocks = list(verification(ink, signed=True, name="report.pdf"))
    *_, look, key = (str(b["text"]) for b in blocks if b["kind"] == "commands")
    made = seal_pdf(pdf.render(varied, language=language, signed=True), signer, at=AT)
    (tmp_path / "report.pdf").write_bytes(made)
    typed = subprocess.run(
        ["/bin/sh", "-c", f"{look}\n{key}"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )

    assert "Signature is Valid" in typed.stdout
    assert signer.keyid == typed.stdout.split()[-2]


def test_self_signed_certificate_is_the_same_each_time(signer: FileSigner) -> None:
    """It depends on the key alone, says its key id, and is no authority."""
    found = x509.load_der_x509_certificate(self_signed(signer).dump())

    assert self_signed(signer).dump() == self_signed(signer).dump()
    assert f"CN=Wavegate seal {signer.keyid[:32]}" == found.subject.rfc4514_string()
    found.verify_directly_issued_by(found)
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (True, True, False) == (
        usage.digital_signature,
        usage.content_commitment,
        usage.key_cert_sign,
    )


def _issued(signer: FileSigner) -> tuple[bytes, asn1.Certificate]:
    """A chain in PEM that an authority gave to the signer's key, and the authority."""
    root = ec.derive_private_key(11, ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    since, until = AT - timedelta(days=400), AT + timedelta(days=20_000)
    common = x509.CertificateBuilder().issuer_name(issuer)
    common = common.not_valid_before(since).not_valid_after(until)
    authority = (
        common.subject_name(issuer)
        .public_key(root.public_key())
        .serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root, hashes.SHA256())
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    own = (
        common.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seal")]))
        .public_key(signer.private.public_key())
        .serial_number(2)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(root, hashes.SHA256())
    )
    pem = own.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
    return pem, asn1.Certificate.load(authority.public_bytes(Encoding.DER))


def test_certificate_of_an_authority_is_used(plain: bytes, signer: FileSigner) -> None:
    """Where the seal's key has a certificate, the signature is trusted by who trusts its issuer."""
    chain, authority = _issued(signer)
    status = checked(seal_pdf(plain, signer, at=AT, certificates=chain), authority)

    assert status.bottom_line
    assert status.trusted


def test_certificate_of_another_key_is_refused(plain: bytes, signer: FileSigner) -> None:
    """A certificate that is not the key's would make every reader say "invalid"."""
    chain, _ = _issued(FileSigner.of(ec.derive_private_key(8, ec.SECP256R1())))

    with pytest.raises(InputError, match="not that of the signing key"):
        seal_pdf(plain, signer, at=AT, certificates=chain)


@pytest.mark.parametrize("junk", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_junk_for_a_certificate_is_refused(plain: bytes, signer: FileSigner, junk: bytes) -> None:
    """What is no PEM is told in a sentence, never by a traceback."""
    with pytest.raises(InputError, match="no certificates in PEM"):
        seal_pdf(plain, signer, at=AT, certificates=junk)


def test_junk_for_a_pdf_is_refused(signer: FileSigner) -> None:
    """Only a PDF can be signed."""
    with pytest.raises(InternalError, match="cannot be signed"):
        seal_pdf(b"no pdf", signer, at=AT)


def run(folder: Path, *command: str) -> None:
    """Run a command of openssl in a folder."""
    subprocess.run(
        [shutil.which("openssl") or "openssl", *command],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a timestamp authority made by openssl."""
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(TSA_CONFIG)
    (folder / "serial").write_text("01")
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    conf = ("-config", "tsa.cnf")
    run(folder, *new, "-x509", "-keyout", "ca.key", "-out", "ca.crt", "-days", "3650",
        "-subj", "/CN=ca", *conf, "-extensions", "ca")  # fmt: skip
    run(folder, *new, "-keyout", "tsa.key", "-out", "tsa.csr", *conf)
    run(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "3650", "-extfile", "tsa.cnf", "-extensions", "tsa_ext",
        "-out", "tsa.crt")  # fmt: skip
    return folder


@OPENSSL
def test_timestamp_is_over_the_signature(plain: bytes, signer: FileSigner, authority: Path) -> None:
    """PAdES B-T: the token is the authority's, over this signature, and valid."""
    asked = []

    def stamp(payload: bytes) -> bytes:
        asked.append(payload)
        (authority / "payload").write_bytes(payload)
        run(authority, "ts", "-query", "-data", "payload", "-sha256", "-cert", "-out", "q")
        run(authority, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q", "-out", "r")
        return (authority / "r").read_bytes()

    made = seal_pdf(plain, signer, at=AT, stamp=stamp)
    run(authority, "x509", "-in", "ca.crt", "-outform", "DER", "-out", "ca.der")
    root = asn1.Certificate.load((authority / "ca.der").read_bytes())
    status = checked(made, self_signed(signer), stamps=root)

    assert 1 == len(asked)
    assert status.bottom_line
    assert status.timestamp_validity.trusted
    assert SignatureCoverageLevel.ENTIRE_FILE == status.coverage


def test_no_timestamp_is_no_signature(plain: bytes, signer: FileSigner) -> None:
    """Where none can be had, the caller hears it and decides; nothing is signed as if."""

    def stamp(_: bytes) -> bytes:
        raise InputError("nobody answers")

    with pytest.raises(InputError, match="nobody answers"):
        seal_pdf(plain, signer, at=AT, stamp=stamp)
