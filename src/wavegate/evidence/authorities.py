# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which timestamp authorities a verifier trusts: root certificates from outside the evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from wavegate.errors import InputError, MissingError

MAX_FILE = 1_000_000
MAX_ROOTS = 200
_CURE = "give the authority's root certificate in PEM: openssl x509 -in root.der -out root.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The roots. sources: the files they came from, none of which may lie in a bundle."""

    roots: tuple[x509.Certificate, ...] = ()
    sources: tuple[Path, ...] = ()


def load_roots(paths: Iterable[Path]) -> Authorities:
    """The certificates of PEM files (`--tsa-root`).

    Raises MissingError (no such file) or InputError (no certificate, too many, too large).
    """
    files = tuple(paths)
    found = {root: None for path in files for root in _certificates(path)}
    return Authorities(roots=tuple(found), sources=files)


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise MissingError("no such file", where=str(path), cure=_CURE) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > MAX_FILE:
        raise InputError(f"larger than {MAX_FILE} bytes", where=str(path), cure=_CURE)
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise InputError("no certificate in PEM", where=str(path), cure=_CURE) from error
    if len(found) > MAX_ROOTS:
        raise InputError(f"more than {MAX_ROOTS} certificates", where=str(path), cure=_CURE)
    return found
