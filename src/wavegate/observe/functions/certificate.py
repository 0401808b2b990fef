# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Certificates: each HTTPS host shows a trusted one that has not expired. Renewal is no failure."""

import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

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
    """Shake hands and read the certificate; the value is the SHA-256 of its DER form.

    Raises NoRouteError or InternalError for faults of this machine.
    """
    barred = facing.barred(host)
    if barred is not None:
        return (barred,)
    try:
        return (_shown(facing, host, port),)
    except ssl.SSLCertVerificationError as error:
        return (wrong(f"certificate not trusted: {error.verify_message}"),)
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
    with (
        connected(host, port, facing.seconds) as (_, sock),
        context.wrap_socket(sock, server_hostname=host) as secure,
    ):
        der = secure.getpeercert(binary_form=True) or b""
        fields = secure.getpeercert() or {}
    until = ssl.cert_time_to_seconds(str(fields["notAfter"]))
    expiry = format_instant(datetime.fromtimestamp(until, UTC))
    return ok(f"valid until {expiry}", value=digest(der))
