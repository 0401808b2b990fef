# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Certificates: each HTTPS host shows a trusted one that has not expired. Renewal is no failure.

One that is not trusted is read all the same, over a second connection, so that its names and its
end can be told.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.estate.model import FunctionProbe
from wavegate.estate.values import join_host_port
from wavegate.observe.functions.answer import Answer, Asked, Function, ok, silent, wrong
from wavegate.observe.functions.facing import DEFAULT_PORTS, Facing
from wavegate.observe.http_client import shared_context
from wavegate.observe.routes import raise_if_ours
from wavegate.observe.tls_look import certificate_of, trusting, why_untrusted
from wavegate.record.certificate import Certificate, read_certificate
from wavegate.record.timeline import Watched

NAME = "certificate"
CEILING = timedelta(minutes=1)
MOST_NAMES = 120
EXPECTS = "a trusted certificate that has not expired"


def functions(facing: Facing) -> Iterator[Function]:
    """One function per HTTPS host of the instance."""
    hosts = https_hosts(facing)
    if not hosts:
        yield facing.not_probed(NAME, EXPECTS, "the estate names no https host")
    every = facing.every(NAME, CEILING)
    for host, port in hosts:
        shown = host if port == DEFAULT_PORTS["https"] else join_host_port(host, port)
        watched = Watched(name=f"{NAME}/{shown}", every=every, expects=EXPECTS)
        ask = partial(certificate, facing, host, port)
        yield Function(watched=watched, host=f"{host}:{port}", ask=ask)


def https_hosts(facing: Facing) -> tuple[tuple[str, int], ...]:
    """Host and port of each https url that the estate names for an instance, sorted."""
    return tuple(sorted(set(_hosts(facing))))


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
        return (
            wrong(f"certificate not trusted: {why_untrusted(error)}{_seen(facing, host, port)}"),
        )
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
    found = read_certificate(certificate_of(host, port, facing.seconds, context))
    return ok(f"valid until {format_instant(found.until)}", value=_spelt(found))


def _seen(facing: Facing, host: str, port: int) -> str:
    """What a certificate says that is not trusted; nothing where it cannot be read again."""
    try:
        context = facing.context or shared_context()
        found = read_certificate(certificate_of(host, port, facing.seconds, trusting(context)))
    except (OSError, ValueError):
        return ""
    return f"; notAfter {format_instant(found.until)}, for {_names(found)}"


def _spelt(found: Certificate) -> str:
    until = format_instant(found.until)
    return f"{found.digest} until {until} by {found.issuer} for {_names(found)}"


def _names(found: Certificate) -> str:
    """The names, or how many where they are many."""
    text = ", ".join(found.names) or "no name"
    if len(text) <= MOST_NAMES:
        return text
    return f"{len(found.names)} names, sha256 {digest(text.encode())}"
