# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The sink's own certificate: made at start, self-signed, its key never on a disk.

Senders of mail encrypt opportunistically and do not verify it (RFC 7435).
"""

import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from wavegate.clock import now

LIFETIME = timedelta(days=3650)


def ephemeral_context(hostname: str) -> ssl.SSLContext:
    """A server context with a fresh P-256 key and a certificate for a host name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with _passing_file(_key_and_certificate(hostname)) as path:
        context.load_cert_chain(path)
    return context


def _key_and_certificate(hostname: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wavegate sink")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


@contextmanager
def _passing_file(data: bytes) -> Iterator[str]:
    """A path that OpenSSL can read the bytes from, in memory where the system can."""
    if sys.platform == "linux":
        file = os.memfd_create("wavegate-sink", os.MFD_CLOEXEC)
        try:
            os.write(file, data)
            yield f"/proc/self/fd/{file}"
        finally:
            os.close(file)
    else:
        with tempfile.NamedTemporaryFile() as passing:
            passing.write(data)
            passing.flush()
            yield passing.name
