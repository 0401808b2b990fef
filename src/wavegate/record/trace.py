# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Received lines (RFC 5321 section 4.4): who took a mail over, from which address, and when.

Anyone can write such lines below those of the receiver, so only the receiver's own is believed:
the topmost one, or the first below lines by which the mail was passed on inside the receiver. What
is ambiguous in it is not read at all.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wavegate.record.message import Received

FIRST_YEAR, LAST_YEAR = 1971, 2900
"""Instants outside are no clock's, and would not bear arithmetic."""
MAX_LINE = 2048
MAX_HANDED_ON = 8
"""So many lines of passing on inside the receiver are looked through."""
_BY = re.compile(r"(?:^|\s)by\s+([^\s;()]+)")
_WITH = re.compile(r"\swith\s+([A-Za-z0-9]+)")
_FOR = re.compile(r"\sfor\s+<([^<>\s]+)>")
_COMMENT = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)")
_HELO_WORD = re.compile(r"\bhelo[= ]\s*(\S+)", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]")
_LOCAL = frozenset({"LMTP", "LMTPS", "LMTPA", "LMTPSA"})
_TLS = frozenset({"ESMTPS", "ESMTPSA", "LMTPS", "LMTPSA", "UTF8SMTPS", "UTF8SMTPSA"})
_PLAIN = frozenset({"SMTP", "ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One Received line, unfolded.

    by: the host that wrote it, lower case. came_from: whether it names a `from` at all. peer: the
    address that the host saw, None where none or more than one is named. helo, recipient: as the
    line tells them. protocol: after `with`, upper case, or "". at: its date, aware, UTC.
    """

    by: str
    came_from: bool
    peer: str | None
    helo: str | None
    protocol: str
    recipient: str | None
    at: datetime | None

    @property
    def handed_on(self) -> bool:
        """Whether it only tells of the mail's way inside a receiver: no client came with it.

        A line of local submission names no protocol, so that it is none.
        """
        return self.protocol in _LOCAL or (not self.came_from and bool(self.protocol))

    @property
    def tls(self) -> bool | None:
        """Whether the protocol (RFC 3848) says that TLS was used; None where it does not say."""
        known = self.protocol in _TLS or self.protocol in _PLAIN
        return self.protocol in _TLS if known else None


@dataclass(frozen=True, slots=True)
class NoTrust:
    """Why no line of a mail is believed."""

    reason: str


def trace_line(line: str) -> TraceLine:
    """Read one unfolded Received line; what cannot be read is None or empty."""
    line = line[:MAX_LINE]
    clauses, _, date = line.rpartition(";")
    clauses = clauses or line
    hosts = list(_BY.finditer(_without_comments(clauses)))
    sender = _sender(clauses)
    protocol = _WITH.search(_without_comments(clauses))
    recipient = _FOR.search(clauses)
    return TraceLine(
        by=hosts[-1][1].rstrip(".").lower() if hosts else "",
        came_from=bool(sender),
        peer=_peer(sender),
        helo=_helo(sender),
        protocol=protocol[1].upper() if protocol else "",
        recipient=recipient[1] if recipient else None,
        at=date_of(date),
    )


def believed(lines: Sequence[str], receiver: str) -> TraceLine | NoTrust:
    """The line that a named receiver wrote when a mail came in from outside.

    lines: all Received lines of a mail, top to bottom, unfolded. receiver: its host name.
    """
    receiver = receiver.rstrip(".").lower()
    for text in lines[:MAX_HANDED_ON]:
        line = trace_line(text)
        if line.handed_on:
            continue
        if line.by != receiver:
            return NoTrust(f"the topmost Received line was not written by {receiver}")
        if line.peer is None:
            return NoTrust(f"the Received line of {receiver} names no single address")
        return line
    return NoTrust(f"no Received line of {receiver} is at the top")


def sender_lines(mail: Received) -> tuple[str, ...]:
    """The Received lines of the sending side, top to bottom.

    A sink writes none of its own. Of a mail from a mailbox, those below the line that named the
    peer; none where that line is not there.
    """
    lines = mail.headers("Received")
    if mail.peer_by != "received":
        return lines
    for place, text in enumerate(lines[:MAX_HANDED_ON]):
        if trace_line(text).peer == mail.peer:
            return lines[place + 1 :]
    return ()


def date_of(text: str) -> datetime | None:
    """A date of a header (RFC 5322 3.3) as an aware UTC instant; without a zone it is UTC."""
    try:
        found = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _without_comments(text: str) -> str:
    return _COMMENT.sub(" ", text)


def _sender(clauses: str) -> str:
    """The `from` clause: all before the last `by` outside of comments.

    What a client says of itself may hold a `by` too; then two addresses are met, and none is read.
    """
    if not clauses.lower().startswith("from "):
        return ""
    blank = _COMMENT.sub(lambda found: " " * len(found[0]), clauses)
    places = [found.start() for found in _BY.finditer(blank)]
    return clauses[len("from ") : places[-1]] if places else ""


def _peer(sender: str) -> str | None:
    """The one address that the comments of a `from` clause name (the TCP-info of RFC 5321).

    Exim writes the address in front and what the client called itself into the comment.
    """
    comments = [found[1] for found in _COMMENT.finditer(sender)]
    told = [_HELO_WORD.sub(" ", comment) for comment in comments]
    if any("helo=" in comment.lower() for comment in comments):
        told.append(_without_comments(sender))
    found = {address for text in told for address in _addresses(text)}
    return found.pop() if len(found) == 1 else None


def _addresses(text: str) -> list[str]:
    bare = text.strip()
    candidates = _BRACKETED.findall(text) or ([bare] if bare else [])
    return [address for one in candidates if (address := _ip(one))]


def _ip(text: str) -> str | None:
    try:
        found = ipaddress.ip_address(text.removeprefix("IPv6:"))
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def _helo(sender: str) -> str | None:
    """What the client called itself: `helo=` of a comment, or the first word."""
    said = _HELO_WORD.search(sender)
    word = said[1] if said else (sender.split() or [""])[0]
    return word.strip("()[]") or None
