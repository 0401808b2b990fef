# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Messages as they lie in the mailbox of a receiver, and DMARC aggregate reports."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime

RECEIVER = "mx.seed.example"
AT = datetime(2024, 1, 16, 20, tzinfo=UTC)


def received(
    peer: str, *, by: str = RECEIVER, at: datetime = AT, helo: str = "mta1.acme.example"
) -> str:
    """A Received line as Postfix writes it, folded."""
    return (
        f"Received: from {helo} (mta1.acme.example [{peer}])\n"
        f"\tby {by} (Postfix) with ESMTPS id 4TF1\n"
        f"\tfor <seed@seed.example>; {format_datetime(at)}\n"
    )


def message(
    *,
    peer: str = "192.0.2.10",
    n: int = 0,
    at: datetime = AT,
    by: str = RECEIVER,
    below: str = "",
    domain: str = "news.acme.example",
) -> bytes:
    """A message in a mailbox, line ends LF. below: headers under the receiver's own."""
    text = (
        f"Return-Path: <bounce@{domain}>\n"
        "Delivered-To: seed@seed.example\n"
        f"{received(peer, by=by, at=at)}{below}"
        f"From: acme <hello@{domain}>\n"
        f"Message-ID: <NM6{n:08X}B0000001acme@{domain}>\n"
        "Subject: hello\n"
        "\n"
        f"hello {n}\n"
    )
    return text.encode()


def row(
    ip: str,
    count: int = 10,
    *,
    domain: str = "news.acme.example",
    selector: str = "acc1",
    dkim: str = "pass",
    spf: str = "pass",
) -> str:
    """A row of an aggregate report."""
    return (
        f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>"
        f"<disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated>"
        f"</row><identifiers><header_from>{domain}</header_from></identifiers><auth_results>"
        f"<dkim><domain>{domain}</domain><selector>{selector}</selector><result>{dkim}</result>"
        f"</dkim><spf><domain>{domain}</domain><result>{spf}</result></spf></auth_results></record>"
    )


def report(
    rows: Iterable[str],
    *,
    begin: int = 1705276800,
    end: int = 1705363199,
    name: str = "123",
    domain: str = "news.acme.example",
) -> bytes:
    """An aggregate report (RFC 7489 appendix C). begin, end: seconds since 1970."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feedback><report_metadata>'
        "<org_name>google.com</org_name><email>noreply@google.com</email>"
        f"<report_id>{name}</report_id><date_range><begin>{begin}</begin><end>{end}</end>"
        f"</date_range></report_metadata><policy_published><domain>{domain}</domain>"
        "<adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>reject</sp><pct>100</pct>"
        f"</policy_published>{''.join(rows)}</feedback>"
    ).encode()
