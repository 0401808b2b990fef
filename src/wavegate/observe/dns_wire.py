# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DNS bytes as far as a capture looks at them: query, header, question, record types. Pure.

Responses are kept as they came and decoded when judged (`record.dns_view`); building Python
objects of each answer is what makes DNS clients slow.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.rcode
import dns.rdatatype
from dns.name import Name

from wavegate.record.observation import Absent, Outcome, Seen, Unreachable

_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!2H")
_RECORD = struct.Struct("!2HIH")
QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
IN = 1
PAYLOAD = 1232
DO = 0x8000
_OPT = b"\0" + _RECORD.pack(dns.rdatatype.OPT, PAYLOAD, 0, 0)
_OPT_DO = b"\0" + _RECORD.pack(dns.rdatatype.OPT, PAYLOAD, DO, 0)
MAX_RECORDS = 4096

ANSWER, AUTHORITY = 1, 2
_MAY_OMIT_QUESTION = frozenset(
    {dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED}
)


@dataclass(frozen=True, slots=True)
class Question:
    """A name and a type, and what is made of them once for all servers.

    text: the name as text, absolute, lower case, odd octets escaped. wire: the question section
    that a query carries: name in lower case, type, class IN.
    """

    name: Name
    rdtype: str
    text: str = field(init=False, compare=False)
    wire: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        lower = self.name.canonicalize()
        end = _QUESTION.pack(dns.rdatatype.from_text(self.rdtype), IN)
        object.__setattr__(self, "text", lower.to_text())
        object.__setattr__(self, "wire", (lower.to_wire() or b"") + end)


def query(
    message_id: int, question: bytes, *, recursion: bool, edns: bool, dnssec: bool = False
) -> bytes:
    """A query message; EDNS announces 1232 octets (DNS flag day 2020).

    dnssec: with DO, so that signatures come along (RFC 3225); there is none without EDNS.
    """
    flags = RD if recursion else 0
    header = _HEADER.pack(message_id, flags, 1, 0, 0, 1 if edns else 0)
    return header + question + ((_OPT_DO if dnssec else _OPT) if edns else b"")


def message_id(data: bytes) -> int:
    """The id of a message, or -1 for what is too short to be one."""
    return int.from_bytes(data[:2], "big") if len(data) >= _HEADER.size else -1


def answers(data: bytes, question: bytes) -> bool:
    """Whether a message is a response to this question; letter case does not matter.

    Error responses may leave the question out (RFC 1035 4.1.1 lets a server that cannot read it).
    """
    if len(data) < _HEADER.size:
        return False
    _, flags, questions, *_ = _HEADER.unpack_from(data)
    if not flags & QR:
        return False
    if questions == 0:
        return rcode(data) in _MAY_OMIT_QUESTION
    end = _HEADER.size + len(question)
    return questions == 1 and data[_HEADER.size : end].lower() == question.lower()


def rcode(data: bytes) -> int:
    """The four bits of the header."""
    return data[3] & 0x0F


def flag(data: bytes, mask: int) -> bool:
    """Whether a header flag is set."""
    return bool(int.from_bytes(data[2:4], "big") & mask)


def truncated(data: bytes) -> bool:
    """Whether TC is set."""
    return flag(data, TC)


def record_types(data: bytes) -> Iterator[tuple[int, int]]:
    """(section, type) of each record, walked over without decoding; stops where bytes lie."""
    if len(data) < _HEADER.size:
        return
    _, _, questions, *counts = _HEADER.unpack_from(data)
    at = _HEADER.size
    for _ in range(questions):
        at = _after_name(data, at) + _QUESTION.size
    seen = 0
    for section, count in zip((ANSWER, AUTHORITY), counts, strict=False):
        for _ in range(count):
            at = _after_name(data, at)
            seen += 1
            if at + _RECORD.size > len(data) or seen > MAX_RECORDS:
                return
            rdtype, _, _, length = _RECORD.unpack_from(data, at)
            yield section, rdtype
            at += _RECORD.size + length


def _after_name(data: bytes, at: int) -> int:
    """The offset behind a name; beyond the end where it does not end."""
    while at < len(data):
        length = data[at]
        if length == 0:
            return at + 1
        if length >= 0xC0:
            return at + 2
        at += 1 + length
    return len(data) + 1


def has_cname(data: bytes) -> bool:
    """Whether the answer section holds a CNAME."""
    return (ANSWER, dns.rdatatype.CNAME) in set(record_types(data))


def outcome(data: bytes, role: str) -> Outcome:
    """What a response amounts to, by who gave it: an authoritative server, a parent, a resolver.

    Absent only from a server that is responsible (AA), or from a resolver that looked it up.
    NOERROR or NXDOMAIN without AA from a server that should be authoritative is `lame`.
    """
    code = rcode(data)
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unreachable(dns.rcode.to_text(dns.rcode.Rcode(code)), data)
    types = set(record_types(data))
    answered = any(section == ANSWER for section, _ in types)
    if role == "parent" and (AUTHORITY, dns.rdatatype.NS) in types and not answered:
        return Seen(data)
    if not flag(data, AA) and (role != "resolver" or _referral(types, answered=answered)):
        return Unreachable("lame", data)
    if answered:
        return Seen(data)
    return Absent("NXDOMAIN" if code == dns.rcode.NXDOMAIN else "NODATA", data)


def _referral(types: set[tuple[int, int]], *, answered: bool) -> bool:
    """NS in the authority section, no SOA, no answer: it sends us elsewhere."""
    return (
        not answered
        and (AUTHORITY, dns.rdatatype.NS) in types
        and (AUTHORITY, dns.rdatatype.SOA) not in types
    )


def refers(data: bytes) -> bool:
    """Whether a response without AA is a referral to another zone."""
    types = set(record_types(data))
    answered = any(section == ANSWER for section, _ in types)
    return bool(types) and not flag(data, AA) and _referral(types, answered=answered)
