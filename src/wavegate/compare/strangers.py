# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Mail from unlisted addresses that speaks for an instance all the same: its signature verifies."""

from collections.abc import Iterable

from dns.name import Name

from wavegate.answer import Lookup, Unknown
from wavegate.compare.senders import address, listed
from wavegate.compare.verifying import verify_received
from wavegate.estate.model import Instance
from wavegate.mailauth.dkim import Outcome
from wavegate.mailauth.dkim_key import Key, effective_key
from wavegate.record.message import Received


def nobody_asked(name: Name, rdtype: str) -> Unknown:
    """The lookup of a phase without a snapshot: no key is known, so nothing verifies."""
    return Unknown(f"{name} {rdtype} was not captured")


def verified_strangers(
    instance: Instance, mails: Iterable[Received], lookup: Lookup
) -> frozenset[str]:
    """Digests of the mails from unlisted addresses that verify for a domain of the instance.

    Mail from a listed address speaks for the instance anyway and is not looked at.
    """
    known, own = listed(instance), {domain.name for domain in instance.domains}

    def key_of(name: Name) -> Key:
        return effective_key(lookup(name, "TXT"))

    return frozenset(
        mail.digest
        for mail in mails
        if address(mail.peer) not in known
        and any(
            found.outcome is Outcome.PASS and found.domain.rstrip(".").lower() in own
            for found in verify_received(mail, key_of)
        )
    )
