# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mails that the lab's instances write: Campaign-like headers, links and feedback token."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from uuid import NAMESPACE_DNS, uuid5

from wavegate.lab.dkim_sign import Header, signature
from wavegate.lab.world import Mta, Route, Sender

LARGE = 160_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to be sent.

    instance: its name. number: its broadLog id. delivery: its delivery id. at: when it is
    written. large: whether it is padded beyond the size that a small signer would sign; such a
    message then bears no signature. subject: empty for the usual one. binding: `marketing` or
    `transactional`, as X-MSFBL names it.
    """

    instance: str
    sender: Sender
    route: Route
    mta: Mta
    x_mailer: str
    recipient: str
    number: int
    delivery: int
    at: datetime
    large: bool = False
    subject: str = ""
    binding: str = "marketing"

    @property
    def message_id(self) -> str:
        """`<NM6` + broadLog id + delivery id + instance + `@domain>`, ids as 8 hex digits."""
        ids = f"{self.number:08X}{self.delivery:08X}"
        return f"<NM6{ids}{self.instance}@{self.sender.domain}>"

    @property
    def helo(self) -> str:
        """What the sending host says in EHLO."""
        return self.mta.helo or self.route.helo


def compose(letter: Letter) -> bytes:
    """The message as it goes over the wire, CRLF."""
    body = _body(letter)
    headers = _headers(letter)
    if not letter.large:
        signing = letter.sender.signing
        signing = replace(signing, key=letter.mta.key or signing.key)
        headers = [signature(headers, body, signing, int(letter.at.timestamp())), *headers]
    top = [_received(letter), ("X-MSFBL", " " + _feedback(letter))]
    text = "".join(f"{name}:{value}\r\n" for name, value in [*top, *headers])
    return text.encode("utf-8") + b"\r\n" + body


def _headers(letter: Letter) -> list[Header]:
    domain, error = letter.sender.domain, letter.sender.mail_from
    bare = letter.message_id.strip("<>")
    boundary = f"----=_NextPart_{letter.number:08X}_{letter.delivery:08X}"
    content = f' multipart/alternative;\r\n\tboundary="{boundary}"'
    return [
        ("From", f' "{letter.instance} news" <news@{domain}>'),
        ("Subject", f" {letter.subject or f'Seed of {letter.instance}: our news for you'}"),
        ("Date", " " + format_datetime(letter.at)),
        ("To", f" <{letter.recipient}>"),
        ("Reply-To", f" <reply@{domain}>"),
        ("MIME-Version", " 1.0"),
        ("Message-ID", f" {letter.message_id}"),
        ("X-mailer", f" {letter.x_mailer}"),
        ("Precedence", " bulk"),
        ("List-Unsubscribe", f" <mailto:{error}?subject=unsubscribe%3C{bare}%3E>"),
        ("Content-Type", content),
    ]


def _received(letter: Letter) -> Header:
    inside = f"10.0.{letter.number % 200}.5"
    queue = f"{letter.number:02X}/{letter.delivery:04X}-28414-{letter.number:08X}"
    value = (
        f" from [{inside}] ([{inside}:4{letter.number % 9000:04d}] helo={letter.route.helo})\r\n"
        f"\tby {letter.mta.host} (envelope-from <{letter.sender.mail_from}>)\r\n"
        "\t(ecelerity 4.4.1.20033 r(msys-ecelerity:tags/4.4.1.0^0)) with ESMTP\r\n"
        f"\tid {queue}; {format_datetime(letter.at - timedelta(seconds=letter.mta.behind))}"
    )
    return "Received", value


def _feedback(letter: Letter) -> str:
    """X-MSFBL: a token and base64 of JSON, folded inside the base64; b names the address."""
    group = f"prod.{letter.binding}_{uuid5(NAMESPACE_DNS, letter.instance)}"
    tenant = letter.instance.split("-")[0]
    told = {
        "rcpt_meta": {
            "in": letter.instance,
            "r": letter.recipient,
            "m": str(letter.number),
            "d": str(letter.delivery),
            "i": "",
        },
        "g": group,
        "b": f"{tenant}_{letter.route.ip}_{group}",
        "r": letter.recipient,
    }
    packed = base64.b64encode(json.dumps(told).encode()).decode()
    token = base64.b64encode(hashlib.sha256(packed.encode()).digest()).decode()
    text = f"{token}|{packed}"
    return "\r\n\t".join(text[start : start + 70] for start in range(0, len(text), 70))


def _body(letter: Letter) -> bytes:
    boundary = f"------=_NextPart_{letter.number:08X}_{letter.delivery:08X}"
    link = f"https://t.{letter.sender.domain}/r/?id=%s{letter.number:x},{letter.delivery:x},%x"
    padding = "<p>" + "lorem ipsum " * 6 + "</p>\r\n"
    filler = padding * (LARGE // len(padding) + 1) if letter.large else ""
    text = (
        f"{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"This is a seed mail of {letter.instance}.\r\nRead it: {link % ('t', 1)}\r\n\r\n"
        f"{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f'<html><body><p>This is a seed mail.</p>\r\n<a href="{link % ("h", 2)}">Mirror page</a>'
        f' <a href="{link % ("h", 3)}">Read it</a>\r\n{filler}</body></html>\r\n\r\n'
        f"{boundary}--\r\n"
    )
    return text.encode("utf-8")
