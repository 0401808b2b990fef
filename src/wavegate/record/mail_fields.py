# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A received mail as fields of canonical JSON and back, without loss; journals and records use it.

`journal` is not among them: it says where a mail is recorded, and the reader knows that.
"""

import base64
from collections.abc import Mapping
from typing import Literal

from wavegate.canonical import digest as digest_of
from wavegate.clock import format_instant
from wavegate.record.fields import flag_or_none, instant, text, text_or_none, texts
from wavegate.record.message import Received

PeerBy = Literal["socket", "proxy", "received"]


def to_fields(mail: Received) -> dict[str, object]:
    """The fields of a mail; raw bytes are base64."""
    return {
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

    Raises ValueError, TypeError or KeyError for anything else, and where the raw bytes do not
    match their digest.
    """
    raw, digest = _raw(fields["raw"]), text(fields["digest"])
    if digest_of(raw) != digest:
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
    )


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
