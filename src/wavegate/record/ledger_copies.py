# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Received mails as copies of queued messages: by the ids that they bear, once per Message-ID."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from wavegate.record.content_key import (
    CampaignIds,
    campaign_ids,
    content_hash,
    feedback,
    named_recipients,
    tracking_ids,
)
from wavegate.record.ledger_entry import Copy
from wavegate.record.message import Received
from wavegate.record.recipient import HMAC, normal_recipient, without_domain
from wavegate.record.trace import sender_lines

_BY = re.compile(r"(?:^|\s)by\s+([^\s;()]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the looks know that mails are resolved by.

    deliveries: their ids. recipients: the recipient of a row, by (row id, delivery id), for rows
    that mails name. readers: the recipients of the queue that our own sources receive.
    """

    deliveries: frozenset[str]
    recipients: Mapping[tuple[str, str], str]
    readers: frozenset[str]


def of_deliveries(mails: Iterable[Received], deliveries: frozenset[str]) -> tuple[Received, ...]:
    """The mails that name one of these deliveries: no other can be a copy, or need be read on."""
    return tuple(mail for mail in mails if _delivery(mail, deliveries) is not None)


def named_rows(mails: Iterable[Received]) -> frozenset[str]:
    """Every row id that some mail names in Message-ID or links, as it may be written."""
    found: set[str] = set()
    for mail in mails:
        ids = campaign_ids(mail.message_id)
        pairs = [(ids.row, ids.delivery)] if ids else []
        for row, _ in (*pairs, *_links(mail)):
            found.update(_written(row))
    return frozenset(found)


def _written(number: int) -> tuple[str, ...]:
    return CampaignIds(row=number & 0xFFFFFFFF, delivery=0, suffix="").rows


def _links(mail: Received) -> frozenset[tuple[int, int]]:
    try:
        return tracking_ids(mail)
    except RecursionError:  # parts nested beyond reason
        return frozenset()


def copies_of(mails: Iterable[Received], known: Known) -> tuple[Copy, ...]:
    """The mails that belong to a delivery of the looks, in time order.

    Several arrivals of one Message-ID are one copy, with the host of each.
    """
    found: dict[tuple[str, str], Copy] = {}
    for mail in sorted(mails, key=lambda mail: (mail.ended, mail.message_id, mail.digest)):
        for copy in _copies(mail, known):
            key = (copy.recipient, copy.message_id)
            first = found.setdefault(key, copy)
            if first is not copy:
                found[key] = replace(first, hosts=(*first.hosts, *copy.hosts))
    return tuple(found.values())


def _copies(mail: Received, known: Known) -> Iterator[Copy]:
    delivery = _delivery(mail, known.deliveries)
    if delivery is None:
        return
    ids = campaign_ids(mail.message_id)
    row, owner = _row(ids, delivery, known)
    for address in mail.recipients or (owner,):
        reader = without_domain(normal_recipient(address))
        told = owner if owner.startswith(HMAC) or not owner else reader
        yield Copy(
            recipient=told or reader,
            delivery=delivery,
            row=row if owner in ("", reader) or owner.startswith(HMAC) else "",
            message_id=mail.message_id,
            content=_content(mail),
            at=mail.ended,
            hosts=(_host(mail),),
            instead_of=_instead_of(mail, reader, owner, delivery, known),
        )


def _delivery(mail: Received, known: frozenset[str]) -> str | None:
    """The delivery of a mail as the looks write it: by Message-ID, or else by X-MSFBL."""
    ids = campaign_ids(mail.message_id)
    told = feedback(mail.header("X-MSFBL") or "")
    candidates = (*(ids.deliveries if ids else ()), *((told.delivery,) if told else ()))
    return next((found for found in candidates if found in known), None)


def _row(ids: CampaignIds | None, delivery: str, known: Known) -> tuple[str, str]:
    """The row that the Message-ID names, and its recipient, where it is one of the delivery.

    The first number is not always the broadLog id (v7 over mid-sourcing), so it counts only where
    the log has such a row.
    """
    for row in ids.rows if ids else ():
        owner = known.recipients.get((row, delivery))
        if owner is not None:
            return row, owner
    return "", ""


def _content(mail: Received) -> str | None:
    try:
        return content_hash(mail)
    except RecursionError:  # parts nested beyond reason
        return None


def _host(mail: Received) -> str:
    """The host of the sending side that handed the mail over: `by` of its topmost Received."""
    match = _BY.search(next(iter(sender_lines(mail)), ""))
    return match[1].rstrip(".").lower() if match else mail.peer


def _instead_of(mail: Received, reader: str, owner: str, delivery: str, known: Known) -> str:
    """Another reader for whom this mail was made: by its row, its links, or an address it names."""
    if owner and not owner.startswith(HMAC) and owner != reader:
        return owner
    for row, _ in sorted(_links(mail)):
        for text in _written(row):
            linked = known.recipients.get((text, delivery), reader)
            if linked != reader and not linked.startswith(HMAC) and linked:
                return linked
    others = named_recipients(mail) & known.readers - {reader}
    return min(others, default="")
