# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Certificates: each HTTPS host shows a trusted one that has not expired. Renewal is no failure.

One that is not trusted is read all the same, over a second connection, so that its names and its
end can be told.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from cryptography import x509

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.estate.model import FunctionProbe
from wavegate.estate.values import join_host_port
from wavegate.observe.functions.answer import Answer, Asked, Function, ok, silent, wrong
from wavegate.observe.functions.facing import DEFAULT_PORTS, Facing
from wavegate.observe.functions.wire import connected
from wavegate.observe.http_client import shared_context
from wavegate.observe.routes import raise_if_ours
from wavegate.record.timeline import Watched

NAME = "certificate"
CEILING = timedelta(minutes=1)
MOST_NAMES = 120
NO_ISSUER = 20
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY of OpenSSL."""
EXPECTS = "a trusted certificate that has not expired"


def functions(facing: Facing) -> Iterator[Function]:
    """One function per HTTPS host of the instance."""
    hosts = sorted(set(_hosts(facing)))
    if not hosts:
        yield facing.not_probed(NAME, EXPECTS, "the estate names no https host")
    every = facing.every(NAME, CEILING)
    for host, port in hosts:
        shown = host if port == DEFAULT_PORTS["https"] else join_host_port(host, port)
        watched = Watched(name=f"{NAME}/{shown}", every=every, expects=EXPECTS)
        ask = partial(certificate, facing, host, port)
        yield Function(watched=watched, host=f"{host}:{port}", ask=ask)


def _hosts(facing: Facing) -> Iterator[tuple[str, int]]:
    for url in _urls(facing):
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            yield parts.hostname, parts.port or DEFAULT_PORTS["https"]


def _urls(facing: Facing) -> Iterable[str]:
    probes = facing.instance.functions.values()
    named = [found.url for found in probes if isinstance(found, FunctionProbe) and found.url]
    return [url for url in (facing.url, *map(facing.absolute, named)) if url]


def certificate(facing: Facing, host: str, port: int) -> Asked:
    """Shake hands and read the certificate.

    The value is the SHA-256 of its DER form, its end, its issuer and its names, as
    `<digest> until <instant> by <issuer> for <name>, <name>`.
    Raises NoRouteError or InternalError for faults of this machine.
    """
    barred = facing.barred(host)
    if barred is not None:
        return (barred,)
    try:
        return (_shown(facing, host, port),)
    except ssl.SSLCertVerificationError as error:
        return (wrong(f"certificate not trusted: {_why(error)}{_seen(facing, host, port)}"),)
    except ssl.SSLError as error:
        return (silent(f"TLS: {error.reason or 'failed'}"),)
    except TimeoutError:
        return (silent("timeout"),)
    except socket.gaierror:
        return (silent("host name not found", looked_up=host),)
    except ConnectionRefusedError:
        return (silent("connection refused"),)
    except OSError as error:
        raise_if_ours(error, join_host_port(host, port))
        return (silent("connection reset"),)


def _shown(facing: Facing, host: str, port: int) -> Answer:
    context = facing.context or shared_context()
    found = _described(_der(facing, host, port, context))
    return ok(f"valid until {found.until}", value=str(found))


def _der(facing: Facing, host: str, port: int, context: ssl.SSLContext) -> bytes:
    with (
        connected(host, port, facing.seconds) as (_, sock),
        context.wrap_socket(sock, server_hostname=host) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def _why(error: ssl.SSLCertVerificationError) -> str:
    told = str(error.verify_message)
    return f"{told} (a missing intermediate?)" if error.verify_code == NO_ISSUER else told


def _seen(facing: Facing, host: str, port: int) -> str:
    """What a certificate says that is not trusted; nothing where it cannot be read again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        found = _described(_der(facing, host, port, context))
    except (OSError, ValueError):
        return ""
    return f"; notAfter {found.until}, for {found.names}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """A certificate in words. names: DNS names and addresses, or how many where they are many."""

    digest: str
    until: str
    issuer: str
    names: str

    def __str__(self) -> str:
        return f"{self.digest} until {self.until} by {self.issuer} for {self.names}"


def _described(der: bytes) -> _Described:
    """Read a certificate. Raises ValueError."""
    found = x509.load_der_x509_certificate(der)
    by = found.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    issuer = str(by[0].value) if by else found.issuer.rfc4514_string()
    return _Described(
        digest=digest(der),
        until=format_instant(found.not_valid_after_utc),
        issuer=" ".join(issuer.replace(" for ", " ").split())[:40],
        names=_names(found),
    )


def _names(found: x509.Certificate) -> str:
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "no name"
    names = sorted(
        {
            *(name.lower() for name in held.get_values_for_type(x509.DNSName)),
            *(str(ip) for ip in held.get_values_for_type(x509.IPAddress)),
        }
    )
    text = ", ".join(names)
    return (
        text if len(text) <= MOST_NAMES else f"{len(names)} names, sha256 {digest(text.encode())}"
    )
