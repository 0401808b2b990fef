# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Recipients in the header of a mail: finding them, and writing something else in their place.

An address is found in each form that mail software writes it in: plain, with `=` for `@` as in
bounce addresses, percent-encoded as in unsubscribe links, and packed in X-MSFBL. What is no
address, such as a name in the subject or a sender's own token, cannot be told and stays.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from wavegate.mailauth.dkim_canon import Field, split_message
from wavegate.record.recipient import normal_recipient

Hide = Callable[[str], str]
"""A normal address to what is written down for it."""
_ADDRESS = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,80}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.IGNORECASE
)
_FOR = re.compile(r"\sfor\s+<?([^<>\s;]+@[^<>\s;]+)>?")
_TO = re.compile(
    r"(?:resent-)?(?:to|cc|bcc)|delivered-to|x-(?:original|envelope|rcpt|forwarded)-to"
    r"|(?:envelope|apparently|original)-to|(?:final|original)-recipient|x-receiver"
)
"""Fields that name readers (RFC 5322 3.6.3, 3.6.6) or that receivers write them into."""
_PLAIN = frozenset({"from", "sender", "message-id"})
_FEEDBACK = "x-msfbl"
_ALL = 1_000_000
HIDDEN = "hidden"


def readers(header: bytes) -> frozenset[str]:
    """The addresses of readers that a header names, normal."""
    found: set[str] = set()
    for field in _fields(header):
        if _TO.fullmatch(field.name):
            found.update(_ADDRESS.findall(_text(field)))
        elif field.name == "received":
            found.update(_FOR.findall(_text(field)))
        elif field.name == _FEEDBACK:
            found.update(_ADDRESS.findall(_unpacked(field)[1]))
    return frozenset(map(normal_recipient, found))


def masked_header(header: bytes, mask: Mapping[str, str]) -> bytes:
    """A header without the masked addresses; the very same bytes where it names none of them."""
    fields = _fields(header)
    masked = [_masked(field, mask) for field in fields] if mask else []
    if not mask or [field.raw for field in fields] == masked:
        return header
    return b"".join(masked) + b"\r\n"


def masked_text(text: str, mask: Mapping[str, str]) -> str:
    """A text with what stands for each masked address in its place, in the form it had."""
    if not mask:
        return text
    forms = {form: kept for address in mask for form, kept in _forms(address, mask[address])}
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.sub(
        pattern, lambda found: forms.get(found[0].lower(), HIDDEN), text, flags=re.IGNORECASE
    )


def _forms(address: str, kept: str) -> list[tuple[str, str]]:
    """An address in its spellings, each with its mask; a colon would end a local part."""
    local, _, domain = address.rpartition("@")
    plain = kept.partition("@")[0].replace(":", "-")
    ats = ("@", "=", "%40", "=40")
    return [(f"{local}{at}{domain}", f"{plain}{at}{domain}") for at in ats]


def _masked(field: Field, mask: Mapping[str, str]) -> bytes:
    if field.name in _PLAIN:
        return field.raw
    text = _text(field)
    if field.name == _FEEDBACK:
        token, packed = _unpacked(field)
        new = masked_text(packed, mask)
        return field.raw if new == packed else _written(field, f"{token}|{_packed(new)}")
    new = masked_text(text, mask)
    if new == text:
        return field.raw
    if _TO.fullmatch(field.name):  # without the names of people
        new = ", ".join(_ADDRESS.findall(new))
    return _written(field, new)


def _written(field: Field, value: str) -> bytes:
    label = field.raw.partition(b":")[0]
    return label + b": " + value.encode("utf-8", "surrogateescape") + b"\r\n"


def _text(field: Field) -> str:
    """The value of a field, unfolded."""
    return " ".join(field.value.decode("utf-8", "surrogateescape").split())


def _unpacked(field: Field) -> tuple[str, str]:
    """What stands before the bar of X-MSFBL, and the text packed behind it; empty if it is none."""
    token, _, packed = "".join(_text(field).split()).rpartition("|")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        return token, data.decode("utf-8")
    except (ValueError, binascii.Error):
        return token, ""


def _packed(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _fields(header: bytes) -> tuple[Field, ...]:
    message = split_message(header, most_fields=_ALL)
    return message.fields if message else ()
