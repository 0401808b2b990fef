# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's own DKIM signer (RFC 6376 3.4-3.7, 5), rsa-sha256 only."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from wavegate.lab.keys import private_key
from wavegate.lab.world import Signing

Header = tuple[str, str]
"""Name and value as written after the colon, folds included, without the final CRLF."""


def signature(headers: Sequence[Header], body: bytes, signing: Signing, at: int) -> Header:
    """The DKIM-Signature header of a message. at: seconds since 1970 for t=."""
    header_canon, body_canon = signing.canon.split("/")
    digest = hashlib.sha256(_BODY[body_canon](body)).digest()
    present = [name for name in signing.headers if _last(headers, name) is not None]
    identity = f" i={signing.identity};" if signing.identity else ""
    value = (
        f" v=1; a=rsa-sha256; c={signing.canon}; d={signing.domain}; s={signing.selector};"
        f"{identity} t={at};\r\n\th={':'.join(present)};\r\n\tbh={_base64(digest)};\r\n\tb="
    )
    canon = _HEADER[header_canon]
    signed = [canon(*header) for name in present if (header := _last(headers, name))]
    data = "\r\n".join([*signed, canon("DKIM-Signature", value)]).encode("utf-8")
    proof = private_key(signing.key).sign(data, PKCS1v15(), SHA256())
    return "DKIM-Signature", value + _folded(_base64(proof))


def _last(headers: Sequence[Header], name: str) -> Header | None:
    """The lowest header of a name: the first that a signer takes (RFC 6376 5.4.2)."""
    for header in reversed(headers):
        if header[0].lower() == name.lower():
            return header
    return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _folded(text: str) -> str:
    return "\r\n\t ".join(text[start : start + 72] for start in range(0, len(text), 72))


def _simple_header(name: str, value: str) -> str:
    return f"{name}:{value}"


def _relaxed_header(name: str, value: str) -> str:
    squeezed = re.sub(r"[ \t\r\n]+", " ", value).strip()
    return f"{name.lower().strip()}:{squeezed}"


def _simple_body(body: bytes) -> bytes:
    return re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = re.sub(rb"(\r\n)*\Z", b"", b"\r\n".join(lines))
    return text + b"\r\n" if text else b""


_HEADER: dict[str, Callable[[str, str], str]] = {
    "simple": _simple_header,
    "relaxed": _relaxed_header,
}
_BODY: dict[str, Callable[[bytes], bytes]] = {"simple": _simple_body, "relaxed": _relaxed_body}
