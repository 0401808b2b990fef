# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a certificate says that matters: for whom, by whom, until when. Pure, of hostile bytes."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wavegate.canonical import digest

MAX_ISSUER = 40
MAX_NAMES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate. digest: of its DER form. names: DNS names and addresses, sorted."""

    digest: str
    until: datetime
    issuer: str
    names: tuple[str, ...]


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate's DER form. Raises ValueError, whatever it is that a server gave us."""
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            digest=digest(der),
            until=found.not_valid_after_utc,
            issuer=_issuer(found),
            names=_names(found),
        )
    except Exception as error:  # the decoder raises many kinds on hostile bytes
        raise ValueError(f"no certificate that can be read ({type(error).__name__})") from error


def _issuer(found: x509.Certificate) -> str:
    by = found.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    text = str(by[0].value) if by else found.issuer.rfc4514_string()
    return " ".join(text.replace(" for ", " ").split())[:MAX_ISSUER]


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = {
        *(name.lower() for name in held.get_values_for_type(x509.DNSName)),
        *(str(ip) for ip in held.get_values_for_type(x509.IPAddress)),
    }
    return tuple(sorted(names)[:MAX_NAMES])
