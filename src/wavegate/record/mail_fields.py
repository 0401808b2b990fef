# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A received mail as fields of canonical JSON and back, without loss; journals and records use it.

`journal` is not among them: it says where a mail is recorded, and the reader knows that.
"""

import base64
import re
from collections.abc import Mapping
from typing import Literal

from wavegate.canonical import digest as digest_of
from wavegate.clock import format_instant
from wavegate.record.fields import (
    flag,
    flag_or_none,
    instant,
    items,
    members,
    number,
    text,
    text_or_none,
    texts,
)
from wavegate.record.message import Gist, Received, SignedPart

PeerBy = Literal["socket", "proxy", "received"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINK = re.compile(r"([0-9a-f]{1,16}),([0-9a-f]{1,16})")


def to_fields(mail: Received) -> dict[str, object]:
    """The fields of a mail; raw bytes are base64. `gist` stands there where it has one."""
    return {
        **({} if mail.gist is None else {"gist": _gist_fields(mail.gist)}),
        "source": mail.source,
        "peer": mail.peer,
        "peer_by": mail.peer_by,
        "helo": mail.helo,
        "mail_from": mail.mail_from,
        "recipients": list(mail.recipients),
        "connected": format_instant(mail.connected),
        "ended": format_instant(mail.ended),
        "tls": mail.tls,
        "raw": base64.b64encode(mail.raw).decode("ascii"),
        "digest": mail.digest,
    }


def from_fields(fields: Mapping[str, object], *, journal: str) -> Received:
    """Read back what `to_fields` wrote.

    Raises ValueError, TypeError or KeyError for anything else, and where the raw bytes of a whole
    message do not match their digest.
    """
    raw, digest = _raw(fields["raw"]), text(fields["digest"])
    gist = _gist(fields["gist"]) if "gist" in fields else None
    if (gist is None or gist.whole) and digest_of(raw) != digest:
        raise ValueError("the raw message does not match its digest")
    return Received(
        source=text(fields["source"]),
        peer=text(fields["peer"]),
        peer_by=_peer_by(fields["peer_by"]),
        helo=text_or_none(fields["helo"]),
        mail_from=text_or_none(fields["mail_from"]),
        recipients=texts(fields["recipients"]),
        connected=instant(fields["connected"]),
        ended=instant(fields["ended"]),
        tls=flag_or_none(fields["tls"]),
        raw=raw,
        digest=digest,
        journal=journal,
        gist=gist,
    )


def _gist_fields(gist: Gist) -> dict[str, object]:
    signed = [
        part and {"octets": part.octets, "body": part.body, "head": part.head}
        for part in gist.signed
    ]
    return {
        "whole": gist.whole,
        "size": gist.size,
        "signed": signed,
        "content": gist.content,
        "links": [f"{row:x},{delivery:x}" for row, delivery in gist.links],
        "named": list(gist.named),
        "unguessable": gist.unguessable,
    }


def _gist(value: object) -> Gist:
    fields = members(value)
    links = [_LINK.fullmatch(link) for link in texts(fields["links"])]
    return Gist(
        whole=flag(fields["whole"]),
        size=number(fields["size"]),
        signed=tuple(map(_signed, items(fields["signed"]))),
        content=text_or_none(fields["content"]),
        links=tuple((int(link[1], 16), int(link[2], 16)) for link in _all(links)),
        named=texts(fields["named"]),
        unguessable=flag(fields["unguessable"]),
    )


def _all(matches: list["re.Match[str] | None"]) -> list["re.Match[str]"]:
    found = [match for match in matches if match is not None]
    if len(found) != len(matches):
        raise ValueError("a link that is no pair of numbers")
    return found


def _signed(value: object) -> SignedPart | None:
    if value is None:
        return None
    fields = members(value)
    head = text_or_none(fields["head"])
    hashes = (text(fields["body"]), *(() if head is None else (head,)))
    if not all(_SHA256.fullmatch(found) for found in hashes):
        raise ValueError("a hash that is no SHA-256")
    return SignedPart(octets=number(fields["octets"]), body=hashes[0], head=head)


def _raw(value: object) -> bytes:
    """Bytes of canonical base64; other spellings of the same bytes are refused."""
    coded = text(value)
    raw = base64.b64decode(coded, validate=True)
    if base64.b64encode(raw).decode("ascii") != coded:
        raise ValueError("base64 that is not canonical")
    return raw


def _peer_by(value: object) -> PeerBy:
    match value:
        case "socket" | "proxy" | "received":
            return value
    raise ValueError(f"peer_by {value!r}")
