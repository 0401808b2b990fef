# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One TLS handshake: the certificate that is shown, and whether it is trusted.

A certificate that is not trusted is read all the same, over a second connection, so that its names
and its end can be told.
"""

import functools
import ssl
from dataclasses import dataclass

from wavegate.observe.functions.wire import connected
from wavegate.observe.http_client import new_context

NO_ISSUER = 20
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY of OpenSSL."""
VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}
"""Those that this machine can speak with a modern library; older ones it cannot ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a server showed. der: its certificate. untrusted: why it is not trusted, or None."""

    der: bytes
    untrusted: str | None


@functools.lru_cache(maxsize=128)
def context_of(ca_pem: str | None, version: str) -> ssl.SSLContext:
    """A context that speaks one version only. ca_pem: trust only these, None for the system's.

    Raises ssl.SSLError, ValueError.
    """
    context = new_context(ca_pem)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def certificate_of(host: str, port: int, seconds: float, context: ssl.SSLContext) -> bytes:
    """Shake hands; the certificate in DER form. Raises OSError, ssl.SSLError among them."""
    with (
        connected(host, port, seconds) as (_, sock),
        context.wrap_socket(sock, server_hostname=host) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def shown(host: str, port: int, seconds: float, context: ssl.SSLContext) -> Shown:
    """Shake hands, trusting or not. Raises OSError, ssl.SSLError among them."""
    try:
        return Shown(der=certificate_of(host, port, seconds, context), untrusted=None)
    except ssl.SSLCertVerificationError as error:
        der = certificate_of(host, port, seconds, trusting(context))
        return Shown(der=der, untrusted=why_untrusted(error))


def trusting(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context of the same versions that takes any certificate; nothing is sent over it."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    found.minimum_version, found.maximum_version = context.minimum_version, context.maximum_version
    return found


def why_untrusted(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not trusted, in OpenSSL's words."""
    told = str(error.verify_message)
    return f"{told} (a missing intermediate?)" if error.verify_code == NO_ISSUER else told
