# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Received mails of a made-up sender."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tests.builders.estates import END, IPS, START

from wavegate.canonical import digest
from wavegate.record.message import Received


def mail(
    peer: str = IPS[0],
    *,
    n: int = 0,
    at: datetime = START - timedelta(hours=1),
    domain: str = "news.acme.example",
    headers: Mapping[str, str] | None = None,
    recipient: str = "seed@seed.example",
    helo: str = "r10.news.acme.example",
    tls: bool | None = None,
    connected: datetime | None = None,
) -> Received:
    """One mail; n makes its Message-ID and its instant."""
    ended = at + timedelta(seconds=n)
    fields = {
        "From": f"acme <hello@{domain}>",
        "Message-ID": message_id(n, at),
        **(headers or {}),
    }
    raw = "".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\nhello\r\n"
    return Received(
        source="sink",
        peer=peer,
        peer_by="socket",
        helo=helo,
        mail_from=f"bounce@{domain}",
        recipients=(recipient,),
        connected=connected or ended,
        ended=ended,
        tls=tls,
        raw=raw,
        digest=digest(raw),
        journal="",
    )


def message_id(n: int, at: datetime) -> str:
    """A Message-ID of Campaign's shape, unique per phase and n."""
    phase = "B" if at < START else "A"
    return f"<NM6{n:08X}{phase}0000001acme@news.acme.example>"


def cohort(
    peers: Sequence[str], count: int, *, after: bool = False, domain: str = "news.acme.example"
) -> tuple[Received, ...]:
    """Mails over some addresses in turn, each over a connection of its own."""
    at = END + timedelta(minutes=5) if after else START - timedelta(hours=2)
    return tuple(mail(peers[n % len(peers)], n=n, at=at, domain=domain) for n in range(count))


def msfbl(ip: str, *, folded: bool = False) -> str:
    """An X-MSFBL value whose binding names an address."""
    text = base64.b64encode(json.dumps({"g": "x", "b": f"acme_{ip}_prod.marketing_1"}).encode())
    body = text.decode()
    return f"c2ln|{body[:10]}\r\n {body[10:]}" if folded else f"c2ln|{body}"
