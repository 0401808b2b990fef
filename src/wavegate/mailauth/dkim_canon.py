# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The octets that a DKIM signature covers: header fields, body, canonical forms (RFC 6376 3.4)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BARE_LF = re.compile(rb"(?<!\r)\n")
_SPACES = re.compile(rb"[ \t]+")
_B_TAG = re.compile(rb"((?:\A|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. name: lower case. raw: name, colon, value and folding, with its CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon."""
        return self.raw.partition(b":")[2]


@dataclass(frozen=True, slots=True)
class Message:
    """A message cut into its fields, top to bottom, and its body; line ends are CRLF."""

    fields: tuple[Field, ...]
    body: bytes


def split_message(raw: bytes, *, most_fields: int) -> Message | None:
    """Cut a raw message; LF alone is read as CRLF. None: more header fields than allowed."""
    head, _, body = _BARE_LF.sub(CRLF, raw).partition(CRLF + CRLF)
    fields: list[list[bytes]] = []
    for line in head.removesuffix(CRLF).split(CRLF):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        elif len(fields) == most_fields:
            return None
        else:
            fields.append([line])
    joined = (CRLF.join(lines) + CRLF for lines in fields)
    return Message(tuple(Field(_field_name(text), text) for text in joined if b":" in text), body)


def _field_name(raw: bytes) -> str:
    return raw.partition(b":")[0].strip().decode("ascii", "replace").lower()


def canonical_field(raw: bytes, *, relaxed: bool) -> bytes:
    """One header field in canonical form, with its CRLF (RFC 6376 3.4.1, 3.4.2)."""
    if not relaxed:
        return raw
    name, _, value = raw.partition(b":")
    unfolded = _SPACES.sub(b" ", value.replace(CRLF, b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + unfolded + CRLF


def canonical_body(body: bytes, *, relaxed: bool) -> bytes:
    """The body in canonical form (RFC 6376 3.4.3, 3.4.4)."""
    if relaxed:
        body = _SPACES.sub(b" ", body).replace(b" " + CRLF, CRLF).removesuffix(b" ")
    end = len(body)
    while body[end - 2 : end] == CRLF:
        end -= 2
    if end == 0 and relaxed:
        return b""
    return body[:end] + CRLF


def signed_octets(
    message: Message, names: Iterable[str], signature: Field, *, relaxed: bool
) -> bytes:
    """The header fields that are signed, bottom up per name, then the signature without its b=."""
    left: dict[str, list[Field]] = {}
    for field in message.fields:
        left.setdefault(field.name, []).append(field)
    parts = [
        canonical_field(left[name].pop().raw, relaxed=relaxed) for name in names if left.get(name)
    ]
    label, _, value = signature.raw.partition(b":")
    unsigned = label + b":" + _B_TAG.sub(rb"\1", value.removesuffix(CRLF), count=1)
    parts.append(canonical_field(unsigned + CRLF, relaxed=relaxed).removesuffix(CRLF))
    return b"".join(parts)
