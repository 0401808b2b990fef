# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How a message of a mailbox becomes a received mail: by the word of a named receiver.

The receiver's own Received line tells the sending address, the instant and what it saw of the
envelope; Return-Path and Delivered-To count only above that line, where no sender can write.
"""

import email.parser
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from wavegate.canonical import digest
from wavegate.record.message import Received
from wavegate.record.trace import NoTrust, TraceLine, believed

MailboxKind = Literal["imap", "maildir", "mbox", "eml"]
MAX_MESSAGE = 25 * 1024 * 1024
"""Bytes of one message, as of a sink's."""
MAX_HEAD = 1024 * 1024
"""Bytes of the headers of one message."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_HEADERS = email.parser.BytesHeaderParser(policy=email.policy.compat32)
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A message that is no evidence, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the messages of one mailbox.

    receiver: the host whose Received line is believed. at: when the mailbox is read. tolerance:
    how far a clock may be ahead of ours.
    """

    kind: MailboxKind
    receiver: str
    at: datetime
    tolerance: timedelta

    def read(self, data: bytes, *, stored: datetime | None = None) -> Received | LeftOut:
        """The mail that a message is. stored: when the mailbox took it (INTERNALDATE)."""
        if len(data) > MAX_MESSAGE:
            return LeftOut(f"larger than {MAX_MESSAGE} bytes")
        raw = _LINE_END.sub(b"\r\n", data)
        head = raw.partition(b"\r\n\r\n")[0]
        if len(head) > MAX_HEAD:
            return LeftOut(f"headers of more than {MAX_HEAD} bytes")
        fields = _fields(head)
        lines = [value for name, value in fields if name == "received"]
        line = believed(lines, self.receiver)
        if isinstance(line, NoTrust):
            return LeftOut(line.reason)
        at = line.at or stored
        if at is None:
            return LeftOut(f"the Received line of {self.receiver} bears no date")
        if at > self.at + self.tolerance:
            return LeftOut(f"received in the future by the clock of {self.receiver}")
        return self._received(raw, line, at, fields)

    def _received(
        self, raw: bytes, line: TraceLine, at: datetime, fields: list[tuple[str, str]]
    ) -> Received:
        above = _above(fields, self.receiver)
        path = above.get("return-path")
        delivered = next((above[name] for name in _DELIVERED if name in above), None)
        recipient = line.recipient or delivered
        return Received(
            source=self.kind,
            peer=line.peer or "",
            peer_by="received",
            helo=line.helo,
            mail_from=None if path is None else path.strip("<> "),
            recipients=(recipient.strip("<> "),) if recipient else (),
            connected=at,
            ended=at,
            tls=line.tls,
            raw=raw,
            digest=digest(raw),
            journal="",
        )


def _fields(head: bytes) -> list[tuple[str, str]]:
    """The headers, names in lower case, values unfolded."""
    found = _HEADERS.parsebytes(head + b"\r\n\r\n").items()
    return [(name.lower(), " ".join(str(value).split())) for name, value in found]


def _above(fields: list[tuple[str, str]], receiver: str) -> dict[str, str]:
    """The first header of each name above the believed line."""
    found: dict[str, str] = {}
    for name, value in fields:
        if name == "received" and not isinstance(believed([value], receiver), NoTrust):
            break
        found.setdefault(name, value)
    return found
