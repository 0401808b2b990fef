# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The PDF's own signature: PAdES B-B, or B-T with a timestamp, certifying, no change allowed.

ETSI EN 319 142-1 (PAdES), ISO 32000-2 12.8.2.2 (DocMDP, P = 1). The key is that of the seal, behind
the two methods of a signer. The signature is appended: the unsigned report is a prefix of the file.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha1, sha256
from io import BytesIO

from asn1crypto import algos, cms, keys, pem, tsp, x509
from pyhanko.pdf_utils.extensions import DeveloperExtension
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import Signer as PdfKey
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import (
    PdfSignatureMetadata,
    PdfSigner,
    PdfSigningSession,
)
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from wavegate.errors import InputError, InternalError
from wavegate.evidence.signer import Signer

FIELD = "Seal"
NAME = "Seal of the run"
"""What a screen reader says of the signature's field (PDF/UA-1, 7.18.4)."""
_UNSEEN = InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)
"""Outside the page rather than hidden, which PDF/A-2 6.3.2 forbids."""
RESERVED = 32_768
"""Hexadecimal digits kept free for the signature, its certificates and a timestamp's."""
Stamp = Callable[[bytes], bytes]
"""Gets a timestamp response (RFC 3161, DER) over the SHA-256 of some bytes, or raises."""
_ECDSA = "sha256_ecdsa"
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_FOR_EVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280 4.1.2.5: no expiration of its own; trust files bound the key."""


def seal_pdf(
    pdf: bytes,
    key: Signer,
    *,
    at: datetime,
    certificates: bytes | None = None,
    stamp: Stamp | None = None,
) -> bytes:
    """The report with its signature appended.

    at: the time that the signature claims. certificates: PEM, that of the key first, then its
    chain; without them, one that the key signs itself. stamp: asks an authority; what it raises is
    raised here. Raises InputError (no certificate of this key), InternalError (no PDF to sign).
    """
    chain = certificates_of(certificates, key) if certificates is not None else [self_signed(key)]
    pdf_key = _PdfKey(key, chain)
    certifier = _Certifier(pdf_key, at, _Stamper(pdf_key, stamp) if stamp else None)
    out = BytesIO()
    try:
        writer = _Appender(BytesIO(pdf))
        certifier.sign_pdf(writer, output=out, bytes_reserved=RESERVED)
    except (SigningError, PdfError) as error:
        raise InternalError(f"the PDF cannot be signed: {error}", where="report.pdf") from error
    return out.getvalue()


def self_signed(key: Signer) -> x509.Certificate:
    """A certificate for a key that has none: it says the key id, and vouches for nothing else.

    The same bytes each time where the signer is deterministic.
    """
    spki = keys.PublicKeyInfo.load(key.public.spki)
    name = x509.Name.build({"common_name": f"Wavegate seal {key.keyid[:32]}"})
    algorithm = algos.SignedDigestAlgorithm({"algorithm": _ECDSA})
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": int(key.keyid[:30], 16) or 1,
            "signature": algorithm,
            "issuer": name,
            "validity": {
                "not_before": x509.Time({"utc_time": _SINCE}),
                "not_after": x509.Time({"general_time": _FOR_EVER}),
            },
            "subject": name,
            "subject_public_key_info": spki,
            "extensions": _extensions(spki),
        }
    )
    signature = key.sign(body.dump())
    return x509.Certificate(
        {"tbs_certificate": body, "signature_algorithm": algorithm, "signature_value": signature}
    )


def _extensions(spki: keys.PublicKeyInfo) -> list[dict[str, object]]:
    """No authority; signs, and cannot disown it (RFC 5280 4.2.1.2, 4.2.1.3, 4.2.1.9)."""
    point = bytes(spki["public_key"])
    name = sha1(point, usedforsecurity=False).digest()
    usage = x509.KeyUsage({"digital_signature", "non_repudiation"})
    return [
        {"extn_id": "basic_constraints", "critical": True, "extn_value": {"ca": False}},
        {"extn_id": "key_usage", "critical": True, "extn_value": usage},
        {"extn_id": "key_identifier", "critical": False, "extn_value": name},
    ]


def certificates_of(data: bytes, key: Signer) -> list[x509.Certificate]:
    """The certificates of a PEM file, the key's first. Raises InputError for any other."""
    try:
        found = [x509.Certificate.load(der) for _, _, der in pem.unarmor(data, multiple=True)]
        spki = found[0].public_key.dump()
    except (ValueError, IndexError) as error:
        raise InputError(
            f"no certificates in PEM: {error}",
            cure="give the certificate of the key, then those that it rests on",
        ) from error
    if sha256(spki).hexdigest() != key.keyid:
        raise InputError(
            "the first certificate is not that of the signing key",
            cure=f"give the certificate of the key {key.keyid}",
        )
    return found


class _Appender(IncrementalPdfFileWriter):
    """Appends a signature, and leaves all that makes the file PDF/A-2 and PDF/UA-1 as it was."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        """Stay at PDF 1.7, on which PDF/A-2 rests; EN 319 142-1 needs no more."""
        self.output_version = max(self.output_version, min(version, (1, 7)))

    def register_extension(self, ext: DeveloperExtension) -> None:
        """Name no extension of a later version."""
        if str(ext.base_version) <= "/1.7":
            super().register_extension(ext)

    def _update_meta(self) -> None:
        """Write no other metadata: pyHanko's form of it is not that of PDF/A."""


class _PdfKey(PdfKey):
    """A signer of evidence as pyHanko calls it."""

    def __init__(self, key: Signer, chain: list[x509.Certificate]) -> None:
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call] # of pyHanko
        registry.register_multiple(chain)
        mechanism = algos.SignedDigestAlgorithm({"algorithm": _ECDSA})
        super().__init__(
            signing_cert=chain[0], cert_registry=registry, signature_mechanism=mechanism
        )
        self._key = key
        self.made = b""

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """The signature over the signed attributes."""
        if digest_algorithm != "sha256":
            raise SigningError("only SHA-256")
        self.made = b"\0" * 72 if dry_run else self._key.sign(data)
        return self.made


class _Certifier(PdfSigner):
    """Certifies a file at an instant that is given, not read from the clock."""

    def __init__(self, key: _PdfKey, at: datetime, stamper: "_Stamper | None") -> None:
        meta = PdfSignatureMetadata(
            field_name=FIELD,
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            md_algorithm="sha256",
            name="Wavegate",
        )
        place = SigFieldSpec(FIELD, on_page=0, invis_sig_settings=_UNSEEN, readable_field_name=NAME)
        super().__init__(meta, signer=key, timestamper=stamper, new_field_spec=place)
        self._at = at

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        """The session, with the time that the signature claims."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._at
        return session


class _Stamper(TimeStamper):
    """Hands the signature that was just made to whoever gets timestamps."""

    def __init__(self, key: _PdfKey, stamp: Stamp) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # of pyHanko
        self._key, self._stamp = key, stamp

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """The token over the last signature, which is all that is ever stamped."""
        payload = self._key.made
        if sha256(payload).digest() != message_digest or md_algorithm != "sha256":
            raise SigningError("a timestamp over something else was asked for")
        response = tsp.TimeStampResp.load(self._stamp(payload), strict=True)
        return response["time_stamp_token"]
