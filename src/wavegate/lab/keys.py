# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's DKIM keys: real RSA, made on first use and kept for the life of the process.

A world names its keys and never holds them, so that it can be dumped and compared.
"""

import base64
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BITS = 2048

_keys: dict[str, RSAPrivateKey] = {}
_lock = threading.Lock()


def private_key(name: str) -> RSAPrivateKey:
    """The key of that name, made if there is none yet."""
    with _lock:
        found = _keys.get(name)
    if found is not None:
        return found
    made = generate_private_key(65537, BITS)
    with _lock:
        return _keys.setdefault(name, made)


def make_keys(names: Iterable[str]) -> None:
    """Make many keys at once; OpenSSL lets other threads run meanwhile."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(private_key, names))


def public_key(name: str) -> str:
    """The base64 SubjectPublicKeyInfo, as `p=` has it (RFC 6376 3.6.1)."""
    spki = (
        private_key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(spki).decode("ascii")
