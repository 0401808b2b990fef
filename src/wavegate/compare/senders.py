# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What received mail shows of its sender: the address, the binding, the independent shipment.

Anyone can write to a sink, so a mail speaks for an instance only if it came from a listed
address, carries a valid signature of one of its domains, or went to an address that nobody can
guess (design, "Seeds").
"""

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from wavegate.estate.model import Instance
from wavegate.record.message import Received, domain_of
from wavegate.record.recipient import is_unguessable

MAX_BINDING = 8_192
MAYBE_ONE = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEOLANE_ID = re.compile(r"<(?:NM6|AC7)[0-9A-F]{8}([0-9A-F]{8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One independent piece of evidence: messages of one delivery over one connection.

    Messages that share a connection share their sending IP, so counting them one by one would
    overstate what a sample can miss. A mailbox does not tell connections: there, what came from
    one address for one delivery within the same `MAYBE_ONE` is taken as one.
    """

    peer: str
    connected: datetime
    delivery: str


@lru_cache(4_096)
def address(text: str) -> str:
    """The normal text of an IP address, a mapped IPv4 as IPv4; the text itself if it is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(getattr(found, "ipv4_mapped", None) or found)


def shipment(mail: Received) -> Shipment:
    """The delivery and connection that a mail belongs to."""
    match = _NEOLANE_ID.match(mail.message_id)
    connected = mail.connected
    if mail.peer_by == "received":
        connected -= (connected - _EPOCH) % MAYBE_ONE
    return Shipment(
        peer=address(mail.peer),
        connected=connected,
        delivery=match[1].lower() if match else "",
    )


def shipments(mails: Iterable[Received]) -> int:
    """How many independent pieces of evidence some mails are."""
    return len({shipment(mail) for mail in mails})


def speaks_for(instance: Instance, mail: Received, verified: frozenset[str]) -> bool:
    """Whether a mail is evidence about the instance. verified: digests of mails that verify."""
    return address(mail.peer) in listed(instance) or mail.digest in verified or _unguessable(mail)


def listed(instance: Instance) -> frozenset[str]:
    """The sending IPs of the estate, normalised."""
    return frozenset(address(ip) for ip in instance.sending_ips)


def _unguessable(mail: Received) -> bool:
    if mail.gist is not None:
        return mail.gist.unguessable
    return any(is_unguessable(recipient) for recipient in mail.recipients)


def from_domain(mail: Received) -> str:
    """The domain of From, lower case without final dot; empty if there is none."""
    return domain_of(mail.header("From") or "")


def binding_ip(mail: Received) -> str | None:
    """The sending IP that X-MSFBL's binding names, or None: a second witness beside the peer.

    `<signature>|<base64 of JSON>`, folded; its `b` ends in or contains the address.
    """
    parts = (_ip_or_none(part) for part in (binding(mail) or "").split("_"))
    return next((part for part in parts if part), None)


def binding(mail: Received) -> str | None:
    """The name of the MTA binding in X-MSFBL, or None: which sender of an instance it was."""
    found = _feedback(mail).get("b")
    return found if isinstance(found, str) else None


def affinity(mail: Received) -> str:
    """The group of sending IPs that X-MSFBL says the delivery is bound to; empty where none."""
    found = _feedback(mail).get("g")
    return found if isinstance(found, str) else ""


def _feedback(mail: Received) -> Mapping[str, object]:
    value = mail.header("X-MSFBL")
    if value is None or len(value) > MAX_BINDING:
        return {}
    return _json_after_bar(value)


def _json_after_bar(value: str) -> Mapping[str, object]:
    text = "".join(value.rpartition("|")[2].split())
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _ip_or_none(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
