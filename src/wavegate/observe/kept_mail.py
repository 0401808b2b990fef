# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a received mail (policy `keep`): recipients hidden, the body left out.

What the promises need of a part that goes is read first and kept as a `Gist`: the hashes that DKIM
signatures are held against, the content key, the ids in links.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from wavegate.mailauth.dkim import Hashes, hashes
from wavegate.observe.header_mask import Hide, masked_header, masked_text, readers
from wavegate.record.content_key import content_hash, named_recipients, tracking_ids
from wavegate.record.message import Gist, Received, SignedPart
from wavegate.record.recipient import is_unguessable, normal_recipient

T = TypeVar("T")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKeeper:
    """Leaves out of mails what the policy does not keep.

    hide: a normal address as it is written down; one that it returns as it is, is not hidden.
    None: every address is kept in plain. bodies: whether whole messages are kept.
    """

    hide: Callable[[Received], Hide] | None
    bodies: bool

    def keep(self, mail: Received) -> Received:
        """The mail as it is written down; the same where nothing is left out. Never raises."""
        mask = self._mask(mail)
        if self.bodies and not mask:
            return mail
        raw = mail.raw if self.bodies else masked_header(_header(mail.raw), mask)
        return replace(
            mail,
            raw=raw,
            mail_from=mail.mail_from and masked_text(mail.mail_from, mask),
            recipients=tuple(_kept(recipient, mask) for recipient in mail.recipients),
            gist=self._gist(mail, raw, mask),
        )

    def _mask(self, mail: Received) -> dict[str, str]:
        """The addresses of a mail that are hidden, each with what stands for it."""
        if self.hide is None:
            return {}
        own = {normal_recipient(recipient) for recipient in mail.recipients}
        found = own if self.bodies else own | readers(_header(mail.raw))
        hide = self.hide(mail)
        pairs = ((address, hide(address)) for address in sorted(found) if "@" in address)
        return {address: hidden for address, hidden in pairs if hidden != address}

    def _gist(self, mail: Received, raw: bytes, mask: dict[str, str]) -> Gist:
        named = _or_none(named_recipients, mail) or frozenset()
        return Gist(
            whole=self.bodies,
            size=len(mail.raw),
            signed=() if self.bodies else _signed(mail.raw, raw),
            content=_or_none(content_hash, mail),
            links=tuple(sorted(_or_none(tracking_ids, mail) or ())),
            named=tuple(sorted({self._written(address, mail, mask) for address in named})),
            unguessable=any(map(is_unguessable, mail.recipients)),
        )

    def _written(self, address: str, mail: Received, mask: dict[str, str]) -> str:
        if self.hide is None:
            return address
        return mask.get(address) or self.hide(mail)(address)


def _kept(recipient: str, mask: dict[str, str]) -> str:
    return mask.get(normal_recipient(recipient), recipient)


def _header(raw: bytes) -> bytes:
    """The header with the blank line behind it, where DKIM ends it (RFC 6376 3.4.3)."""
    found = _HEADER_END.search(raw)
    return raw[: found.end()] if found else raw


def _signed(raw: bytes, kept: bytes) -> tuple[SignedPart | None, ...]:
    """What each signature covers. The head is kept as a hash only where masking changed it."""
    whole, header = hashes(raw), hashes(kept)
    now = [None if part is None else part.head for part in header]
    return tuple(
        None if part is None else _part(part, now[index]) for index, part in enumerate(whole)
    )


def _part(part: Hashes, now: bytes | None) -> SignedPart:
    head = part.head if part.head != now else None
    return SignedPart(
        octets=part.octets, body=part.body.hex(), head=None if head is None else head.hex()
    )


def _or_none(read: Callable[[Received], T], mail: Received) -> T | None:
    try:
        return read(mail)
    except RecursionError:  # parts nested beyond reason
        return None
