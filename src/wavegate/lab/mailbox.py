# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A mailbox of a seed reader at a receiver that scans mail before it hands it over: a Maildir."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from wavegate.lab.letters import Letter, compose
from wavegate.lab.mta import streams
from wavegate.lab.world import Mailing

RECEIVER = "mx.seed.example"
FIRST = 0x900


def make(folder: Path) -> None:
    """An empty Maildir."""
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def hand_over(folder: Path, instance: str, mailing: Mailing, reader: str, taken: datetime) -> None:
    """Put as many messages as the world says into a Maildir. taken: when the receiver took them."""
    for number, text in enumerate(_texts(instance, mailing, reader, taken)):
        name = f"{taken.timestamp():.6f}.{number}.lab"
        (folder / "tmp" / name).write_bytes(text.replace(b"\r\n", b"\n"))
        (folder / "tmp" / name).rename(folder / "new" / name)


def _texts(instance: str, mailing: Mailing, reader: str, taken: datetime) -> Iterator[bytes]:
    ways = streams(mailing)
    for number in range(mailing.mailbox):
        way = ways[number % len(ways)]
        letter = Letter(
            instance=instance,
            sender=mailing.sender(way.domain),
            route=way.route,
            mta=way.mta,
            x_mailer=mailing.x_mailer,
            recipient=reader,
            number=FIRST + number,
            delivery=4005,
            at=taken,
        )
        yield _trace(letter) + compose(letter)


def _trace(letter: Letter) -> bytes:
    """What the receiver writes above a message (RFC 5321 4.4)."""
    ip = letter.route.ip
    literal = f"IPv6:{ip}" if ":" in ip else ip
    told = (
        f"Return-Path: <{letter.sender.mail_from}>\r\n"
        f"Received: from {letter.helo} ({letter.helo} [{literal}])\r\n"
        f"\tby {RECEIVER} with ESMTP id {letter.number:X} for <{letter.recipient}>;\r\n"
        f"\t{format_datetime(letter.at)}\r\n"
    )
    return told.encode("ascii")
