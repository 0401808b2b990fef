# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A received mail as it was recorded: the raw message and what the receiving side saw of it.

Header reading lives here too, so that every judge reads the same header the same way.
"""

import email
import email.message
import email.parser
import email.policy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import cached_property, lru_cache
from typing import Literal

_BLANK_LINE = re.compile(rb"(?:\A|\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)")
_PLAIN_HEAD = re.compile(
    rb"(?:(?!From )[!-9;-~]+:[\t -~]*\r\n(?:[\t ][\t -~]*\r\n)*+)*+(?:\r\n)?", re.ASCII
)
_FIELD_START = re.compile(r"\r\n(?![\t ])")
_HEADERS = email.parser.BytesHeaderParser(policy=email.policy.compat32)
_KEPT, _SMALL = 16_384, 4_096
"""How many heads are kept read, and up to how many bytes: a gate meets each mail several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """What one DKIM signature covers, hashed when the mail was received.

    octets: of the whole canonical body. body: SHA-256, hex, of it up to l=. head: of the header
    fields that it covers, as they were received; None where those that are kept are the same.
    """

    octets: int
    body: str
    head: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """What was read from a mail on receipt, before the policy `keep` had parts of it left out.

    whole: raw is the message as received, and only recipients are hidden; else it is the header
    alone. size: octets of the message. signed: per DKIM signature, None for one that cannot be
    read. content, links, named: as `content_key` reads them. unguessable: whether a recipient is.
    """

    whole: bool
    size: int
    signed: tuple[SignedPart | None, ...]
    content: str | None
    links: tuple[tuple[int, int], ...]
    named: tuple[str, ...]
    unguessable: bool


@dataclass(frozen=True, kw_only=True)
class Received:
    """One received mail.

    source: `sink`, `imap`, `maildir`, `mbox`. peer: IP text of the sending side; how it is known
    is `peer_by`: `socket` (what our socket saw), `proxy` (PROXY protocol from a named network) or
    `received` (a trusted receiver's header). helo, mail_from, recipients: of the envelope; None
    and empty where the source does not know. connected, ended: instants of the connection and of
    the end of data (equal where only one is known). tls: whether STARTTLS was used, None unknown.
    raw: the message as received, CRLF. digest: SHA-256 of the message as received. journal: where
    it is recorded. gist: None for a mail that is kept as it came; else raw may be less than that.
    """

    source: str
    peer: str
    peer_by: Literal["socket", "proxy", "received"]
    helo: str | None
    mail_from: str | None
    recipients: tuple[str, ...]
    connected: datetime
    ended: datetime
    tls: bool | None
    raw: bytes
    digest: str
    journal: str
    gist: Gist | None = None

    @property
    def size(self) -> int:
        """Octets of the message as received."""
        return len(self.raw) if self.gist is None else self.gist.size

    @cached_property
    def parsed(self) -> email.message.Message:
        """The message under the compat32 policy, which never raises on odd headers."""
        return email.message_from_bytes(self.raw, policy=email.policy.compat32)

    def header(self, name: str) -> str | None:
        """The first header of that name, unfolded, or None."""
        found = self.headers(name)
        return found[0] if found else None

    def headers(self, name: str) -> tuple[str, ...]:
        """All headers of that name, top to bottom, unfolded."""
        return self._by_name.get(name.lower(), ())

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        blank = _BLANK_LINE.search(self.raw)
        head = self.raw[: blank.end()] if blank else self.raw
        return _read_small_head(head) if len(head) <= _SMALL else _read_head(head)

    @property
    def message_id(self) -> str:
        """The Message-ID with its brackets, or the digest where there is none."""
        return self.header("Message-ID") or f"sha256:{self.digest}"


def _read_head(head: bytes) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, value in _fields(head):
        found.setdefault(name.lower(), []).append(" ".join(value.split()))
    return {name: tuple(values) for name, values in found.items()}


def _fields(head: bytes) -> Iterable[tuple[str, str]]:
    """The fields as the standard library reads them; plain heads are cut in a tenth of its time."""
    if not _PLAIN_HEAD.fullmatch(head):
        return [(name, str(value)) for name, value in _HEADERS.parsebytes(head).items()]
    parts = (field.partition(":") for field in _FIELD_START.split(head.decode("ascii")) if field)
    return [(name, value) for name, _, value in parts]


_read_small_head = lru_cache(_KEPT)(_read_head)


@lru_cache(_KEPT)
def domain_of(address: str) -> str:
    """The domain of an address, lower case without final dot; empty if there is none."""
    return parseaddr(address)[1].rpartition("@")[2].lower().rstrip(".")
