# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A received mail as it was recorded: the raw message and what the receiving side saw of it.

Header reading lives here too, so that every judge reads the same header the same way.
"""

import email
import email.message
import email.policy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Received:
    """One received mail.

    source: `sink`, `imap`, `maildir`, `mbox`. peer: IP text of the sending side; how it is known
    is `peer_by`: `socket` (what our socket saw), `proxy` (PROXY protocol from a named network) or
    `received` (a trusted receiver's header). helo, mail_from, recipients: of the envelope; None
    and empty where the source does not know. connected, ended: instants of the connection and of
    the end of data (equal where only one is known). tls: whether STARTTLS was used, None unknown.
    raw: the message as received, CRLF. digest: SHA-256 of raw. journal: where it is recorded.
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
        found: dict[str, list[str]] = {}
        for name, value in self.parsed.items():
            found.setdefault(name.lower(), []).append(" ".join(str(value).split()))
        return {name: tuple(values) for name, values in found.items()}

    @property
    def message_id(self) -> str:
        """The Message-ID with its brackets, or the digest where there is none."""
        return self.header("Message-ID") or f"sha256:{self.digest}"
